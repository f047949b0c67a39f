/*
 * drain.c - applies what was spooled, when its shard is there again.
 *
 * Goes round by slots, and within a slot in the order in which the updates
 * came.  A row is deleted after it was applied, and before the next one of its
 * person is: a crash in between applies the person's last one again, which
 * changes nothing.  A slot whose shard cannot be used is passed over at the
 * cost of some loads.  A turn takes TURN_MS at most, or as long as one shard
 * lets one update wait, so that sending goes on.
 *
 * An update that cannot be applied though its shard is there, or of which the
 * worker dies, is put off and holds nobody but its person.
 */
#include "config.h"

#include "worker/internal.h"

#include <stdlib.h>

#include "spool/spool.h"
#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/log.h"
#include "utils/log_who.h"
#include "utils/xalloc.h"

enum { TURN_MS = 40, ROUND_MS = 200, AGAIN_MS = 1000, HOLD_AT_ONCE_MS = 60000,
	TROUBLE_MS = 60000, TRIES = 3, BODY_MAX = 32 << 20 };

struct drain {
	int32_t slot;		/* the round has come so far */
	bool any;		/* and has found something */
	bool ready;		/* the spool is open */
	int64_t at;		/* mono ms of the next turn */
	struct spooled row;
	/* applied and still to be deleted: one of each person at most */
	int64_t done[SPOOL_BATCH], done_user[SPOOL_BATCH];
	size_t ndone;
	int64_t told_at;	/* mono ms of the last word on trouble */
};

void drain_start(struct worker *w)
{
	if (w->c.spool == NULL)
		return;
	w->drain = xcalloc(1, sizeof(*w->drain));
	buf_init(&w->drain->row.body, BODY_MAX);
}

int64_t drain_next(const struct worker *w)
{
	if (w->drain == NULL || w->stopping)
		return INT64_MAX;
	return !w->drain->ready || spool_waits(w->c.spool) ? w->drain->at :
	    INT64_MAX;
}

/* May the slot's people be served now?  Asks no shard.  The fence of a mover
 * that died holds nobody: see slots_enter. */
static bool usable(const struct worker *w, int32_t slot)
{
	const struct router *r = w->c.router;
	const struct slots *m = router_slots(r);
	const struct pulse *p = router_pulse(r);
	struct slot_entry entry = router_slot(r, slot);

	if (entry.state == SLOT_FENCING && (slots_lease_needed(m) ||
	    slots_mover_alive(m)))
		return false;
	return router_shard_there(r, entry.owner) &&
	    !(slots_shard_flags(m, entry.owner) & SHARD_PAUSED) &&
	    slots_lease_ok(m) && (p == NULL || pulse_ready(p, entry.owner));
}

/* What stops more than one person's updates, and lasts: once a minute. */
static void trouble(struct worker *w, const char *what, const struct err *e)
{
	struct drain *d = w->drain;
	int64_t now = mono_ms();

	if (d->told_at != 0 && now - d->told_at < TROUBLE_MS)
		return;
	d->told_at = now;
	log_error("spool", "what=%s why=%s", what, log_q(e->text));
}

/* The same, of the row in hand. */
static void trouble_row(struct worker *w, const struct err *e)
{
	const struct spooled *row = &w->drain->row;
	struct err words = { .rc = e->rc };

	str_format(words.text, sizeof(words.text), "slot %d, id %lld, user "
	    "%lld: %s", slot_of(row->user_id), (long long)row->seq,
	    (long long)row->user_id, e->text);
	trouble(w, "waits", &words);
}

/* Forgets what was applied.  False: that is still to be done, and nothing more
 * is applied before. */
static bool rows_done(struct worker *w)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };

	if (d->ndone > 0 && spool_done(w->c.spool, d->done, d->ndone, NULL,
	    &e) != RC_OK) {
		trouble(w, "cannot_delete", &e);
		return false;
	}
	d->ndone = 0;
	return true;
}

void drain_stop(struct worker *w)
{
	if (w->drain == NULL)
		return;
	(void)rows_done(w);
	buf_release(&w->drain->row.body);
	free(w->drain);
	w->drain = NULL;
}

static bool row_of_done(const struct drain *d)
{
	for (size_t i = 0; i < d->ndone; i++)
		if (d->done_user[i] == d->row.user_id)
			return true;
	return false;
}

/* The row in hand failed.  hold_ms: only its person waits, for so long; 0: the
 * slot does, and it is tried again soon.  RC_CONFLICT, or why not even that can
 * be written down. */
