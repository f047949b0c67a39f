/*
 * sqlite_job.c - durable work in an SQLite shard.
 *
 * A batch is one transaction: its commit, not its rows, is what costs.
 */
#include "config.h"

#include "store/sqlite.h"

#include <sqlite3.h>

#include "store/router.h"

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
static enum rc any_due(struct sqlite_store *s, int64_t now, bool *out,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_JOB_DUE_ANY, 1, &now, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, out, e);
	sqlite_reset(q);
	return rc;
}

static enum rc lease(struct sqlite_store *s, struct job *j, int64_t token,
    int64_t until, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_JOB_LEASE, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	j->state = JOB_LEASED;
	j->lease_token = token;
	j->lease_until = until;
	sqlite_bind_text(q, 1, j->id);
	sqlite_bind_i64(q, 2, token);
	sqlite_bind_i64(q, 3, until);
	return sqlite_done(s, q, e);
}

enum rc sqlite_job_lease(struct store *st, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate,
    struct job *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { now, (int64_t)max };
	sqlite3_stmt *q = NULL;
	bool due = false;
	size_t got = 0;
	enum rc rc;

	(void)gate;
	rc = any_due(s, now, &due, e);
	if (rc == RC_OK && due)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	if (due) {
		rc = sqlite_query(s, SQL_JOB_DUE, 2, v, &q, e);
		if (rc == RC_OK)
			rc = jobs_read(s, q, out, &got, e);
		for (size_t i = 0; rc == RC_OK && i < got; i++)
			rc = lease(s, &out[i], token, until, e);
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

enum rc sqlite_job_revive(struct store *st, const char *id, bool drop,
    int64_t now, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, drop ? SQL_JOB_DROP : SQL_JOB_REVIVE, 0, NULL, &q,
	    e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, id);
	if (!drop)
		sqlite_bind_i64(q, 2, now);
	rc = sqlite_done(s, q, e);
	if (rc == RC_OK && sqlite_changed(s) == 0)
		rc = err_set(e, RC_NOTFOUND, "no dead job has the id %s: list "
		    "them with familybotctl jobs list", id);
	return rc;
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

enum rc sqlite_job_purge(struct store *st, int64_t before, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	return sqlite_exec(s, SQL_JOB_PURGE, 1, &before, e);
}
