/*
 * drain.c - applies what was spooled, when its shard is there again.
 *
 * Goes round by slots, and within a slot in the order in which the updates
 * came.  A row is deleted after it was applied: a crash in between applies it
 * again, which changes nothing.  A slot whose shard cannot be used is passed
 * over at the cost of some loads.  A turn takes TURN_MS at most, or as long as
 * one shard lets one update wait, so that sending goes on.
 */
#include "config.h"

#include "worker/internal.h"

#include <stdlib.h>

#include "spool/spool.h"
#include "store/pulse.h"
#include "store/router.h"
#include "store/slots.h"
#include "utils/log.h"
#include "utils/xalloc.h"

enum { TURN_MS = 40, ROUND_MS = 200, STUCK_MS = 60000, STUCK_MAX = 256,
	BODY_MAX = 32 << 20 };

/* Somebody whose next update cannot be applied though the shard is there. */
struct stuck {
	int64_t user_id;
	int64_t until;		/* mono ms */
};

struct drain {
	int32_t slot;		/* the round has come so far */
	bool any;		/* and has found something */
	int64_t at;		/* mono ms of the next turn */
	struct spooled row;
	struct stuck stuck[STUCK_MAX];
	size_t nstuck;
	int64_t told_at;	/* mono ms of the last word on trouble */
};

void drain_start(struct worker *w)
{
	if (w->c.spool == NULL)
		return;
	w->drain = xcalloc(1, sizeof(*w->drain));
	buf_init(&w->drain->row.body, BODY_MAX);
}

void drain_stop(struct worker *w)
{
	if (w->drain == NULL)
		return;
	buf_release(&w->drain->row.body);
	free(w->drain);
	w->drain = NULL;
}

int64_t drain_next(const struct worker *w)
{
	struct spool_stats st;

	if (w->drain == NULL || w->stopping)
		return INT64_MAX;
	spool_glance(w->c.spool, &st);
	return st.rows > 0 ? w->drain->at : INT64_MAX;
}

/* May the slot's people be served now?  Asks no shard. */
static bool usable(const struct worker *w, int32_t slot)
{
	const struct router *r = w->c.router;
	const struct pulse *p = router_pulse(r);
	struct slot_entry entry = router_slot(r, slot);

	return entry.state != SLOT_FENCING &&
	    router_shard_there(r, entry.owner) &&
	    !(slots_shard_flags(router_slots(r), entry.owner) &
	    SHARD_PAUSED) && slots_lease_ok(router_slots(r)) &&
	    (p == NULL || pulse_ready(p, entry.owner));
}

static bool is_stuck(const struct drain *d, int64_t user_id)
{
	for (size_t i = 0; i < d->nstuck; i++)
		if (d->stuck[i].user_id == user_id)
			return true;
	return false;
}

/* False past STUCK_MAX people: nobody is remembered, so what else is in the slot
 * must wait, or this person's later updates would overtake. */
static bool stuck_add(struct worker *w, int64_t user_id)
{
	struct drain *d = w->drain;
	bool fits = d->nstuck < STUCK_MAX;

	if (fits)
		d->stuck[d->nstuck++] = (struct stuck){ user_id,
			mono_ms() + STUCK_MS };
	w->stats.spool_stuck = (int64_t)d->nstuck;
	return fits;
}

static void stuck_forget(struct worker *w)
{
	struct drain *d = w->drain;
	int64_t now = mono_ms();
	size_t n = 0;

	for (size_t i = 0; i < d->nstuck; i++)
		if (d->stuck[i].until > now)
			d->stuck[n++] = d->stuck[i];
	d->nstuck = n;
	w->stats.spool_stuck = (int64_t)n;
}

static void trouble(struct worker *w, const char *what, const struct err *e)
{
	struct drain *d = w->drain;
	int64_t now = mono_ms();

	if (d->told_at != 0 && now - d->told_at < STUCK_MS)
		return;
	d->told_at = now;
	log_error("spool", "what=%s why=%s", what, log_q(e->text));
}

/* RC_OK: the row is done with.  RC_CONFLICT: only its person waits.  Others:
 * the slot does. */
static enum rc row_apply(struct worker *w, struct err *e)
{
	const struct spooled *row = &w->drain->row;
	enum rc rc = w->c.apply(w->c.apply_ctx, row->body.s, row->body.len,
	    row->received_at, e);

	switch (rc) {
	case RC_OK:
		w->stats.spool_applied++;
		return RC_OK;
	case RC_INVALID:
	case RC_NOTFOUND:
	case RC_TOOBIG:
		w->stats.spool_invalid++;
		return RC_OK;
	case RC_CORRUPT:
	case RC_DENIED:
		trouble(w, "cannot_apply", e);
		return stuck_add(w, row->user_id) ? RC_CONFLICT : RC_BUSY;
	case RC_CONFLICT:
		return RC_BUSY;
	case RC_FULL:
	case RC_SYSTEM:
		trouble(w, "cannot_apply", e);
		return rc;
	default:
		return rc;
	}
}

static bool rows_done(struct worker *w, const int64_t *seqs, size_t n)
{
	struct err e = { .rc = RC_OK };

	if (n == 0 || spool_done(w->c.spool, seqs, n, &e) == RC_OK)
		return true;
	trouble(w, "cannot_delete", &e);
	return false;
}

/* Applies what the slot holds.  True: all that can be done now is. */
static bool slot_apply(struct worker *w, int32_t slot, int64_t end)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };
	int64_t seqs[SPOOL_BATCH], after = 0;
	bool more = true, in_time = true;
	size_t n = 0;
	enum rc rc;

	while (more && in_time && n < SPOOL_BATCH) {
		rc = spool_next(w->c.spool, slot, after, &d->row, &e);
		if (rc != RC_OK && rc != RC_NOTFOUND)
			trouble(w, "cannot_read", &e);
		if (rc != RC_OK)
			break;
		after = d->row.seq;
		if (is_stuck(d, d->row.user_id))
			continue;
		rc = row_apply(w, &e);
		if (rc == RC_OK)
			seqs[n++] = d->row.seq;
		more = rc == RC_OK || rc == RC_CONFLICT;
		in_time = mono_ms() < end && !w->stopping;
	}
	return !rows_done(w, seqs, n) || (in_time && n < SPOOL_BATCH);
}

static void round_end(struct worker *w)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };

	if (!d->any && spool_settle(w->c.spool, &e) != RC_OK)
		trouble(w, "cannot_count", &e);
	d->any = false;
	d->slot = 0;
	d->at = mono_ms() + ROUND_MS;
}

void drain_turn(struct worker *w)
{
	struct drain *d = w->drain;
	int64_t now = mono_ms(), end = now + TURN_MS;

	if (drain_next(w) > now)
		return;
	stuck_forget(w);
	while (mono_ms() < end) {
		int32_t slot = spool_slot(w->c.spool, d->slot);
		if (slot < 0) {
			round_end(w);
			return;
		}
		d->any = true;
		d->slot = slot;
		if (!usable(w, slot) || slot_apply(w, slot, end))
			d->slot++;
	}
	d->at = 0;		/* goes on at once */
}
