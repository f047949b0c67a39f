/*
 * check_day.c - looks at the document of a day: can it be read, are its
 * meals' sums those of their items, and its total that of its meals?
 *
 * Owns what it remembers of a day while it looks at it.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <stdlib.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

/* A day that is being looked at. */
struct day_look {
	const bson_t *doc;
	int64_t user_id, day;
	struct day_sum total;	/* as it should be */
	struct day_sum told;	/* of the meals' sums as they are */
	size_t n;
	bool any_wrong;
	struct {
		bool wrong;	/* its sum is not that of its items */
		int32_t rev;
		struct nutrients sum;		/* of its items */
		int64_t chat_id, message_id;
	} meals[MEALS_PER_DAY_MAX];
};

static bool same(const struct nutrients *a, const struct nutrients *b)
{
	return a->cal == b->cal && a->protein == b->protein &&
	    a->fat == b->fat && a->carb == b->carb;
}

static bool read_day(struct day_look *look, const bson_t *doc)
{
	struct meal m;
	bson_iter_t it;
	bson_t list, el;

	look->doc = doc;
	if (!mongo_get_i64(doc, "user_id", &look->user_id) ||
	    !mongo_get_i64(doc, "day", &look->day) ||
	    !mongo_get_doc(doc, "meals", &list) || !bson_iter_init(&it, &list))
		return false;
	look->total.day = (int32_t)look->day;
	for (; bson_iter_next(&it); look->n++) {
		struct nutrients sum;

		if (look->n == MEALS_PER_DAY_MAX || !mongo_iter_doc(&it, &el) ||
		    !mongo_get_meal(doc, &el, &m))
			return false;
		sum = m.sum;
		mongo_day_count(&look->told, &m);
		meal_sum(&m);
		look->meals[look->n].wrong = !same(&sum, &m.sum);
		look->meals[look->n].rev = m.rev;
		look->meals[look->n].sum = m.sum;
		look->meals[look->n].chat_id = m.chat_id;
		look->meals[look->n].message_id = m.message_id;
		look->any_wrong |= look->meals[look->n].wrong;
		mongo_day_count(&look->total, &m);
	}
	return it.err_off == 0;
}

/* Only the day with the sum that was read, and the meals with theirs. */
static void put_guards(bson_t *query, const struct day_look *look)
{
	char key[32];
	bson_iter_t it;
	bson_t part;

	if (bson_iter_init_find(&it, look->doc, "_id"))
		bson_append_iter(query, "_id", -1, &it);
	BSON_APPEND_INT64(query, "user_id", look->user_id);
	if (bson_iter_init_find(&it, look->doc, "total")) {
		bson_append_iter(query, "total", -1, &it);
	} else {
		BSON_APPEND_DOCUMENT_BEGIN(query, "total", &part);
		BSON_APPEND_BOOL(&part, "$exists", false);
		bson_append_document_end(query, &part);
	}
	for (size_t i = 0; i < look->n; i++) {
		if (!look->meals[i].wrong)
			continue;
		str_format(key, sizeof(key), "meals.%zu.rev", i);
		BSON_APPEND_INT32(query, key, look->meals[i].rev);
	}
}

static void put_sum(bson_t *set, size_t i, const char *name, int64_t value)
{
	char key[48];

	str_format(key, sizeof(key), "meals.%zu.%s", i, name);
	BSON_APPEND_INT64(set, key, value);
}

static bool mend_day(const struct mongo_checker *c, const struct day_look *look)
{
	bson_t query = BSON_INITIALIZER, set = BSON_INITIALIZER;
	char key[32];
	bool done = false;

	put_guards(&query, look);
	mongo_put_total(&set, &look->total);
	for (size_t i = 0; i < look->n; i++) {
		const struct nutrients *sum = &look->meals[i].sum;

		if (!look->meals[i].wrong)
			continue;
		put_sum(&set, i, "cal", sum->cal);
		put_sum(&set, i, "protein", sum->protein);
		put_sum(&set, i, "fat", sum->fat);
		put_sum(&set, i, "carb", sum->carb);
		str_format(key, sizeof(key), "meals.%zu.rev", i);
		BSON_APPEND_INT32(&set, key, look->meals[i].rev + 1);
	}
	if (c->repair)
		done = mongo_check_mend(c, MONGO_DAYS, &query, &set);
	bson_destroy(&set);
	bson_destroy(&query);
	return done;
}

static void tell_meals(const struct mongo_checker *c, const struct day_look *look,
    bool repaired)
{
	for (size_t i = 0; i < look->n; i++) {
		struct store_fault f = { .kind = STORE_DRIFT,
			.collection = COLLECTION_MEALS,
			.user_id = look->user_id, .repaired = repaired };

		if (!look->meals[i].wrong)
			continue;
		str_format(f.id, sizeof(f.id), "%" PRId64 ":%" PRId64
		    ":%" PRId64 ":%" PRId64, look->user_id, look->day,
		    look->meals[i].chat_id, look->meals[i].message_id);
		mongo_check_tell(c, &f, look->doc, "the meal's sum is not what its items "
		    "add up to");
	}
}

void mongo_check_day(struct mongo_checker *c, const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_DRIFT,
		.collection = COLLECTION_MEALS };
	struct day_look *look = xcalloc(1, sizeof(*look));
	struct day_sum stored;
	bool right;

	if (!read_day(look, doc)) {
		mongo_check_unreadable(c, COLLECTION_MEALS, doc);
		goto out;
	}
	mongo_check_slot(c, COLLECTION_MEALS, doc, look->user_id);
	right = mongo_get_total(doc, look->total.day, &stored) &&
	    stored.meals == look->told.meals &&
	    same(&stored.sum, &look->told.sum);
	if (right && !look->any_wrong)
		goto out;
	f.user_id = look->user_id;
	f.repaired = mend_day(c, look);
	tell_meals(c, look, f.repaired);
	if (!right)
		mongo_check_tell(c, &f, doc, "the day's total is not what its meals add up "
		    "to");
out:
	free(look);
}
