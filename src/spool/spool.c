/*
 * spool.c - see spool.h: what is added, and whose updates wait.
 *
 * Owns the connection and the mapped counts.  May not log, and may not look
 * into an update's body.
 */
#include "config.h"

#include "spool/spool.h"

#include <stdlib.h>

#include "spool/spool_counts.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum {
	COUNT_AGAIN_MS = 1000,
	/* One person has this part of the room, and so much in any case. */
	SHARE_PARTS = 8,
	SHARE_LEAST = 1 << 20
};

struct spool *spool_new(const struct spool_conf *c)
{
	struct spool *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(c->path);
	s->max_bytes = c->max_bytes;
	s->write_queue = s->shared.fd = -1;
	return s;
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

bool spool_keeps(const struct spool *s)
{
	return s->max_bytes > 0;
}

enum rc spool_holds(struct spool *s, int64_t user_id, bool *out,
    struct err *e)
{
	int64_t one = 0;
	enum rc rc = RC_NOTFOUND;

	/* Counts that cannot be mapped say nothing: the database does. */
	if (spool_ready(s, e) != RC_OK || counts_hold(s, slot_of(user_id))) {
		rc = spool_db_open(s, false, e);
		if (rc == RC_OK)
			rc = spool_row(s, SPOOL_HAS, 1, &user_id, 1, &one, e);
	}
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	*out = rc == RC_OK;
	return RC_OK;
}

/* One person who writes all the time leaves room to the others.  Bytes of all
 * that are no more than a share make a look at this person's needless. */
static enum rc share_left(struct spool *s, int64_t user_id, int64_t bytes,
    int64_t all, struct err *e)
{
	int64_t share = s->max_bytes / SHARE_PARTS, own = 0;
	enum rc rc;

	if (share < SHARE_LEAST)
		share = SHARE_LEAST;
	if (all + bytes <= share)
		return RC_OK;
	rc = spool_row(s, SPOOL_BYTES_OF, 1, &user_id, 1, &own, e);
	if (rc != RC_OK || own + bytes <= share)
		return rc;
	return err_set(e, RC_FULL, "spool: updates of %lld bytes of this "
	    "person wait already, which is their share of spool_max",
	    (long long)own);
}

/* Within a transaction.  What crashes left in the count of bytes is told apart
 * from a spool that really is full, once a second. */
static enum rc room_for(struct spool *s, int64_t user_id, int64_t bytes,
    struct err *e)
{
	int64_t now = clock_mono_us() / 1000;
	struct spool_stats st;
	enum rc rc;

	spool_glance(s, &st);
	if (st.bytes + bytes > s->max_bytes && (s->counted_at == 0 ||
	    now - s->counted_at > COUNT_AGAIN_MS)) {
		s->counted_at = now;
		rc = counts_totals(s, e);
		if (rc != RC_OK)
			return rc;
		spool_glance(s, &st);
	}
	if (st.bytes + bytes <= s->max_bytes)
		return share_left(s, user_id, bytes, st.bytes, e);
	return err_set(e, RC_FULL, "spool: updates of %lld bytes wait already, "
	    "spool_max allows no more; see why their shard is down",
	    (long long)st.bytes);
}

/* Is the person to be told of this new one?  Not when the last word is as
 * young as that; a clock that went back makes no word old. */
static enum rc tell_now(struct spool *s, const struct spool_update *u,
    int64_t now_ms, bool *out, struct err *e)
{
	int64_t last = 0;
	enum rc rc;

	*out = false;
	if (!u->tell)
		return RC_OK;
	rc = spool_row(s, SPOOL_LAST_TOLD, 1, &u->user_id, 1, &last, e);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	*out = rc == RC_NOTFOUND || now_ms < last ||
	    now_ms - last >= u->tell_every_ms;
	return RC_OK;
}

static enum rc insert(struct spool *s, const struct spool_update *u,
    int64_t now_ms, bool told, struct counts_change *c, struct err *e)
{
	const int64_t v[] = { slot_of(u->user_id), u->user_id, u->update_id,
		now_ms, told };
	sqlite3_stmt *q = NULL;
	enum rc rc = spool_query(s, SPOOL_INSERT, 5, v, &q, e);
	int r;

	if (rc != RC_OK)
		return rc;
	r = sqlite3_bind_blob64(q, 6, u->body, (sqlite3_uint64)u->len,
	    SQLITE_STATIC);
	if (r == SQLITE_OK)
		r = sqlite3_step(q);
	if (r != SQLITE_DONE)
		rc = spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	if (rc != RC_OK)
		return rc;
	*c = (struct counts_change){ s, 1, (int64_t)u->len, (int32_t)v[0],
		now_ms };
	counts_change(c);
	return RC_OK;
}

/* Within a transaction. */
static enum rc add(struct spool *s, const struct spool_update *u,
    int64_t now_ms, bool *told, struct counts_change *c, struct err *e)
{
	const int64_t v[] = { u->user_id, u->update_id };
	int64_t was = 0;
	enum rc rc = spool_row(s, SPOOL_TOLD, 2, v, 1, &was, e);

	*told = was != 0;
	if (rc != RC_NOTFOUND)
		return rc;	/* it waits already */
	rc = room_for(s, u->user_id, (int64_t)u->len, e);
	if (rc == RC_OK)
		rc = tell_now(s, u, now_ms, told, e);
	if (rc == RC_OK)
		rc = insert(s, u, now_ms, *told, c, e);
	return rc;
}

enum rc spool_add(struct spool *s, const struct spool_update *u,
    int64_t now_ms, bool *told, struct err *e)
{
	struct counts_change c = { .s = s, .slot = -1 };
	bool tell = false;
	enum rc rc;

	if (!spool_keeps(s))
		return err_set(e, RC_UNAVAILABLE, "spool: spool_max is 0: "
		    "nothing is kept for later");
	rc = spool_ready(s, e);
	if (rc == RC_OK)
		rc = spool_db_open(s, true, e);
	if (rc == RC_OK)
		rc = spool_begin(s, e);
	if (rc != RC_OK)
		return rc;
	rc = add(s, u, now_ms, &tell, &c, e);
	rc = spool_end(s, rc, counts_undo, &c, e);
	if (rc == RC_OK)
		*told = tell;
	return rc;
}
