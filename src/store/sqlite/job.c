/*
 * job.c - durable work in an SQLite shard.
 *
 * A batch is one transaction: its commit, not its rows, is what costs.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>

#include "models/slot.h"


/* Due jobs that are looked at when the gate refuses some. */
enum { LOOK_MAX = 2048 };

/* Runs the statement of id once for each job, in one transaction. */
static enum rc each_job(struct store *st, enum sql_id id,
    const struct job *jobs, size_t n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, id, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		(void)sqlite_bind(q, job_columns, &jobs[i]);
		sqlite_bind_i64(q, 3, slot_of(jobs[i].user_id));
		rc = sqlite_done(s, q, e);
		if (rc == RC_OK && sqlite_changed(s) > 0)
			rc = sqlite_mark(s, slot_of(jobs[i].user_id),
			    jobs[i].user_id, e);
	}
	return sqlite_end(s, rc, e);
}

enum rc sqlite_job_add(struct store *st, const struct job *jobs, size_t n,
    struct err *e)
{
	return each_job(st, SQL_JOB_ADD, jobs, n, e);
}

/* Rows of q, a query for job_columns, into out. */
static enum rc jobs_read(struct sqlite_store *s, sqlite3_stmt *q,
    struct job *out, size_t *n, struct err *e)
{
	bool row = false;
	size_t i = 0;
	enum rc rc;

	rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		rc = sqlite_read(s, q, job_columns, &out[i++], e);
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		*n = i;
	return rc;
}

/* The worker looks each second: looking must not take the writers' lock. */
static enum rc any_due(struct sqlite_store *s, int64_t now, int64_t token,
    bool *out, struct err *e)
{
	const int64_t v[] = { now, token };
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_JOB_DUE_ANY, 2, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, out, e);
	sqlite_reset(q);
	return rc;
}

/* What is known of the gate, by slot: it is asked once for each. */
struct gate_memory {
	const struct job_gate *gate;
	enum { GATE_UNASKED, GATE_OPEN, GATE_SHUT } slot[SLOT_COUNT];
};

static bool may_lease(struct gate_memory *g, int32_t slot)
{
	if (!g->gate)
		return true;
	if (slot < 0 || slot >= SLOT_COUNT)
		return false;
	if (g->slot[slot] == GATE_UNASKED)
		g->slot[slot] = g->gate->open(g->gate->ctx, slot) ? GATE_OPEN :
		    GATE_SHUT;
	return g->slot[slot] == GATE_OPEN;
}

/*
 * The oldest due jobs that the gate lets through, of the first `look` ones: at
 * most max of them, whose ids, slots and people are written to out.  seen: how
 * many were there to look at.
 */
static enum rc choose(struct sqlite_store *s, int64_t now, int64_t token,
    size_t look, struct gate_memory *g, size_t max, struct job *out, size_t *n,
    size_t *seen, struct err *e)
{
	const int64_t v[] = { now, (int64_t)look, token };
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	*n = 0;
	*seen = 0;
	rc = sqlite_query(s, SQL_JOB_DUE, 3, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row && *n < max) {
		int32_t slot = sqlite3_column_int(q, 1);
		const char *id = (const char *)sqlite3_column_text(q, 0);

		++*seen;
		if (may_lease(g, slot)) {
			struct job *j = &out[(*n)++];

			j->slot = slot;
			j->user_id = sqlite3_column_int64(q, 2);
			if (!id || !str_copy(j->id, sizeof(j->id), id))
				rc = err_set(e, RC_CORRUPT, "%s: a job's id is "
				    "unreadable: run familybotctl shards verify",
				    s->name);
		}
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

/* Leases the job of j->id, and reads the rest of it. */
static enum rc lease(struct sqlite_store *s, struct job *j, int64_t token,
    int64_t until, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_JOB_LEASE, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, j->id);
	sqlite_bind_i64(q, 2, token);
	sqlite_bind_i64(q, 3, until);
	rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row)
		rc = sqlite_read(s, q, job_columns, j, e);
	sqlite_reset(q);
	return rc == RC_OK ? sqlite_mark(s, j->slot, j->user_id, e) : rc;
}

