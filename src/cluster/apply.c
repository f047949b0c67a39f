/*
 * apply.c - the steps of a move on the map of this host, and its whole map
 * made equal to that of all.
 *
 * struct hands owns the exclusive locks between a fence and its end; the map
 * is borrowed.
 */
#include "config.h"

#include "cluster/internal.h"

#include <string.h>

enum { COPY_WAIT_MS = 10 };	/* for who is inside, before others wait, too */

static int left_ms(int64_t until_us)
{
	int64_t left = until_us - clock_mono_us();

	return left > 0 ? (int)(left / 1000) : 0;
}

static enum rc hold(struct hands *h, int32_t slot, int wait_ms, struct err *e)
{
	enum rc rc = RC_OK;

	if (!h->held[slot])
		rc = slots_lock(h->slots, slot, true, wait_ms, e);
	if (rc == RC_OK)
		h->held[slot] = true;
	return rc;
}

static void let_go(struct hands *h, int32_t slot)
{
	if (h->held[slot])
		slots_unlock(h->slots, slot);
	h->held[slot] = false;
}

/* The entry, set while nobody is inside.  The lock is kept for a fence. */
static enum rc settle(struct hands *h, int32_t slot, struct slot_entry want,
    int wait_ms, struct err *e)
{
	enum rc rc = hold(h, slot, wait_ms, e);

	if (rc == RC_OK)
		rc = slots_set(h->slots, slot, want, e);
	if (rc == RC_OK && want.state != SLOT_FENCING)
		let_go(h, slot);
	return rc;
}

/* Who is inside without knowing that it must mark leaves, whatever the entry
 * says already; a busy slot is fenced for that long. */
static enum rc drain(struct hands *h, int32_t slot, struct slot_entry want,
    int64_t until, struct err *e)
{
	struct slot_entry fenced = want, was = slots_get(h->slots, slot);
	struct err ignored = { RC_OK, "" };
	enum rc rc = settle(h, slot, want, COPY_WAIT_MS, e);

	if (rc != RC_BUSY)
		return rc;
	fenced.state = SLOT_FENCING;
	rc = slots_set(h->slots, slot, fenced, e);
	if (rc == RC_OK)
		rc = settle(h, slot, want, left_ms(until), e);
	if (rc != RC_OK)
		never_mind(slots_set(h->slots, slot, was, &ignored));
	return rc;
}

/* Whoever waited goes on. */
static void fence_over(struct hands *h)
{
	h->held_us = h->fenced_at ? clock_mono_us() - h->fenced_at : 0;
	h->fenced_at = 0;
}

static enum rc take_fence(struct hands *h, const struct step_doc *s,
    struct err *e)
{
	int64_t until = clock_mono_us() + FENCE_LOCK_MS * 1000;
	struct err ignored = { RC_OK, "" };
	enum rc rc = RC_OK;

	h->fenced_at = clock_mono_us();
	for (size_t i = 0; i < s->n && rc == RC_OK; i++)
		rc = slots_set(h->slots, s->slots[i], entry_after(
		    slots_get(h->slots, s->slots[i]), PHASE_FENCE,
		    s->targets[i]), e);
	for (size_t i = 0; i < s->n && rc == RC_OK; i++)
		rc = hold(h, s->slots[i], left_ms(until), e);
	for (size_t i = 0; i < s->n && rc != RC_OK; i++) {
		never_mind(slots_set(h->slots, s->slots[i], entry_after(
		    slots_get(h->slots, s->slots[i]), PHASE_UNFENCE,
		    s->targets[i]), &ignored));
		let_go(h, s->slots[i]);
	}
	if (rc != RC_OK)
		fence_over(h);
	return rc;
}

static enum rc take_one(struct hands *h, const struct step_doc *s, size_t i,
    int64_t until, struct err *e)
{
	int32_t slot = s->slots[i];
	struct slot_entry was = slots_get(h->slots, slot);
	struct slot_entry want = entry_after(was, s->phase, s->targets[i]);

	if (s->phase == PHASE_COPYING)
		return drain(h, slot, want, until, e);
	/* taken before, by an agent that died between that and saying so */
	if (s->phase == PHASE_COMMIT && was.state == SLOT_STABLE &&
	    was.owner == s->targets[i])
		want = was;
	return settle(h, slot, want, left_ms(until), e);
}

enum rc hands_take(struct hands *h, const struct step_doc *s, struct err *e)
{
	int64_t until = clock_mono_us() + FENCE_LOCK_MS * 1000;
	enum rc rc = RC_OK;

	if (s->phase == PHASE_FENCE)
		return take_fence(h, s, e);
	for (size_t i = 0; i < s->n && rc == RC_OK; i++)
		rc = take_one(h, s, i, until, e);
	if (rc == RC_OK)
		fence_over(h);
	return rc;
}

static bool same(struct slot_entry a, struct slot_entry b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

enum rc hands_equal(struct hands *h, const struct map_doc *want, int wait_ms,
    struct err *e)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	bool fenced = false, changed = false;
	enum rc rc = RC_OK;

	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++) {
		struct slot_entry to = want->entry[i];
		bool hold_it = to.state == SLOT_FENCING;

		fenced |= hold_it;
		if (same(slots_get(h->slots, i), to) && hold_it == h->held[i])
			continue;
		changed = true;
		rc = settle(h, i, to, left_ms(until), e);
	}
	if (rc == RC_OK && !fenced)
		fence_over(h);
	else if (fenced && h->fenced_at == 0)
		h->fenced_at = clock_mono_us();
	return rc == RC_OK && changed ? slots_sync(h->slots, e) : rc;
}
