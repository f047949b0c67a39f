/*
 * step.c - the steps of a move on the one map of a single host.
 *
 * ctx is the struct slots, opened for writing; it alone holds the exclusive
 * locks between fence and commit, so a mover that dies lets go of them all.
 */
#include "config.h"

#include "reshard/step.h"

#include <time.h>

#include "utils/clock.h"

enum {
	FENCE_MAX = 8,		/* slots whose people wait at once */
	FENCE_WAIT_MS = 100,	/* for all who are inside to leave */
	COPYING_WAIT_MS = 10,	/* before newcomers are held up, too */
	SYNC_TRIES = 100, SYNC_AGAIN_MS = 100
};

static enum rc state_set(struct slots *m, int32_t slot, enum slot_state state,
    struct err *e)
{
	struct slot_entry s = slots_get(m, slot);

	s.state = (uint8_t)state;
	if (state == SLOT_STABLE)
		s.target = s.owner;
	return slots_set(m, slot, s, e);
}

/* As it was; a map that cannot be written was not written before, either. */
static void state_back(struct slots *m, int32_t slot, struct slot_entry was)
{
	struct err ignored = { RC_OK, "" };

	if (slots_set(m, slot, was, &ignored) != RC_OK)
		return;
}

static int left_ms(int64_t deadline_us)
{
	int64_t left = deadline_us - clock_mono_us();

	return left > 0 ? (int)(left / 1000) : 0;
}

/* Whoever entered while the slot was STABLE has left when this returns RC_OK;
 * who enters from now on marks. */
static enum rc copying_one(struct slots *m, int32_t slot, uint16_t target,
    struct err *e)
{
	struct slot_entry was = slots_get(m, slot), s = was;
	enum rc rc;

	s.target = target;
	s.state = SLOT_COPYING;
	rc = slots_set(m, slot, s, e);
	if (rc == RC_OK)
		rc = slots_lock(m, slot, true, COPYING_WAIT_MS, e);
	if (rc == RC_BUSY) {	/* a busy slot: hold up who comes */
		s.state = SLOT_FENCING;
		rc = slots_set(m, slot, s, e);
		if (rc == RC_OK)
			rc = slots_lock(m, slot, true, FENCE_WAIT_MS, e);
		s.state = SLOT_COPYING;
	}
	if (rc != RC_OK) {
		state_back(m, slot, was);
		return rc;
	}
	rc = slots_set(m, slot, s, e);
	slots_unlock(m, slot);
	return rc;
}

static enum rc local_release(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct slots *m = ctx;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = state_set(m, slots[i], SLOT_STABLE, e);
		slots_unlock(m, slots[i]);
	}
	return rc;
}

static enum rc local_copying(void *ctx, const int32_t *slots,
    const uint16_t *targets, size_t n, struct err *e)
{
	struct err ignored = { RC_OK, "" };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = copying_one(ctx, slots[i], targets[i], e);
		if (rc != RC_OK)
			(void)local_release(ctx, slots, i, &ignored);
	}
	return rc;
}

static enum rc local_unfence(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct slots *m = ctx;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = state_set(m, slots[i], SLOT_COPYING, e);
		slots_unlock(m, slots[i]);
	}
	return rc;
}

static enum rc local_fence(void *ctx, const int32_t *slots, size_t n,
    int64_t *since, struct err *e)
{
	struct slots *m = ctx;
	struct err ignored = { RC_OK, "" };
	int64_t deadline = clock_mono_us() + FENCE_WAIT_MS * 1000;
	enum rc rc = RC_OK;

	if (n > FENCE_MAX)
		return err_set(e, RC_INVALID, "at most %d slots are fenced at "
		    "once", FENCE_MAX);
	*since = clock_mono_us();
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = state_set(m, slots[i], SLOT_FENCING, e);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = slots_lock(m, slots[i], true, left_ms(deadline), e);
	if (rc != RC_OK)
		(void)local_unfence(ctx, slots, n, &ignored);
	return rc;
}

/*
 * The slots were given to their new owner in memory, but the disk refused it.
 * Their fences still stand, so nobody has written to the new owner: the entries
 * go back to what they were.  The disk may hold either version until it takes
 * this one, and after a power loss the other would count; so the fences stay
 * until it does.  When it never does, the owner's shard is paused and its
 * people's updates go to the spool.
 */
static void take_back(struct slots *m, const int32_t *slots,
    const struct slot_entry *was, size_t n)
{
	const struct timespec pause = { 0, SYNC_AGAIN_MS * 1000000L };
	struct err ignored = { RC_OK, "" };

	for (int i = 0; n > 0 && i < SYNC_TRIES; i++) {
		for (size_t k = 0; k < n; k++)
			state_back(m, slots[k], was[k]);
		if (slots_sync(m, &ignored) == RC_OK)
			return;
		(void)nanosleep(&pause, NULL);
	}
	if (n > 0 && slots_shard_flag(m, was[0].owner, SHARD_PAUSED, true,
	    &ignored) != RC_OK)
		return;
}

static enum rc local_commit(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct slot_entry was[FENCE_MAX], s;
	struct slots *m = ctx;
	enum rc rc = RC_OK;
	size_t done = 0;

	if (n > FENCE_MAX)
		return err_set(e, RC_INVALID, "at most %d slots are moved at "
		    "once", FENCE_MAX);
	for (; done < n && rc == RC_OK; done++) {
		s = was[done] = slots_get(m, slots[done]);
		if (s.state == SLOT_STABLE)
			continue;	/* committed before */
		s.generation += s.owner != s.target;
		s.owner = s.target;
		s.state = SLOT_STABLE;
		rc = slots_set(m, slots[done], s, e);
	}
	if (rc == RC_OK)
		rc = slots_sync(m, e);
	if (rc != RC_OK)
		take_back(m, slots, was, done);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		slots_unlock(m, slots[i]);
	return rc;
}

static int64_t local_waited(void *ctx, int64_t since)
{
	(void)ctx;
	return clock_mono_us() - since;
}

/* The lock of the map's movers is held. */
static enum rc local_begin(void *ctx, struct err *e)
{
	(void)ctx, (void)e;
	return RC_OK;
}

const struct step_ops step_local = {
	.fence_max = FENCE_MAX,
	.begin = local_begin,
	.copying = local_copying,
	.fence = local_fence,
	.unfence = local_unfence,
	.commit = local_commit,
	.waited = local_waited,
	.release = local_release,
};
