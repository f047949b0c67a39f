/*
 * run.c - the mover: group after group until every slot is where the journal
 * wants it.  Knows from the map alone how far a mover before it came.
 */
#include "config.h"

#include "reshard/mover.h"

#include <inttypes.h>

#include "reshard/journal.h"
#include "utils/clock.h"

enum { SHARD_PAUSE_MIN_MS = 200, SHARD_PAUSE_MAX_MS = 5000, DIGEST_TRIES = 3,
	HOST_PAUSE_US = 200000 };

static bool working(const struct mover *m)
{
	return !m->stopped && (m->j.state == RESHARD_RUNNING ||
	    m->j.state == RESHARD_ABORTING);
}

/* Waits, also when it is asked meanwhile to give up: that, too, begins with
 * what is waited for.  false: it is to stop. */
static bool wait_out(struct mover *m, int64_t us, enum reshard_wait wait,
    const char *words)
{
	int64_t end = clock_mono_us() + us;

	for (; us > 0 && working(m); us = end - clock_mono_us()) {
		m->halt = false;
		(void)mover_wait(m, us, wait, words);
	}
	return working(m);
}

/* Slots that are in between come to rest: with their new owner when that was
 * committed, else where they were. */
static enum rc slots_rest(struct mover *m, struct err *e)
{
	const struct step_ops *step = m->c->step;
	enum rc rc = RC_OK;

	for (int32_t s = 0; s < SLOT_COUNT && rc == RC_OK; s++) {
		struct slot_entry entry = slots_get(m->c->slots, s);

		if (entry.state == SLOT_STABLE)
			continue;
		do {
			rc = entry.owner == entry.target ?
			    step->commit(m->c->step_ctx, &s, 1, e) :
			    step->release(m->c->step_ctx, &s, 1, e);
		} while ((rc == RC_BUSY || rc == RC_UNAVAILABLE) &&
		    wait_out(m, HOST_PAUSE_US, RESHARD_WAIT_HOST, e->text));
	}
	/* Asked to stop: the next mover does it. */
	return (rc == RC_BUSY || rc == RC_UNAVAILABLE) && !working(m) ? RC_OK :
	    rc;
}

/* A fence whose mover died held nobody until this one came.  On several hosts
 * their agents take it away. */
static void fences_lift(struct mover *m)
{
	struct err ignored = { RC_OK, "" };

	for (int32_t s = 0; s < SLOT_COUNT; s++)
		if (!slots_lease_needed(m->c->slots) &&
		    slots_get(m->c->slots, s).state == SLOT_FENCING &&
		    m->c->step->unfence(m->c->step_ctx, &s, 1, &ignored) !=
		    RC_OK)
			return;
}

/* What a mover that died left in between is begun again. */
static enum rc recover(struct mover *m, struct err *e)
{
	enum rc rc = RC_OK;

	do {
		m->halt = false;
		rc = mover_begin(m, e);
	} while (rc == RC_OK && m->halt && working(m));
	if (rc != RC_OK || !working(m))
		return rc;
	fences_lift(m);
	rc = slots_rest(m, e);
	leftover_jobs_clear(m);
	return rc;
}

static bool shard_waits(const struct mover *m, int shard, int64_t now)
{
	return m->shard[shard].again > now;
}

enum pick { PICK_ALL_DONE, PICK_WAIT, PICK_GROUP };

/* Slots of one way that can go now; else *wait is the shard to wait for. */
static enum pick group_pick(const struct mover *m, struct group *g, int *wait)
{
	int64_t now = clock_mono_us();
	enum pick pick = PICK_ALL_DONE;

	g->n = 0;
	for (int32_t s = 0; s < SLOT_COUNT && g->n < m->group_slots; s++) {
		int from = slots_get(m->c->slots, s).owner;
		int to = mover_want(m, s);

		if (from == to || m->bad[s])
			continue;
		if (g->n == 0 && (shard_waits(m, from, now) ||
		    shard_waits(m, to, now))) {
			*wait = shard_waits(m, from, now) ? from : to;
			pick = PICK_WAIT;
			continue;
		}
		if (g->n > 0 && (from != g->source || to != g->target))
			continue;
		g->source = from;
		g->target = to;
		g->targets[g->n] = (uint16_t)to;
		g->slots[g->n++] = s;
	}
	return g->n > 0 ? PICK_GROUP : pick;
}

static void shard_pause(struct mover *m, int shard, const struct err *e)
{
	struct mover_shard *s = &m->shard[shard];

	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : SHARD_PAUSE_MIN_MS;
	if (s->pause_ms > SHARD_PAUSE_MAX_MS)
		s->pause_ms = SHARD_PAUSE_MAX_MS;
	s->again = clock_mono_us() + (int64_t)s->pause_ms * 1000;
	(void)str_copy(s->words, sizeof(s->words), e->text);
}

/* RC_OK: the mover goes on, with other slots or the same. */
static enum rc group_failed(struct mover *m, const struct group *g, enum rc rc,
    struct err *e)
{
	int shard = g->copier.at == COPY_SOURCE ? g->source : g->target;

