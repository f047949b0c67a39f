/*
 * info.c - what lies in a shard, by slot and as a whole.
 *
 * Counts go through everything and take as long as that takes.  Owns no memory
 * beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

#include "models/slot.h"
#include "utils/buf.h"

enum { SCHEMA = 1 };	/* documents of one shape were made so far */

static enum rc long_cursor_next(struct mongo_cursor *c, const bson_t **doc,
    struct err *e)
{
	return mongo_cursor_next(c, true, doc, e);
}

/* How many records a document is: a day has meals, and a document that is
 * none must not end the whole question. */
static bson_t *by_slot(enum collection kind)
{
	if (kind != COLLECTION_MEALS)
		return BCON_NEW("pipeline", "[", "{", "$group", "{",
		    "_id", BCON_UTF8("$slot"),
		    "n", "{", "$sum", BCON_INT32(1), "}", "}", "}", "]");
	return BCON_NEW("pipeline", "[", "{", "$group", "{",
	    "_id", BCON_UTF8("$slot"), "n", "{", "$sum", "{", "$cond", "[",
		"{", "$isArray", BCON_UTF8("$meals"), "}",
		"{", "$size", BCON_UTF8("$meals"), "}", BCON_INT32(0), "]",
	    "}", "}", "}", "}", "]");
}

static enum rc census_of(struct mongo_store *ms, enum collection kind,
    struct slot_census *out, struct err *e)
{
	bson_t *pipeline = by_slot(kind);
	struct mongo_cursor c = { 0 };
	int64_t slot, n;
	const bson_t *doc;
	enum rc rc;

	mongo_cursor_aggregate(&c, ms, collection_name(kind), pipeline);
	while ((rc = long_cursor_next(&c, &doc, e)) == RC_OK)
		/* A record with slot 9999 is in no slot's count; the check
		 * of verify tells of it. */
		if (mongo_get_i64(doc, "_id", &slot) && slot >= 0 &&
		    slot < SLOT_COUNT && mongo_get_i64(doc, "n", &n))
			out[slot].records[kind] = (uint32_t)n;
	mongo_cursor_release(&c);
	bson_destroy(pipeline);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc mongo_census(struct store *s, struct slot_census *out, struct err *e)
{
	enum rc rc;

	/* A server that hangs is found out before the long question. */
	rc = s->ops->ping(s, e);
	if (rc != RC_OK)
		return rc;
	memset(out, 0, SLOT_COUNT * sizeof(*out));
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = census_of(mongo_of(s), (enum collection)k, out, e);
	for (int slot = 0; slot < SLOT_COUNT; slot++)
		out[slot].users = out[slot].records[COLLECTION_USERS];
	return rc;
}

/* Servers tell sizes as doubles or integers, and some not at all. */
static int64_t number_of(const bson_t *reply, const char *key)
{
	bson_iter_t it;

	if (!bson_iter_init_find(&it, reply, key) ||
	    !BSON_ITER_HOLDS_NUMBER(&it))
		return -1;
	return bson_iter_as_int64(&it);
}

static int64_t collection_bytes(struct mongo_store *ms, const char *collection)
{
	int64_t bytes = -1, indexes;
	bson_t *cmd, reply;

	cmd = BCON_NEW("collStats", BCON_UTF8(collection));
	if (mongo_read(ms, cmd, &reply, NULL) == RC_OK) {
		bytes = number_of(&reply, "storageSize");
		indexes = number_of(&reply, "totalIndexSize");
		if (bytes >= 0 && indexes > 0)
			bytes += indexes;
	}
	bson_destroy(&reply);
	bson_destroy(cmd);
	return bytes;
}

static int64_t disk_free(struct mongo_store *ms)
{
	bson_t *cmd = BCON_NEW("dbStats", BCON_INT32(1)), reply;
	int64_t bytes = -1, all, used;

	if (mongo_read(ms, cmd, &reply, NULL) == RC_OK) {
		all = number_of(&reply, "fsTotalSize");
		used = number_of(&reply, "fsUsedSize");
		if (all > 0 && used >= 0 && used <= all)
			bytes = all - used;
	}
	bson_destroy(&reply);
	bson_destroy(cmd);
	return bytes;
}

static enum rc server_version(struct mongo_store *ms, char *out, size_t size,
    struct err *e)
{
	bson_t *cmd = BCON_NEW("buildInfo", BCON_INT32(1)), reply;
	bson_iter_t it;
	enum rc rc;

	rc = mongo_read(ms, cmd, &reply, e);
	if (rc == RC_OK) {
		bool told = bson_iter_init_find(&it, &reply, "version") &&
		    BSON_ITER_HOLDS_UTF8(&it);

		str_copy(out, size, told ? bson_iter_utf8(&it, NULL) : "?");
	}
	bson_destroy(&reply);
	bson_destroy(cmd);
	return rc;
}

static enum rc count_records(struct mongo_store *ms, enum collection kind,
    int64_t *out, struct err *e)
{
	struct mongo_cursor c = { 0 };
	bson_t *pipeline;
	const bson_t *doc;
	int64_t all = 0, n;
	enum rc rc;

	if (kind != COLLECTION_MEALS)
		return mongo_count(ms, collection_name(kind), NULL, out, e);
	pipeline = by_slot(kind);
	mongo_cursor_aggregate(&c, ms, collection_name(kind), pipeline);
	while ((rc = long_cursor_next(&c, &doc, e)) == RC_OK)
		if (mongo_get_i64(doc, "n", &n))
			all += n;
	mongo_cursor_release(&c);
	bson_destroy(pipeline);
	if (rc != RC_NOTFOUND)
		return rc;
	*out = all;
	return RC_OK;
}

enum rc mongo_info(struct store *s, struct store_info *out, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct store_info info = { .backend = "mongodb", .schema = SCHEMA,
		.schema_known = SCHEMA };
	enum rc rc;

	rc = server_version(ms, info.version, sizeof(info.version), e);
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = count_records(ms, (enum collection)k, &info.records[k], e);
	if (rc != RC_OK)
		return rc;
	for (int k = 0; k < COLLECTION_COUNT; k++) {
		info.bytes[k] = collection_bytes(mongo_begin(s),
		    collection_name((enum collection)k));
		/* Records take room, whatever a server says. */
		if (info.bytes[k] == 0 && info.records[k] > 0)
			info.bytes[k] = -1;
	}
	info.disk_free = disk_free(mongo_begin(s));
	*out = info;
	return RC_OK;
}

enum rc mongo_backup(struct store *s, const char *path,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e)
{
	(void)progress;
	(void)ctx;
	return err_set(e, RC_INVALID, "shard %s: a MongoDB server is backed up "
	    "by its own tools: mongodump --db %s --archive=%s", mongo_of(s)->name,
	    mongo_of(s)->db, path != NULL ? path : "FILE");
}