/* Looks further only when the gate refused some of what came first. */
static enum rc lease_due(struct sqlite_store *s, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate, struct job *out,
    size_t *n, struct err *e)
{
	struct gate_memory g = { .gate = gate };
	size_t look = max, seen = 0, got = 0;
	enum rc rc;

	rc = choose(s, now, token, look, &g, max, out, &got, &seen, e);
	if (rc == RC_OK && got < max && seen == look && look < LOOK_MAX)
		rc = choose(s, now, token, LOOK_MAX, &g, max, out, &got, &seen, e);
	for (size_t i = 0; rc == RC_OK && i < got; i++)
		rc = lease(s, &out[i], token, until, e);
	if (rc == RC_OK)
		*n = got;
	return rc;
}

enum rc sqlite_job_lease(struct store *st, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate,
    struct job *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	bool due = false;
	size_t got = 0;
	enum rc rc;

	rc = any_due(s, now, token, &due, e);
	if (rc == RC_OK && due)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	if (due) {
		rc = lease_due(s, now, until, token, max, gate, out, &got, e);
		rc = sqlite_end(s, rc, e);
	}
	if (rc == RC_OK)
		*n = got;
	return rc;
}

enum rc sqlite_job_settle(struct store *st, const struct job *jobs, size_t n,
    struct err *e)
{
	return each_job(st, SQL_JOB_SETTLE, jobs, n, e);
}

enum rc sqlite_job_list(struct store *st, enum job_state state, size_t max,
    struct job *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { state, (int64_t)max };
	bool open = state == JOB_READY || state == JOB_LEASED;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, open ? SQL_JOB_OPEN : SQL_JOB_CLOSED, 2, v, &q, e);
	return rc == RC_OK ? jobs_read(s, q, out, n, e) : rc;
}

/* The dead job of id; its slot and person are in the row that comes back. */
static enum rc dead_change(struct sqlite_store *s, const char *id, bool drop,
    int64_t now, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int64_t user_id = 0;
	int32_t slot = 0;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, drop ? SQL_JOB_DROP : SQL_JOB_REVIVE, 0, NULL, &q,
	    e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, id);
	if (!drop)
		sqlite_bind_i64(q, 2, now);
	rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row) {
		slot = sqlite3_column_int(q, 0);
		user_id = sqlite3_column_int64(q, 1);
	}
	sqlite_reset(q);
	if (rc == RC_OK && !row)
		rc = err_set(e, RC_NOTFOUND, "no dead job has the id %s: list "
		    "them with familybotctl jobs list", id);
	return rc == RC_OK ? sqlite_mark(s, slot, user_id, e) : rc;
}

enum rc sqlite_job_revive(struct store *st, const char *id, bool drop,
    int64_t now, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	enum rc rc = sqlite_begin(s, e);

	if (rc != RC_OK)
		return rc;
	return sqlite_end(s, dead_change(s, id, drop, now, e), e);
}

enum rc sqlite_job_stats(struct store *st, struct store_stats *out,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_JOB_STATS, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row) {
		out->jobs_ready = sqlite3_column_int64(q, 0);
		out->jobs_leased = sqlite3_column_int64(q, 1);
		out->jobs_dead = sqlite3_column_int64(q, 2);
		out->oldest_ready_at = sqlite3_column_int64(q, 3);
	}
	sqlite_reset(q);
	return rc;
}

/* Jobs of slots that move stay until those have arrived: nobody holds the lock
 * of their slots here, and a mark could come too late for the mover. */
enum rc sqlite_job_purge(struct store *st, int64_t before, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	return sqlite_exec(s, SQL_JOB_PURGE, 1, &before, e);
}