	if (rc == RC_UNAVAILABLE)
		mover_unsettle(m, shard);
	if (m->halt)
		return RC_OK;
	if (rc == RC_UNAVAILABLE || rc == RC_BUSY) {
		shard_pause(m, shard, e);
		return RC_OK;
	}
	if (rc != RC_CORRUPT || g->at < 0)
		return rc;
	if (++m->tries[g->at] < DIGEST_TRIES)
		return RC_OK;
	m->bad[g->at] = true;
	m->bad_rc = rc;
	(void)str_copy(m->bad_words, sizeof(m->bad_words), e->text);
	return RC_OK;
}

static enum rc groups_move(struct mover *m, struct group *g, struct err *e)
{
	int wait = 0;
	enum rc rc;

	while (!m->halt) {
		switch (group_pick(m, g, &wait)) {
		case PICK_ALL_DONE:
			return RC_OK;
		case PICK_WAIT:
			(void)mover_wait(m, m->shard[wait].again -
			    clock_mono_us(), RESHARD_WAIT_SHARD,
			    m->shard[wait].words);
			break;
		case PICK_GROUP:
			rc = group_move(m, g, e);
			if (rc == RC_OK)
				m->shard[g->source].pause_ms =
				    m->shard[g->target].pause_ms = 0;
			else
				rc = group_failed(m, g, rc, e);
			if (rc != RC_OK)
				return rc;
			break;
		}
	}
	return RC_OK;
}

/* Everything that can be moved is where it shall be. */
static enum rc all_done(struct mover *m, struct err *e)
{
	enum reshard_state asked = m->j.state;
	enum rc rc = slots_rest(m, e);	/* a release may have failed */

	if (rc != RC_OK || m->stopped || m->j.state != asked)
		return rc;
	if (m->bad_rc != RC_OK)
		return err_set(e, m->bad_rc, "%s", m->bad_words);
	if (m->jobs_left)
		leftover_jobs_clear(m);
	if (m->j.ended_at == 0)
		m->j.ended_at = clock_ms(m->c->clock);
	if (m->j.state != RESHARD_ABORTING)
		return mover_end(m, RESHARD_MOVED, e);
	rc = leftovers_clear(m, m->j.target, true, e);
	return rc == RC_OK && !m->halt ? mover_end(m, RESHARD_NONE, e) : rc;
}

static enum rc run_audit(const struct mover *m, const char *event,
    struct err *e)
{
	char line[400];

	(void)str_format(line, sizeof(line), "event=%s id=%" PRId64 " state=%s "
	    "users=%" PRId64 " bytes=%" PRId64 " seconds=%" PRId64
	    " error=\"%.120s\"", event, m->j.id,
	    reshard_state_name(m->j.state), m->users, m->bytes,
	    (clock_mono_us() - m->began) / 1000000, m->j.last_error);
	return audit_add(m->c->dir, m->c->who, line, e);
}

/* For the next mover. */
static bool unsettled(const struct mover *m)
{
	for (int i = 0; i < SHARDS_MAX; i++)
		if (m->shard[i].unsettled)
			return true;
	return false;
}

static enum rc run(struct mover *m, struct err *e)
{
	struct group *g = group_new();
	enum rc rc = RC_OK;

	while (rc == RC_OK && working(m)) {
		m->halt = false;
		rc = groups_move(m, g, e);
		if (rc == RC_OK && !m->halt)
			rc = all_done(m, e);
		if (rc == RC_UNAVAILABLE) {	/* the journal's store */
			(void)mover_wait(m, HOST_PAUSE_US, RESHARD_WAIT_HOST,
			    e->text);
			rc = RC_OK;
		}
	}
	group_free(g);
	return rc;
}

enum rc reshard_run(const struct reshard_conf *c,
    void (*progress)(void *ctx, const struct reshard_progress *p), void *ctx,
    struct err *e)
{
	struct err words = { RC_OK, "" }, ignored = { RC_OK, "" };
	struct mover *m = NULL;
	enum rc rc = mover_new(c, &m, e);

	if (rc != RC_OK)
		return rc;
	m->progress = progress;
	m->ctx = ctx;
	if (m->j.state == RESHARD_NONE) {
		rc = err_set(e, RC_NOTFOUND, "no change of shards is under "
		    "way: begin one with familybotctl shards reshard start");
		goto out;
	}
	if (!working(m))
		goto out;
	m->j.last_error[0] = '\0';
	if (m->j.started_at == 0)
		m->j.started_at = clock_ms(c->clock);
	rc = run_audit(m, "mover-start", e);
	if (rc == RC_OK)
		rc = mover_save(m, e);
	if (rc != RC_OK)
		goto out;
	rc = recover(m, &words);
	if (rc == RC_OK)
		rc = run(m, &words);
	if (rc != RC_OK) {
		(void)err_set(e, rc, "%s", words.text);
		(void)str_copy(m->j.last_error, sizeof(m->j.last_error),
		    words.text);
	}
	m->j.unsettled = unsettled(m);
	if (m->j.state != RESHARD_NONE && rc == RC_OK)
		rc = mover_save(m, e);
	else if (m->j.state != RESHARD_NONE &&
	    mover_save(m, &ignored) != RC_OK)
		m->stopped = true;	/* what e says matters more */
	m->looked = 0;
	(void)mover_look(m, RESHARD_WORKING, "");
	(void)run_audit(m, "mover-end", &ignored);
out:
	mover_free(m);
	return rc;
}
