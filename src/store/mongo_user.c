/*
 * mongo_user.c - people and the foods they taught the bot, on MongoDB.
 *
 * Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo.h"

#include <inttypes.h>
#include <string.h>

#include "store/router.h"
#include "utils/buf.h"

enum rc mongo_user_get(struct store *s, int64_t user_id, struct user *out,
    struct err *e)
{
	struct mongo_store *ms = mongo_of(s);
	bson_t filter = BSON_INITIALIZER, reply, doc;
	struct mongo_find f = { MONGO_USERS, &filter, NULL, NULL, 1 };
	struct user u = { 0 };
	bson_iter_t batch;
	enum rc rc;

	BSON_APPEND_INT64(&filter, "_id", user_id);
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

/* One update statement of an update command. */
static enum rc update_one(struct mongo_store *ms, const char *collection,
    const bson_t *statement, int64_t *matched, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, reply;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "update", collection);
	BSON_APPEND_ARRAY_BEGIN(&cmd, "updates", &list);
	BSON_APPEND_DOCUMENT(&list, "0", statement);
	bson_append_array_end(&cmd, &list);
	rc = mongo_write(ms, &cmd, &reply, e);
	if (rc == RC_OK && !mongo_get_i64(&reply, "n", matched))
		rc = mongo_corrupt(ms, "answer", e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

static enum rc user_insert(struct mongo_store *ms, const struct user *u,
    struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, doc, reply = BSON_INITIALIZER;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "insert", MONGO_USERS);
	BSON_APPEND_ARRAY_BEGIN(&cmd, "documents", &list);
	BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &doc);
	BSON_APPEND_INT64(&doc, "_id", u->user_id);
	rc = mongo_put_row(&doc, user_columns, NULL, u, e);
	bson_append_document_end(&list, &doc);
	bson_append_array_end(&cmd, &list);
	if (rc == RC_OK)
		rc = mongo_write(ms, &cmd, &reply, e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

static enum rc user_update(struct mongo_store *ms, const struct user *u,
    int32_t rev, struct err *e)
{
	bson_t statement = BSON_INITIALIZER, part, set;
	int64_t matched = 0;
	enum rc rc;

	BSON_APPEND_DOCUMENT_BEGIN(&statement, "q", &part);
	BSON_APPEND_INT64(&part, "_id", u->user_id);
	BSON_APPEND_INT32(&part, "rev", rev);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "u", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "$set", &set);
	rc = mongo_put_row(&set, user_columns, NULL, u, e);
	bson_append_document_end(&part, &set);
	bson_append_document_end(&statement, &part);
	if (rc == RC_OK)
		rc = update_one(ms, MONGO_USERS, &statement, &matched, e);
	bson_destroy(&statement);
	if (rc == RC_OK && matched == 0)
		rc = err_set(e, RC_CONFLICT, "another wrote first");
	return rc;
}

enum rc mongo_user_put(struct store *s, struct user *u, struct err *e)
{
	struct user stored = *u;
	enum rc rc;

	stored.slot = slot_of(u->user_id);
	stored.rev = u->rev + 1;
	rc = u->rev == 0 ? user_insert(mongo_of(s), &stored, e) :
	    user_update(mongo_of(s), &stored, u->rev, e);
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
	static const char *const collections[] = {
		MONGO_JOBS, MONGO_DAYS, MONGO_FOODS, MONGO_USERS
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 4 && rc == RC_OK; i++)
		rc = erase_from(mongo_of(s), collections[i], user_id, e);
	return rc;
}

enum rc mongo_own_food_put(struct store *s, const struct own_food *f,
    struct err *e)
{
	bson_t statement = BSON_INITIALIZER, part;
	struct own_food own = *f;
	char id[MONGO_ID_SIZE];
	int64_t matched;
	enum rc rc;

	str_format(id, sizeof(id), "%" PRId64 ":%s", f->user_id, f->key);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "q", &part);
	BSON_APPEND_UTF8(&part, "_id", id);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "u", &part);
	BSON_APPEND_UTF8(&part, "_id", id);
	own.slot = slot_of(own.user_id);
	rc = mongo_put_row(&part, own_food_columns, NULL, &own, e);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_BOOL(&statement, "upsert", true);
	/* Two first inserts of one food can collide; the second then finds it. */
	for (int tries = 0; rc == RC_OK && tries < 3; tries++) {
		rc = update_one(mongo_of(s), MONGO_FOODS, &statement, &matched,
		    e);
		if (rc != RC_CONFLICT)
			break;
		rc = tries < 2 ? RC_OK : RC_BUSY;
	}
	bson_destroy(&statement);
	return rc;
}

enum rc mongo_own_food_list(struct store *s, int64_t user_id, size_t max,
    struct own_food *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_of(s);
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
