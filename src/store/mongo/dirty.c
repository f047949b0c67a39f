/*
 * dirty.c - marks: who was written to while the slot moved.
 *
 * There are no transactions to rely on, so the mark is written first, and
 * acknowledged by a majority, before what it is for: a write that then fails
 * leaves a mark too many, which costs a copy, and never one too few.  Outside
 * of a move nothing is said to the server.  Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdlib.h>

#include "models/slot.h"
#include "utils/xalloc.h"

enum { MARKS_A_COMMAND = 1000 };

static void put_mark(bson_t *list, uint32_t pos, int64_t user_id)
{
	bson_t statement, part, set;

	mongo_list_doc_begin(list, pos, &statement);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "q", &part);
	BSON_APPEND_INT64(&part, "_id", user_id);
	BSON_APPEND_INT64(&part, "user_id", user_id);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "u", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "$set", &set);
	BSON_APPEND_INT32(&set, "slot", slot_of(user_id));
	bson_append_document_end(&part, &set);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_BOOL(&statement, "upsert", true);
	bson_append_document_end(list, &statement);
}

/* Marks those of at most MARKS_A_COMMAND people whose slots move. */
static enum rc mark_some(struct mongo_store *ms, const int64_t *users,
    size_t n, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, reply = BSON_INITIALIZER;
	enum rc rc = RC_OK;
	uint32_t marks = 0;

	BSON_APPEND_UTF8(&cmd, "update", MONGO_DIRTY);
	BSON_APPEND_BOOL(&cmd, "ordered", false);
	BSON_APPEND_ARRAY_BEGIN(&cmd, "updates", &list);
	for (size_t i = 0; i < n; i++)
		if (store_marks(&ms->store, slot_of(users[i])))
			put_mark(&list, marks++, users[i]);
	bson_append_array_end(&cmd, &list);
	if (marks > 0) {
		bson_destroy(&reply);
		rc = mongo_write(ms, &cmd, &reply, e);
	}
	bson_destroy(&reply);
	bson_destroy(&cmd);
	/* Another made the same mark at the same moment: it is there. */
	return rc == RC_CONFLICT ? RC_OK : rc;
}

/* The lease may have run out since the request came in. */
enum rc mongo_serves(const struct mongo_store *ms, struct err *e)
{
	return store_serves(&ms->store) ? RC_OK : err_set(e, RC_UNAVAILABLE,
	    "this host may not serve now: its lease was not renewed; see the "
	    "log of its familybot-worker");
}

enum rc mongo_mark_all(struct mongo_store *ms, const int64_t *users, size_t n,
    struct err *e)
{
	enum rc rc = mongo_serves(ms, e);

	if (ms->store.slots.moving == NULL)
		return rc;
	for (size_t at = 0; at < n && rc == RC_OK; at += MARKS_A_COMMAND)
		rc = mark_some(ms, users + at, n - at < MARKS_A_COMMAND ?
		    n - at : MARKS_A_COMMAND, e);
	return rc;
}

enum rc mongo_mark(struct mongo_store *ms, int64_t user_id, struct err *e)
{
	enum rc rc = mongo_serves(ms, e);

	if (rc != RC_OK || !store_marks(&ms->store, slot_of(user_id)))
		return rc;
	return mark_some(ms, &user_id, 1, e);
}

enum rc mongo_mark_jobs(struct mongo_store *ms, const struct job *jobs,
    size_t n, struct err *e)
{
	int64_t *users;
	enum rc rc;

	if (ms->store.slots.moving == NULL || n == 0)
		return RC_OK;
	users = xmalloc(n * sizeof(*users));
	for (size_t i = 0; i < n; i++)
		users[i] = jobs[i].user_id;
	rc = mongo_mark_all(ms, users, n, e);
	free(users);
	return rc;
}

static bson_t *slots_filter(const int32_t *slots, size_t n)
{
	bson_t *filter = bson_new(), in, list;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "slot", &in);
	BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
	for (size_t i = 0; i < n; i++)
		mongo_list_i64(&list, (uint32_t)i, slots[i]);
	bson_append_array_end(&in, &list);
	bson_append_document_end(filter, &in);
	return filter;
}

enum rc mongo_dirty_list(struct store *s, const int32_t *slots,
    size_t nslots, size_t max, int64_t *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t *filter = slots_filter(slots, nslots);
	struct mongo_find f = { MONGO_DIRTY, filter, NULL, NULL,
		(int64_t)max };
	struct mongo_cursor c = { 0 };
	const bson_t *doc;
	enum rc rc = RC_OK;
	size_t found = 0;

	mongo_cursor_find(&c, ms, &f);
	while (rc == RC_OK && found < max) {
		rc = mongo_cursor_next(&c, false, &doc, e);
		if (rc == RC_OK && !mongo_get_i64(doc, "_id", &out[found++]))
			rc = mongo_corrupt_doc(ms, MONGO_DIRTY, doc, e);
	}
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		*n = found;
		rc = RC_OK;
	}
	mongo_cursor_release(&c);
	bson_destroy(filter);
	return rc;
}

enum rc mongo_dirty_clear(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < nusers && rc == RC_OK; at += MARKS_A_COMMAND) {
		size_t some = nusers - at < MARKS_A_COMMAND ? nusers - at :
		    MARKS_A_COMMAND;
		bson_t *filter = mongo_slot_filter(slot, users + at, some);
		bson_t *cmd, reply;

		cmd = BCON_NEW("delete", BCON_UTF8(MONGO_DIRTY), "deletes",
		    "[", "{", "q", BCON_DOCUMENT(filter),
		    "limit", BCON_INT32(0), "}", "]");
		rc = mongo_serves(mongo_of(s), e);
		if (rc == RC_OK) {
			rc = mongo_write(mongo_begin(s), cmd, &reply, e);
			bson_destroy(&reply);
		}
		bson_destroy(cmd);
		bson_destroy(filter);
	}
	return rc;
}
