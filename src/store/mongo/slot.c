/*
 * slot.c - who lives in a slot, and emptying one.
 *
 * Large deletions go by some hundred documents a command: each ends within
 * the time-out, and nobody waits long behind it.  Owns no memory beyond a
 * call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdlib.h>
#include <string.h>

#include "utils/xalloc.h"

enum { DELETES_A_COMMAND = 500 };

bson_t *mongo_slot_filter(int32_t slot, const int64_t *users, size_t n)
{
	bson_t *filter = bson_new(), in, list;

	BSON_APPEND_INT32(filter, "slot", slot);
	if (users == NULL)
		return filter;
	BSON_APPEND_DOCUMENT_BEGIN(filter, "user_id", &in);
	BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
	for (size_t i = 0; i < n; i++)
		mongo_list_i64(&list, (uint32_t)i, users[i]);
	bson_append_array_end(&in, &list);
	bson_append_document_end(filter, &in);
	return filter;
}

/* Ascending ids of the slot in one collection, as many as max. */
static enum rc ids_in(struct mongo_store *ms, const char *collection,
    int32_t slot, int64_t after, size_t max, int64_t *out, size_t *n,
    struct err *e)
{
	struct mongo_cursor c = { 0 };
	bson_t *pipeline;
	const bson_t *doc;
	enum rc rc = RC_OK;

	pipeline = BCON_NEW("pipeline", "[",
	    "{", "$match", "{", "slot", BCON_INT32(slot),
		"user_id", "{", "$gt", BCON_INT64(after), "}", "}", "}",
	    "{", "$group", "{", "_id", BCON_UTF8("$user_id"), "}", "}",
	    "{", "$sort", "{", "_id", BCON_INT32(1), "}", "}",
	    "{", "$limit", BCON_INT64((int64_t)max), "}", "]");
	*n = 0;
	mongo_cursor_aggregate(&c, ms, collection, pipeline);
	while (rc == RC_OK && *n < max) {
		rc = mongo_cursor_next(&c, false, &doc, e);
		if (rc == RC_OK && !mongo_get_i64(doc, "_id", &out[(*n)++]))
			rc = mongo_corrupt_doc(ms, collection, doc, e);
	}
	mongo_cursor_release(&c);
	bson_destroy(pipeline);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* Both ascending: out gets the smallest max of both, each once. */
static size_t merge(const int64_t *a, size_t na, const int64_t *b, size_t nb,
    int64_t *out, size_t max)
{
	size_t i = 0, j = 0, n = 0;

	while (n < max && (i < na || j < nb)) {
		int64_t least = j == nb || (i < na && a[i] <= b[j]) ? a[i] :
		    b[j];

		out[n++] = least;
		i += i < na && a[i] == least;
		j += j < nb && b[j] == least;
	}
	return n;
}

enum rc mongo_slot_users(struct store *s, int32_t slot, int64_t after,
    size_t max, int64_t *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	int64_t *room, *all, *more, *both;
	size_t found = 0, nmore;
	enum rc rc = RC_OK;

	if (max == 0) {
		*n = 0;
		return RC_OK;
	}
	room = xmalloc(3 * max * sizeof(*room));
	all = room;
	more = room + max;
	both = room + 2 * max;
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++) {
		rc = ids_in(ms, collection_name((enum collection)k), slot,
		    after, max, more, &nmore, e);
		if (rc == RC_OK) {
			int64_t *swap = all;

			found = merge(all, found, more, nmore, both, max);
			all = both;
			both = swap;
		}
	}
	if (rc == RC_OK) {
		memcpy(out, all, found * sizeof(*out));
		*n = found;
	}
	free(room);
	return rc;
}

/* The keys of some documents that match, as an array. */
static enum rc find_keys(struct mongo_store *ms, const char *collection,
    const bson_t *filter, bson_t *keys, uint32_t *n, struct err *e)
{
	bson_t *fields = BCON_NEW("_id", BCON_INT32(1)), reply, doc;
	struct mongo_find f = { collection, filter, fields, NULL,
		DELETES_A_COMMAND };
	bson_iter_t batch, it;
	char number[16];
	const char *pos;
	enum rc rc;

	*n = 0;
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && mongo_batch_next(&batch, &doc)) {
		if (!bson_iter_init_find(&it, &doc, "_id")) {
			rc = mongo_corrupt(ms, "answer", e);
			break;
		}
		bson_uint32_to_string((*n)++, &pos, number, sizeof(number));
		bson_append_iter(keys, pos, -1, &it);
	}
	bson_destroy(&reply);
	bson_destroy(fields);
	return rc;
}

static enum rc delete_some(struct mongo_store *ms, const char *collection,
    const bson_t *filter, uint32_t *n, struct err *e)
{
	bson_t keys = BSON_INITIALIZER, query = BSON_INITIALIZER, *cmd, reply;
	enum rc rc;

	(void)mongo_begin(&ms->store);
	rc = find_keys(ms, collection, filter, &keys, n, e);
	/* A mover that stood still must not delete what is another's now. */
	if (rc == RC_OK && *n > 0)
		rc = mongo_serves(ms, e);
	if (rc == RC_OK && *n > 0) {
		BCON_APPEND(&query, "_id", "{", "$in", BCON_ARRAY(&keys), "}");
		/* What matched may have been written anew since. */
		bson_concat(&query, filter);
		cmd = BCON_NEW("delete", BCON_UTF8(collection), "deletes", "[",
		    "{", "q", BCON_DOCUMENT(&query), "limit", BCON_INT32(0),
		    "}", "]");
		rc = mongo_write(ms, cmd, &reply, e);
		bson_destroy(&reply);
		bson_destroy(cmd);
	}
	bson_destroy(&query);
	bson_destroy(&keys);
	return rc;
}

enum rc mongo_delete_batches(struct mongo_store *ms, const char *collection,
    const bson_t *filter, struct err *e)
{
	uint32_t n = DELETES_A_COMMAND;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n == DELETES_A_COMMAND)
		rc = delete_some(ms, collection, filter, &n, e);
	return rc;
}

static enum rc clear_slot(struct store *s, const char *collection,
    int32_t slot, struct err *e)
{
	bson_t *filter = mongo_slot_filter(slot, NULL, 0);
	enum rc rc;

	rc = mongo_delete_batches(mongo_begin(s), collection, filter, e);
	bson_destroy(filter);
	return rc;
}

/* In the order of kind_to_empty, as jobs would be sent; marks last, as they say what is to be
 * done while there is anything. */
enum rc mongo_slot_clear(struct store *s, int32_t slot, struct err *e)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < COLLECTION_COUNT && rc == RC_OK; i++)
		rc = clear_slot(s, collection_name(kind_to_empty(i)), slot, e);
	return rc == RC_OK ? clear_slot(s, MONGO_DIRTY, slot, e) : rc;
}

enum rc mongo_slot_clear_jobs(struct store *s, int32_t slot, struct err *e)
{
	return clear_slot(s, MONGO_JOBS, slot, e);
}
