/*
 * job.c - durable work on MongoDB.
 *
 * A batch is one command: adding and settling cost one round trip whatever
 * their number.  Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

#include "models/slot.h"


/* Of 17 KB at most each: far below 16 MB. */
enum { JOBS_A_COMMAND = 100, PURGED_A_COMMAND = 500 };

static const char *const own_fields[] = { "id", "slot", NULL };

static enum rc put_job(bson_t *list, const char *pos, const struct job *j,
    struct err *e)
{
	enum rc rc;
	bson_t doc;

	bson_append_document_begin(list, pos, -1, &doc);
	BSON_APPEND_UTF8(&doc, "_id", j->id);
	BSON_APPEND_INT32(&doc, "slot", slot_of(j->user_id));
	rc = mongo_put_row(&doc, job_columns, own_fields, j, e);
	bson_append_document_end(list, &doc);
	return rc;
}

/* A command of many statements: jobs are put one by one into its list. */
static enum rc write_many(struct mongo_store *ms, const char *name,
    const char *list_name, const struct job *jobs, size_t n,
    enum rc (*put)(bson_t *list, const char *pos, const struct job *j,
	struct err *e), struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, list, reply = BSON_INITIALIZER;
	char number[16];
	const char *pos;
	enum rc rc = RC_OK;

	BSON_APPEND_UTF8(&cmd, name, MONGO_JOBS);
	BSON_APPEND_BOOL(&cmd, "ordered", false);
	BSON_APPEND_ARRAY_BEGIN(&cmd, list_name, &list);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		bson_uint32_to_string((uint32_t)i, &pos, number,
		    sizeof(number));
		rc = put(&list, pos, &jobs[i], e);
	}
	bson_append_array_end(&cmd, &list);
	if (rc == RC_OK) {
		bson_destroy(&reply);
		rc = mongo_write(ms, &cmd, &reply, e);
	}
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

enum rc mongo_job_add(struct store *s, const struct job *jobs, size_t n,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < n && rc == RC_OK; at += JOBS_A_COMMAND) {
		size_t some = n - at < JOBS_A_COMMAND ? n - at : JOBS_A_COMMAND;

		rc = mongo_mark_jobs(mongo_begin(s), jobs + at, some, e);
		if (rc == RC_OK)
			rc = write_many(mongo_of(s), "insert", "documents",
			    jobs + at, some, put_job, e);
		if (rc == RC_CONFLICT)	/* it is there already: well */
			rc = RC_OK;
	}
	return rc;
}

static enum rc put_settled(bson_t *list, const char *pos, const struct job *j,
    struct err *e)
{
	static const char *const kept[] = { "id", "user_id", "slot", "kind",
		"payload", "created_at", "lease_token", "lease_until", NULL };
	bson_t statement, part, set;
	enum rc rc;

	bson_append_document_begin(list, pos, -1, &statement);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "q", &part);
	BSON_APPEND_UTF8(&part, "_id", j->id);
	BSON_APPEND_INT64(&part, "lease_token", j->lease_token);
	/* Token 0 is nobody's: it must not match what is not leased. */
	BSON_APPEND_INT32(&part, "state", JOB_LEASED);
	bson_append_document_end(&statement, &part);
	BSON_APPEND_DOCUMENT_BEGIN(&statement, "u", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "$set", &set);
	rc = mongo_put_row(&set, job_columns, kept, j, e);
	BSON_APPEND_INT64(&set, "lease_token", 0);
	BSON_APPEND_INT64(&set, "lease_until", 0);
	if (j->state == JOB_DONE)
		BSON_APPEND_UTF8(&set, "payload", "");
	bson_append_document_end(&part, &set);
	bson_append_document_end(&statement, &part);
	bson_append_document_end(list, &statement);
	return rc;
}

enum rc mongo_job_settle(struct store *s, const struct job *jobs, size_t n,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < n && rc == RC_OK; at += JOBS_A_COMMAND) {
		size_t some = n - at < JOBS_A_COMMAND ? n - at : JOBS_A_COMMAND;

		rc = mongo_mark_jobs(mongo_begin(s), jobs + at, some, e);
		if (rc == RC_OK)
			rc = write_many(mongo_of(s), "update", "updates",
			    jobs + at, some, put_settled, e);
	}
	return rc;
}

enum rc mongo_read_jobs(struct mongo_store *ms, const struct mongo_find *f,
    struct job *out, size_t *n, struct err *e)
{
	bson_iter_t batch;
	bson_t reply, doc;
	size_t found = 0;
	enum rc rc;

	rc = mongo_find(ms, f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && found < (size_t)f->limit &&
	    mongo_batch_next(&batch, &doc))
		if (!mongo_get_job(&doc, &out[found++]))
			rc = mongo_corrupt_doc(ms, MONGO_JOBS, &doc, e);
	if (rc == RC_OK)
		*n = found;
	bson_destroy(&reply);
	return rc;
}

enum rc mongo_job_list(struct store *s, enum job_state state, size_t max,
    struct job *out, size_t *n, struct err *e)
{
	bson_t *filter, *sort;
	struct mongo_find f = { .collection = MONGO_JOBS,
		.limit = (int64_t)max };
	enum rc rc;

	if (max == 0) {
		*n = 0;
		return RC_OK;
	}
	f.filter = filter = BCON_NEW("state", BCON_INT32(state));
	f.sort = sort = BCON_NEW("created_at", BCON_INT32(-1), "_id",
	    BCON_INT32(1));
	rc = mongo_read_jobs(mongo_begin(s), &f, out, n, e);
	bson_destroy(sort);
	bson_destroy(filter);
	return rc;
}

