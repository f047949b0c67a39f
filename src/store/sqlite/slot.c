/*
 * slot.c - a slot of an SQLite shard as a whole: listed, read, written
 * exactly as it was elsewhere, and cleared.
 *
 * Goes by the slot that is stored and leaves no marks: the caller moves.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "utils/xalloc.h"

enum { CLEAR_ROWS = 400 };	/* of one transaction */

enum rc sqlite_slot_users(struct store *st, int32_t slot, int64_t after,
    size_t max, int64_t *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	int64_t v[] = { slot, after == INT64_MIN ? after : after + 1 };
	bool more = after != INT64_MAX;
	size_t i = 0;
	enum rc rc = RC_OK;

	while (more && i < max) {
		sqlite3_stmt *q = NULL;
		bool row = false;

		rc = sqlite_query(s, SQL_SLOT_USERS, 2, v, &q, e);
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
		more = rc == RC_OK && row &&
		    sqlite3_column_type(q, 0) != SQLITE_NULL;
		if (more) {
			out[i] = sqlite3_column_int64(q, 0);
			more = out[i] != INT64_MAX;
			v[1] = more ? out[i] + 1 : out[i];
			i++;
		}
		sqlite_reset(q);
	}
	if (rc == RC_OK)
		*n = i;
	return rc;
}

enum rc sqlite_record_read(struct sqlite_store *s, sqlite3_stmt *q,
    enum collection kind, struct record *out, struct err *e)
{
	const struct kind *k = kind_of(kind);

	if (!k)
		return err_set(e, RC_INVALID, "%s: %d is no kind of record",
		    s->name, (int)kind);
	out->kind = kind;
	if (kind == COLLECTION_MEALS)
		return sqlite_meal_read(s, q, &out->meal, e);
	return sqlite_read(s, q, k->columns, &out->user, e);
}

/* Who takes the records of one slot_read. */
struct taker {
	enum rc (*each)(void *ctx, const struct record *r, struct err *e);
	void *ctx;
	struct record *record;
};

/* The record has got as far as what cannot be read, which e names. */
static enum rc unreadable(const struct sqlite_store *s, struct err *e,
    enum collection kind, const int64_t *v, size_t nv)
{
	struct err why = { RC_OK, "" };

	if (e)
		why = *e;
	if (nv > 1)
		return err_set(e, RC_CORRUPT, "%s of user %" PRId64 ": %.160s",
		    collection_name(kind), v[1], why.text);
	return err_set(e, RC_CORRUPT, "%s: %s of slot %" PRId64 ": %.160s",
	    s->name, collection_name(kind), v[0], why.text);
}

/* Rows of one collection; v: slot, or slot and person. */
static enum rc rows_read(struct sqlite_store *s, enum collection kind,
    const int64_t *v, size_t nv, const struct taker *t, struct err *e)
{
	enum sql_run run = nv > 1 ? SQL_ONE_READ : SQL_SLOT_READ;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, sql_of(run, kind), nv, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		rc = sqlite_record_read(s, q, kind, t->record, e);
		if (rc == RC_CORRUPT)
			rc = unreadable(s, e, kind, v, nv);
		if (rc == RC_OK)
			rc = t->each(t->ctx, t->record, e);
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

/* All is of one moment: who is written to meanwhile is marked. */
enum rc sqlite_slot_read(struct store *st, int32_t slot, const int64_t *users,
    size_t nusers,
    enum rc (*each)(void *ctx, const struct record *r, struct err *e),
    void *ctx, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct taker t = { each, ctx, NULL };
	size_t rounds = users ? nusers : 1;
	enum rc rc = sqlite_look(s, e);

	if (rc != RC_OK)
		return rc;
	t.record = xmalloc(sizeof(*t.record));
	for (size_t i = 0; rc == RC_OK && i < rounds; i++) {
		const int64_t v[] = { slot, users ? users[i] : 0 };

		for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
			rc = rows_read(s, k, v, users ? 2 : 1, &t, e);
	}
	free(t.record);
	return sqlite_seen(s, rc, e);
}

static enum rc record_write(struct sqlite_store *s, const struct record *r,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc;

	if (r->kind == COLLECTION_MEALS)
		return sqlite_meal_write(s, sql_of(SQL_EXACT, r->kind), &r->meal, 0, e);
	rc = sqlite_query(s, sql_of(SQL_EXACT, r->kind), 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	(void)sqlite_bind(q, kind_of(r->kind)->columns, &r->user);
	return sqlite_done(s, q, e);
}

static enum rc pack_write(struct sqlite_store *s, int32_t slot,
    const struct record_pack *records, struct err *e)
{
	struct record *r = xmalloc(sizeof(*r));
	size_t pos = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		rc = record_pack_next(records, &pos, r, e);
		if (rc == RC_OK && record_slot(r) != slot)
			rc = err_set(e, RC_INVALID, "%s: a record of slot %d is "
			    "none of slot %d", s->name, (int)record_slot(r),
			    (int)slot);
		if (rc == RC_OK)
			rc = record_write(s, r, e);
	}
	free(r);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc sqlite_slot_write(struct store *st, int32_t slot, const int64_t *users,
    size_t nusers, const struct record_pack *records, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	enum rc rc = sqlite_begin(s, e);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < nusers; i++) {
		const int64_t v[] = { slot, users[i] };

		for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
			rc = sqlite_exec(s, sql_of(SQL_ONE_DROP, k), 2, v, e);
	}
	if (rc == RC_OK)
		rc = pack_write(s, slot, records, e);
	return sqlite_end(s, rc, e);
}

/* Syncs the log itself: what others committed meanwhile becomes durable, too.
 * What is no longer in the log was synced when it was taken out of it. */
static enum rc log_sync(struct sqlite_store *s, struct err *e)
{
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &log) != SQLITE_OK || !log || !log->pMethods)
		return err_set(e, RC_SYSTEM, "%s: has no log to sync", s->name);
	if (log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return err_set(e, RC_SYSTEM, "%s: cannot sync the log",
		    s->name);
	return RC_OK;
}

enum rc sqlite_slot_bulk(struct store *st, bool on, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const char *pragma = on || !s->full ? "PRAGMA synchronous = NORMAL" :
	    "PRAGMA synchronous = FULL";
	enum rc rc = on ? RC_OK : log_sync(s, e);

	if (rc == RC_OK &&
	    sqlite3_exec(s->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		rc = err_set(e, RC_SYSTEM, "%s: %s", s->name,
		    sqlite3_errmsg(s->db));
	return rc;
}

static enum rc clear_rows(struct sqlite_store *s, enum collection kind,
    int32_t slot, struct err *e)
{
	const int64_t v[] = { slot, CLEAR_ROWS };
	int gone = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && gone > 0) {
		rc = sqlite_begin(s, e);
		if (rc != RC_OK)
			break;
		rc = sqlite_exec(s, sql_of(SQL_CLEAR, kind), 2, v, e);
		gone = rc == RC_OK ? sqlite_changed(s) : 0;
		rc = sqlite_end(s, rc, e);
	}
	return rc;
}

enum rc sqlite_slot_clear(struct store *st, int32_t slot, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { slot };
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < COLLECTION_COUNT; i++)
		rc = clear_rows(s, kind_to_empty(i), slot, e);
	if (rc == RC_OK)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	rc = sqlite_exec(s, SQL_MARKS_CLEAR, 1, v, e);
	return sqlite_end(s, rc, e);
}

enum rc sqlite_slot_clear_jobs(struct store *st, int32_t slot, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	return clear_rows(s, COLLECTION_JOBS, slot, e);
}
