/*
 * spool_take.c - see spool.h: rows are taken out, or put off.
 */
#include "config.h"

#include "spool/spool.h"

#include <string.h>

#include "spool/spool_counts.h"

/* With the counts, for who changes what is there. */
static enum rc begin(struct spool *s, struct err *e)
{
	enum rc rc = spool_ready(s, e);

	if (rc == RC_OK)
		rc = spool_db_open(s, true, e);
	return rc == RC_OK ? spool_begin(s, e) : rc;
}

/* Nothing is next.  Does nothing wait at all, a crash left the count too high:
 * sets it right, while nobody can add. */
static enum rc slot_check(struct spool *s, int32_t slot, struct err *e)
{
	int64_t one, v = slot;
	enum rc rc = spool_row(s, SPOOL_ANY, 1, &v, 1, &one, e);

	if (rc != RC_NOTFOUND)
		return rc;
	rc = begin(s, e);
	return rc == RC_OK ? spool_end(s, counts_slot(s, slot, e), NULL, NULL,
	    e) : rc;
}

static void row_take(sqlite3_stmt *q, struct spooled *out)
{
	out->seq = sqlite3_column_int64(q, 0);
	out->user_id = sqlite3_column_int64(q, 1);
	out->received_at = sqlite3_column_int64(q, 2);
	out->tries = sqlite3_column_int(q, 3);
	buf_clear(&out->body);
	buf_add(&out->body, sqlite3_column_blob(q, 4),
	    (size_t)sqlite3_column_bytes(q, 4));
}

enum rc spool_next(struct spool *s, int32_t slot, int64_t after,
    int64_t now_ms, struct spooled *out, struct err *e)
{
	const int64_t v[] = { slot, after, now_ms };
	sqlite3_stmt *q = NULL;
	enum rc rc;
	int r;

	rc = spool_db_open(s, true, e);
	if (rc == RC_OK)
		rc = spool_query(s, SPOOL_NEXT, 3, v, &q, e);
	if (rc != RC_OK)
		return rc;
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		row_take(q, out);
	else if (r != SQLITE_DONE)
		rc = spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	if (r == SQLITE_DONE && after == 0)
		rc = slot_check(s, slot, e);
	return r == SQLITE_DONE && rc == RC_OK ? RC_NOTFOUND : rc;
}

int spool_trying(struct spool *s, int64_t seq)
{
	struct spool_counts *c = s->counts;
	int64_t before = c->trying_seq == seq ? c->trying_times : 0;

	/* In this order a death in between counts for nobody. */
	__atomic_store_n(&c->trying_seq, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&c->trying_times, before + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&c->trying_seq, seq, __ATOMIC_RELEASE);
	return (int)before;
}

void spool_tried(struct spool *s)
{
	__atomic_store_n(&s->counts->trying_seq, 0, __ATOMIC_RELEASE);
}

struct leaving {
	size_t n;
	int32_t slot[SPOOL_BATCH];
	int64_t totals;		/* counts_totals_seen before */
	struct counts_change change;
};

/* Within a transaction. */
static enum rc row_delete(struct spool *s, int64_t seq, struct leaving *l,
    struct err *e)
{
	int64_t v[2] = { 0, 0 };
	enum rc rc = spool_row(s, SPOOL_FIND, 1, &seq, 2, v, e);

	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	rc = spool_exec(s, SPOOL_DELETE, 1, &seq, e);
	if (rc == RC_OK)
		rc = spool_exec(s, SPOOL_FORGET, 1, &seq, e);
	if (rc == RC_OK) {
		l->slot[l->n++] = (int32_t)v[0];
		l->change.rows--;
		l->change.bytes -= v[1];
	}
	return rc;
}

/* After the commit, in a transaction of its own that writes nothing: counts
 * that stay too high when this fails are found by spool_next. */
static void counts_lower(struct spool *s, const struct leaving *l)
{
	enum rc rc = spool_begin(s, NULL);

	if (rc != RC_OK)
		return;
	if (counts_totals_seen(s) == l->totals)
		counts_change(&l->change);
	rc = counts_oldest(s, NULL);
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		if (i == 0 || l->slot[i] != l->slot[i - 1])
			rc = counts_slot(s, l->slot[i], NULL);
	rc = spool_end(s, rc, NULL, NULL, NULL);
	(void)rc;
}

enum rc spool_done(struct spool *s, const int64_t *seqs, size_t n,
    size_t *gone, struct err *e)
{
	struct leaving l = { .change = { .s = s, .slot = -1 } };
	enum rc rc;

	if (n > SPOOL_BATCH)
		return err_set(e, RC_TOOBIG, "spool: too many at once");
	rc = begin(s, e);
	if (rc != RC_OK)
		return rc;
	l.totals = counts_totals_seen(s);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = row_delete(s, seqs[i], &l, e);
	rc = spool_end(s, rc, NULL, NULL, e);
	if (rc != RC_OK)
		return rc;
	if (l.n > 0)
		counts_lower(s, &l);
	if (gone != NULL)
		*gone = l.n;
	return RC_OK;
}

enum rc spool_failed(struct spool *s, const struct spooled *row, int tries,
    int64_t until_ms, const char *why, struct err *e)
{
	const int64_t v[] = { row->seq, tries, until_ms };
	sqlite3_stmt *q = NULL;
	enum rc rc = begin(s, e);
	int r;

	if (rc != RC_OK)
		return rc;
	rc = spool_query(s, SPOOL_FAILED, 3, v, &q, e);
	if (rc == RC_OK) {
		r = sqlite3_bind_text(q, 4, why, -1, SQLITE_STATIC);
		if (r == SQLITE_OK)
			r = sqlite3_step(q);
		if (r != SQLITE_DONE)
			rc = spool_rc(s, r, e);
		(void)sqlite3_reset(q);
		(void)sqlite3_clear_bindings(q);
	}
	return spool_end(s, rc, NULL, NULL, e);
}

enum rc spool_held(struct spool *s, int64_t now_ms, int64_t *out,
    struct err *e)
{
	enum rc rc = spool_db_open(s, true, e);

	return rc == RC_OK ? spool_row(s, SPOOL_HELD, 1, &now_ms, 1, out, e) :
	    rc;
}

enum rc spool_settle(struct spool *s, struct err *e)
{
	enum rc rc = begin(s, e);

	return rc == RC_OK ? spool_end(s, counts_totals(s, e), NULL, NULL, e) :
	    rc;
}

enum rc spool_retry(struct spool *s, int64_t seq, struct err *e)
{
	enum rc rc = begin(s, e);

	if (rc != RC_OK)
		return rc;
	rc = spool_exec(s, SPOOL_RETRY, 1, &seq, e);
	if (rc == RC_OK && sqlite3_changes(s->db) == 0)
		rc = err_set(e, RC_NOTFOUND, "%lld: no update of this id could "
		    "not be applied", (long long)seq);
	return spool_end(s, rc, NULL, NULL, e);
}
