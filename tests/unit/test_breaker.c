/*
 * test_breaker.c - when a shard is asked and who may try it, also when the one
 * that tried was killed.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pulse_place.h"

static void failures_in_a_row_open_for_all(void **state)
{
	struct pulse_place *t = *state;

	fails(t->p[0]);
	fails(t->p[1]);
	assert_int_equal(enter(t->p[2], SHARD), RC_OK);
	pulse_leave(t->p[2], SHARD, RC_OK);	/* no longer in a row */
	fails(t->p[0]);
	fails(t->p[1]);
	assert_int_equal(state_now(t->p[3]), PULSE_CLOSED);
	fails(t->p[2]);
	assert_int_equal(state_now(t->p[3]), PULSE_OPEN);
	assert_int_equal(enter(t->p[3], SHARD), RC_UNAVAILABLE);
	assert_false(pulse_ready(t->p[3], SHARD));
	assert_int_equal(enter(t->p[3], OTHER), RC_OK);
	pulse_leave(t->p[3], OTHER, RC_OK);
}

static void other_results_are_no_failures(void **state)
{
	static const enum rc rcs[] = { RC_INVALID, RC_BUSY, RC_CONFLICT,
		RC_NOTFOUND, RC_FULL, RC_CORRUPT, RC_DENIED, RC_SYSTEM };
	struct pulse_place *t = *state;

	for (size_t i = 0; i < sizeof(rcs) / sizeof(rcs[0]); i++) {
		assert_int_equal(enter(t->p[0], SHARD), RC_OK);
		pulse_leave(t->p[0], SHARD, rcs[i]);
	}
	assert_int_equal(state_now(t->p[0]), PULSE_CLOSED);
}

static void a_time_out_opens_at_once_and_one_tries(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	sleep_ms(PULSE_STUCK_MIN_MS + 20);
	pulse_leave(t->p[0], SHARD, RC_UNAVAILABLE);
	assert_int_equal(state_now(t->p[1]), PULSE_OPEN);
	assert_false(pulse_ready(w, SHARD));
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_true(pulse_ready(w, SHARD));
	assert_int_equal(enter(w, SHARD), RC_OK);
	assert_int_equal(state_now(t->p[2]), PULSE_HALF_OPEN);
	assert_int_equal(enter(t->p[2], SHARD), RC_UNAVAILABLE);
	assert_false(pulse_ready(t->p[2], SHARD));
	pulse_leave(w, SHARD, RC_OK);
	pulse_free(w);
	assert_int_equal(state_now(t->p[2]), PULSE_CLOSED);
	assert_int_equal(enter(t->p[2], SHARD), RC_OK);
	pulse_leave(t->p[2], SHARD, RC_OK);
}

static void the_pause_doubles(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	fails(w);			/* the one that tried */
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_int_equal(enter(w, SHARD), RC_UNAVAILABLE);
	sleep_ms(PULSE_PAUSE_MIN_MS);
	assert_int_equal(enter(w, SHARD), RC_OK);
	pulse_leave(w, SHARD, RC_OK);
	pulse_free(w);
}

