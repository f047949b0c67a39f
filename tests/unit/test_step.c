/*
 * test_step.c - the steps of a move on one host: who is held, who is let go,
 * and what holds when the map cannot be made durable.
 *
 * msync and nanosleep are wrapped by the linker.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "reshard_place.h"
#include "reshard/step.h"
#include "utils/clock.h"

static int msync_fails;		/* so many times from now on */
static int slept;

int __real_msync(void *at, size_t n, int flags);
int __wrap_msync(void *at, size_t n, int flags);
int __wrap_nanosleep(const struct timespec *want, struct timespec *left);

int __wrap_msync(void *at, size_t n, int flags)
{
	if (msync_fails == 0)
		return __real_msync(at, n, flags);
	msync_fails--;
	errno = EIO;
	return -1;
}

int __wrap_nanosleep(const struct timespec *want, struct timespec *left)
{
	(void)want, (void)left;
	slept++;
	return 0;
}

static void steps_hold_and_let_go(void **state)
{
	struct reshard_place *p = *state;
	const int32_t slots[] = { 5, 11 };
	const uint16_t targets[] = { 2, 2 };
	struct slots *reader = NULL;
	struct slot_entry s;
	int64_t since = 0;
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 3);
	OK(slots_open(p->map, NULL, 0, false, &reader, &e));
	OK(slots_mover_lock(p->slots, &e));
	OK(step_local.copying(p->slots, slots, targets, 2, &e));
	assert_int_equal(slots_get(p->slots, 11).state, SLOT_COPYING);
	assert_int_equal(slots_get(p->slots, 11).target, 2);
	/* somebody inside does not leave */
	OK(slots_enter(reader, 11, 0, &s, &e));
	assert_int_equal(step_local.fence(p->slots, slots, 2, &since, &e), RC_BUSY);
	assert_int_equal(slots_get(p->slots, 5).state, SLOT_COPYING);
	assert_int_equal(slots_get(p->slots, 11).state, SLOT_COPYING);
	OK(slots_enter(reader, 5, 0, &s, &e));
	slots_unlock(reader, 5);
	slots_unlock(reader, 11);
	/* behind a fence nobody comes in */
	OK(step_local.fence(p->slots, slots, 2, &since, &e));
	assert_int_equal(slots_enter(reader, 5, 0, &s, &e), RC_BUSY);
	OK(step_local.unfence(p->slots, slots, 2, &e));
	OK(slots_enter(reader, 5, 0, &s, &e));
	slots_unlock(reader, 5);
	OK(step_local.fence(p->slots, slots, 2, &since, &e));
	OK(step_local.commit(p->slots, slots, 2, &e));
	OK(step_local.commit(p->slots, slots, 2, &e));
	OK(slots_enter(reader, 5, 0, &s, &e));
	assert_int_equal(s.owner, 2);
	assert_int_equal(s.generation, 1);
	slots_unlock(reader, 5);
	/* release is free at any time before */
	OK(step_local.copying(p->slots, slots + 1, (uint16_t[]){ 0 }, 1, &e));
	OK(step_local.fence(p->slots, slots + 1, 1, &since, &e));
	OK(step_local.release(p->slots, slots + 1, 1, &e));
	OK(slots_enter(reader, 11, 0, &s, &e));
	assert_int_equal(s.owner, 2);
	assert_int_equal(s.target, 2);
	assert_int_equal(s.state, SLOT_STABLE);
	slots_unlock(reader, 11);
	slots_free(reader);
}

/* Slots 5 and 11 of shard 1, fenced on their way to shard 2. */
static const int32_t two[] = { 5, 11 };

static void fence_two(struct reshard_place *p)
{
	const uint16_t targets[] = { 2, 2 };
	int64_t since = 0;
	struct err e;

	reshard_place_add(p, 3);
	OK(slots_mover_lock(p->slots, &e));
	OK(step_local.copying(p->slots, two, targets, 2, &e));
	OK(step_local.fence(p->slots, two, 2, &since, &e));
	slept = 0;
}

static void a_commit_that_the_disk_does_not_take_is_none(void **state)
{
	struct reshard_place *p = *state;
	struct err e;

	fence_two(p);
	msync_fails = 3;	/* of the commit, and twice of what it was */
	assert_int_equal(step_local.commit(p->slots, two, 2, &e), RC_SYSTEM);
	assert_non_null(strstr(e.text, "see what its disk says"));
	assert_int_equal(msync_fails, 0);
	assert_int_equal(slept, 2);
	for (int i = 0; i < 2; i++) {
		struct slot_entry s = slots_get(p->slots, two[i]);

		assert_int_equal(s.state, SLOT_FENCING);
		assert_int_equal(s.owner, 1);
		assert_int_equal(s.generation, 0);
	}
	assert_false(slots_shard_flags(p->slots, 1) & SHARD_PAUSED);
	OK(step_local.commit(p->slots, two, 2, &e));
	assert_int_equal(slots_get(p->slots, 5).owner, 2);
	assert_int_equal(slots_get(p->slots, 5).generation, 1);
}

/* Nobody may write to either shard: which of both the disk says is not known. */
static void who_cannot_take_a_commit_back_pauses_the_owner(void **state)
{
	struct reshard_place *p = *state;
	struct err e;

	fence_two(p);
	msync_fails = 1000;
	assert_int_equal(step_local.commit(p->slots, two, 2, &e), RC_SYSTEM);
	assert_true(msync_fails < 1000 && msync_fails > 800);
	msync_fails = 0;
	assert_int_equal(slots_get(p->slots, 5).owner, 1);
	assert_int_equal(slots_get(p->slots, 11).owner, 1);
	assert_true(slots_shard_flags(p->slots, 1) & SHARD_PAUSED);
	assert_false(slots_shard_flags(p->slots, 0) & SHARD_PAUSED);
	assert_false(slots_shard_flags(p->slots, 2) & SHARD_PAUSED);
}

static void people_wait_from_the_fence_to_its_end(void **state)
{
	struct reshard_place *p = *state;
	int64_t since = clock_mono_us() - 5000;
	int64_t waited = step_local.waited(p->slots, since);

	assert_in_range(waited, 5000, clock_mono_us() - since);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(steps_hold_and_let_go),
		IN_PLACE(a_commit_that_the_disk_does_not_take_is_none),
		IN_PLACE(who_cannot_take_a_commit_back_pauses_the_owner),
		IN_PLACE(people_wait_from_the_fence_to_its_end),
	};

	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
