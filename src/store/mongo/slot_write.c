/*
 * slot_write.c - a pack of records into a slot, as they are.
 *
 * Documents go in bulk, a list a collection.  What is there already, because
 * an answer was lost and the pack came again, is replaced: so twice is as
 * once, without transactions.  Meals are put together to days, which look as
 * if meal_add had made them.  Owns its lists during a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

/* A command may have 16 MB, and must be done within the time-out. */
enum { DOCUMENTS_A_COMMAND = 1000, BYTES_A_COMMAND = 2 << 20,
	USERS_A_QUERY = 500 };

/* Documents for one collection that wait to be sent. */
struct batch {
	const char *collection;
	bson_t docs;		/* an array */
	uint32_t n;
};

/* Where a meal lies in the pack. */
struct place {
	int64_t user_id;
	int32_t day;
	size_t pos;
};

struct writer {
	struct mongo_store *ms;
	const struct record_pack *pack;
	struct batch batches[COLLECTION_COUNT];
	struct place *meals;	/* owned */
	size_t nmeals, room;
	struct record record;	/* the current one */
};

/* {q: {_id, user_id}, u: the document, upsert: true} */
static void put_replacement(bson_t *list, uint32_t pos, const bson_t *doc)
{
	bson_t statement, query;
	bson_iter_t it;

	mongo_list_doc_begin(list, pos, &statement);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "q", &query);
	if (bson_iter_init_find(&it, doc, "_id"))
		bson_append_iter(&query, "_id", -1, &it);
	if (bson_iter_init_find(&it, doc, "user_id"))
		bson_append_iter(&query, "user_id", -1, &it);
	bson_append_document_end(&statement, &query);
	BSON_APPEND_DOCUMENT(&statement, "u", doc);
	BSON_APPEND_BOOL(&statement, "upsert", true);
	bson_append_document_end(list, &statement);
}

static enum rc batch_replace(struct mongo_store *ms, const struct batch *b,
    struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, doc, reply;
	bson_iter_t it;
	uint32_t n = 0;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "update", b->collection);
	BSON_APPEND_BOOL(&cmd, "ordered", false);
	BSON_APPEND_ARRAY_BEGIN(&cmd, "updates", &list);
	if (bson_iter_init(&it, &b->docs))
		while (bson_iter_next(&it) && mongo_iter_doc(&it, &doc))
			put_replacement(&list, n++, &doc);
	bson_append_array_end(&cmd, &list);
	rc = mongo_serves(ms, e);
	if (rc == RC_OK) {
		(void)mongo_begin(&ms->store);
		rc = mongo_write(ms, &cmd, &reply, e);
		bson_destroy(&reply);
	}
	bson_destroy(&cmd);
	return rc;
}

static enum rc batch_send(struct mongo_store *ms, struct batch *b,
    struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, reply;
	enum rc rc = mongo_serves(ms, e);

	if (rc != RC_OK || b->n == 0) {
		bson_destroy(&cmd);
		return rc;
	}
	BSON_APPEND_UTF8(&cmd, "insert", b->collection);
	BSON_APPEND_BOOL(&cmd, "ordered", false);
	BSON_APPEND_ARRAY(&cmd, "documents", &b->docs);
	(void)mongo_begin(&ms->store);
	rc = mongo_write(ms, &cmd, &reply, e);
	if (rc == RC_CONFLICT)
		rc = batch_replace(ms, b, e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	bson_reinit(&b->docs);
	b->n = 0;
	return rc;
}

/* After a document was put at the end of b. */
static enum rc batch_added(struct writer *w, struct batch *b, struct err *e)
{
	b->n++;
	if (b->n < DOCUMENTS_A_COMMAND && b->docs.len < BYTES_A_COMMAND)
		return RC_OK;
	return batch_send(w->ms, b, e);
}

static enum rc put_record(struct writer *w, const struct record *r,
    struct err *e)
{
	static const char *const own_id[] = { "id", NULL };
	struct batch *b = &w->batches[r->kind];
	char id[MONGO_ID_SIZE];
	enum rc rc;
	bson_t doc;

	mongo_list_doc_begin(&b->docs, b->n, &doc);
	if (r->kind == COLLECTION_USERS) {
		BSON_APPEND_INT64(&doc, "_id", r->user.user_id);
		rc = mongo_put_row(&doc, user_columns, NULL, &r->user, e);
	} else if (r->kind == COLLECTION_OWN_FOODS) {
		str_format(id, sizeof(id), "%" PRId64 ":%s",
		    r->own_food.user_id, r->own_food.key);
		rc = mongo_put_row(&doc, own_food_columns, NULL, &r->own_food,
		    e);
		if (rc == RC_OK)	/* the key is UTF-8 */
			BSON_APPEND_UTF8(&doc, "_id", id);
	} else if (r->kind != COLLECTION_JOBS) {
		rc = err_set(e, RC_INVALID, "records of kind %d cannot be "
		    "written here", (int)r->kind);
	} else {
		rc = mongo_put_row(&doc, job_columns, own_id, &r->job, e);
		if (rc == RC_OK && !bson_utf8_validate(r->job.id,
		    strlen(r->job.id), false))
			rc = err_set(e, RC_INVALID, "id is not valid UTF-8");
		if (rc == RC_OK)
			BSON_APPEND_UTF8(&doc, "_id", r->job.id);
	}
	bson_append_document_end(&b->docs, &doc);
	return rc == RC_OK ? batch_added(w, b, e) : rc;
}

static void remember_meal(struct writer *w, size_t pos)
{
	const struct meal *m = &w->record.meal;

	if (w->nmeals == w->room) {
		w->room = w->room > 0 ? 2 * w->room : 256;
		w->meals = xrealloc(w->meals, w->room * sizeof(*w->meals));
	}
	w->meals[w->nmeals++] = (struct place){ m->user_id, m->day, pos };
}

/* By person and day; within a day as they came. */
static int place_order(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->user_id != b->user_id)
		return a->user_id < b->user_id ? -1 : 1;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return (a->pos > b->pos) - (a->pos < b->pos);
}

