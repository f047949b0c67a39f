/*
 * spool.c - see spool.h: what is added and taken out, and its counts.
 *
 * Owns the mapped counts and the connection.  May not log, and may not look
 * into an update's body.
 */
#include "config.h"

#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>

#include "spool/spool_db.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { LAYOUT_VERSION = 1, COUNT_AGAIN_MS = 1000 };

static int64_t load(const int64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(int64_t *p, int64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* While nobody else can write. */
static enum rc totals_count(struct spool *s, struct err *e)
{
	int64_t v[3] = { 0, 0, 0 };
	enum rc rc = spool_row(s, SPOOL_TOTAL, 0, NULL, 3, v, e);

	if (rc != RC_OK)
		return rc;
	store(&s->counts->rows, v[0]);
	store(&s->counts->bytes, v[1]);
	store(&s->counts->oldest_at, v[2]);
	return RC_OK;
}

/* All counts as the database has them, while nobody else is there. */
static enum rc recount(struct spool *s, struct err *e)
{
	struct spool_counts *c = s->counts;
	sqlite3_stmt *q = NULL;
	enum rc rc;
	int r;

	memset((char *)c + sizeof(c->layout), 0, sizeof(*c) - sizeof(c->layout));
	rc = spool_db_open(s, false, e);
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	rc = totals_count(s, e);
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

enum rc spool_open(const struct spool_conf *c, struct spool **out,
    struct err *e)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	const uint64_t layout = (uint64_t)LAYOUT_VERSION << 32 |
	    sizeof(*s->counts);
	struct buf path;
	enum rc rc;

	buf_init(&path, 4096);
	buf_printf(&path, "%s-counts", c->path);
	s->path = xstrdup(c->path);
	s->max_bytes = c->max_bytes;
	s->turn = s->shared.fd = -1;
	rc = shared_open(path.s, sizeof(*s->counts), layout, false, &s->shared,
	    e);
	buf_release(&path);
	s->counts = s->shared.p;
	if (rc == RC_OK && s->shared.first)
		rc = recount(s, e);
	if (rc != RC_OK) {
		spool_free(s);
		return rc;
	}
	shared_ready(&s->shared);
	*out = s;
	return RC_OK;
}

void spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	spool_db_close(s);
	shared_close(&s->shared);
	free(s->path);
	free(s);
}

bool spool_holds(const struct spool *s, int32_t slot)
{
	return __atomic_load_n(&s->counts->slot[slot], __ATOMIC_ACQUIRE) != 0;
}

enum rc spool_holds_user(struct spool *s, int64_t user_id, bool *out,
    struct err *e)
{
	int64_t one = 0;
	enum rc rc = RC_NOTFOUND;

	if (spool_holds(s, slot_of(user_id))) {
		rc = spool_db_open(s, false, e);
		if (rc == RC_OK)
			rc = spool_row(s, SPOOL_HAS, 1, &user_id, 1, &one, e);
	}
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	*out = rc == RC_OK;
	return RC_OK;
}

/* What an addition changes in the counts. */
struct added {
	struct spool *s;
	int32_t slot;
	int64_t bytes;
	bool raised;
};

static void raise_counts(struct added *a, int64_t now_ms)
{
	struct spool_counts *c = a->s->counts;

	__atomic_add_fetch(&c->slot[a->slot], 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&c->rows, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&c->bytes, a->bytes, __ATOMIC_SEQ_CST);
	if (load(&c->oldest_at) == 0)
		store(&c->oldest_at, now_ms);
	a->raised = true;
}

static void lower_counts(void *ctx)
{
	struct added *a = ctx;
	struct spool_counts *c = a->s->counts;

	if (!a->raised)
		return;
	__atomic_sub_fetch(&c->slot[a->slot], 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&c->rows, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&c->bytes, a->bytes, __ATOMIC_SEQ_CST);
}

/* Within a transaction.  What crashes left in the count of bytes is told apart
 * from a spool that really is full, once a second. */
static enum rc room_for(struct spool *s, int64_t bytes, struct err *e)
{
	int64_t now = clock_mono_us() / 1000;
	enum rc rc;

	if (load(&s->counts->bytes) + bytes <= s->max_bytes)
		return RC_OK;
	if (s->counted_at == 0 || now - s->counted_at > COUNT_AGAIN_MS) {
		s->counted_at = now;
		rc = totals_count(s, e);
		if (rc != RC_OK)
			return rc;
		if (load(&s->counts->bytes) + bytes <= s->max_bytes)
			return RC_OK;
	}
	return err_set(e, RC_FULL, "spool: updates of %lld bytes wait already, "
	    "spool_max allows no more; see why their shard is down",
	    (long long)load(&s->counts->bytes));
}

static enum rc insert(struct added *a, const int64_t v[5], const char *body,
    struct err *e)
{
	struct spool *s = a->s;
	sqlite3_stmt *q = NULL;
	enum rc rc = spool_query(s, SPOOL_INSERT, 5, v, &q, e);
	int r;

	if (rc != RC_OK)
		return rc;
	r = sqlite3_bind_blob64(q, 6, body, (sqlite3_uint64)a->bytes,
	    SQLITE_STATIC);
	if (r == SQLITE_OK)
		r = sqlite3_step(q);
	if (r != SQLITE_DONE)
		rc = spool_rc(s, r, e);
	else if (sqlite3_changes(s->db) > 0)
		raise_counts(a, v[3]);
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return rc;
}

enum rc spool_add(struct spool *s, int64_t user_id, int64_t update_id,
    const char *body, size_t len, bool told, int64_t now_ms,
    int64_t *told_at, struct err *e)
{
	struct added a = { .s = s, .slot = slot_of(user_id),
		.bytes = (int64_t)len };
	const int64_t v[] = { a.slot, user_id, update_id, now_ms, told };
	int64_t last = 0;
	enum rc rc;

	rc = spool_db_open(s, true, e);
	if (rc == RC_OK)
		rc = spool_begin(s, e);
	if (rc != RC_OK)
		return rc;
	rc = room_for(s, a.bytes, e);
	if (rc == RC_OK)
		rc = spool_row(s, SPOOL_LAST_OF, 2, &v[1], 1, &last, e);
	if (rc == RC_OK)
		rc = insert(&a, v, body, e);
	rc = spool_end(s, rc, lower_counts, &a, e);
	if (rc == RC_OK)
		*told_at = last;
	return rc;
}

int32_t spool_slot(const struct spool *s, int32_t from)
{
	while (from < SLOT_COUNT && !spool_holds(s, from))
		from++;
	return from < SLOT_COUNT ? from : -1;
}

/* A crash left the count too high: sets it right, while nobody can add. */
static enum rc slot_recount(struct spool *s, int32_t slot, struct err *e)
{
	int64_t n, v = slot;
	enum rc rc = spool_begin(s, e);

	if (rc != RC_OK)
		return rc;
	rc = spool_row(s, SPOOL_COUNT_SLOT, 1, &v, 1, &n, e);
	if (rc == RC_OK)
		__atomic_store_n(&s->counts->slot[slot], (uint32_t)n,
		    __ATOMIC_SEQ_CST);
	return spool_end(s, rc, NULL, NULL, e);
}

enum rc spool_next(struct spool *s, int32_t slot, int64_t after,
    struct spooled *out, struct err *e)
{
	const int64_t v[] = { slot, after };
	sqlite3_stmt *q = NULL;
	enum rc rc;
	int r;

	rc = spool_db_open(s, true, e);
	if (rc == RC_OK)
		rc = spool_query(s, SPOOL_NEXT, 2, v, &q, e);
	if (rc != RC_OK)
		return rc;
	r = sqlite3_step(q);
	if (r == SQLITE_ROW) {
		out->seq = sqlite3_column_int64(q, 0);
		out->user_id = sqlite3_column_int64(q, 1);
		out->received_at = sqlite3_column_int64(q, 2);
		buf_clear(&out->body);
		buf_add(&out->body, sqlite3_column_blob(q, 3),
		    (size_t)sqlite3_column_bytes(q, 3));
	}
	(void)sqlite3_reset(q);
	if (r == SQLITE_DONE && after == 0)
		rc = slot_recount(s, slot, e);
	if (r == SQLITE_DONE)
		return rc == RC_OK ? RC_NOTFOUND : rc;
	return r == SQLITE_ROW ? RC_OK : spool_rc(s, r, e);
}

enum rc spool_settle(struct spool *s, struct err *e)
{
	enum rc rc = spool_db_open(s, true, e);

	if (rc == RC_OK)
		rc = spool_begin(s, e);
	if (rc != RC_OK)
		return rc;
	return spool_end(s, totals_count(s, e), NULL, NULL, e);
}

struct leaving {
	int64_t seq, slot, bytes;
};

/* Which of these rows are there; their slots' counts are set right, so that
 * they can be lowered by what was deleted. */
static enum rc leaving_find(struct spool *s, const int64_t *seqs, size_t n,
    struct leaving *l, size_t *nl, struct err *e)
{
	enum rc rc = RC_OK;
	int64_t v[2], count;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = spool_row(s, SPOOL_FIND, 1, &seqs[i], 2, v, e);
		if (rc == RC_OK)
			rc = spool_row(s, SPOOL_COUNT_SLOT, 1, v, 1, &count, e);
		if (rc == RC_OK) {
			__atomic_store_n(&s->counts->slot[v[0]],
			    (uint32_t)count, __ATOMIC_SEQ_CST);
			l[(*nl)++] = (struct leaving){ seqs[i], v[0], v[1] };
		} else if (rc == RC_NOTFOUND) {
			rc = RC_OK;
		}
	}
	return rc;
}

