/*
 * steps.c - the mover's side: writes each step, waits for every host's answer.
 *
 * struct cluster_steps owns its connection; the map of this host is borrowed
 * and only read here: its agent writes it.
 */
#include "config.h"

#include "cluster/steps.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/xalloc.h"

enum { FENCE_MAX = 8, ANSWER_MS = 1000, FENCE_ANSWER_MS = 250,
	COMMIT_OWN_MS = 10000,
	/* A fence is given up after PATIENCE times what answers take typically,
	 * as all who wait on the other hosts wait for the one that is late. */
	PATIENCE = 4, FENCE_LEAST_MS = 8, ANSWER_TYPICAL_US = 4000 };

enum rc cluster_steps_open(const struct cluster_conf *c, struct slots *slots,
    struct cluster_steps **out, struct err *e)
{
	struct cluster_steps *s = xcalloc(1, sizeof(*s));
	enum rc rc;

	s->c = *c;
	s->slots = slots;
	s->answer_us = ANSWER_TYPICAL_US;
	meta_init(&s->meta, c);
	meta_id(s->mover, sizeof(s->mover));
	rc = steps_refresh(s, e);
	if (rc == RC_OK && s->map.version == 0)
		rc = err_set(e, RC_UNAVAILABLE, "no host has founded the map "
		    "yet: start familybot-worker");
	if (rc == RC_OK)
		*out = s;
	else
		cluster_steps_free(s);
	return rc;
}

void cluster_steps_free(struct cluster_steps *s)
{
	struct err ignored = { RC_OK, "" };

	if (!s)
		return;
	if (s->begun && !s->stale)	/* else the next mover does it */
		never_mind(steps_fold(s, &ignored));
	meta_release(&s->meta);
	free(s);
}

static bool step_is(const struct cluster_steps *s, enum phase phase,
    const int32_t *slots, size_t n)
{
	return s->step.phase == phase && s->step.n == n &&
	    strcmp(s->step.mover, s->mover) == 0 &&
	    memcmp(s->step.slots, slots, n * sizeof(*slots)) == 0;
}

/* The mover of another host that wrote the last step is given way to.  One that
 * has written none yet is not: of two such the first to write wins. */
static enum rc alone(struct cluster_steps *s, struct err *e)
{
	for (int i = 0; i < s->watch.n; i++) {
		const struct liveness_host *h = &s->watch.hosts[i];

		if (h->doc.mover && strcmp(h->doc.name, s->c.host) != 0 &&
		    strcmp(h->doc.name, s->step.by) == 0 && !liveness_dead(h))
			return err_set(e, RC_BUSY, "a mover is at work on host "
			    "%s", h->doc.name);
	}
	return RC_OK;
}

/* Before the first step: no other mover, and all hosts know of this one. */
static enum rc steps_begin(void *ctx, struct err *e)
{
	static const int32_t none[1] = { 0 };
	struct cluster_steps *s = ctx;
	enum rc rc;
	bool fenced;

	rc = s->stale ? steps_refresh(s, e) : steps_fold(s, e);
	if (rc != RC_OK || s->begun)
		return rc;
	rc = liveness_look(&s->watch, &s->meta, e);
	if (rc == RC_OK)
		rc = alone(s, e);
	if (rc == RC_OK && strcmp(s->step.mover, s->mover) != 0) {
		fenced = s->step.phase == PHASE_FENCE;
		rc = steps_put(s, PHASE_UNFENCE,
		    fenced ? s->step.slots : none, fenced ? s->step.n : 0, e);
		if (rc == RC_CONFLICT || rc == RC_DENIED)
			rc = err_set(e, RC_BUSY, "another mover begins at this "
			    "moment");
	}
	if (rc == RC_OK)
		rc = steps_answers(s, ANSWER_MS, e);
	if (rc == RC_OK)
		rc = alone(s, e);
	if (rc == RC_OK)
		s->begun = true;
	return rc;
}

