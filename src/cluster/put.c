/* put.c - one step: written by compare-and-set, answered by the hosts, put
 * into the map of all. */
#include "config.h"

#include "cluster/steps.h"

#include <string.h>
#include <unistd.h>

enum { POLL_US = 500, AGAIN_US = 50000, PUT_MS = 5000, COMMIT_MS = 30000,
	FOLDS = 10 };

enum rc steps_fold(struct cluster_steps *s, struct err *e)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < FOLDS; i++) {
		if (s->map.step >= s->step.number ||
		    !phase_lasts(s->step.phase))
			return rc;
		map_take_step(&s->map, &s->step, true);
		rc = map_write(&s->meta, &s->map, e);
		if (rc == RC_OK)
			return rc;
		s->map.step = 0;	/* what is there counts, not this */
		if (rc == RC_CONFLICT)
			rc = map_read(&s->meta, &s->map, e);
		if (rc != RC_OK) {
			s->stale = true;
			return rc;
		}
	}
	s->stale = true;
	return err_set(e, RC_BUSY, "the map of the hosts changes all the time");
}

enum rc steps_refresh(struct cluster_steps *s, struct err *e)
{
	enum rc rc = step_read(&s->meta, &s->step, e);

	if (rc == RC_OK)
		rc = map_read(&s->meta, &s->map, e);
	if (rc == RC_OK && s->begun && strcmp(s->step.mover, s->mover) != 0)
		rc = err_set(e, RC_DENIED, "another mover has taken over, on "
		    "host %s", s->step.by);
	s->stale = rc != RC_OK;
	return rc == RC_OK ? steps_fold(s, e) : rc;
}

/* The write failed or was not answered: what does the document say?  RC_OK:
 * it is ours; RC_UNAVAILABLE: as before, or not known. */
static enum rc put_look(struct cluster_steps *s, struct err *e)
{
	struct step_doc *mine = &s->next;
	struct step_doc *now = &s->step;
	int64_t before = mine->number;
	enum rc rc = step_read(&s->meta, now, e);

	if (rc != RC_OK)
		return rc;
	if (strcmp(now->id, mine->id) == 0)
		return RC_OK;
	if (now->number == before)
		return err_set(e, RC_UNAVAILABLE, "the meta store %s does not "
		    "take the step", s->meta.shard.name);
	s->stale = true;
	if (strcmp(now->mover, s->mover) != 0)
		return err_set(e, RC_DENIED, "another mover has taken over, on "
		    "host %s", now->by);
	return err_set(e, RC_CONFLICT, "a host ended the fence");
}

enum rc steps_put(struct cluster_steps *s, enum phase phase,
    const int32_t *slots, size_t n, struct err *e)
{
	int64_t until = clock_mono_us() + 1000LL *
	    (phase == PHASE_COMMIT ? COMMIT_MS : PUT_MS);
	struct step_doc *next = &s->next;
	enum rc rc = s->stale ? steps_refresh(s, e) : steps_fold(s, e);

	if (rc != RC_OK)
		return rc;
	next->number = s->step.number;
	next->phase = phase;
	(void)str_copy(next->by, sizeof(next->by), s->c.host);
	(void)str_copy(next->mover, sizeof(next->mover), s->mover);
	meta_id(next->id, sizeof(next->id));
	next->n = n;
	memmove(next->slots, slots, n * sizeof(*slots));
	memcpy(next->targets, s->targets, n * sizeof(s->targets[0]));
	(void)str_copy(s->put_id, sizeof(s->put_id), next->id);
	for (;;) {
		rc = step_write(&s->meta, next, e);
		if (rc == RC_OK) {
			s->step = *next;
			return RC_OK;
		}
		rc = put_look(s, e);
		if (rc != RC_UNAVAILABLE || clock_mono_us() >= until)
			break;
		(void)usleep(AGAIN_US);
	}
	s->stale |= rc != RC_OK;
	return rc;
}

enum rc steps_words(const struct liveness_host *h, struct err *e)
{
	int64_t left = liveness_limit_us(&h->doc) - (h->asked_at - h->seen_at);

	if (!liveness_late(h))
		return err_set(e, RC_BUSY, "host %s is slow to answer",
		    h->doc.name);
	return err_set(e, RC_BUSY, "host %s does not answer, its lease ends in "
	    "%lld s", h->doc.name, (long long)(left + 999999) / 1000000);
}

enum answer { ANSWERED, WAITING, ENDED };

static enum answer answer_of(const struct cluster_steps *s,
    const struct liveness_host *h, enum rc *rc, struct err *e)
{
	bool own = strcmp(h->doc.name, s->c.host) == 0;

	if (h->doc.step >= s->step.number)
		return ANSWERED;
	if (h->doc.refused == s->step.number) {
		*rc = err_set(e, RC_INVALID, "%s", h->doc.words);
		return ENDED;
	}
	if (h->doc.busy == s->step.number) {
		*rc = err_set(e, RC_BUSY, "somebody on host %s is inside the "
		    "slots for long", h->doc.name);
		return ENDED;
	}
	if (liveness_dead(h) && !own)
		return ANSWERED;
	*rc = own && liveness_late(h) ? err_set(e, RC_UNAVAILABLE, "the agent of "
	    "this host does not answer: does familybot-worker run?") :
	    steps_words(h, e);
	return WAITING;
}

/* Of all that were listed.  Who had not answered then is read again, before it
 * is waited for or held for dead. */
static enum answer answers(struct cluster_steps *s, enum rc *rc, struct err *e)
{
	enum answer all = ANSWERED, one;

	for (int i = 0; i < s->watch.n && all != ENDED; i++) {
		struct liveness_host *h = &s->watch.hosts[i];

		if (h->doc.step >= s->step.number)
			continue;
		*rc = liveness_again(h, &s->meta, e);
		if (*rc != RC_OK)
			return ENDED;
		one = answer_of(s, h, rc, e);
		if (one != ANSWERED)
			all = one;
	}
	if (all == ANSWERED)
		*rc = RC_OK;
	return all;
}

/* Hosts are listed once, after the step was written: who joins later reads
 * it. */
enum rc steps_answers(struct cluster_steps *s, int wait_ms, struct err *e)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	enum rc rc = liveness_look(&s->watch, &s->meta, e);

	if (rc == RC_OK && !liveness_find(&s->watch, s->c.host))
		rc = err_set(e, RC_UNAVAILABLE, "this host has never had a "
		    "lease: start familybot-worker");
	if (rc != RC_OK)
		return rc;
	while (answers(s, &rc, e) == WAITING && clock_mono_us() < until)
		(void)usleep(POLL_US);
	return rc;
}

enum rc steps_own(struct cluster_steps *s, int wait_ms, struct err *e)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;

	for (;;) {
		struct liveness_host *h = liveness_find(&s->watch, s->c.host);
		struct err ignored = { RC_OK, "" };

		if (h && h->doc.step >= s->step.number)
			return RC_OK;
		if (clock_mono_us() >= until)
			return err_set(e, RC_UNAVAILABLE, "the agent of this "
			    "host does not answer: does familybot-worker run?");
		(void)usleep(POLL_US);
		if (h)
			never_mind(liveness_again(h, &s->meta, &ignored));
		else
			never_mind(liveness_look(&s->watch, &s->meta, &ignored));
	}
}
