/*
 * slot_read.c - a slot's records, one after another.
 *
 * People that are named in ascending order are read from the four collections
 * at once, each in order of user_id, and put together here: four questions for
 * some hundred people, however much each has.  Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdlib.h>
#include <string.h>

#include "utils/xalloc.h"

enum { USERS_A_QUERY = 500 };

struct reader {
	struct mongo_store *ms;
	int32_t slot;
	enum rc (*each)(void *ctx, const struct record *r, struct err *e);
	void *ctx;
	struct record record;
};

/* A collection that is being read, at its current document. */
struct head {
	struct mongo_cursor cursor;
	const bson_t *doc;	/* NULL at the end */
	int64_t user_id;
};

static enum rc tell_day(struct reader *r, const bson_t *doc, struct err *e)
{
	enum rc rc = RC_OK;
	bson_t list, el;
	bson_iter_t it;

	if (!mongo_get_doc(doc, "meals", &list) || !bson_iter_init(&it, &list))
		return mongo_corrupt_doc(r->ms, MONGO_DAYS, doc, e);
	while (rc == RC_OK && bson_iter_next(&it)) {
		if (!mongo_iter_doc(&it, &el) ||
		    !mongo_get_meal(doc, &el, &r->record.meal))
			return mongo_corrupt_doc(r->ms, MONGO_DAYS, doc, e);
		rc = r->each(r->ctx, &r->record, e);
	}
	if (rc == RC_OK && it.err_off != 0)
		rc = mongo_corrupt_doc(r->ms, MONGO_DAYS, doc, e);
	return rc;
}

static enum rc tell(struct reader *r, enum collection kind, const bson_t *doc,
    struct err *e)
{
	bool read = true;

	r->record.kind = kind;
	if (kind == COLLECTION_MEALS)
		return tell_day(r, doc, e);
	if (kind == COLLECTION_USERS)
		read = mongo_get_user(doc, &r->record.user);
	else if (kind == COLLECTION_OWN_FOODS)
		read = mongo_get_own_food(doc, &r->record.own_food);
	else if (kind == COLLECTION_JOBS)
		read = mongo_get_job(doc, &r->record.job);
	else
		return err_set(e, RC_INVALID, "records of kind %d cannot be "
		    "read here", (int)kind);
	if (!read)
		return mongo_corrupt_doc(r->ms, collection_name(kind), doc, e);
	return r->each(r->ctx, &r->record, e);
}

static enum rc advance(struct head *h, struct err *e)
{
	enum rc rc = mongo_cursor_next(&h->cursor, false, &h->doc, e);

	if (rc == RC_NOTFOUND) {
		h->doc = NULL;
		return RC_OK;
	}
	if (rc == RC_OK && !mongo_get_i64(h->doc, "user_id", &h->user_id))
		rc = mongo_corrupt_doc(h->cursor.ms, mongoc_collection_get_name(
		    h->cursor.collection), h->doc, e);
	return rc;
}

/* All that the person with the least id has. */
static enum rc tell_person(struct reader *r, struct head *heads,
    bool *more, struct err *e)
{
	int64_t least = INT64_MAX;
	enum rc rc = RC_OK;

	*more = false;
	for (int k = 0; k < COLLECTION_COUNT; k++)
		if (heads[k].doc != NULL) {
			*more = true;
			if (heads[k].user_id < least)
				least = heads[k].user_id;
		}
	for (int k = 0; k < COLLECTION_COUNT; k++)
		while (rc == RC_OK && heads[k].doc != NULL &&
		    heads[k].user_id == least) {
			rc = tell(r, (enum collection)k, heads[k].doc, e);
			if (rc == RC_OK)
				rc = advance(&heads[k], e);
		}
	return rc;
}

static enum rc read_people(struct reader *r, const int64_t *users, size_t n,
    struct err *e)
{
	bson_t *filter = mongo_slot_filter(r->slot, users, n);
	bson_t *sort = BCON_NEW("user_id", BCON_INT32(1));
	struct head heads[COLLECTION_COUNT] = { 0 };
	struct mongo_find f = { .filter = filter, .sort = sort };
	enum rc rc = RC_OK;
	bool more = true;

	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++) {
		f.collection = collection_name((enum collection)k);
		mongo_cursor_find(&heads[k].cursor, r->ms, &f);
		rc = advance(&heads[k], e);
	}
	while (rc == RC_OK && more)
		rc = tell_person(r, heads, &more, e);
	for (int k = 0; k < COLLECTION_COUNT; k++)
		mongo_cursor_release(&heads[k].cursor);
	bson_destroy(sort);
	bson_destroy(filter);
	return rc;
}

static enum rc read_collection(struct reader *r, enum collection kind,
    struct err *e)
{
	bson_t *filter = mongo_slot_filter(r->slot, NULL, 0);
	struct mongo_find f = { .collection = collection_name(kind),
		.filter = filter };
	struct mongo_cursor c = { 0 };
	enum rc rc = RC_OK, told = RC_OK;
	const bson_t *doc;

	mongo_cursor_find(&c, r->ms, &f);
	while (rc == RC_OK) {
		rc = mongo_cursor_next(&c, false, &doc, e);
		if (rc != RC_OK)
			break;
		told = tell(r, kind, doc, e);
		rc = told;
	}
	mongo_cursor_release(&c);
	bson_destroy(filter);
	/* each may answer RC_NOTFOUND for reasons of its own. */
	return rc == RC_NOTFOUND ? told : rc;
}

/* How many of users can be asked for at once: ascending, so that the order in
 * which they are read is the order in which they were named. */
static size_t run_length(const int64_t *users, size_t n)
{
	size_t end = 1;

	while (end < n && end < USERS_A_QUERY && users[end - 1] < users[end])
		end++;
	return end;
}

enum rc mongo_slot_read(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, enum rc (*each)(void *ctx, const struct record *r,
	struct err *e), void *ctx, struct err *e)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	size_t run;
	enum rc rc = RC_OK;

	*r = (struct reader){ .ms = mongo_begin(s), .slot = slot,
		.each = each, .ctx = ctx };
	for (int k = 0; users == NULL && k < COLLECTION_COUNT; k++) {
		rc = read_collection(r, (enum collection)k, e);
		if (rc != RC_OK)
			break;
	}
	for (size_t at = 0; users != NULL && at < nusers; at += run) {
		run = run_length(users + at, nusers - at);
		rc = read_people(r, users + at, run, e);
		if (rc != RC_OK)
			break;
	}
	free(r);
	return rc;
}
