/* spool_look.c - see spool.h: for who looks.  Shows nobody's words. */
#include "config.h"

#include "spool/spool.h"
#include "spool/spool_db.h"

static enum rc stats(struct spool *s, enum spool_sql id, size_t nv,
    const int64_t *v, struct spool_stats *out, struct err *e)
{
	int64_t n[4] = { 0, 0, 0, 0 };
	enum rc rc = spool_db_open(s, false, e);

	if (rc == RC_OK)
		rc = spool_row(s, id, nv, v, 4, n, e);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	*out = (struct spool_stats){ n[0], n[1], n[2], n[3] };
	return RC_OK;
}

enum rc spool_stats(struct spool *s, struct spool_stats *out, struct err *e)
{
	return stats(s, SPOOL_TOTAL, 0, NULL, out, e);
}

enum rc spool_stats_slot(struct spool *s, int32_t slot,
    struct spool_stats *out, struct err *e)
{
	const int64_t v = slot;

	return stats(s, SPOOL_TOTAL_SLOT, 1, &v, out, e);
}

static void entry_take(sqlite3_stmt *q, struct spool_entry *out)
{
	const char *why = (const char *)sqlite3_column_text(q, 4);

	out->seq = sqlite3_column_int64(q, 0);
	out->received_at = sqlite3_column_int64(q, 1);
	out->slot = sqlite3_column_int(q, 2);
	out->tries = sqlite3_column_int(q, 3);
	str_copy(out->why, sizeof(out->why), why != NULL ? why : "");
}

enum rc spool_list(struct spool *s, bool all, int64_t after, size_t max,
    struct spool_entry *out, size_t *n, struct err *e)
{
	const int64_t v[] = { after, (int64_t)max };
	sqlite3_stmt *q = NULL;
	size_t found = 0;
	enum rc rc = spool_db_open(s, false, e);
	int r;

	if (rc == RC_NOTFOUND) {
		*n = 0;
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = spool_query(s, all ? SPOOL_LIST : SPOOL_LIST_FAILED, 2, v,
		    &q, e);
	if (rc != RC_OK)
		return rc;
	while ((r = sqlite3_step(q)) == SQLITE_ROW && found < max)
		entry_take(q, &out[found++]);
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		rc = spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	if (rc == RC_OK)
		*n = found;
	return rc;
}
