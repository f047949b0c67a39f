/*
 * day.c - days, history pages and sums, on MongoDB.
 *
 * A day's meals come in one document, in the order of recording; here they are
 * put in order of time, and only those that are asked for are unpacked.
 * Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <string.h>

#include "utils/buf.h"

enum { DAYS_MAX = 62, DAYS_A_BATCH = 4 };

/* A meal of a day before it is unpacked; el borrows from the answer. */
struct entry {
	int64_t at, chat_id, message_id;
	bson_t el;
};

struct entries {
	size_t n;
	struct entry list[MEALS_PER_DAY_MAX];
};

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int entry_order(const void *pa, const void *pb)
{
	const struct entry *a = *(const struct entry *const *)pa;
	const struct entry *b = *(const struct entry *const *)pb;
	int c = compare(a->at, b->at);

	if (c == 0)
		c = compare(a->chat_id, b->chat_id);
	return c != 0 ? c : compare(a->message_id, b->message_id);
}

/* The day's meals that are not deleted, oldest first. */
static bool entries_read(const bson_t *doc, struct entries *out,
    const struct entry *sorted[MEALS_PER_DAY_MAX])
{
	bson_iter_t it;
	bson_t list;

	out->n = 0;
	if (!mongo_get_doc(doc, "meals", &list) || !bson_iter_init(&it, &list))
		return false;
	while (bson_iter_next(&it)) {
		struct entry *en = &out->list[out->n];
		int64_t deleted;

		if (out->n == MEALS_PER_DAY_MAX ||
		    !mongo_iter_doc(&it, &en->el) ||
		    !mongo_get_i64(&en->el, "at", &en->at) ||
		    !mongo_get_i64(&en->el, "chat_id", &en->chat_id) ||
		    !mongo_get_i64(&en->el, "message_id", &en->message_id) ||
		    !mongo_get_i64(&en->el, "deleted", &deleted))
			return false;
		if (!deleted)
			sorted[out->n++] = en;
	}
	qsort(sorted, out->n, sizeof(*sorted), entry_order);
	return it.err_off == 0;
}

enum rc mongo_meal_day(struct store *s, int64_t user_id, int32_t day,
    size_t max, struct meal *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	const struct entry *sorted[MEALS_PER_DAY_MAX];
	bson_t filter = BSON_INITIALIZER, reply, doc;
	struct mongo_find f = { MONGO_DAYS, &filter, NULL, NULL, 1 };
	char id[MONGO_ID_SIZE];
	struct entries entries;
	bson_iter_t batch;
	size_t i, most = 0;
	enum rc rc;

	mongo_day_id(id, user_id, day);
	BSON_APPEND_UTF8(&filter, "_id", id);
	BSON_APPEND_INT64(&filter, "user_id", user_id);
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc == RC_OK && mongo_batch_next(&batch, &doc)) {
		if (!entries_read(&doc, &entries, sorted))
			rc = mongo_corrupt(ms, "day", e);
		most = entries.n < max ? entries.n : max;
	}
	for (i = 0; rc == RC_OK && i < most; i++)
		if (!mongo_get_meal(&doc, &sorted[i]->el, &out[i]))
			rc = mongo_corrupt(ms, "meal", e);
	if (rc == RC_OK)
		*n = most;
	bson_destroy(&reply);
	bson_destroy(&filter);
	return rc;
}

/* A page being filled, newest first. */
struct page {
	struct mongo_store *ms;
	struct meal_cursor from;
	struct meal *out;
	size_t max, n;
	int64_t last_day;	/* the oldest that was looked at */
};

static bool is_before(const struct entry *en, int64_t day,
    const struct meal_cursor *from)
{
	if (day != from->day)
		return day < from->day;
	if (en->at != from->at)
		return en->at < from->at;
	if (en->chat_id != from->chat_id)
		return en->chat_id < from->chat_id;
	return en->message_id < from->message_id;
}

static enum rc page_add_day(struct page *p, const bson_t *doc, struct err *e)
{
	const struct entry *sorted[MEALS_PER_DAY_MAX];
	struct entries entries;

	if (!mongo_get_i64(doc, "day", &p->last_day) ||
	    !entries_read(doc, &entries, sorted))
		return mongo_corrupt(p->ms, "day", e);
	for (size_t i = entries.n; i > 0 && p->n < p->max; i--) {
		if (!is_before(sorted[i - 1], p->last_day, &p->from))
			continue;
		if (!mongo_get_meal(doc, &sorted[i - 1]->el, &p->out[p->n]))
			return mongo_corrupt(p->ms, "meal", e);
		p->n++;
	}
	return RC_OK;
}