/* What is about to be moved must lie here as it lies for all. */
static enum rc same_here(const struct cluster_steps *s, const int32_t *slots,
    size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct slot_entry here = slots_get(s->slots, slots[i]);
		const struct slot_entry *all = &s->map.entry[slots[i]];

		if (here.owner != all->owner ||
		    here.generation != all->generation)
			return err_set(e, RC_BUSY, "this host's map is behind "
			    "that of the others: does familybot-worker run?");
	}
	return RC_OK;
}

/* New shards are in the map of all before slots go there. */
static enum rc names_there(struct cluster_steps *s, const uint16_t *targets,
    size_t n, struct err *e)
{
	enum rc rc = RC_OK;
	bool known = true;

	for (size_t i = 0; i < n; i++)
		known &= targets[i] < s->map.nshards;
	if (known)
		return RC_OK;
	rc = map_read(&s->meta, &s->map, e);
	if (rc == RC_OK && names_push(&s->map, NULL, s->slots))
		rc = map_write(&s->meta, &s->map, e);
	return rc == RC_CONFLICT ? err_set(e, RC_BUSY, "the map is read "
	    "again") : rc;
}

/* A host ended the last fence meanwhile: what is to be written now is written
 * after that. */
static enum rc overtaken(enum rc rc, struct err *e)
{
	return rc == RC_CONFLICT ? err_set(e, RC_BUSY, "a host ended the "
	    "fence") : rc;
}

static enum rc steps_copying(void *ctx, const int32_t *slots,
    const uint16_t *targets, size_t n, struct err *e)
{
	struct cluster_steps *s = ctx;
	enum rc rc = steps_begin(s, e);

	if (rc == RC_OK)
		rc = names_there(s, targets, n, e);
	if (rc == RC_OK)
		rc = same_here(s, slots, n, e);
	if (rc == RC_OK && !(step_is(s, PHASE_COPYING, slots, n) &&
	    memcmp(s->step.targets, targets, n * sizeof(*targets)) == 0)) {
		memcpy(s->targets, targets, n * sizeof(*targets));
		rc = steps_put(s, PHASE_COPYING, slots, n, e);
	}
	if (rc == RC_OK)
		rc = steps_answers(s, ANSWER_MS, e);
	if (rc == RC_OK)
		rc = steps_fold(s, e);
	return overtaken(rc, e);
}

/* A fence holds up the people of its slots on every host until all hosts have
 * answered.  Is there a host that is silent now, or has not yet heard of the last
 * fence's end?  It would not answer the next one in time, and everybody would
 * wait for nothing: so no fence is begun. */
static enum rc nobody_late(struct cluster_steps *s, struct err *e)
{
	enum rc rc = steps_answers(s, ANSWER_MS, e);

	for (int i = 0; i < s->watch.n && rc == RC_OK; i++) {
		const struct liveness_host *h = &s->watch.hosts[i];

		if (liveness_late(h) && !liveness_dead(h))
			rc = steps_words(h, e);
	}
	return rc;
}

static void targets_of(struct cluster_steps *s, const int32_t *slots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->targets[i] = s->map.entry[slots[i]].target;
}

/* Who was too slow for what is typical is given more next time. */
static enum rc fence_answers(struct cluster_steps *s, int64_t since,
    struct err *e)
{
	int64_t ms = s->answer_us * PATIENCE / 1000;
	enum rc rc;

	ms = ms < FENCE_LEAST_MS ? FENCE_LEAST_MS : ms;
	ms = ms > FENCE_ANSWER_MS ? FENCE_ANSWER_MS : ms;
	rc = steps_answers(s, (int)ms, e);
	if (rc == RC_OK)
		s->answer_us += (clock_mono_us() - since - s->answer_us) / 8;
	else if (ms < FENCE_ANSWER_MS)
		s->answer_us *= 2;
	return rc;
}

/* Each host tells with its answer to the end of a fence how long it held.  One
 * that has not answered may hold it still, and one that is dead has nobody
 * wait: it serves nobody. */
