/*
 * mongo_check.c - looks at every document of a slot, and mends what can be
 * computed from the rest of it.
 *
 * A repair is a compare-and-set on what was looked at: a document that
 * somebody changed meanwhile is left as it is, and is found again if it is
 * still wrong.  Owns the counts of own foods during a call.
 */
#include "config.h"

#include "store/mongo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/router.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

struct count {
	int64_t user_id;
	int64_t n;
};

struct checker {
	struct mongo_store *ms;
	int32_t slot;
	bool repair;
	void (*found)(void *ctx, const struct store_fault *f);
	void *ctx;
	struct count *foods;	/* owned; by user_id */
	size_t nfoods;
};

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

static void tell(const struct checker *c, struct store_fault *f,
    const bson_t *doc, const char *words)
{
	if (f->id[0] == '\0')
		mongo_doc_key(doc, f->id, sizeof(f->id));
	str_copy(f->words, sizeof(f->words), words);
	c->found(c->ctx, f);
}

static void tell_unreadable(const struct checker *c, enum collection kind,
    const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_UNREADABLE,
		.collection = kind };

	if (!mongo_get_i64(doc, "user_id", &f.user_id))
		f.user_id = 0;
	tell(c, &f, doc, "a field is missing, or is not as it was written");
}

static void look_slot(const struct checker *c, enum collection kind,
    const bson_t *doc, int64_t user_id)
{
	struct store_fault f = { .kind = STORE_WRONG_SLOT,
		.collection = kind, .user_id = user_id };
	char words[sizeof(f.words)];

	if (slot_of(user_id) == c->slot)
		return;
	str_format(words, sizeof(words), "stored in slot %" PRId32
	    ", belongs to slot %" PRId32, c->slot, slot_of(user_id));
	tell(c, &f, doc, words);
}

/* Runs an update; was a document changed? */
static bool update(const struct checker *c, const char *collection,
    const bson_t *query, const bson_t *set)
{
	int64_t n = 0;
	bson_t *cmd, reply;
	enum rc rc;

	cmd = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{",
	    "q", BCON_DOCUMENT(query),
	    "u", "{", "$set", BCON_DOCUMENT(set), "}", "}", "]");
	rc = mongo_write(mongo_begin(&c->ms->store), cmd, &reply, NULL);
	if (rc == RC_OK && !mongo_get_i64(&reply, "n", &n))
		n = 0;
	bson_destroy(&reply);
	bson_destroy(cmd);
	return n == 1;
}

static int64_t foods_of(const struct checker *c, int64_t user_id)
{
	size_t low = 0, high = c->nfoods;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->foods[mid].user_id < user_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->nfoods && c->foods[low].user_id == user_id ?
	    c->foods[low].n : 0;
}

/* A shard that is served changes meanwhile: who seems to have other foods than
 * their record says is looked at once more, and drifts only if the record was
 * the same before and after the count. */
static bool user_drifts(const struct checker *c, struct user *u, int64_t *n)
{
	struct store *s = &c->ms->store;
	struct user before;
	bson_t *query;
	enum rc rc;

	rc = s->ops->user_get(s, u->user_id, &before, NULL);
	query = BCON_NEW("user_id", BCON_INT64(u->user_id),
	    "slot", BCON_INT32(c->slot));
	if (rc == RC_OK)
		rc = mongo_count(c->ms, MONGO_FOODS, query, n, NULL);
	bson_destroy(query);
	if (rc == RC_OK)
		rc = s->ops->user_get(s, u->user_id, u, NULL);
	return rc == RC_OK && before.rev == u->rev && *n != u->own_foods;
}

static bool mend_user(const struct checker *c, const struct user *u, int64_t n)
{
	bson_t *query, *set;
	bool done;

	if (!c->repair)
		return false;
	query = BCON_NEW("_id", BCON_INT64(u->user_id),
	    "user_id", BCON_INT64(u->user_id), "rev", BCON_INT32(u->rev));
	set = BCON_NEW("own_foods", BCON_INT32((int32_t)n),
	    "rev", BCON_INT32(u->rev + 1));
	done = update(c, MONGO_USERS, query, set);
	bson_destroy(set);
	bson_destroy(query);
	return done;
}

static void look_user(struct checker *c, const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_DRIFT };
	char words[sizeof(f.words)];
	struct user u;
	int64_t n;

	if (!mongo_get_user(doc, &u)) {
		tell_unreadable(c, COLLECTION_USERS, doc);
		return;
	}
	look_slot(c, COLLECTION_USERS, doc, u.user_id);
	n = foods_of(c, u.user_id);
	if (n == u.own_foods || !user_drifts(c, &u, &n))
		return;
	f.user_id = u.user_id;
	f.repaired = mend_user(c, &u, n);
	str_format(words, sizeof(words), "own_foods says %" PRId32
	    ", %" PRId64 " are stored", u.own_foods, n);
	tell(c, &f, doc, words);
}

