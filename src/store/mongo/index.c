/*
 * index.c - the indexes of a MongoDB shard, as a table, and its figures.
 *
 * Creating an index that exists changes nothing, so every start may do it.
 * Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

struct index_key {
	const char *field;
	int32_t order;		/* 1 or -1 */
};

struct index {
	const char *collection;
	const char *name;
	struct index_key keys[3];	/* field NULL ends */
	bool unique;
	int32_t state;		/* of jobs: only these (-1: all documents) */
};

enum { ALL = -1, PENDING = -2 /* ready or leased */ };

/* Beside by_slot, which every collection has. */
static const struct index indexes[] = {
	{ MONGO_USERS, "user_id", {{ "user_id", 1 }}, true, ALL },
	{ MONGO_DAYS, "user_id_date", {{ "user_id", 1 }, { "date", -1 }},
	    false, ALL },
	{ MONGO_FOODS, "user_id_updated_at",
	    {{ "user_id", 1 }, { "updated_at", -1 }}, false, ALL },
	{ MONGO_JOBS, "pending", {{ "state", 1 }, { "run_at", 1 }}, false,
	    PENDING },
	{ MONGO_JOBS, "done", {{ "done_at", 1 }}, false, JOB_DONE },
	{ MONGO_JOBS, "dead", {{ "created_at", -1 }}, false, JOB_DEAD },
	{ MONGO_JOBS, "user_id", {{ "user_id", 1 }}, false, ALL },
};

/* What a slot is moved, counted and emptied by: without it each of that reads
 * the whole collection. */
static const struct index by_slot = { NULL, "slot_user_id",
	{{ "slot", 1 }, { "user_id", 1 }}, false, ALL };

static void put_index(bson_t *list, const char *pos, const struct index *ix)
{
	bson_t one, key, partial, range;

	BSON_APPEND_DOCUMENT_BEGIN(list, pos, &one);
	BSON_APPEND_DOCUMENT_BEGIN(&one, "key", &key);
	for (const struct index_key *k = ix->keys; k->field != NULL; k++)
		BSON_APPEND_INT32(&key, k->field, k->order);
	bson_append_document_end(&one, &key);
	BSON_APPEND_UTF8(&one, "name", ix->name);
	if (ix->unique)
		BSON_APPEND_BOOL(&one, "unique", true);
	if (ix->state != ALL) {
		BSON_APPEND_DOCUMENT_BEGIN(&one, "partialFilterExpression",
		    &partial);
		if (ix->state == PENDING) {
			BSON_APPEND_DOCUMENT_BEGIN(&partial, "state", &range);
			BSON_APPEND_INT32(&range, "$lte", JOB_LEASED);
			bson_append_document_end(&partial, &range);
		} else {
			BSON_APPEND_INT32(&partial, "state", ix->state);
		}
		bson_append_document_end(&one, &partial);
	}
	bson_append_document_end(list, &one);
}

