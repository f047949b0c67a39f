/*
 * switch.c - the end of a slot's move: who was written to while it was copied
 * is copied again, round by round, until so few are left that they can be
 * copied while everybody waits; then the owner changes.
 */
#include "config.h"

#include "reshard/mover.h"

#include "utils/clock.h"

enum {
	FENCE_BUDGET_US = 3000,	/* of copying within a fence */
	PATIENT_ROUNDS = 8,	/* after which the budget doubles each round */
	BUSY_TRIES = 20, BUSY_FIRST_US = 5000, BUSY_MOST_US = 400000,
	COMMIT_TRIES = 3,
	FENCE_LONG_US = 4000, FENCE_SHORT_US = 1500
};

static int by_slot_and_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	int32_t sx = slot_of(x), sy = slot_of(y);

	if (sx != sy)
		return sx < sy ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Slots of a group ascend, so those who were marked lie in their order. */
static enum rc marks_list(struct group *g, size_t first, size_t n,
    struct err *e)
{
	struct store *s = g->copier.store[COPY_SOURCE];
	size_t found = 0, at = 0;
	enum rc rc;

	g->copier.at = COPY_SOURCE;
	rc = s->ops->dirty_list(s, g->slots + first, n, MARKS_MAX, g->marks,
	    &found, e);
	if (rc != RC_OK)
		return rc;
	g->more = found == MARKS_MAX;
	qsort(g->marks, found, sizeof(*g->marks), by_slot_and_id);
	for (size_t i = first; i < first + n; i++) {
		g->mark_at[i] = at;
		while (at < found && slot_of(g->marks[at]) == g->slots[i])
			at++;
		g->nmarks[i] = at - g->mark_at[i];
	}
	return at == found ? RC_OK : err_set(e, RC_CORRUPT, "a mark lies in "
	    "the slot of somebody else: run familybotctl shards verify");
}

static enum rc marks_forget(struct group *g, size_t first, size_t n,
    struct err *e)
{
	struct store *s = g->copier.store[COPY_SOURCE];
	enum rc rc = RC_OK;

	g->copier.at = COPY_SOURCE;
	for (size_t i = first; i < first + n && rc == RC_OK; i++)
		if (g->nmarks[i] > 0)
			rc = s->ops->dirty_clear(s, g->slots[i], g->marks +
			    g->mark_at[i], g->nmarks[i], e);
	return rc;
}

/* How long copying the marked would take, as it went lately. */
static int64_t marks_cost_us(const struct mover *m, const struct group *g,
    size_t first, size_t n)
{
	double us = 0;

	if (g->more)
		return INT64_MAX;
	for (size_t i = first; i < first + n; i++) {
		if (g->nmarks[i] > 0)
			us += (double)m->write_us;
		for (size_t k = 0; k < g->nmarks[i]; k++)
			us += (double)copy_person_bytes(&g->copies[i],
			    g->marks[g->mark_at[i] + k]) / (m->bytes_per_us + 0.01);
	}
	return (int64_t)us;
}

static enum rc marks_copy(struct mover *m, struct group *g, size_t first,
    size_t n, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = first; i < first + n && rc == RC_OK; i++) {
		int64_t began = clock_mono_us();

		g->at = g->slots[i];
		if (g->nmarks[i] == 0)
			continue;
		rc = mover_leased(m, e);
		if (rc == RC_OK)
			rc = copy_people(&g->copier, &g->copies[i],
			    g->marks + g->mark_at[i], g->nmarks[i], false, e);
		if (g->nmarks[i] == 1)
			m->write_us += (clock_mono_us() - began -
			    m->write_us) / 8;
	}
	if (rc == RC_OK)
		g->at = -1;
	return rc;
}

static enum rc slots_compare(struct group *g, size_t first, size_t n,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = first; i < first + n && rc == RC_OK; i++) {
		g->at = g->slots[i];
		rc = copy_compare(&g->copies[i], e);
	}
	if (rc == RC_OK)
		g->at = -1;
	return rc;
}

static enum rc slots_commit(struct mover *m, struct group *g, size_t first,
    size_t n, struct err *e)
{
	struct err words = { RC_OK, "" };
	enum rc rc = RC_BUSY;

	for (int i = 0; i < COMMIT_TRIES && rc != RC_OK; i++)
		rc = m->c->step->commit(m->c->step_ctx, g->slots + first, n,
		    &words);
	/* A fence that was taken away: these slots are begun again. */
	return rc == RC_OK ? RC_OK : err_set(e, rc == RC_CONFLICT ? RC_BUSY :
	    rc, "%s", words.text);
}

