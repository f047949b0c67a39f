/*
 * mover_watch.c - what the mover looks at while it works: is it to stop, to wait, to
 * tell how far it is.
 */
#include "config.h"

#include "reshard/mover.h"

#include <errno.h>
#include <poll.h>

#include "reshard/journal.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { LOOK_US = 100000, P99_US = 500000, SAVE_US = 1000000,
	STEP_US = 50000, HOST_PAUSE_US = 200000 };

int mover_want(const struct mover *m, int32_t slot)
{
	return m->j.state == RESHARD_ABORTING ? m->j.owner_before[slot] :
	    m->j.target[slot];
}

static uint64_t journal_stamp(const struct mover *m)
{
	return m->c->journal.ops->stamp(m->c->journal.ctx);
}

void mover_unsettle(struct mover *m, int shard)
{
	const struct shard_conf *s = router_shard_conf(m->c->router, shard);

	m->shard[shard].unsettled |= s && strncmp(s->uri, "sqlite:", 7) != 0;
}

enum rc mover_new(const struct reshard_conf *c, struct mover **out,
    struct err *e)
{
	struct mover *m = xcalloc(1, sizeof(*m));
	enum rc rc = slots_mover_lock(c->slots, e);

	if (rc != RC_OK) {
		free(m);
		return rc;
	}
	m->c = c;
	m->cleaned = -1;
	m->group_slots = 4;
	m->fence_slots = c->step->fence_max;
	m->write_us = 1000;
	m->bytes_per_us = 20;
	m->began = clock_mono_us();
	m->stamp = journal_stamp(m);
	rc = reshard_load(&c->journal, &m->j, e);
	pace_set(&m->pace, m->j.limits.users_per_second, m->began);
	for (int i = 0; i < SHARDS_MAX && m->j.unsettled; i++)
		mover_unsettle(m, i);
	m->j.unsettled = 1;
	if (rc == RC_OK)
		*out = m;
	else
		mover_free(m);
	return rc;
}

void mover_free(struct mover *m)
{
	if (!m)
		return;
	slots_mover_unlock(m->c->slots);
	free(m);
}

/* What the other terminal asks for.  Another change is another mover's. */
static bool asked(struct mover *m, const struct reshard *now)
{
	if (now->state != RESHARD_NONE && now->id != m->j.id) {
		m->stopped = m->halt = true;
		return false;
	}
	if (now->state != m->j.state)
		m->halt = true;
	m->j.state = now->state;
	m->j.rev = now->rev;
	m->j.limits = now->limits;
	pace_set(&m->pace, now->limits.users_per_second, clock_mono_us());
	return true;
}

static void journal_look(struct mover *m)
{
	uint64_t stamp = journal_stamp(m);
	struct err ignored = { RC_OK, "" };
	struct reshard *now;

	if (stamp == m->stamp || stamp == 0)
		return;
	now = xcalloc(1, sizeof(*now));
	/* A journal that cannot be read just now (a full disk, a lost mount)
	 * is no reason to stop: the next write to it fails with the words. */
	if (reshard_load(&m->c->journal, now, &ignored) == RC_OK) {
		(void)asked(m, now);
		m->stamp = stamp;
	}
	free(now);
}

/* Figures of this run go onto those of the runs before. */
static void figures_add(struct mover *m)
{
	int64_t now = clock_mono_us();

	m->j.users += m->users;
	m->j.bytes += m->bytes;
	m->j.busy_us += now - m->began - m->idle_us;
	m->j.fence_p50_us = fences_quantile(&m->j, 0.50);
	m->j.fence_p99_us = fences_quantile(&m->j, 0.99);
}

/* What another terminal asked for meanwhile holds. */
static enum rc save_once(struct mover *m, enum reshard_state next,
    struct reshard *was, struct reshard *now, struct err *e)
{
	uint64_t stamp = journal_stamp(m);
	enum rc rc = RC_OK;

	if (stamp == m->stamp && stamp != 0)
		*now = m->j;
	else
		rc = reshard_load(&m->c->journal, now, e);
	if (rc != RC_OK)
		return rc;
	*was = m->j;
	if (!asked(m, now) || now->state == RESHARD_NONE)
		return RC_OK;
	if (was->state == now->state)
		m->j.state = next;
	was->state = m->j.state;
	was->limits = m->j.limits;
	figures_add(m);
	m->j.rev = now->rev;
	rc = reshard_save(&m->c->journal, &m->j, e);
	was->rev = m->j.rev;
	m->stamp = rc == RC_OK ? journal_stamp(m) : 0;
	was->fence_p50_us = m->j.fence_p50_us;
	was->fence_p99_us = m->j.fence_p99_us;
	m->j = *was;	/* this run's figures are added anew each time */
	return rc;
}

static enum rc save_as(struct mover *m, enum reshard_state next, struct err *e)
{
	struct reshard *now = xcalloc(1, sizeof(*now));
	struct reshard *was = xmalloc(sizeof(*was));
	enum reshard_state state = m->j.state;
	enum rc rc = RC_BUSY;

	for (int i = 0; i < JOURNAL_TRIES && rc == RC_BUSY; i++) {
		rc = save_once(m, next, was, now, e);
		if (rc != RC_OK && m->j.state == next)
			m->j.state = state;	/* it is not written */
	}
	free(was);
	free(now);
	m->saved = clock_mono_us();
	return rc;
}

