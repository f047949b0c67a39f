/*
 * group.c - slots that go the same way are copied while they are served.
 *
 * Marks are on from the first step; what is read before that is not used.
 */
#include "config.h"

#include "reshard/mover.h"

#include "utils/clock.h"
#include "utils/xalloc.h"

struct group *group_new(void)
{
	struct group *g = xcalloc(1, sizeof(*g));

	copier_init(&g->copier);
	g->marks = xcalloc(MARKS_MAX, sizeof(*g->marks));
	return g;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	for (int i = 0; i < GROUP_SLOTS; i++)
		copy_release(&g->copies[i]);
	free(g->marks);
	copier_release(&g->copier);
	free(g);
}

static enum rc halted(struct err *e)
{
	return err_set(e, RC_BUSY, "asked to stop");
}

/* For as many people as may be copied at once. */
static enum rc copy_batch(struct mover *m, struct group *g, struct copy *s,
    const int64_t *users, size_t n, struct err *e)
{
	uint64_t before = 0, after = 0;
	int64_t began = clock_mono_us(), us;
	enum rc rc;

	for (int k = 0; k < COLLECTION_COUNT; k++)
		before += s->sum[COPY_SOURCE].of[k].bytes;
	rc = copy_people(&g->copier, s, users, n, true, e);
	if (rc != RC_OK)
		return rc;
	for (int k = 0; k < COLLECTION_COUNT; k++)
		after += s->sum[COPY_SOURCE].of[k].bytes;
	us = clock_mono_us() - began;
	rc = mover_leased(m, e);
	if (rc != RC_OK)
		return rc;
	m->bytes += (int64_t)(after - before);
	m->users += (int64_t)n;
	m->bytes_per_us += 0.1 * ((double)(after - before) /
	    (double)(us + 1) - m->bytes_per_us);
	speed_add(&m->speed, clock_mono_us(), (int64_t)n, 0);
	return mover_hold(m, n) ? RC_OK : halted(e);
}

static enum rc copy_slot(struct mover *m, struct group *g, struct copy *s,
    struct err *e)
{
	struct store *source = g->copier.store[COPY_SOURCE];
	int64_t users[PACE_BATCH_MAX], after = INT64_MIN;
	size_t n = 1, max;
	enum rc rc = copy_target_clear(&g->copier, s, e);

	while (rc == RC_OK && n > 0) {
		max = pace_batch(&m->pace);
		g->copier.at = COPY_SOURCE;
		rc = source->ops->slot_users(source, s->slot, after, max, users,
		    &n, e);
		if (rc != RC_OK || n == 0)
			break;
		after = users[n - 1];
		rc = copy_batch(m, g, s, users, n, e);
		if (n < max)
			break;
	}
	if (rc == RC_OK)
		rc = copy_nobody_else(&g->copier, s, e);
	return rc;
}

static enum rc copy_slots(struct mover *m, struct group *g, struct err *e)
{
	size_t people = 0, i;
	enum rc rc = RC_OK;

	for (i = 0; i < g->n && rc == RC_OK; i++) {
		g->at = g->slots[i];
		copy_clear(&g->copies[i], g->slots[i]);
		rc = mover_look(m, RESHARD_WORKING, "") ? mover_leased(m, e) :
		    halted(e);
		if (rc == RC_OK)
			rc = copy_slot(m, g, &g->copies[i], e);
		people += g->copies[i].n;
		if (rc == RC_OK && people >= GROUP_PEOPLE)
			break;
	}
	if (rc != RC_OK)
		return rc;
	g->at = -1;
	/* Slots that were not come to are another group's. */
	i = i < g->n ? i + 1 : g->n;
	if (i < g->n)
		rc = m->c->step->release(m->c->step_ctx, g->slots + i,
		    g->n - i, e);
	g->n = i;
	m->group_slots = people > 0 ? GROUP_PEOPLE * g->n / people + 1 :
	    GROUP_SLOTS;
	if (m->group_slots > GROUP_SLOTS)
		m->group_slots = GROUP_SLOTS;
	return rc;
}

static enum rc stores_pin(struct mover *m, struct group *g, int *pinned,
    struct err *e)
{
	const int shard[2] = { g->source, g->target };
	enum rc rc = RC_OK;

	for (*pinned = 0; *pinned < 2; (*pinned)++) {
		g->copier.at = (enum copy_side)*pinned;
		if (slots_shard_flags(m->c->slots, shard[*pinned]) &
		    SHARD_PAUSED)
			return err_set(e, RC_UNAVAILABLE, "shard %s is paused",
			    slots_shard_name(m->c->slots, shard[*pinned]));
		rc = router_pin(m->c->router, shard[*pinned],
		    &g->copier.store[*pinned], e);
		if (rc != RC_OK)
			break;
	}
	return rc == RC_OK ? mover_settle(m, g, e) : rc;
}

static enum rc group_switch_all(struct mover *m, struct group *g,
    struct err *e)
{
	size_t n;
	enum rc rc = RC_OK;

	while (rc == RC_OK && g->done < g->n) {
		n = g->n - g->done < m->fence_slots ? g->n - g->done :
		    m->fence_slots;
		rc = mover_look(m, RESHARD_WORKING, "") ?
		    group_switch(m, g, g->done, n, e) : halted(e);
		if (rc == RC_OK) {
			g->done += n;
			speed_add(&m->speed, clock_mono_us(), 0, (int64_t)n);
		}
	}
	return rc;
}

enum rc group_move(struct mover *m, struct group *g, struct err *e)
{
	const int shard[2] = { g->source, g->target };
	struct err ignored = { RC_OK, "" };
	enum copy_side at;
	int pinned = 0;
	enum rc rc;

	g->done = 0;
	g->copier.loose = false;
	g->at = -1;
	rc = stores_pin(m, g, &pinned, e);
	if (rc == RC_OK)
		rc = copier_bulk(&g->copier, true, e);
	if (rc == RC_OK)
		rc = m->c->step->copying(m->c->step_ctx, g->slots, g->targets,
		    g->n, e);
	if (rc == RC_OK)
		rc = copy_slots(m, g, e);
	if (rc == RC_OK)
		rc = group_switch_all(m, g, e);
	/* Should this fail, the next mover does it before anything else. */
	if (rc != RC_OK)
		(void)m->c->step->release(m->c->step_ctx, g->slots + g->done,
		    g->n - g->done, &ignored);
	at = g->copier.at;
	/* The shard that does not answer is closed, the others write as they
	 * were opened. */
	if (pinned == 2 && (rc != RC_UNAVAILABLE || at == COPY_SOURCE) &&
	    copier_bulk(&g->copier, false, &ignored) != RC_OK && rc == RC_OK)
		rc = err_set(e, ignored.rc, "%s", ignored.text);
	if (rc == RC_UNAVAILABLE)
		router_failed(m->c->router, shard[at], e);
	g->copier.at = at;
	while (pinned-- > 0)
		router_unpin(m->c->router, shard[pinned]);
	return rc;
}