/* Runs cmd; RC_NOTFOUND with its words when it touched no job. */
static enum rc touch_dead(struct mongo_store *ms, bson_t *cmd, const char *id,
    struct err *e)
{
	int64_t touched = 0;
	bson_t reply;
	enum rc rc;

	rc = mongo_write(ms, cmd, &reply, e);
	if (rc == RC_OK && !mongo_get_i64(&reply, "n", &touched))
		rc = mongo_corrupt(ms, "answer", e);
	if (rc == RC_OK && touched == 0)
		rc = err_set(e, RC_NOTFOUND, "no dead job has the id %s: list "
		    "them with familybotctl jobs list", id);
	bson_destroy(&reply);
	return rc;
}

/* Whose job it is must be known before it is changed, if marks are made. */
static enum rc mark_owner(struct mongo_store *ms, const char *id,
    struct err *e)
{
	bson_t *filter, reply, doc;
	struct mongo_find f = { .collection = MONGO_JOBS, .limit = 1 };
	bson_iter_t batch;
	int64_t user_id;
	enum rc rc;

	if (ms->store.slots.moving == NULL)
		return RC_OK;
	f.filter = filter = BCON_NEW("_id", BCON_UTF8(id));
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc == RC_OK && mongo_batch_next(&batch, &doc) &&
	    mongo_get_i64(&doc, "user_id", &user_id))
		rc = mongo_mark(ms, user_id, e);
	bson_destroy(&reply);
	bson_destroy(filter);
	return rc;
}

enum rc mongo_job_revive(struct store *s, const char *id, bool drop,
    int64_t now, struct err *e)
{
	bson_t *cmd;
	enum rc rc;

	if (!bson_utf8_validate(id, strlen(id), false))
		return err_set(e, RC_INVALID, "the id is not valid UTF-8");
	rc = mark_owner(mongo_begin(s), id, e);
	if (rc != RC_OK)
		return rc;
	if (drop)
		cmd = BCON_NEW("delete", BCON_UTF8(MONGO_JOBS), "deletes", "[",
		    "{", "q", "{", "_id", BCON_UTF8(id),
			"state", BCON_INT32(JOB_DEAD), "}",
		    "limit", BCON_INT32(1), "}", "]");
	else
		cmd = BCON_NEW("update", BCON_UTF8(MONGO_JOBS), "updates", "[",
		    "{", "q", "{", "_id", BCON_UTF8(id),
			"state", BCON_INT32(JOB_DEAD), "}",
		    "u", "{", "$set", "{", "state", BCON_INT32(JOB_READY),
			"tries", BCON_INT32(0), "run_at", BCON_INT64(now),
			"done_at", BCON_INT64(0), "}", "}",
		    "}", "]");
	rc = touch_dead(mongo_of(s), cmd, id, e);
	bson_destroy(cmd);
	return rc;
}

/* Jobs that were done long ago, some of them. */
struct old_jobs {
	bson_t ids;		/* an array */
	uint32_t n;
	int64_t users[PURGED_A_COMMAND];
	size_t nusers;
};

static enum rc find_old(struct mongo_store *ms, int64_t before,
    struct old_jobs *old, struct err *e)
{
	bson_t *filter, *fields, reply, doc;
	struct mongo_find f = { .collection = MONGO_JOBS,
		.limit = PURGED_A_COMMAND };
	bson_iter_t batch, it;
	char number[16];
	const char *pos;
	enum rc rc;

	f.filter = filter = BCON_NEW("state", BCON_INT32(JOB_DONE),
	    "done_at", "{", "$lt", BCON_INT64(before), "}");
	f.projection = fields = BCON_NEW("_id", BCON_INT32(1),
	    "user_id", BCON_INT32(1));
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && old->n < PURGED_A_COMMAND &&
	    mongo_batch_next(&batch, &doc)) {
		if (!bson_iter_init_find(&it, &doc, "_id"))
			break;
		bson_uint32_to_string(old->n++, &pos, number, sizeof(number));
		bson_append_iter(&old->ids, pos, -1, &it);
		if (mongo_get_i64(&doc, "user_id", &old->users[old->nusers]))
			old->nusers++;
	}
	bson_destroy(&reply);
	bson_destroy(fields);
	bson_destroy(filter);
	return rc;
}

/* By what was read, so that the owners can be marked before. */
static enum rc purge_some(struct mongo_store *ms, int64_t before, uint32_t *n,
    struct err *e)
{
	struct old_jobs old = { .n = 0 };
	bson_t *cmd, reply;
	enum rc rc;

	bson_init(&old.ids);
	rc = find_old(ms, before, &old, e);
	if (rc == RC_OK)
		rc = mongo_mark_all(ms, old.users, old.nusers, e);
	if (rc == RC_OK && old.n > 0) {
		cmd = BCON_NEW("delete", BCON_UTF8(MONGO_JOBS), "deletes", "[",
		    "{", "q", "{", "_id", "{", "$in", BCON_ARRAY(&old.ids),
			"}", "state", BCON_INT32(JOB_DONE), "}",
		    "limit", BCON_INT32(0), "}", "]");
		rc = mongo_write(ms, cmd, &reply, e);
		bson_destroy(&reply);
		bson_destroy(cmd);
	}
	*n = old.n;
	bson_destroy(&old.ids);
	return rc;
}

enum rc mongo_job_purge(struct store *s, int64_t before, struct err *e)
{
	uint32_t n = PURGED_A_COMMAND;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n == PURGED_A_COMMAND)
		rc = purge_some(mongo_begin(s), before, &n, e);
	return rc;
}
