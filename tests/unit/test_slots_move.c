/*
 * test_slots_move.c - the slot map while slots move: the mover and its death,
 * shards that come and go, barriers, and the right to serve.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "slots_place.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

static bool hold_fence(struct slots *m)
{
	struct slot_entry s = { .owner = 1, .target = 2,
		.state = SLOT_FENCING };
	struct err e;

	return slots_mover_lock(m, &e) == RC_OK &&
	    slots_lock(m, 7, true, 0, &e) == RC_OK &&
	    slots_set(m, 7, s, &e) == RC_OK;
}

static void fence_of_the_dead_holds_nobody(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3), *mover = map_open(p, 3);
	struct slot_entry got = { 0 };
	struct err e;
	pid_t pid = holder(p, hold_fence);
	int64_t start;

	assert_int_equal(slots_mover_lock(m, &e), RC_BUSY);
	assert_true(slots_mover_alive(m));
	assert_int_equal(slots_enter(m, 7, 60, &got, &e), RC_BUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(slots_mover_alive(m));
	start = clock_mono_us();
	assert_int_equal(slots_enter(m, 7, 60 * 1000, &got, &e), RC_OK);
	assert_true(clock_mono_us() - start < 10 * 1000 * 1000);
	assert_int_equal(got.state, SLOT_FENCING);
	assert_int_equal(got.owner, 1);
#ifndef TEST_FAULT_SLOT_LOCK
	/* it serves under the lock, so that the next mover waits for it */
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_BUSY);
#endif
	slots_unlock(m, 7);
	assert_int_equal(slots_enter(m, 7, 0, &got, &e), RC_OK);
	slots_unlock(m, 7);
	/* the next mover's fence holds again */
	assert_int_equal(slots_mover_lock(mover, &e), RC_OK);
	assert_int_equal(slots_enter(m, 7, 40, &got, &e), RC_BUSY);
	slots_free(mover);
	slots_free(m);
}

static void one_mover_at_a_time(void **state)
{
	struct slots_place *p = *state;
	struct slots *a = map_open(p, 3), *b = map_open(p, 3);
	struct err e;

	assert_false(slots_mover_alive(a));
	assert_int_equal(slots_mover_lock(a, &e), RC_OK);
	assert_true(slots_mover_alive(a));	/* it is that itself */
	assert_true(slots_mover_alive(b));
	assert_int_equal(slots_mover_lock(b, &e), RC_BUSY);
	assert_int_equal(slots_lock(b, 5039, true, 0, &e), RC_OK);
	slots_mover_unlock(a);
	assert_false(slots_mover_alive(a));
	assert_false(slots_mover_alive(b));
	assert_int_equal(slots_mover_lock(b, &e), RC_OK);
	slots_free(b);
	assert_false(slots_mover_alive(a));
	slots_free(a);
}

/* What the child says of the map it had open before it grew. */
static int seen_by_child(struct slots *m, int go)
{
	char c;

	if (read(go, &c, 1) != 1)
		return 1;
	if (slots_shards(m) != 4 || slots_shard_find(m, "new") != 3)
		return 2;
	if (strcmp(slots_shard_name(m, 3), "new") != 0 ||
	    slots_get(m, 7).owner != 3)
		return 3;
	if (slots_shard_flags(m, 3) != SHARD_DRAINING ||
	    slots_shard_epoch(m, 1) != 2)
		return 4;
	return 0;
}

static void map_grows_under_those_who_have_it(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3);
	struct slot_entry s = { .owner = 3, .target = 3, .generation = 1 };
	int go[2], status = -1, at = -1;
	struct err e = { 0 };
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct slots *child = NULL;

		(void)alarm(60);
		(void)close(go[1]);
		if (slots_open(p->map, NULL, 0, false, &child, &e) != RC_OK)
			_exit(9);
		_exit(seen_by_child(child, go[0]));
	}
	assert_int_equal(slots_shard_add(m, "new", &at, &e), RC_OK);
	assert_int_equal(at, 3);
	assert_int_equal(slots_set(m, 7, s, &e), RC_OK);
	assert_int_equal(slots_shard_flag(m, 3, SHARD_PAUSED, true, &e), RC_OK);
	assert_int_equal(slots_shard_flag(m, 3, SHARD_DRAINING, true, &e),
	    RC_OK);
	assert_int_equal(slots_shard_flag(m, 3, SHARD_PAUSED, false, &e), RC_OK);
	assert_int_equal(slots_shard_replaced(m, 1, &e), RC_OK);
	assert_int_equal(slots_shard_replaced(m, 1, &e), RC_OK);
	assert_int_equal(slots_sync(m, &e), RC_OK);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(go[0]);
	(void)close(go[1]);
	slots_free(m);
	m = map_open(p, 0);	/* and so it is kept */
	assert_int_equal(slots_shard_find(m, "new"), 3);
	assert_int_equal(slots_shard_flags(m, 3), SHARD_DRAINING);
	assert_int_equal(slots_shard_flags(m, 0), 0);
	assert_int_equal(slots_shard_epoch(m, 1), 2);
	slots_free(m);
}