static enum rc create_for(struct mongo_store *ms, const char *collection,
    struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, reply;
	char number[16];
	const char *pos;
	uint32_t n = 0;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "createIndexes", collection);
	BSON_APPEND_ARRAY_BEGIN(&cmd, "indexes", &list);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++) {
		if (strcmp(indexes[i].collection, collection) != 0)
			continue;
		bson_uint32_to_string(n++, &pos, number, sizeof(number));
		put_index(&list, pos, &indexes[i]);
	}
	bson_uint32_to_string(n, &pos, number, sizeof(number));
	put_index(&list, pos, &by_slot);
	bson_append_array_end(&cmd, &list);
	/* No limit of time: on a large collection it may take long, and goes on
	 * when this side has given up waiting. */
	rc = mongo_write_untimed(ms, &cmd, &reply, e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

enum rc mongo_index_create(struct mongo_store *ms, struct err *e)
{
	enum rc rc = RC_OK;

	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = create_for(ms, collection_name(k), e);
	return rc == RC_OK ? create_for(ms, MONGO_DIRTY, e) : rc;
}

enum rc mongo_count(struct mongo_store *ms, const char *collection,
    const bson_t *query, int64_t *out, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, reply;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "count", collection);
	if (query != NULL)
		BSON_APPEND_DOCUMENT(&cmd, "query", query);
	rc = mongo_read(ms, &cmd, &reply, e);
	if (rc == RC_OK && !mongo_get_i64(&reply, "n", out))
		rc = mongo_corrupt(ms, "answer", e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

static enum rc aggregate(struct mongo_store *ms, const char *collection,
    const bson_t *pipeline, bson_t *reply, struct err *e)
{
	bson_t *cmd;
	enum rc rc;

	cmd = BCON_NEW("aggregate", BCON_UTF8(collection),
	    "pipeline", BCON_ARRAY(pipeline), "cursor", "{", "}");
	rc = mongo_read(ms, cmd, reply, e);
	bson_destroy(cmd);
	return rc;
}

static enum rc count_meals(struct mongo_store *ms, int64_t *out,
    struct err *e)
{
	bson_t *pipeline, reply, doc;
	bson_iter_t batch;
	enum rc rc;

	/* $size ends the whole query on a document that has no list. */
	pipeline = BCON_NEW("0", "{", "$group", "{", "_id", BCON_NULL,
	    "n", "{", "$sum", "{", "$cond", "[",
		"{", "$isArray", BCON_UTF8("$meals"), "}",
		"{", "$size", BCON_UTF8("$meals"), "}", BCON_INT32(0), "]",
	    "}", "}", "}", "}");
	rc = aggregate(ms, MONGO_DAYS, pipeline, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc == RC_OK && mongo_batch_next(&batch, &doc) &&
	    !mongo_get_i64(&doc, "n", out))
		rc = mongo_corrupt(ms, "answer", e);
	bson_destroy(&reply);
	bson_destroy(pipeline);
	return rc;
}

/* From the index of what is pending: nothing else is read. */
static enum rc count_pending(struct mongo_store *ms, struct store_stats *st,
    struct err *e)
{
	bson_t *pipeline, reply, doc;
	bson_iter_t batch;
	enum rc rc;

	pipeline = BCON_NEW("0", "{", "$match", "{", "state", "{", "$lte",
	    BCON_INT32(JOB_LEASED), "}", "}", "}",
	    "1", "{", "$group", "{", "_id", BCON_UTF8("$state"),
	    "n", "{", "$sum", BCON_INT32(1), "}",
	    "oldest", "{", "$min", BCON_UTF8("$run_at"), "}", "}", "}");
	rc = aggregate(ms, MONGO_JOBS, pipeline, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && mongo_batch_next(&batch, &doc)) {
		int64_t state, n, oldest;

		if (!mongo_get_i64(&doc, "_id", &state) ||
		    !mongo_get_i64(&doc, "n", &n) ||
		    !mongo_get_i64(&doc, "oldest", &oldest)) {
			rc = mongo_corrupt(ms, "job", e);
		} else if (state == JOB_READY) {
			st->jobs_ready = n;
			st->oldest_ready_at = oldest;
		} else if (state == JOB_LEASED) {
			st->jobs_leased = n;
		}
	}
	bson_destroy(&reply);
	bson_destroy(pipeline);
	return rc;
}

enum rc mongo_job_stats(struct store *s, struct store_stats *out,
    struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct store_stats st = { 0 };
	bson_t *dead;
	enum rc rc;

	/* created_at is what the index of dead letters begins with: a server
	 * would not use it without */
	dead = BCON_NEW("state", BCON_INT32(JOB_DEAD),
	    "created_at", "{", "$gte", BCON_INT64(INT64_MIN), "}");
	rc = mongo_count(ms, MONGO_JOBS, dead, &st.jobs_dead, e);
	if (rc == RC_OK)
		rc = count_pending(ms, &st, e);
	if (rc == RC_OK) {
		out->jobs_ready = st.jobs_ready;
		out->jobs_leased = st.jobs_leased;
		out->jobs_dead = st.jobs_dead;
		out->oldest_ready_at = st.oldest_ready_at;
	}
	bson_destroy(dead);
	return rc;
}

/* Servers tell sizes as doubles or integers, and some not at all. */
static int64_t disk_bytes(struct mongo_store *ms)
{
	bson_t cmd = BSON_INITIALIZER, reply;
	bson_iter_t it;
	int64_t bytes = -1;

	BSON_APPEND_INT32(&cmd, "dbStats", 1);
	if (mongo_read(ms, &cmd, &reply, NULL) == RC_OK &&
	    bson_iter_init_find(&it, &reply, "storageSize") &&
	    BSON_ITER_HOLDS_NUMBER(&it)) {
		bytes = bson_iter_as_int64(&it);
		if (bson_iter_init_find(&it, &reply, "indexSize") &&
		    BSON_ITER_HOLDS_NUMBER(&it))
			bytes += bson_iter_as_int64(&it);
	}
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return bytes;
}

enum rc mongo_stats(struct store *s, struct store_stats *out, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct store_stats st = { 0 };
	enum rc rc;

	rc = mongo_count(ms, MONGO_USERS, NULL, &st.users, e);
	if (rc == RC_OK)
		rc = mongo_count(ms, MONGO_FOODS, NULL, &st.own_foods, e);
	if (rc == RC_OK)
		rc = count_meals(ms, &st.meals, e);
	if (rc == RC_OK)
		rc = mongo_job_stats(s, &st, e);
	if (rc == RC_OK) {
		st.bytes = disk_bytes(ms);
		*out = st;
	}
	return rc;
}