static enum rc row_failed(struct worker *w, int tries, int64_t hold_ms,
    const struct err *why)
{
	const struct spooled *row = &w->drain->row;
	int64_t until = hold_ms > 0 ? clock_ms(w->c.clock) + hold_ms : 0;
	struct err e = { .rc = RC_OK };

	if (spool_failed(w->c.spool, row, tries, until, why->text, &e) !=
	    RC_OK) {
		trouble(w, "cannot_note", &e);
		return RC_BUSY;
	}
	if (hold_ms == 0)
		return RC_BUSY;
	log_error("spool", "what=cannot_apply slot=%d id=%lld user=%s "
	    "tries=%d again_s=%lld why=%s hint=%s", slot_of(row->user_id),
	    (long long)row->seq, log_who(row->user_id), row->tries + tries,
	    (long long)hold_ms / 1000, log_who_in(why->text, row->user_id),
	    log_q("familybotctl spool list"));
	return RC_CONFLICT;
}

/* A death costs everybody: each one doubles the time to the next try. */
static enum rc row_deadly(struct worker *w, int deaths)
{
	int more = w->drain->row.tries + deaths - TRIES;
	int64_t hold = HOLD_AT_ONCE_MS;
	struct err e = { .rc = RC_OK };

	for (; more > 0 && hold < SPOOL_HOLD_MAX_MS; more--)
		hold *= 2;
	err_set(&e, RC_SYSTEM, "the worker ends each time when it applies "
	    "this: see its log, and report it");
	return row_failed(w, deaths, hold < SPOOL_HOLD_MAX_MS ? hold :
	    SPOOL_HOLD_MAX_MS, &e);
}

/* RC_OK: the row is done with.  RC_CONFLICT: only its person waits.  Others:
 * the slot does. */
static enum rc row_result(struct worker *w, enum rc rc, const struct err *e)
{
	const struct spooled *row = &w->drain->row;

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
		return row_failed(w, 1, HOLD_AT_ONCE_MS, e);
	case RC_SYSTEM:
		return row_failed(w, 1, row->tries + 1 < TRIES ? 0 :
		    HOLD_AT_ONCE_MS, e);
	case RC_FULL:
	case RC_UNAVAILABLE:
		trouble_row(w, e);
		return rc;
	default:
		return RC_BUSY;
	}
}

static enum rc row_apply(struct worker *w)
{
	const struct spooled *row = &w->drain->row;
	struct err e = { .text = "" };
	int deaths = spool_trying(w->c.spool, row->seq);
	enum rc rc;

	if (deaths >= (row->tries < TRIES ? TRIES : 1)) {
		spool_tried(w->c.spool);
		return row_deadly(w, deaths);
	}
	rc = w->c.apply(w->c.apply_ctx, row->body.s, row->body.len,
	    row->received_at, &e);
	spool_tried(w->c.spool);
	return row_result(w, rc, &e);
}

/* Applies what the slot holds.  True: all that can be done now is. */
static bool slot_apply(struct worker *w, int32_t slot, int64_t end)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };
	int64_t after = 0;
	enum rc rc = RC_OK;

	while ((rc == RC_OK || rc == RC_CONFLICT) && d->ndone < SPOOL_BATCH &&
	    mono_ms() < end && !w->stopping) {
		rc = spool_next(w->c.spool, slot, after, clock_ms(w->c.clock),
		    &d->row, &e);
		if (rc != RC_OK && rc != RC_NOTFOUND)
			trouble(w, "cannot_read", &e);
		if (rc == RC_OK && row_of_done(d) && !rows_done(w))
			rc = RC_BUSY;
		if (rc != RC_OK)
			break;
		after = d->row.seq;
		rc = row_apply(w);
		if (rc == RC_OK) {
			d->done[d->ndone] = d->row.seq;
			d->done_user[d->ndone++] = d->row.user_id;
		}
	}
	return !rows_done(w) || (rc != RC_OK && rc != RC_CONFLICT);
}

static void round_end(struct worker *w)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };

	w->stats.spool_stuck = 0;
	if (d->any && spool_held(w->c.spool, clock_ms(w->c.clock),
	    &w->stats.spool_stuck, &e) != RC_OK)
		trouble(w, "cannot_read", &e);
	if (!d->any && spool_settle(w->c.spool, &e) != RC_OK)
		trouble(w, "cannot_count", &e);
	d->any = false;
	d->slot = 0;
	d->at = mono_ms() + ROUND_MS;
}

/* Can anything be applied? */
static bool begin(struct worker *w)
{
	struct drain *d = w->drain;
	struct err e = { .rc = RC_OK };

	if (!d->ready && spool_ready(w->c.spool, &e) != RC_OK) {
		trouble(w, "cannot_open", &e);
		return false;
	}
	d->ready = true;
	return rows_done(w);
}

void drain_turn(struct worker *w)
{
	struct drain *d = w->drain;
	int64_t now = mono_ms(), end = now + TURN_MS;

	if (drain_next(w) > now)
		return;
	if (!begin(w)) {
		d->at = now + AGAIN_MS;
		return;
	}
	while (mono_ms() < end && d->ndone == 0) {
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