static int64_t steps_waited(void *ctx, int64_t since)
{
	const struct cluster_steps *s = ctx;
	int64_t longest = 0;

	for (int i = 0; i < s->watch.n; i++) {
		const struct liveness_host *h = &s->watch.hosts[i];

		if (liveness_dead(h))
			continue;
		if (h->doc.step < s->step.number)
			return clock_mono_us() - since;
		if (h->doc.held_us > longest)
			longest = h->doc.held_us;
	}
	return longest;
}

static enum rc steps_fence(void *ctx, const int32_t *slots, size_t n,
    int64_t *since, struct err *e)
{
	struct cluster_steps *s = ctx;
	struct err ignored = { RC_OK, "" };
	enum rc rc = steps_begin(s, e);

	if (rc == RC_OK && n > FENCE_MAX)
		rc = err_set(e, RC_INVALID, "at most %d slots are fenced at "
		    "once", FENCE_MAX);
	if (rc == RC_OK)
		rc = nobody_late(s, e);
	if (rc != RC_OK)
		return rc;
	targets_of(s, slots, n);
	*since = clock_mono_us();
	rc = steps_put(s, PHASE_FENCE, slots, n, e);
	if (rc == RC_OK) {
		rc = fence_answers(s, *since, e);
		if (rc != RC_OK)
			never_mind(steps_put(s, PHASE_UNFENCE, slots, n, &ignored));
	}
	return overtaken(rc, e);
}

static enum rc steps_unfence(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct cluster_steps *s = ctx;
	struct err ignored = { RC_OK, "" };
	enum rc rc = steps_begin(s, e);

	if (rc != RC_OK)
		return rc;
	if (!step_is(s, PHASE_FENCE, slots, n))
		return step_is(s, PHASE_UNFENCE, slots, n) &&
		    strcmp(s->step.id, s->put_id) != 0 ?
		    err_set(e, RC_CONFLICT, "a host ended the fence") : RC_OK;
	targets_of(s, slots, n);
	rc = steps_put(s, PHASE_UNFENCE, slots, n, e);
	if (rc == RC_OK)
		never_mind(steps_answers(s, FENCE_ANSWER_MS, &ignored));
	return rc;
}

static enum rc steps_commit(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct cluster_steps *s = ctx;
	struct err ignored = { RC_OK, "" };
	enum rc rc = steps_begin(s, e);

	if (rc != RC_OK)
		return rc;
	if (!step_is(s, PHASE_COMMIT, slots, n)) {
		if (!step_is(s, PHASE_FENCE, slots, n))
			return err_set(e, RC_CONFLICT, "a host ended the "
			    "fence");
		targets_of(s, slots, n);
		rc = steps_put(s, PHASE_COMMIT, slots, n, e);
		if (rc != RC_OK)
			return rc;
	}
	/* It holds, and is put into the map of all before the next step.  Now
	 * this host's map must say so, too. */
	never_mind(steps_answers(s, FENCE_ANSWER_MS, &ignored));
	return steps_own(s, COMMIT_OWN_MS, e);
}

static enum rc steps_release(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct cluster_steps *s = ctx;
	struct err ignored = { RC_OK, "" };
	enum rc rc = steps_begin(s, e);

	if (rc != RC_OK)
		return rc;
	targets_of(s, slots, n);
	if (!step_is(s, PHASE_RELEASE, slots, n))
		rc = steps_put(s, PHASE_RELEASE, slots, n, e);
	if (rc == RC_OK)
		never_mind(steps_answers(s, ANSWER_MS, &ignored));
	if (rc == RC_OK)
		rc = steps_own(s, COMMIT_OWN_MS, e);
	if (rc == RC_OK)
		rc = steps_fold(s, e);
	return overtaken(rc, e);
}

const struct step_ops step_cluster = {
	.fence_max = FENCE_MAX,
	.begin = steps_begin,
	.copying = steps_copying,
	.fence = steps_fence,
	.unfence = steps_unfence,
	.commit = steps_commit,
	.waited = steps_waited,
	.release = steps_release,
};
