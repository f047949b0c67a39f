/*
 * meta.c - small values with a version, on which hosts agree.
 *
 * Writes are compare-and-set acknowledged by a majority.  Reads come from the
 * primary; of a replica set they are linearizable, so that a primary that was
 * deposed and does not know it yet cannot answer with what was true before.
 * Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

#include "utils/buf.h"

enum { VALUE_MAX = 1 << 20, PREFIX_SIZE = 64 };

/* Is there a majority to be asked?  A single server is one. */
static bool is_replicated(struct mongo_store *ms)
{
	mongoc_server_description_t *server;
	bool replicated = false;
	const char *type;

	server = mongoc_client_select_server(ms->client, true, NULL, NULL);
	if (server != NULL) {
		type = mongoc_server_description_type(server);
		replicated = strcmp(type, "RSPrimary") == 0 ||
		    strcmp(type, "Mongos") == 0;
	}
	mongoc_server_description_destroy(server);
	return replicated;
}

/* The document of key, or none. */
static enum rc find_agreed(struct mongo_store *ms, const char *key,
    bool with_value, bson_t *reply, struct err *e)
{
	bson_t *cmd;
	enum rc rc;

	cmd = BCON_NEW("find", BCON_UTF8(MONGO_AGREED),
	    "filter", "{", "_id", BCON_UTF8(key), "}",
	    "limit", BCON_INT32(1), "singleBatch", BCON_BOOL(true));
	if (!with_value)
		BCON_APPEND(cmd, "projection", "{", "version", BCON_INT32(1),
		    "}");
	if (is_replicated(ms))
		BCON_APPEND(cmd, "readConcern", "{",
		    "level", BCON_UTF8("linearizable"), "}");
	rc = mongo_read(ms, cmd, reply, e);
	bson_destroy(cmd);
	return rc;
}

/* What it holds; item's pointers live as long as doc. */
static enum rc get_agreed(struct mongo_store *ms, const bson_t *doc,
    bool with_value, struct meta_item *item, struct err *e)
{
	const uint8_t *bytes = NULL;
	bson_subtype_t type;
	uint32_t len = 0;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "_id") ||
	    !BSON_ITER_HOLDS_UTF8(&it) ||
	    !mongo_get_i64(doc, "version", &item->version) ||
	    item->version < 1)
		return mongo_corrupt_doc(ms, MONGO_AGREED, doc, e);
	item->key = bson_iter_utf8(&it, NULL);
	if (with_value) {
		if (!bson_iter_init_find(&it, doc, "value") ||
		    !BSON_ITER_HOLDS_BINARY(&it))
			return mongo_corrupt_doc(ms, MONGO_AGREED, doc, e);
		bson_iter_binary(&it, &type, &len, &bytes);
	}
	item->value = bytes;
	item->len = len;
	return RC_OK;
}

enum rc mongo_meta_get(struct store *s, const char *key, struct buf *value,
    int64_t *version, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct meta_item item = { .key = NULL };
	bson_t reply, doc;
	bson_iter_t batch;
	enum rc rc;

	rc = find_agreed(ms, key, value != NULL, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc == RC_OK && !mongo_batch_next(&batch, &doc))
		rc = err_set(e, RC_NOTFOUND, "nothing is agreed as %s", key);
	else if (rc == RC_OK)
		rc = get_agreed(ms, &doc, value != NULL, &item, e);
	if (rc == RC_OK && value && item.len > value->max)
		rc = err_set(e, RC_TOOBIG, "%s has %zu bytes, more than is "
		    "read of it", key, item.len);
	if (rc == RC_OK)
		*version = item.version;
	if (rc == RC_OK && value) {
		buf_clear(value);
		buf_add(value, item.value, item.len);
	}
	bson_destroy(&reply);
	return rc;
}

/* A findAndModify, which libmongoc repeats, at most once applied, when a
 * primary changes.  For a new key: version 0 is never stored, so that a key
 * that exists collides. */
static enum rc put_agreed(struct mongo_store *ms, const char *key,
    const void *value, size_t len, int64_t version, struct err *e)
{
	bson_t *cmd, reply, changed;
	enum rc rc;

	cmd = BCON_NEW("findAndModify", BCON_UTF8(MONGO_AGREED),
	    "query", "{", "_id", BCON_UTF8(key),
		"version", BCON_INT64(version), "}",
	    "update", "{", "$set", "{",
		"version", BCON_INT64(version + 1),
		"value", BCON_BIN(BSON_SUBTYPE_BINARY, value, (uint32_t)len),
	    "}", "}", "upsert", BCON_BOOL(version == 0),
	    "new", BCON_BOOL(true),
	    "fields", "{", "version", BCON_INT32(1), "}");
	rc = mongo_write(ms, cmd, &reply, e);
	if (rc == RC_OK && !mongo_get_doc(&reply, "value", &changed))
		rc = RC_CONFLICT;
	bson_destroy(&reply);
	bson_destroy(cmd);
	return rc;
}

enum rc mongo_meta_put(struct store *s, const char *key, const void *value,
    size_t len, int64_t *version, struct err *e)
{
	enum rc rc;

	if (len > VALUE_MAX)
		return err_set(e, RC_TOOBIG, "%s: more than 1 MiB", key);
	if (!bson_utf8_validate(key, strlen(key), false) || *version < 0)
		return err_set(e, RC_INVALID, "no such key or version");
	rc = put_agreed(mongo_begin(s), key, len > 0 ? value : "", len,
	    *version, e);
	if (rc == RC_CONFLICT)
		return err_set(e, RC_CONFLICT, "%s: another wrote first", key);
	if (rc == RC_OK)
		++*version;
	return rc;
}

enum rc mongo_meta_list(struct store *s, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e)
{
	struct mongo_find f = { .collection = MONGO_AGREED };
	struct mongo_cursor c = { 0 };
	char behind[PREFIX_SIZE];
	bson_t *filter, *sort;
	struct meta_item item;
	const bson_t *doc;
	enum rc rc;

	if (*prefix == '\0' || !str_copy(behind, sizeof(behind), prefix))
		return err_set(e, RC_INVALID, "no such beginning of keys");
	/* Not even read: others may be long. */
	behind[strlen(behind) - 1]++;
	f.filter = filter = BCON_NEW("_id", "{", "$gte", BCON_UTF8(prefix),
	    "$lt", BCON_UTF8(behind), "}");
	f.sort = sort = BCON_NEW("_id", BCON_INT32(1));
	mongo_cursor_find(&c, mongo_begin(s), &f);
	while ((rc = mongo_cursor_next(&c, false, &doc, e)) == RC_OK) {
		rc = get_agreed(c.ms, doc, true, &item, e);
		if (rc != RC_OK)
			break;
		each(ctx, &item);
	}
	mongo_cursor_release(&c);
	bson_destroy(sort);
	bson_destroy(filter);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc mongo_meta_delete(struct store *s, const char *key, int64_t version,
    struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t *cmd, reply;
	int64_t n = 0;
	enum rc rc;

	cmd = BCON_NEW("delete", BCON_UTF8(MONGO_AGREED), "deletes", "[", "{",
	    "q", "{", "_id", BCON_UTF8(key), "version", BCON_INT64(version),
	    "}", "limit", BCON_INT32(1), "}", "]");
	rc = mongo_write(ms, cmd, &reply, e);
	if (rc == RC_OK && (!mongo_get_i64(&reply, "n", &n) || n == 0))
		rc = err_set(e, RC_CONFLICT, "%s: another changed %s first: "
		    "read again", ms->name, key);
	bson_destroy(&reply);
	bson_destroy(cmd);
	return rc;
}
