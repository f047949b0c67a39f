/*
 * lease.c - taking work.
 *
 * Three commands: find what is due, take it, read what was taken; one when
 * nothing is due.  Only what the gate lets through is taken, and people whose
 * slots move are marked first.  Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include "models/slot.h"


/* LOOK: due jobs that are looked at before giving up, when slots refuse. */
enum { LEASES_MAX = 100, LOOK = 1024 };

struct due {
	bson_t ids;			/* an array */
	int64_t users[LEASES_MAX];	/* whose they are */
	uint32_t n, max;
	bool refused;			/* some were passed over */
};

/* Ready and due, or leased by a worker that is gone, or by a call of this one
 * whose answer was lost. */
static void put_due(bson_t *filter, int64_t now, int64_t token)
{
	BCON_APPEND(filter, "$or", "[",
	    "{", "state", BCON_INT32(JOB_READY),
		"run_at", "{", "$lte", BCON_INT64(now), "}", "}",
	    "{", "state", BCON_INT32(JOB_LEASED),
		"lease_until", "{", "$lt", BCON_INT64(now), "}", "}",
	    "{", "state", BCON_INT32(JOB_LEASED),
		"lease_token", BCON_INT64(token), "}", "]");
}

static void consider(struct due *due, const bson_t *doc,
    const struct job_gate *gate)
{
	int64_t slot, user_id;
	bson_iter_t it;
	char number[16];
	const char *pos;

	/* What cannot be read must not keep others from their work. */
	if (!bson_iter_init_find(&it, doc, "_id") ||
	    !mongo_get_i64(doc, "user_id", &user_id) ||
	    !mongo_get_i64(doc, "slot", &slot) || slot < 0 ||
	    slot >= SLOT_COUNT) {
		due->refused = true;
		return;
	}
	if (gate != NULL && !gate->open(gate->ctx, (int32_t)slot)) {
		due->refused = true;
		return;
	}
	bson_uint32_to_string(due->n, &pos, number, sizeof(number));
	bson_append_iter(&due->ids, pos, -1, &it);
	due->users[due->n++] = user_id;
}

/* Looks at up to look jobs that are due; *seen: how many there were. */
static enum rc find_due(struct mongo_store *ms, int64_t now, int64_t token,
    int64_t look, const struct job_gate *gate, struct due *due, int64_t *seen,
    struct err *e)
{
	bson_t filter = BSON_INITIALIZER, *sort, *fields, reply, doc;
	struct mongo_find f = { MONGO_JOBS, &filter, NULL, NULL, look };
	bson_iter_t batch;
	enum rc rc;

	put_due(&filter, now, token);
	f.sort = sort = BCON_NEW("run_at", BCON_INT32(1));
	f.projection = fields = BCON_NEW("_id", BCON_INT32(1),
	    "user_id", BCON_INT32(1), "slot", BCON_INT32(1));
	*seen = 0;
	due->n = 0;
	due->refused = false;
	bson_reinit(&due->ids);
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	while (rc == RC_OK && due->n < due->max &&
	    mongo_batch_next(&batch, &doc)) {
		++*seen;
		consider(due, &doc, gate);
	}
	bson_destroy(&reply);
	bson_destroy(fields);
	bson_destroy(sort);
	bson_destroy(&filter);
	return rc;
}

/* Marks those that are still due: another worker may have been faster. */
static enum rc take_due(struct mongo_store *ms, const bson_t *ids, int64_t now,
    int64_t until, int64_t token, struct err *e)
{
	bson_t *cmd, query = BSON_INITIALIZER, reply;
	enum rc rc;

	BCON_APPEND(&query, "_id", "{", "$in", BCON_ARRAY(ids), "}");
	put_due(&query, now, token);
	cmd = BCON_NEW("update", BCON_UTF8(MONGO_JOBS), "updates", "[", "{",
	    "q", BCON_DOCUMENT(&query), "u", "{", "$set", "{",
		"state", BCON_INT32(JOB_LEASED),
		"lease_token", BCON_INT64(token),
		"lease_until", BCON_INT64(until), "}", "}",
	    "multi", BCON_BOOL(true), "}", "]");
	rc = mongo_write(ms, cmd, &reply, e);
	bson_destroy(&reply);
	bson_destroy(cmd);
	bson_destroy(&query);
	return rc;
}

static enum rc read_taken(struct mongo_store *ms, const bson_t *ids,
    int64_t token, int64_t limit, struct job *out, size_t *n, struct err *e)
{
	struct mongo_find f = { .collection = MONGO_JOBS, .limit = limit };
	bson_t *filter, *sort;
	enum rc rc;

	f.filter = filter = BCON_NEW("_id", "{", "$in", BCON_ARRAY(ids), "}",
	    "state", BCON_INT32(JOB_LEASED),
	    "lease_token", BCON_INT64(token));
	f.sort = sort = BCON_NEW("run_at", BCON_INT32(1), "_id",
	    BCON_INT32(1));
	rc = mongo_read_jobs(ms, &f, out, n, e);
	bson_destroy(sort);
	bson_destroy(filter);
	return rc;
}

enum rc mongo_job_lease(struct store *s, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate,
    struct job *out, size_t *n, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct due due = { .max = max < LEASES_MAX ? (uint32_t)max :
		LEASES_MAX };
	int64_t seen = 0;
	enum rc rc = RC_OK;

	bson_init(&due.ids);
	if (max > 0)
		rc = find_due(ms, now, token, due.max, gate, &due, &seen, e);
	/* Some were passed over, and there may be others behind them. */
	if (rc == RC_OK && due.refused && seen == due.max)
		rc = find_due(ms, now, token, LOOK, gate, &due, &seen, e);
	if (rc == RC_OK && due.n == 0)
		*n = 0;
	if (rc != RC_OK || due.n == 0)
		goto out;
	rc = mongo_mark_all(ms, due.users, due.n, e);
	if (rc == RC_OK)
		rc = take_due(ms, &due.ids, now, until, token, e);
	if (rc == RC_OK)
		rc = read_taken(ms, &due.ids, token, due.max, out, n, e);
out:
	bson_destroy(&due.ids);
	return rc;
}
