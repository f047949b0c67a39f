/*
 * spool_counts.c - see spool_counts.h.
 *
 * Owns the mapping.  May not write to the database.
 */
#include "config.h"

#include "spool/spool_counts.h"

#include <string.h>

enum { LAYOUT_VERSION = 2 };

static int64_t load(const int64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(int64_t *p, int64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* All counts as the database has them, while nobody else is there.  What was
 * being applied stays. */
static enum rc recount(struct spool *s, struct err *e)
{
	struct spool_counts *c = s->counts;
	sqlite3_stmt *q = NULL;
	enum rc rc;
	int r;

	c->rows = c->bytes = c->oldest_at = 0;
	memset(c->slot, 0, sizeof(c->slot));
	rc = spool_db_open(s, false, e);
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	rc = counts_totals(s, e);
	if (rc == RC_OK)
		rc = spool_query(s, SPOOL_COUNT_SLOTS, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		int64_t slot = sqlite3_column_int64(q, 0);
		if (slot >= 0 && slot < SLOT_COUNT)
			c->slot[slot] = (uint32_t)sqlite3_column_int64(q, 1);
	}
	rc = r == SQLITE_DONE ? RC_OK : spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	return rc;
}

static void unmap(struct spool *s)
{
	shared_close(&s->shared);
	s->counts = NULL;
}

enum rc spool_ready(struct spool *s, struct err *e)
{
	const uint64_t layout = (uint64_t)LAYOUT_VERSION << 32 |
	    sizeof(*s->counts);
	struct buf path;
	enum rc rc;

	if (s->counts != NULL)
		return RC_OK;
	buf_init(&path, 4096);
	buf_printf(&path, "%s-counts", s->path);
	rc = shared_open(path.s, sizeof(*s->counts), layout, false, &s->shared,
	    e);
	buf_release(&path);
	if (rc != RC_OK)
		return rc;
	s->counts = s->shared.p;
	if (s->shared.first)
		rc = recount(s, e);
	if (rc == RC_OK)
		shared_ready(&s->shared);
	else
		unmap(s);
	return rc;
}

bool counts_hold(const struct spool *s, int32_t slot)
{
	return __atomic_load_n(&s->counts->slot[slot], __ATOMIC_ACQUIRE) != 0;
}

void counts_change(const struct counts_change *a)
{
	struct spool_counts *c = a->s->counts;

	if (a->slot >= 0)
		__atomic_add_fetch(&c->slot[a->slot], (uint32_t)a->rows,
		    __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&c->rows, a->rows, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&c->bytes, a->bytes, __ATOMIC_SEQ_CST);
	if (a->at != 0 && load(&c->oldest_at) == 0)
		store(&c->oldest_at, a->at);
}

void counts_undo(void *ctx)
{
	const struct counts_change *a = ctx;

	counts_change(&(struct counts_change){ a->s, -a->rows, -a->bytes,
		a->slot, 0 });
}

enum rc counts_totals(struct spool *s, struct err *e)
{
	int64_t v[3] = { 0, 0, 0 };
	enum rc rc = spool_row(s, SPOOL_TOTAL, 0, NULL, 3, v, e);

	if (rc != RC_OK)
		return rc;
	store(&s->counts->rows, v[0]);
	store(&s->counts->bytes, v[1]);
	store(&s->counts->oldest_at, v[2]);
	store(&s->counts->totals, load(&s->counts->totals) + 1);
	return RC_OK;
}

int64_t counts_totals_seen(const struct spool *s)
{
	return load(&s->counts->totals);
}

enum rc counts_oldest(struct spool *s, struct err *e)
{
	int64_t at = 0;
	enum rc rc = spool_row(s, SPOOL_OLDEST, 0, NULL, 1, &at, e);

	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	store(&s->counts->oldest_at, at);
	return RC_OK;
}

enum rc counts_slot(struct spool *s, int32_t slot, struct err *e)
{
	int64_t n, v = slot;
	enum rc rc = spool_row(s, SPOOL_COUNT_SLOT, 1, &v, 1, &n, e);

	if (rc == RC_OK)
		__atomic_store_n(&s->counts->slot[slot], (uint32_t)n,
		    __ATOMIC_SEQ_CST);
	return rc;
}

int32_t spool_slot(const struct spool *s, int32_t from)
{
	if (s->counts == NULL)
		return -1;
	while (from < SLOT_COUNT && !counts_hold(s, from))
		from++;
	return from < SLOT_COUNT ? from : -1;
}

bool spool_waits(const struct spool *s)
{
	return s->counts != NULL && (load(&s->counts->rows) != 0 ||
	    spool_slot(s, 0) >= 0);
}

void spool_glance(const struct spool *s, struct spool_stats *out)
{
	int64_t rows, bytes;

	*out = (struct spool_stats){ .rows = 0 };
	if (s->counts == NULL)
		return;
	rows = load(&s->counts->rows);
	bytes = load(&s->counts->bytes);
	out->rows = rows > 0 ? rows : 0;
	out->bytes = bytes > 0 ? bytes : 0;
	out->oldest_at = rows > 0 ? load(&s->counts->oldest_at) : 0;
}