static void names_stay_and_leave_gaps(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 1);
	struct slot_entry s = { .owner = 0, .target = 1,
		.state = SLOT_COPYING };
	struct err e = { 0 };
	char name[SLOT_SHARD_NAME_SIZE];
	int at = -1;

	assert_int_equal(slots_shard_add(m, "b", &at, &e), RC_OK);
	assert_int_equal(slots_shard_add(m, "b", &at, &e), RC_OK);
	assert_int_equal(at, 1);	/* the same */
	assert_int_equal(slots_shard_add(m, "", &at, &e), RC_INVALID);
	assert_int_equal(slots_shard_remove(m, 0, &e), RC_CONFLICT);
	assert_int_equal(slots_set(m, 9, s, &e), RC_OK);
	assert_int_equal(slots_shard_remove(m, 1, &e), RC_CONFLICT);
	s.state = SLOT_STABLE;
	assert_int_equal(slots_set(m, 9, s, &e), RC_OK);
	assert_int_equal(slots_shard_remove(m, 1, &e), RC_OK);
	assert_int_equal(slots_shard_remove(m, 1, &e), RC_NOTFOUND);
	assert_int_equal(slots_shard_flag(m, 1, SHARD_PAUSED, true, &e),
	    RC_NOTFOUND);
	assert_int_equal(slots_shards(m), 2);
	assert_string_equal(slots_shard_name(m, 1), "");
	assert_int_equal(slots_shard_find(m, "b"), -1);
	assert_int_equal(slots_shard_add(m, "b", &at, &e), RC_OK);
	assert_int_equal(at, 2);
	for (int i = 3; i < SHARDS_MAX; i++) {
		(void)str_format(name, sizeof(name), "n%d", i);
		assert_int_equal(slots_shard_add(m, name, &at, &e), RC_OK);
		assert_int_equal(at, i);
	}
	assert_int_equal(slots_shard_add(m, "toomany", &at, &e), RC_TOOBIG);
	slots_free(m);
	m = NULL;
	assert_int_equal(slots_open(p->map, NULL, 0, false, &m, &e), RC_OK);
	assert_int_equal(slots_shards(m), SHARDS_MAX);
	assert_int_equal(slots_shard_add(m, "x", &at, &e), RC_DENIED);
	assert_int_equal(slots_shard_remove(m, 2, &e), RC_DENIED);
	assert_int_equal(slots_sync(m, &e), RC_DENIED);
	slots_free(m);
}

static bool hold_shared(struct slots *m)
{
	struct err e;

	return slots_lock(m, 7, false, 0, &e) == RC_OK;
}

static void barrier_waits_for_who_is_inside(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3), *mover = map_open(p, 3);
	struct err e;
	pid_t pid;

	assert_int_equal(slots_lock(m, 8, false, 0, &e), RC_OK);
	/* somebody on another shard is none of its business */
	assert_int_equal(slots_barrier(mover, 1, 0, &e), RC_OK);
	assert_int_equal(slots_barrier(mover, 2, 20, &e), RC_BUSY);
	slots_unlock(m, 8);
	assert_int_equal(slots_barrier(mover, 2, 0, &e), RC_OK);
	assert_int_equal(slots_lock(m, 8, true, 0, &e), RC_OK);	/* all left */
	slots_unlock(m, 8);
	pid = holder(p, hold_shared);	/* of slot 7, on shard 1 */
	assert_int_equal(slots_barrier(mover, 1, 20, &e), RC_BUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(slots_barrier(mover, 1, 0, &e), RC_OK);
	slots_free(mover);
	slots_free(m);
}

static void host_serves_while_its_lease_lasts(void **state)
{
	struct slots_place *p = *state;
	struct slots *agent = map_open(p, 3), *m = NULL;
	struct timespec t = { 0, 60 * 1000000 };
	struct err e;

	assert_int_equal(slots_open(p->map, NULL, 0, false, &m, &e), RC_OK);
	assert_true(slots_lease_ok(m));		/* alone, none is needed */
	slots_lease_need(agent, true);
	assert_false(slots_lease_ok(m));
	slots_lease_until(agent, clock_mono_us() + 50 * 1000);
	(void)nanosleep(&t, NULL);
	assert_false(slots_lease_ok(m));
	slots_lease_until(agent, clock_mono_us() + 60 * 1000000);
	assert_true(slots_lease_ok(m));
	assert_true(slots_lease_ok(agent));
	/* what another boot was given is nothing: the hash of its id is the
	 * last but one field of the header */
	poke(p, 17696, "\x01");
	poke(p, 17697, "\x02");
	assert_false(slots_lease_ok(m));
	slots_lease_until(agent, clock_mono_us() + 60 * 1000000);
	assert_true(slots_lease_ok(m));
	slots_lease_until(m, 0);	/* a reader has no say in it */
	assert_true(slots_lease_ok(m));
	slots_lease_need(agent, false);
	slots_lease_until(agent, 0);
	assert_true(slots_lease_ok(m));
	slots_lease_need(m, true);	/* for this process */
	assert_false(slots_lease_ok(m));
	assert_true(slots_lease_ok(agent));
	slots_free(m);
	slots_free(agent);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, slots_place_setup, \
    slots_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fence_of_the_dead_holds_nobody),
		CASE(one_mover_at_a_time),
		CASE(map_grows_under_those_who_have_it),
		CASE(names_stay_and_leave_gaps),
		CASE(barrier_waits_for_who_is_inside),
		CASE(host_serves_while_its_lease_lasts),
	};

	return cmocka_run_group_tests_name("slots_move", tests, NULL, NULL);
}
