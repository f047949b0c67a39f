/*
 * test_pulse.c - who may be inside a shard, and the figures.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "pulse_place.h"
#include "shards/pulse_file.h"
#include "utils/clock.h"

static void one_in_four_stays_free(void **state)
{
	struct pulse_place *t = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(t->p[i], SHARD), RC_OK);
	assert_int_equal(enter(t->p[3], SHARD), RC_UNAVAILABLE);
	assert_int_equal(enter(t->p[3], OTHER), RC_OK);
	pulse_leave(t->p[3], OTHER, RC_OK);
	pulse_leave(t->p[1], SHARD, RC_OK);
	assert_int_equal(enter(t->p[3], SHARD), RC_OK);
	assert_int_equal(enter(t->p[3], SHARD), RC_OK);	/* inside already */
	pulse_leave(t->p[3], SHARD, RC_OK);
	sleep_ms(1);	/* of the same microsecond, either may be first */
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	pulse_leave(t->p[3], SHARD, RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
}

static void embedded_or_alone_may_have_all(void **state)
{
	struct pulse_place *t = *state;

	for (int i = 0; i < PLACES; i++)
		assert_int_equal(pulse_enter(t->p[i], SHARD, false, SHARDS,
		    NULL), RC_OK);
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(pulse_enter(t->p[i], 0, true, 1, NULL),
		    RC_OK);
}

static void workers_do_not_count(void **state)
{
	struct pulse_place *t = *state;
	struct pulse *w = worker_of(t);

	assert_int_equal(enter(w, SHARD), RC_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(t->p[i], SHARD), RC_OK);
	assert_int_equal(enter(t->p[3], SHARD), RC_UNAVAILABLE);
	pulse_leave(w, SHARD, RC_OK);
	pulse_free(w);
}

static void who_hangs_turns_others_away(void **state)
{
	struct pulse_place *t = *state;

	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
	pulse_leave(t->p[1], SHARD, RC_OK);
	sleep_ms(PULSE_STUCK_COLD_MS + 50);
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	assert_int_equal(enter(t->p[1], OTHER), RC_OK);
	pulse_leave(t->p[1], OTHER, RC_OK);
	pulse_leave(t->p[0], SHARD, RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
}

static void the_killed_are_forgotten(void **state)
{
	struct pulse_place *t = *state;

	killed_inside(t->path, false);
	sleep_ms(PULSE_STUCK_COLD_MS + 50);
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
}

/* In a quick shard a full house is a hiccup, and worth some waiting; in one
 * whose way is long it is not. */
static void who_finds_no_place_waits_by_what_is_usual(void **state)
{
	static const uint32_t usual_us[] = { 2000, 15000 };
	static const uint64_t least_us[] = { 50000, 5000 };
	struct pulse_place *t = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(t->p[i], SHARD), RC_OK);
	for (int k = 0; k < 2; k++) {
		int64_t began = clock_mono_us();

		t->p[0]->file->shard[SHARD].p50_us = usual_us[k];
		assert_int_equal(enter(t->p[3], SHARD), RC_UNAVAILABLE);
		assert_in_range(clock_mono_us() - began, least_us[k],
		    least_us[k] + 40000);
	}
}

static void figures_of_the_last_minute(void **state)
{
	struct pulse_place *t = *state;
	struct pulse_shard s;

	for (int i = 0; i < 40; i++) {
		assert_int_equal(enter(t->p[i % PLACES], SHARD), RC_OK);
		if (i == 0)
			sleep_ms(20);
		pulse_leave(t->p[i % PLACES], SHARD,
		    i == 7 ? RC_UNAVAILABLE : RC_OK);
	}
	pulse_read(t->p[0], SHARD, &s);
	assert_int_equal(s.requests, 40);
	assert_int_equal(s.failed, 1);
	assert_in_range(s.p50_us, 1, 5000);
	assert_in_range(s.p99_us, 20000, 60000);
	pulse_read(t->p[0], OTHER, &s);
	assert_int_equal(s.requests, 0);
	assert_int_equal(s.p99_us, 0);
}

static void another_boots_file_is_begun_anew(void **state)
{
	struct pulse_place *t = *state;
	int fd;

	for (int i = 0; i < 3; i++)
		fails(t->p[i]);
	for (int i = 0; i < PLACES; i++) {
		pulse_free(t->p[i]);
		t->p[i] = NULL;
	}
	assert_int_equal(pulse_open(t->path, false, &t->p[0], NULL), RC_OK);
	assert_int_equal(state_now(t->p[0]), PULSE_CLOSED);
	pulse_free(t->p[0]);
	t->p[0] = NULL;
	fd = open(t->path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "damaged", 7), 7);
	close(fd);
	assert_int_equal(pulse_open(t->path, false, &t->p[0], NULL), RC_OK);
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, pulse_setup, pulse_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_in_four_stays_free),
		CASE(embedded_or_alone_may_have_all),
		CASE(workers_do_not_count),
		CASE(who_hangs_turns_others_away),
		CASE(the_killed_are_forgotten),
		CASE(who_finds_no_place_waits_by_what_is_usual),
		CASE(figures_of_the_last_minute),
		CASE(another_boots_file_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
