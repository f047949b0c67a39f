/*
 * user.c - people in an SQLite shard.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>

#include "models/slot.h"


enum { CUT_WAIT_MS = 200, TIDY_WAIT_MS = 5 };

enum rc sqlite_user_get(struct store *st, int64_t user_id, struct user *out,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	struct user u = { 0 };
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_USER_GET, 1, &user_id, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && !row)
		rc = err_set(e, RC_NOTFOUND, "no such user");
	if (rc == RC_OK)
		rc = sqlite_read(s, q, user_columns, &u, e);
	if (rc == RC_OK)
		*out = u;
	sqlite_reset(q);
	return rc;
}

enum rc sqlite_user_put(struct store *st, struct user *u, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	int32_t was = u->rev;
	bool open = false;
	enum rc rc;

	u->slot = slot_of(u->user_id);
	u->rev = was + 1;
	rc = sqlite_write_begin(s, u->slot, u->user_id, &open, e);
	if (rc == RC_OK)
		rc = sqlite_query(s, was ? SQL_USER_UPDATE : SQL_USER_INSERT, 0,
		    NULL, &q, e);
	if (rc == RC_OK) {
		int n = sqlite_bind(q, user_columns, u);

		if (was)
			sqlite_bind_i64(q, n + 1, was);
		rc = sqlite_done(s, q, e);
	}
	if (rc == RC_OK && sqlite_changed(s) == 0)
		rc = err_set(e, RC_CONFLICT, "another request changed the user "
		    "first: read again");
	rc = sqlite_write_end(s, open, rc, e);
	if (rc != RC_OK)
		u->rev = was;
	return rc;
}

/* The log still holds the pages as they were: it is written back and cut, unless
 * somebody reads or writes for longer than wait_ms. */
static int log_cut(struct sqlite_store *s, int wait_ms)
{
	int busy_ms = s->busy_ms, r;

	s->busy_ms = busy_ms < wait_ms ? busy_ms : wait_ms;
	r = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL);
	s->busy_ms = busy_ms;
	return r;
}

enum rc sqlite_tidy(struct store *st, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	int r = log_cut(s, TIDY_WAIT_MS);

	return r == SQLITE_OK ? RC_OK : sqlite_rc(s->db, s->name, r, e);
}

enum rc sqlite_erase(struct store *st, int64_t user_id, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t owner[] = { slot_of(user_id), user_id };
	enum rc rc;

	rc = sqlite_begin(s, e);
	if (rc == RC_OK) {
		for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
			rc = sqlite_exec(s, sql_of(SQL_ERASE, k), 2, owner, e);
		if (rc == RC_OK)
			rc = sqlite_mark(s, slot_of(user_id), user_id, e);
		rc = sqlite_end(s, rc, e);
	}
	/* where a reader holds the log, the worker cuts it soon */
	if (rc == RC_OK)
		(void)log_cut(s, CUT_WAIT_MS);
	return rc;
}