static void look_own_food(struct checker *c, const bson_t *doc)
{
	struct own_food own;

	if (mongo_get_own_food(doc, &own))
		look_slot(c, COLLECTION_OWN_FOODS, doc, own.user_id);
	else
		tell_unreadable(c, COLLECTION_OWN_FOODS, doc);
}

static void look_job(struct checker *c, const bson_t *doc)
{
	struct job *j = xmalloc(sizeof(*j));

	if (mongo_get_job(doc, j))
		look_slot(c, COLLECTION_JOBS, doc, j->user_id);
	else
		tell_unreadable(c, COLLECTION_JOBS, doc);
	free(j);
}

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

static bool mend_day(const struct checker *c, const struct day_look *look)
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
		done = update(c, MONGO_DAYS, &query, &set);
	bson_destroy(&set);
	bson_destroy(&query);
	return done;
}

static void tell_meals(const struct checker *c, const struct day_look *look,
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
		tell(c, &f, look->doc, "the meal's sum is not what its items "
		    "add up to");
	}
}

static void look_day(struct checker *c, const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_DRIFT,
		.collection = COLLECTION_MEALS };
	struct day_look *look = xcalloc(1, sizeof(*look));
	struct day_sum stored;
	bool right;

	if (!read_day(look, doc)) {
		tell_unreadable(c, COLLECTION_MEALS, doc);
		goto out;
	}
	look_slot(c, COLLECTION_MEALS, doc, look->user_id);
	right = mongo_get_total(doc, look->total.day, &stored) &&
	    stored.meals == look->told.meals &&
	    same(&stored.sum, &look->told.sum);
	if (right && !look->any_wrong)
		goto out;
	f.user_id = look->user_id;
	f.repaired = mend_day(c, look);
	tell_meals(c, look, f.repaired);
	if (!right)
		tell(c, &f, doc, "the day's total is not what its meals add up "
		    "to");
out:
	free(look);
}

static enum rc look_at_all(struct checker *c, enum collection kind,
    void (*look)(struct checker *c, const bson_t *doc), struct err *e)
{
	bson_t *filter = mongo_slot_filter(c->slot, NULL, 0);
	struct mongo_find f = { .collection = collection_name(kind),
		.filter = filter };
	struct mongo_cursor cursor = { 0 };
	const bson_t *doc;
	enum rc rc;

	mongo_cursor_find(&cursor, c->ms, &f);
	while ((rc = mongo_cursor_next(&cursor, false, &doc, e)) == RC_OK)
		look(c, doc);
	mongo_cursor_release(&cursor);
	bson_destroy(filter);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* How many own foods each has, by user_id. */
static enum rc count_foods(struct checker *c, struct err *e)
{
	struct mongo_cursor cursor = { 0 };
	struct count one;
	const bson_t *doc;
	bson_t *pipeline;
	size_t room = 0;
	enum rc rc;

	pipeline = BCON_NEW("pipeline", "[",
	    "{", "$match", "{", "slot", BCON_INT32(c->slot), "}", "}",
	    "{", "$group", "{", "_id", BCON_UTF8("$user_id"),
		"n", "{", "$sum", BCON_INT32(1), "}", "}", "}",
	    "{", "$sort", "{", "_id", BCON_INT32(1), "}", "}", "]");
	mongo_cursor_aggregate(&cursor, c->ms, MONGO_FOODS, pipeline);
	while ((rc = mongo_cursor_next(&cursor, false, &doc, e)) == RC_OK) {
		/* Who cannot be read is told when the food is looked at. */
		if (!mongo_get_i64(doc, "_id", &one.user_id) ||
		    !mongo_get_i64(doc, "n", &one.n))
			continue;
		if (c->nfoods == room) {
			room = room > 0 ? 2 * room : 64;
			c->foods = xrealloc(c->foods, room * sizeof(one));
		}
		c->foods[c->nfoods++] = one;
	}
	mongo_cursor_release(&cursor);
	bson_destroy(pipeline);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc mongo_check(struct store *s, int32_t slot, bool repair,
    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
    struct err *e)
{
	static void (*const looks[COLLECTION_COUNT])(struct checker *c,
	    const bson_t *doc) = {
		look_user, look_day, look_own_food, look_job
	};
	struct checker c = { .ms = mongo_begin(s), .slot = slot,
		.repair = repair, .found = found, .ctx = ctx };
	enum rc rc;

	rc = count_foods(&c, e);
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = look_at_all(&c, (enum collection)k, looks[k], e);
	free(c.foods);
	return rc;
}