/* A time-out of a server is the worker's to wait for, while it looks. */
static void servers_are_tried_by_the_worker(void **state)
{
	struct pulse_place *t = *state;

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_int_equal(enter(t->p[0], SHARD), RC_UNAVAILABLE);
	assert_int_equal(state_now(t->p[0]), PULSE_OPEN);
	sleep_ms(PULSE_WORKER_MS);	/* it does not */
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	pulse_leave(t->p[0], SHARD, RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
}

static void files_are_tried_by_who_needs_them(void **state)
{
	struct pulse_place *t = *state;

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_int_equal(pulse_enter(t->p[0], SHARD, false, SHARDS, NULL),
	    RC_OK);
	pulse_leave(t->p[0], SHARD, RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
}

static void tried_well(struct pulse *w)
{
	assert_int_equal(pulse_enter(w, SHARD, false, 0, NULL), RC_OK);
	pulse_leave(w, SHARD, RC_OK);
	assert_int_equal(state_now(w), PULSE_CLOSED);
}

static void on_trial_one_process_at_a_time(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	tried_well(w);
	for (int i = 0; i < 9; i++)
		tried_well(w);	/* which proves nothing for real requests */
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	pulse_leave(t->p[0], SHARD, RC_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(enter(t->p[1], SHARD), RC_OK);
		pulse_leave(t->p[1], SHARD, RC_OK);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(t->p[i], SHARD), RC_OK);
	for (int i = 0; i < 3; i++)
		pulse_leave(t->p[i], SHARD, RC_OK);
	fails(t->p[0]);
	assert_int_equal(state_now(w), PULSE_CLOSED);
	pulse_free(w);
}

/* It answers a probe, and real requests too slowly: not most processes are
 * lost to that again and again. */
static void on_trial_one_failure_opens_for_longer(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	tried_well(w);
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
	sleep_ms(PULSE_SLOW_MS + 10);
	pulse_leave(t->p[1], SHARD, RC_OK);
	assert_int_equal(state_now(w), PULSE_OPEN);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_false(pulse_ready(w, SHARD));
	sleep_ms(PULSE_PAUSE_MIN_MS);
	assert_true(pulse_ready(w, SHARD));
	pulse_free(w);
}

/* It began before the shard was tried, and says nothing about it now. */
static void who_began_before_the_trial_does_not_end_it(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	assert_int_equal(enter(t->p[3], SHARD), RC_OK);
	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	tried_well(w);
	pulse_leave(t->p[3], SHARD, RC_UNAVAILABLE);
	assert_int_equal(state_now(w), PULSE_CLOSED);
	pulse_free(w);
}

static void slow_is_failed_for_servers_alone(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *p = t->p[0];

	for (int i = 0; i < 3; i++) {
		assert_int_equal(enter(p, SHARD), RC_OK);
		assert_int_equal(pulse_enter(p, OTHER, false, SHARDS, NULL),
		    RC_OK);
		sleep_ms(PULSE_SLOW_MS + 10);
		pulse_leave(p, OTHER, RC_OK);
		pulse_leave(p, SHARD, RC_OK);
	}
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	assert_int_equal(enter(t->p[1], OTHER), RC_OK);
	pulse_leave(t->p[1], OTHER, RC_OK);
}

static void one_killed_while_trying_is_replaced(void **state)
{
	struct pulse_place *t = *state;

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	killed_inside(t->path, true);
	assert_int_equal(state_now(t->p[0]), PULSE_HALF_OPEN);
	assert_true(pulse_ready(t->p[0], SHARD));
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	pulse_leave(t->p[0], SHARD, RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
}

/* The next worker gets the very place of the killed one, and is not taken for
 * it. */
static void a_new_worker_tries_for_the_killed_one(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w;

	opens(t);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	killed_inside(t->path, true);
	assert_int_equal(state_now(t->p[0]), PULSE_HALF_OPEN);
	w = worker_of(t);
	assert_true(pulse_ready(w, SHARD));
	assert_int_equal(enter(w, SHARD), RC_OK);
	pulse_leave(w, SHARD, RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
	pulse_free(w);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, pulse_setup, pulse_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(failures_in_a_row_open_for_all),
		CASE(other_results_are_no_failures),
		CASE(a_time_out_opens_at_once_and_one_tries),
		CASE(the_pause_doubles),
		CASE(servers_are_tried_by_the_worker),
		CASE(files_are_tried_by_who_needs_them),
		CASE(on_trial_one_process_at_a_time),
		CASE(on_trial_one_failure_opens_for_longer),
		CASE(who_began_before_the_trial_does_not_end_it),
		CASE(slow_is_failed_for_servers_alone),
		CASE(one_killed_while_trying_is_replaced),
		CASE(a_new_worker_tries_for_the_killed_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
