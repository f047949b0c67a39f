/*
 * mark.c - who was written to while their slot moved.
 *
 * A mark is made in the transaction of the write: both are there, or neither.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>

enum rc sqlite_mark(struct sqlite_store *s, int32_t slot, int64_t user_id,
    struct err *e)
{
	const int64_t v[] = { slot, user_id };

	if (!store_marks(&s->base, slot))
		return RC_OK;
	return sqlite_exec(s, SQL_MARK, 2, v, e);
}

enum rc sqlite_write_begin(struct sqlite_store *s, int32_t slot,
    int64_t user_id, bool *open, struct err *e)
{
	enum rc rc;

	if (!store_marks(&s->base, slot))
		return RC_OK;
	rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	*open = true;
	return sqlite_mark(s, slot, user_id, e);
}

enum rc sqlite_write_end(struct sqlite_store *s, bool open, enum rc rc,
    struct err *e)
{
	return open ? sqlite_end(s, rc, e) : rc;
}

static enum rc slot_marks(struct sqlite_store *s, int32_t slot, size_t max,
    int64_t *out, size_t *n, struct err *e)
{
	const int64_t v[] = { slot, (int64_t)max };
	sqlite3_stmt *q = NULL;
	bool row = false;
	size_t i = 0;
	enum rc rc;

	rc = sqlite_query(s, SQL_MARKS, 2, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		out[i++] = sqlite3_column_int64(q, 0);
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		*n = i;
	return rc;
}

enum rc sqlite_dirty_list(struct store *st, const int32_t *slots,
    size_t nslots, size_t max, int64_t *out, size_t *n, struct err *e)
{
	size_t all = 0, some;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < nslots && all < max && rc == RC_OK; i++) {
		some = 0;
		rc = slot_marks((struct sqlite_store *)st, slots[i],
		    max - all, out + all, &some, e);
		all += some;
	}
	if (rc == RC_OK)
		*n = all;
	return rc;
}

enum rc sqlite_dirty_clear(struct store *st, int32_t slot,
    const int64_t *users, size_t nusers, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	enum rc rc;

	if (nusers == 0)
		return RC_OK;
	rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < nusers; i++) {
		const int64_t v[] = { slot, users[i] };

		rc = sqlite_exec(s, SQL_MARK_DROP, 2, v, e);
	}
	return sqlite_end(s, rc, e);
}
