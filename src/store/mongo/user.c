/*
 * user.c - people and the foods they taught the bot, on MongoDB.
 *
 * Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <string.h>

#include "models/slot.h"
#include "utils/buf.h"

enum rc mongo_user_get(struct store *s, int64_t user_id, struct user *out,
    struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t filter = BSON_INITIALIZER, reply, doc;
	struct mongo_find f = { MONGO_USERS, &filter, NULL, NULL, 1 };
	struct user u = { 0 };
	bson_iter_t batch;
	enum rc rc;

	BSON_APPEND_INT64(&filter, "_id", user_id);
	BSON_APPEND_INT64(&filter, "user_id", user_id);
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc != RC_OK)
		goto out;
	if (!mongo_batch_next(&batch, &doc))
		rc = err_set(e, RC_NOTFOUND, "user %" PRId64 " is not stored",
		    user_id);
	else if (!mongo_get_row(&doc, user_columns, &u) ||
	    u.user_id != user_id || u.rev < 1)
		rc = mongo_corrupt(ms, "user", e);
	else
		*out = u;
out:
	bson_destroy(&reply);
	bson_destroy(&filter);
	return rc;
}

/*
 * Sets the fields of row on the document that matches filter.  A
 * findAndModify, as libmongoc repeats that by itself, at most once applied,
 * when a replica set changes its primary.  RC_CONFLICT: nothing matches, or,
 * with upsert, something has the _id that does not match.
 */
static enum rc set_row(struct mongo_store *ms, const char *collection,
    const bson_t *filter, const struct column *columns, const void *row,
    bool upsert, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, part, set, reply = BSON_INITIALIZER;
	bson_t value;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "findAndModify", collection);
	BSON_APPEND_DOCUMENT(&cmd, "query", filter);
	BSON_APPEND_DOCUMENT_BEGIN(&cmd, "update", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "$set", &set);
	rc = mongo_put_row(&set, columns, NULL, row, e);
	bson_append_document_end(&part, &set);
	bson_append_document_end(&cmd, &part);
	BSON_APPEND_BOOL(&cmd, "upsert", upsert);
	BSON_APPEND_BOOL(&cmd, "new", true);
	BSON_APPEND_DOCUMENT_BEGIN(&cmd, "fields", &part);
	BSON_APPEND_INT32(&part, "_id", 1);
	bson_append_document_end(&cmd, &part);
	if (rc == RC_OK) {
		bson_destroy(&reply);
		rc = mongo_write(ms, &cmd, &reply, e);
	}
	if (rc == RC_OK && !mongo_get_doc(&reply, "value", &value))
		rc = err_set(e, RC_CONFLICT, "another wrote first");
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

enum rc mongo_user_put(struct store *s, struct user *u, struct err *e)
{
	bson_t filter = BSON_INITIALIZER;
	struct user stored = *u;
	enum rc rc;

	rc = mongo_mark(mongo_begin(s), u->user_id, e);
	if (rc != RC_OK) {
		bson_destroy(&filter);
		return rc;
	}
	stored.slot = slot_of(u->user_id);
	stored.rev = u->rev + 1;
	BSON_APPEND_INT64(&filter, "_id", u->user_id);
	BSON_APPEND_INT64(&filter, "user_id", u->user_id);
	BSON_APPEND_INT32(&filter, "rev", u->rev);
	rc = set_row(mongo_of(s), MONGO_USERS, &filter, user_columns, &stored,
	    u->rev == 0, e);
	bson_destroy(&filter);
	if (rc == RC_CONFLICT)
		return err_set(e, RC_CONFLICT, "user %" PRId64
		    ": another wrote first", u->user_id);
	if (rc == RC_OK)
		*u = stored;
	return rc;
}

static enum rc erase_from(struct mongo_store *ms, const char *collection,
    int64_t user_id, struct err *e)
{
	bson_t *cmd, reply;
	enum rc rc;

	cmd = BCON_NEW("delete", BCON_UTF8(collection), "deletes", "[", "{",
	    "q", "{", "user_id", BCON_INT64(user_id), "}",
	    "limit", BCON_INT32(0), "}", "]");
	rc = mongo_write(ms, cmd, &reply, e);
	bson_destroy(&reply);
	bson_destroy(cmd);
	return rc;
}

/* The user goes last: an erasure that was cut short is seen to be unfinished,
 * and repeating it finishes it. */
enum rc mongo_erase(struct store *s, int64_t user_id, struct err *e)
{
	enum rc rc = mongo_mark(mongo_begin(s), user_id, e);

	for (int i = 0; i < COLLECTION_COUNT && rc == RC_OK; i++)
		rc = erase_from(mongo_of(s), collection_name(kind_to_empty(i)),
		    user_id, e);
	return rc;
}

enum rc mongo_own_food_put(struct store *s, const struct own_food *f,
    struct err *e)
{
	bson_t filter = BSON_INITIALIZER;
	struct own_food own = *f;
	char id[MONGO_ID_SIZE];
	enum rc rc;

	own.slot = slot_of(own.user_id);
	str_format(id, sizeof(id), "%" PRId64 ":%s", f->user_id, f->key);
	if (!bson_utf8_validate(id, strlen(id), false)) {
		bson_destroy(&filter);
		return err_set(e, RC_INVALID, "key is not valid UTF-8");
	}
	rc = mongo_mark(mongo_begin(s), f->user_id, e);
	if (rc != RC_OK) {
		bson_destroy(&filter);
		return rc;
	}
	rc = RC_CONFLICT;
	BSON_APPEND_UTF8(&filter, "_id", id);
	BSON_APPEND_INT64(&filter, "user_id", f->user_id);
	/* Two first inserts of one food can collide; the loser then finds it. */
	for (int tries = 0; tries < 3 && rc == RC_CONFLICT; tries++)
		rc = set_row(mongo_of(s), MONGO_FOODS, &filter,
		    own_food_columns, &own, true, e);
	bson_destroy(&filter);
	return rc == RC_CONFLICT ? err_set(e, RC_BUSY,
	    "the food is being written by others") : rc;
}

enum rc mongo_own_food_list(struct store *s, int64_t user_id, size_t max,
    struct own_food *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t filter = BSON_INITIALIZER, sort = BSON_INITIALIZER, reply, doc;
	struct mongo_find f = { MONGO_FOODS, &filter, NULL, &sort,
		max > OWN_FOODS_MAX ? OWN_FOODS_MAX : (int64_t)max };
	bson_iter_t batch;
	size_t found = 0;
	enum rc rc;

	if (max == 0) {
		*n = 0;
		return RC_OK;
	}
	BSON_APPEND_INT64(&filter, "user_id", user_id);
	BSON_APPEND_INT32(&sort, "updated_at", -1);
	BSON_APPEND_INT32(&sort, "_id", 1);
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && found < max && mongo_batch_next(&batch, &doc)) {
		memset(&out[found], 0, sizeof(out[found]));
		if (!mongo_get_row(&doc, own_food_columns, &out[found]) ||
		    out[found].user_id != user_id)
			rc = mongo_corrupt(ms, "own food", e);
		found++;
	}
	if (rc == RC_OK)
		*n = found;
	bson_destroy(&reply);
	bson_destroy(&sort);
	bson_destroy(&filter);
	return rc;
}