/* The next few days not later than day; *days: how many there were. */
static enum rc page_add_batch(struct page *p, int64_t user_id, int64_t day,
    size_t *days, struct err *e)
{
	bson_t *filter, *sort, reply, doc;
	struct mongo_find f = { .collection = MONGO_DAYS,
		.limit = DAYS_A_BATCH };
	bson_iter_t batch;
	enum rc rc;

	/* Days of which nothing is left are not fetched. */
	filter = BCON_NEW("user_id", BCON_INT64(user_id),
	    "date", "{", "$lte", BCON_DATE_TIME(day * MONGO_MS_PER_DAY), "}",
	    "total.meals", "{", "$gt", BCON_INT64(0), "}");
	sort = BCON_NEW("date", BCON_INT32(-1));
	f.filter = filter;
	f.sort = sort;
	*days = 0;
	rc = mongo_find(p->ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(p->ms, &reply, &batch, e);
	while (rc == RC_OK && p->n < p->max && mongo_batch_next(&batch, &doc)) {
		rc = page_add_day(p, &doc, e);
		++*days;
	}
	bson_destroy(&reply);
	bson_destroy(sort);
	bson_destroy(filter);
	return rc;
}

enum rc mongo_meal_page(struct store *s, int64_t user_id,
    const struct meal_cursor *from, size_t max, struct meal *out, size_t *n,
    struct err *e)
{
	static const struct meal_cursor newest = { INT32_MAX, INT64_MAX,
		INT64_MAX, INT64_MAX };
	struct page p = { .ms = mongo_begin(s), .from = from ? *from : newest,
		.out = out, .max = max };
	int64_t day = p.from.day;
	size_t days = DAYS_A_BATCH;
	enum rc rc = RC_OK;

	while (rc == RC_OK && p.n < max && days == DAYS_A_BATCH) {
		rc = page_add_batch(&p, user_id, day, &days, e);
		day = p.last_day - 1;
	}
	if (rc == RC_OK)
		*n = p.n;
	return rc;
}

/* {_id: {$in: [...]}}: as many look-ups as days, and no other index. */
static void put_day_ids(bson_t *filter, int64_t user_id, int32_t first,
    int32_t last)
{
	char id[MONGO_ID_SIZE], number[16];
	bson_t in, list;
	const char *pos;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &in);
	BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
	for (int32_t i = 0; i <= last - first; i++) {
		bson_uint32_to_string((uint32_t)i, &pos, number,
		    sizeof(number));
		mongo_day_id(id, user_id, first + i);
		bson_append_utf8(&list, pos, -1, id, -1);
	}
	bson_append_array_end(&in, &list);
	bson_append_document_end(filter, &in);
	BSON_APPEND_INT64(filter, "user_id", user_id);
}

enum rc mongo_day_sums(struct store *s, int64_t user_id, int32_t first,
    int32_t last, struct day_sum *out, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct day_sum sums[DAYS_MAX] = { 0 };
	bson_t filter = BSON_INITIALIZER, *fields, reply, doc;
	struct mongo_find f = { MONGO_DAYS, &filter, NULL, NULL, DAYS_MAX };
	bson_iter_t batch;
	int64_t day;
	enum rc rc;

	if (last < first || (int64_t)last - first >= DAYS_MAX) {
		bson_destroy(&filter);
		return err_set(e, RC_INVALID, "ask for 1 to %d days", DAYS_MAX);
	}
	for (int32_t i = 0; i <= last - first; i++)
		sums[i].day = first + i;
	put_day_ids(&filter, user_id, first, last);
	fields = BCON_NEW("day", BCON_INT32(1), "total", BCON_INT32(1));
	f.projection = fields;
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && mongo_batch_next(&batch, &doc))
		if (!mongo_get_i64(&doc, "day", &day) || day < first ||
		    day > last || !mongo_get_total(&doc, (int32_t)day,
		    &sums[day - first]))
			rc = mongo_corrupt(ms, "day", e);
	if (rc == RC_OK)
		memcpy(out, sums, (size_t)(last - first + 1) * sizeof(*out));
	bson_destroy(&reply);
	bson_destroy(fields);
	bson_destroy(&filter);
	return rc;
}