static enum rc put_meals(struct writer *w, bson_t *doc,
    const struct place *meals, size_t n, struct day_sum *sum, struct err *e)
{
	struct record *r = &w->record;
	enum rc rc = RC_OK;
	char number[16];
	const char *key;
	bson_t list;

	BSON_APPEND_ARRAY_BEGIN(doc, "meals", &list);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		size_t pos = meals[i].pos;

		rc = record_pack_next(w->pack, &pos, r, e);
		if (rc != RC_OK)
			break;
		mongo_day_count(sum, &r->meal);
		bson_uint32_to_string((uint32_t)i, &key, number,
		    sizeof(number));
		rc = mongo_put_meal(&list, key, &r->meal, e);
	}
	bson_append_array_end(doc, &list);
	return rc;
}

static enum rc put_day(struct writer *w, int32_t slot,
    const struct place *meals, size_t n, struct err *e)
{
	struct batch *b = &w->batches[COLLECTION_MEALS];
	struct day_sum sum = { .day = meals->day };
	char id[MONGO_ID_SIZE];
	enum rc rc;
	bson_t doc;

	if (n > MEALS_PER_DAY_MAX)
		return err_set(e, RC_TOOBIG, "user %" PRId64 ", day %" PRId32
		    ": %zu meals, more than %d", meals->user_id, meals->day, n,
		    MEALS_PER_DAY_MAX);
	mongo_day_id(id, meals->user_id, meals->day);
	mongo_list_doc_begin(&b->docs, b->n, &doc);
	BSON_APPEND_UTF8(&doc, "_id", id);
	BSON_APPEND_INT64(&doc, "user_id", meals->user_id);
	BSON_APPEND_INT32(&doc, "slot", slot);
	BSON_APPEND_INT32(&doc, "day", meals->day);
	BSON_APPEND_DATE_TIME(&doc, "date",
	    (int64_t)meals->day * MONGO_MS_PER_DAY);
	rc = put_meals(w, &doc, meals, n, &sum, e);
	mongo_put_total(&doc, &sum);
	bson_append_document_end(&b->docs, &doc);
	return rc == RC_OK ? batch_added(w, b, e) : rc;
}

static enum rc put_days(struct writer *w, int32_t slot, struct err *e)
{
	enum rc rc = RC_OK;
	size_t end;

	if (w->nmeals > 0)
		qsort(w->meals, w->nmeals, sizeof(*w->meals), place_order);
	for (size_t at = 0; at < w->nmeals && rc == RC_OK; at = end) {
		const struct place *first = &w->meals[at];

		for (end = at + 1; end < w->nmeals; end++)
			if (w->meals[end].user_id != first->user_id ||
			    w->meals[end].day != first->day)
				break;
		rc = put_day(w, slot, first, end - at, e);
	}
	return rc;
}

static enum rc delete_people(struct mongo_store *ms, int32_t slot,
    const int64_t *users, size_t nusers, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < nusers && rc == RC_OK; at += USERS_A_QUERY) {
		size_t some = nusers - at < USERS_A_QUERY ? nusers - at :
		    USERS_A_QUERY;
		bson_t *filter = mongo_slot_filter(slot, users + at, some);

		for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
			rc = mongo_delete_batches(ms,
			    collection_name((enum collection)k), filter, e);
		bson_destroy(filter);
	}
	return rc;
}

/* Looks through the pack before anything is touched: a damaged one, or one of
 * another slot, must not cost what is stored. */
static enum rc look_through(struct writer *w, int32_t slot, struct err *e)
{
	size_t pos = 0, at = 0;
	enum rc rc;

	while ((rc = record_pack_next(w->pack, &pos, &w->record, e)) == RC_OK) {
		if (record_slot(&w->record) != slot)
			return err_set(e, RC_INVALID, "a record of slot %" PRId32
			    " cannot be written to slot %" PRId32,
			    record_slot(&w->record), slot);
		if (w->record.kind == COLLECTION_MEALS)
			remember_meal(w, at);
		at = pos;
	}
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc write_pack(struct writer *w, int32_t slot, struct err *e)
{
	size_t pos = 0;
	enum rc rc;

	while ((rc = record_pack_next(w->pack, &pos, &w->record, e)) == RC_OK)
		if (w->record.kind != COLLECTION_MEALS) {
			rc = put_record(w, &w->record, e);
			if (rc != RC_OK)
				return rc;
		}
	rc = rc == RC_NOTFOUND ? put_days(w, slot, e) : rc;
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = batch_send(w->ms, &w->batches[k], e);
	return rc;
}

enum rc mongo_slot_write(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, const struct record_pack *records, struct err *e)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	enum rc rc;

	w->ms = mongo_begin(s);
	w->pack = records;
	for (int k = 0; k < COLLECTION_COUNT; k++) {
		w->batches[k].collection = collection_name((enum collection)k);
		bson_init(&w->batches[k].docs);
	}
	rc = look_through(w, slot, e);
	if (rc == RC_OK)
		rc = delete_people(w->ms, slot, users, nusers, e);
	if (rc == RC_OK)
		rc = write_pack(w, slot, e);
	for (int k = 0; k < COLLECTION_COUNT; k++)
		bson_destroy(&w->batches[k].docs);
	free(w->meals);
	free(w);
	return rc;
}
