/*
 * cursor.c - answers that are longer than one message.
 *
 * libmongoc's cursor asks the same server for the next batch.  Owns what
 * struct mongo_cursor holds until it is released.
 */
#include "config.h"

#include "store/mongo/mongo.h"

enum { DOCUMENTS_A_BATCH = 1000 };

static void begin(struct mongo_cursor *c, struct mongo_store *ms,
    const char *collection)
{
	c->ms = ms;
	c->collection = mongoc_client_get_collection(ms->client, ms->db,
	    collection);
}

void mongo_cursor_find(struct mongo_cursor *c, struct mongo_store *ms,
    const struct mongo_find *f)
{
	bson_t opts = BSON_INITIALIZER;

	begin(c, ms, f->collection);
	/* No maxTimeMS: it would count all batches of the cursor together. */
	BSON_APPEND_INT64(&opts, "batchSize", DOCUMENTS_A_BATCH);
	if (f->sort != NULL)
		BSON_APPEND_DOCUMENT(&opts, "sort", f->sort);
	if (f->projection != NULL)
		BSON_APPEND_DOCUMENT(&opts, "projection", f->projection);
	if (f->limit > 0)
		BSON_APPEND_INT64(&opts, "limit", f->limit);
	c->cursor = mongoc_collection_find_with_opts(c->collection, f->filter,
	    &opts, NULL);
	bson_destroy(&opts);
}

void mongo_cursor_aggregate(struct mongo_cursor *c, struct mongo_store *ms,
    const char *collection, const bson_t *pipeline)
{
	bson_t opts = BSON_INITIALIZER;

	begin(c, ms, collection);
	BSON_APPEND_INT32(&opts, "batchSize", DOCUMENTS_A_BATCH);
	c->cursor = mongoc_collection_aggregate(c->collection,
	    MONGOC_QUERY_NONE, pipeline, &opts, NULL);
	bson_destroy(&opts);
}

void mongo_cursor_release(struct mongo_cursor *c)
{
	mongoc_cursor_destroy(c->cursor);
	mongoc_collection_destroy(c->collection);
	c->cursor = NULL;
	c->collection = NULL;
}

enum rc mongo_cursor_next(struct mongo_cursor *c, bool patient,
    const bson_t **doc, struct err *e)
{
	bson_error_t error;

	if (patient)
		mongo_begin_long(c->ms);
	else
		(void)mongo_begin(&c->ms->store);
	if (mongoc_cursor_next(c->cursor, doc))
		return RC_OK;
	if (mongoc_cursor_error(c->cursor, &error))
		return mongo_fail(c->ms, &error, e);
	return RC_NOTFOUND;
}
