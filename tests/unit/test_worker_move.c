/*
 * test_worker_move.c - jobs while their slots move: who leases them, and when
 * nobody does.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shards/slots.h"
#include "store/store.h"
#include "worker_place.h"

enum { USER = 10, SHARD_OF_USER = 1, LOOK_MS = 1300 };

static struct job job;	/* large: not on the stack */

static struct slots *mover_of(struct worker_place *p)
{
	struct slots *m = NULL;
	struct err e = { .text = "" };

	if (slots_open(p->map, NULL, 0, true, &m, &e) != RC_OK)
		fail_msg("%s", e.text);
	return m;
}

static void slot_put(struct slots *m, int32_t slot, int owner,
    enum slot_state state)
{
	struct slot_entry s = { .owner = (uint16_t)owner, .target = 0,
		.state = (uint8_t)state };
	struct err e;

	assert_int_equal(slots_set(m, slot, s, &e), RC_OK);
}

/* The worker looks, and lets the job lie. */
static void left_alone(struct worker_place *p)
{
	worker_place_turns(p, LOOK_MS);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 0);
	assert_int_equal(worker_stats(p->worker)->leased, 0);
	assert_int_equal(worker_stats(p->worker)->shards_down, 0);
}

static void a_locked_slot_has_its_jobs_left(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);
	struct err e;

	worker_place_start(p);
	worker_place_send(p, USER, USER, "a");
	worker_place_send(p, USER + 3, USER, "b");	/* the same shard */
	assert_int_equal(slots_lock(m, slot_of(USER), true, 0, &e), RC_OK);
	assert_true(worker_place_until(p, USER + 3, "b", JOB_DONE));
	worker_place_turns(p, LOOK_MS);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 1);
	assert_true(worker_stats(p->worker)->left > 0);
	slots_unlock(m, slot_of(USER));
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
	/* and all locks were given back */
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		assert_int_equal(slots_lock(m, i, true, 0, &e), RC_OK);
		slots_unlock(m, i);
	}
	slots_free(m);
}

static void a_fence_holds_jobs_back(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);
	struct err e;

	worker_place_start(p);
	worker_place_send(p, USER, USER, "a");
	assert_int_equal(slots_mover_lock(m, &e), RC_OK);
	slot_put(m, slot_of(USER), SHARD_OF_USER, SLOT_FENCING);
	left_alone(p);
	/* the mover goes on with copying */
	slot_put(m, slot_of(USER), SHARD_OF_USER, SLOT_COPYING);
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	worker_place_send(p, USER, USER, "b");
	slot_put(m, slot_of(USER), SHARD_OF_USER, SLOT_FENCING);
	slots_mover_unlock(m);		/* as if it had died */
	worker_place_turns(p, LOOK_MS);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
	slots_free(m);
}

static void leftovers_at_the_source_are_not_sent(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);
	struct route at;
	struct store *s = NULL;
	struct err e;

	worker_place_start(p);
	worker_place_send(p, USER, USER, "a");
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	/* the slot goes; what is left of it at the source is nobody's */
	assert_int_equal(router_enter(p->router, USER, &at, &e), RC_OK);
	worker_place_send(p, USER, USER, "b");
	assert_true(worker_place_job(p, USER, "b", &job));
	router_leave(&at);
	slot_put(m, slot_of(USER), 2, SLOT_STABLE);
	worker_place_turns(p, LOOK_MS);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 1);
	assert_int_equal(router_shard(p->router, 2, &s, &e), RC_OK);
	assert_int_equal(s->ops->job_add(s, &job, 1, &e), RC_OK);
	assert_true(worker_place_until(p, USER, "b", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
	slots_free(m);
}

static void a_paused_shard_is_passed_over(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);
	struct err e;

	worker_place_start(p);
	worker_place_send(p, USER, USER, "a");
	assert_int_equal(slots_shard_flag(m, SHARD_OF_USER, SHARD_PAUSED, true,
	    &e), RC_OK);
	left_alone(p);
	assert_int_equal(slots_shard_flag(m, SHARD_OF_USER, SHARD_PAUSED,
	    false, &e), RC_OK);
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	slots_free(m);
}

static void a_host_without_a_lease_sends_nothing(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);

	worker_place_start(p);
	worker_place_send(p, USER, USER, "a");
	slots_lease_need(m, true);
	left_alone(p);
	slots_lease_until(m, clock_mono_us() + 60 * 1000000);
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	slots_free(m);
}

static void a_new_shard_is_worked_for_without_a_restart(void **state)
{
	struct worker_place *p = *state;
	struct slots *m = mover_of(p);
	struct err e;
	int gap = -1, at = -1;

	worker_place_start(p);
	worker_place_turns(p, LOOK_MS);
	assert_int_equal(slots_shard_add(m, "nobody", &gap, &e), RC_OK);
	assert_int_equal(slots_shard_remove(m, gap, &e), RC_OK);
	assert_int_equal(slots_shard_add(m, "shard3", &at, &e), RC_OK);
	assert_int_equal(at, PLACE_SHARDS + 1);
	slot_put(m, slot_of(USER), at, SLOT_STABLE);
	worker_place_send(p, USER, USER, "a");
	assert_true(worker_place_until(p, USER, "a", JOB_DONE));
	assert_int_equal(worker_stats(p->worker)->shards_down, 0);
	slots_free(m);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, worker_place_setup, worker_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_locked_slot_has_its_jobs_left),
		T(a_fence_holds_jobs_back),
		T(leftovers_at_the_source_are_not_sent),
		T(a_paused_shard_is_passed_over),
		T(a_host_without_a_lease_sends_nothing),
		T(a_new_shard_is_worked_for_without_a_restart),
	};

	return cmocka_run_group_tests_name("worker_move", tests, NULL, NULL);
}