enum rc mover_save(struct mover *m, struct err *e)
{
	return save_as(m, m->j.state, e);
}

enum rc mover_end(struct mover *m, enum reshard_state next, struct err *e)
{
	return save_as(m, next, e);
}

static void slots_count(const struct mover *m, struct reshard_progress *p)
{
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		if (m->j.owner_before[s] == m->j.target[s])
			continue;
		p->slots++;
		p->slots_done += slots_get(m->c->slots, s).owner ==
		    mover_want(m, s);
	}
	if (m->cleaned >= 0)
		p->slots_done = m->cleaned;
}

static void tell(struct mover *m, enum reshard_wait wait, const char *words,
    int64_t now)
{
	struct reshard_progress p = { .wait = wait, .words = words,
		.users = m->users, .bytes = m->bytes, .remaining_s = -1,
		.elapsed_us = now - m->began };
	double slots = speed_slots(&m->speed, now);

	m->told = now;
	if (!m->progress)
		return;
	slots_count(m, &p);
	p.users_per_second = speed_users(&m->speed, now);
	p.fence_p99_us = fences_quantile(&m->j, 0.99);
	if (slots > 0)
		p.remaining_s = (int64_t)((p.slots - p.slots_done) / slots) + 1;
	m->progress(m->ctx, &p);
}

static void p99_look(struct mover *m, int64_t now)
{
	int64_t limit = m->j.limits.pause_if_p99_over_ms;

	if (limit == 0 || !m->c->p99_ms) {
		m->slow = false;
	} else if (now - m->asked_p99 >= P99_US) {
		m->slow = m->c->p99_ms(m->c->p99_ctx) > limit;
		m->asked_p99 = now;
	}
}

static void stop_look(struct mover *m, int wait_ms)
{
	struct pollfd p = { .fd = m->c->stop_fd, .events = POLLIN };

	if (poll(&p, m->c->stop_fd >= 0, wait_ms) > 0 && p.revents != 0)
		m->stopped = m->halt = true;
}

bool mover_look(struct mover *m, enum reshard_wait wait, const char *words)
{
	int64_t now = clock_mono_us();
	struct err ignored = { RC_OK, "" };

	if (now - m->looked < LOOK_US)
		return !m->halt;
	m->looked = now;
	stop_look(m, 0);
	journal_look(m);
	p99_look(m, now);
	tell(m, wait, words, now);
	/* The journal's figures can wait; its state is saved where it changes. */
	if (now - m->saved >= SAVE_US && mover_save(m, &ignored) != RC_OK)
		m->saved = now;
	return !m->halt;
}

enum rc mover_leased(const struct mover *m, struct err *e)
{
	return slots_lease_ok(m->c->slots) ? RC_OK : err_set(e, RC_UNAVAILABLE,
	    "this host's lease has run out: see the log of its "
	    "familybot-worker");
}

bool mover_wait(struct mover *m, int64_t us, enum reshard_wait wait,
    const char *words)
{
	int64_t began = clock_mono_us(), end = began + us, now = began;

	while (mover_look(m, wait, words) && now < end) {
		int64_t step = end - now < STEP_US ? end - now : STEP_US;

		stop_look(m, (int)((step + 999) / 1000));
		now = clock_mono_us();
	}
	m->idle_us += clock_mono_us() - began;
	return !m->halt;
}

enum rc mover_settle(struct mover *m, struct group *g, struct err *e)
{
	const int shard[2] = { g->source, g->target };
	bool wait = false;
	enum rc rc = RC_OK;

	for (int i = 0; i < 2 && rc == RC_OK; i++) {
		struct store *s = g->copier.store[i];

		g->copier.at = (enum copy_side)i;
		if (m->shard[shard[i]].unsettled)
			rc = s->ops->ping(s, e);
		wait |= m->shard[shard[i]].unsettled;
	}
	if (rc == RC_OK && wait && !mover_wait(m,
	    (int64_t)m->c->settle_ms * 1000, RESHARD_WAIT_SHARD,
	    "what was sent before may still run on a server"))
		rc = err_set(e, RC_BUSY, "asked to stop");
	for (int i = 0; i < 2 && rc == RC_OK; i++)
		m->shard[shard[i]].unsettled = false;
	return rc;
}

enum rc mover_begin(struct mover *m, struct err *e)
{
	enum rc rc;

	do {
		rc = m->c->step->begin(m->c->step_ctx, e);
	} while ((rc == RC_BUSY || rc == RC_UNAVAILABLE) &&
	    mover_wait(m, HOST_PAUSE_US, RESHARD_WAIT_HOST, e->text));
	return (rc == RC_BUSY || rc == RC_UNAVAILABLE) && m->halt ? RC_OK : rc;
}

bool mover_hold(struct mover *m, size_t people)
{
	int64_t wait = 0;

	pace_take(&m->pace, clock_mono_us(), people);
	do {
		if (!mover_look(m, RESHARD_WORKING, ""))
			return false;
		if (m->slow)
			(void)mover_wait(m, STEP_US, RESHARD_WAIT_P99,
			    "answers are slow");
		wait = pace_wait_us(&m->pace, clock_mono_us());
		if (wait > 0)
			(void)mover_wait(m, wait, RESHARD_WAIT_RATE, "");
	} while (!m->halt && (m->slow || wait > STEP_US));
	return !m->halt;
}