/* What took long for so many slots is done for fewer next time. */
static void fence_slots_fit(struct mover *m, size_t n, int64_t us)
{
	if (us > FENCE_LONG_US)
		m->fence_slots = n > 1 ? n / 2 : 1;
	else if (us < FENCE_SHORT_US && n == m->fence_slots &&
	    n < m->c->step->fence_max)
		m->fence_slots++;
}

/* Within the fence.  *moved: the slots have a new owner. */
static enum rc fenced(struct mover *m, struct group *g, size_t first, size_t n,
    int round, bool *moved, struct err *e)
{
	int64_t budget = FENCE_BUDGET_US, began = clock_mono_us();
	enum rc rc = marks_list(g, first, n, e);

	if (rc != RC_OK)
		return rc;
	for (; round >= PATIENT_ROUNDS && budget < INT32_MAX; round--)
		budget *= 2;
	if (marks_cost_us(m, g, first, n) > budget)
		return marks_forget(g, first, n, e);
	/* Marks stay: should the fence be broken off, they still hold. */
	rc = marks_copy(m, g, first, n, e);
	if (rc == RC_OK)
		rc = slots_compare(g, first, n, e);
	if (rc == RC_OK)
		rc = copier_sync(&g->copier, e);
	fence_slots_fit(m, n, clock_mono_us() - began);
	if (rc == RC_OK)
		rc = slots_commit(m, g, first, n, e);
	*moved = rc == RC_OK;
	return rc;
}

static void fence_count(struct mover *m, int64_t since)
{
	fences_add(&m->j, m->c->step->waited(m->c->step_ctx, since));
}

static enum rc fence_take(struct mover *m, struct group *g, size_t first,
    size_t n, int64_t *began, struct err *e)
{
	int64_t pause = BUSY_FIRST_US;
	struct err words = { RC_OK, "" };
	enum rc rc = RC_BUSY;

	for (int i = 0; i < BUSY_TRIES && rc == RC_BUSY; i++) {
		if (i > 0 && !mover_wait(m, pause, RESHARD_WAIT_HOST,
		    words.text))
			return err_set(e, RC_BUSY, "asked to stop");
		pause = pause * 2 < BUSY_MOST_US ? pause * 2 : BUSY_MOST_US;
		*began = 0;
		rc = m->c->step->fence(m->c->step_ctx, g->slots + first, n,
		    began, &words);
		if (rc == RC_BUSY && *began != 0)
			fence_count(m, *began);
	}
	return rc == RC_OK ? RC_OK : err_set(e, rc, "%s", words.text);
}

/* What is left must never be sent; were it, the gate of job_lease stops it. */
static void jobs_forget(struct mover *m, struct group *g, size_t first,
    size_t n)
{
	struct store *s = g->copier.store[COPY_SOURCE];
	struct err ignored = { RC_OK, "" };

	for (size_t i = first; i < first + n; i++)
		if (g->copies[i].sum[COPY_SOURCE].of[COLLECTION_JOBS].records &&
		    s->ops->slot_clear_jobs(s, g->slots[i], &ignored) !=
		    RC_OK) {
			mover_unsettle(m, g->source);
			m->jobs_left = true;
		}
}

enum rc group_switch(struct mover *m, struct group *g, size_t first, size_t n,
    struct err *e)
{
	struct err ignored = { RC_OK, "" };
	enum rc rc = RC_OK, ended = RC_OK;
	bool moved = false;
	int64_t began = 0;

	for (int round = 0; rc == RC_OK && !moved; round++) {
		rc = copier_sync(&g->copier, e);
		if (rc == RC_OK)
			rc = fence_take(m, g, first, n, &began, e);
		if (rc != RC_OK)
			return rc;
		rc = fenced(m, g, first, n, round, &moved, e);
		if (!moved)
			ended = m->c->step->unfence(m->c->step_ctx,
			    g->slots + first, n, &ignored);
		/* It was taken away before: marks may have been forgotten while
		 * people wrote. */
		if (rc == RC_OK && !moved && ended != RC_OK)
			rc = err_set(e, RC_BUSY, "%s", ignored.text);
		fence_count(m, began);
		if (rc == RC_OK && !moved)
			rc = marks_copy(m, g, first, n, e);
		if (rc == RC_OK && !moved &&
		    !mover_look(m, RESHARD_WORKING, ""))
			rc = err_set(e, RC_BUSY, "asked to stop");
	}
	if (moved)
		jobs_forget(m, g, first, n);
	return rc;
}