static enum rc oldest_look(struct spool *s, struct err *e)
{
	int64_t at = 0;
	enum rc rc = spool_row(s, SPOOL_OLDEST, 0, NULL, 1, &at, e);

	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	store(&s->counts->oldest_at, at);
	return RC_OK;
}

enum rc spool_done(struct spool *s, const int64_t *seqs, size_t n,
    struct err *e)
{
	struct spool_counts *c = s->counts;
	struct leaving l[SPOOL_BATCH];
	size_t nl = 0;
	enum rc rc;

	if (n > SPOOL_BATCH)
		return err_set(e, RC_TOOBIG, "spool: too many at once");
	rc = spool_db_open(s, true, e);
	if (rc == RC_OK)
		rc = spool_begin(s, e);
	if (rc != RC_OK)
		return rc;
	rc = leaving_find(s, seqs, n, l, &nl, e);
	for (size_t i = 0; i < nl && rc == RC_OK; i++)
		rc = spool_exec(s, SPOOL_DELETE, 1, &l[i].seq, e);
	if (rc == RC_OK)
		rc = oldest_look(s, e);
	rc = spool_end(s, rc, NULL, NULL, e);
	for (size_t i = 0; i < nl && rc == RC_OK; i++) {
		__atomic_sub_fetch(&c->slot[l[i].slot], 1, __ATOMIC_SEQ_CST);
		__atomic_sub_fetch(&c->rows, 1, __ATOMIC_SEQ_CST);
		__atomic_sub_fetch(&c->bytes, l[i].bytes, __ATOMIC_SEQ_CST);
	}
	return rc;
}

static enum rc stats(struct spool *s, enum spool_sql id, size_t nv,
    const int64_t *v, struct spool_stats *out, struct err *e)
{
	int64_t n[3] = { 0, 0, 0 };
	enum rc rc = spool_db_open(s, false, e);

	if (rc == RC_OK)
		rc = spool_row(s, id, nv, v, 3, n, e);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	*out = (struct spool_stats){ n[0], n[1], n[2] };
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

void spool_glance(const struct spool *s, struct spool_stats *out)
{
	int64_t rows = load(&s->counts->rows), bytes = load(&s->counts->bytes);

	*out = (struct spool_stats){
		.rows = rows > 0 ? rows : 0,
		.bytes = bytes > 0 ? bytes : 0,
		.oldest_at = rows > 0 ? load(&s->counts->oldest_at) : 0,
	};
}
