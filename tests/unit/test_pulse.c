/*
 * test_pulse.c - the breaker and the bulkhead, with several processes' places
 * held by one process (each struct pulse has locks of its own), and with
 * children that are killed.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/pulse.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { SHARD = 2, OTHER = 1, SHARDS = 3, PLACES = 4 };

struct place {
	char dir[64], path[128];
	struct pulse *p[PLACES];
};

static void sleep_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
}

static int setup(void **state)
{
	struct place *t = test_calloc(1, sizeof(*t));
	struct err e;

	str_copy(t->dir, sizeof(t->dir), "/tmp/test_pulse.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	str_format(t->path, sizeof(t->path), "%s/pulse.shm", t->dir);
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(pulse_open(t->path, false, &t->p[i], &e),
		    RC_OK);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct place *t = *state;

	for (int i = 0; i < PLACES; i++)
		pulse_free(t->p[i]);
	(void)unlink(t->path);
	(void)rmdir(t->dir);
	test_free(t);
	return 0;
}

static enum rc enter(struct pulse *p, int shard)
{
	return pulse_enter(p, shard, true, SHARDS, NULL);
}

static void fails(struct pulse *p)
{
	assert_int_equal(enter(p, SHARD), RC_OK);
	pulse_leave(p, SHARD, RC_UNAVAILABLE);
}

static enum pulse_state state_now(struct pulse *p)
{
	struct pulse_shard s;

	pulse_read(p, SHARD, &s);
	return s.state;
}

static void failures_in_a_row_open_for_all(void **state)
{
	struct place *t = *state;

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
	struct place *t = *state;

	for (size_t i = 0; i < sizeof(rcs) / sizeof(rcs[0]); i++) {
		assert_int_equal(enter(t->p[0], SHARD), RC_OK);
		pulse_leave(t->p[0], SHARD, rcs[i]);
	}
	assert_int_equal(state_now(t->p[0]), PULSE_CLOSED);
}

static void a_time_out_opens_at_once_and_one_tries(void **state)
{
	struct place *t = *state;

	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	sleep_ms(PULSE_STUCK_MIN_MS + 20);
	pulse_leave(t->p[0], SHARD, RC_UNAVAILABLE);
	assert_int_equal(state_now(t->p[1]), PULSE_OPEN);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_true(pulse_ready(t->p[1], SHARD));
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
	assert_int_equal(state_now(t->p[2]), PULSE_HALF_OPEN);
	assert_int_equal(enter(t->p[2], SHARD), RC_UNAVAILABLE);
	assert_false(pulse_ready(t->p[2], SHARD));
	pulse_leave(t->p[1], SHARD, RC_OK);
	assert_int_equal(state_now(t->p[2]), PULSE_CLOSED);
	assert_int_equal(enter(t->p[2], SHARD), RC_OK);
	pulse_leave(t->p[2], SHARD, RC_OK);
}

static void the_pause_doubles(void **state)
{
	struct place *t = *state;

	for (int i = 0; i < 3; i++)
		fails(t->p[i]);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	fails(t->p[0]);			/* the one that tried */
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	sleep_ms(PULSE_PAUSE_MIN_MS);
	assert_int_equal(enter(t->p[1], SHARD), RC_OK);
	pulse_leave(t->p[1], SHARD, RC_OK);
}

static void slow_is_failed_for_servers_alone(void **state)
{
	struct place *t = *state;
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

static void one_in_four_stays_free(void **state)
{
	struct place *t = *state;

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
	struct place *t = *state;

	for (int i = 0; i < PLACES; i++)
		assert_int_equal(pulse_enter(t->p[i], SHARD, false, SHARDS,
		    NULL), RC_OK);
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(pulse_enter(t->p[i], 0, true, 1, NULL),
		    RC_OK);
}

static void workers_do_not_count(void **state)
{
	struct place *t = *state;
	struct pulse *w = NULL;

	assert_int_equal(pulse_open(t->path, true, &w, NULL), RC_OK);
	assert_int_equal(enter(w, SHARD), RC_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(t->p[i], SHARD), RC_OK);
	assert_int_equal(enter(t->p[3], SHARD), RC_UNAVAILABLE);
	pulse_leave(w, SHARD, RC_OK);
	pulse_free(w);
}

static void who_hangs_turns_others_away(void **state)
{
	struct place *t = *state;

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

/* A child that enters and is killed there. */
static void killed_inside(const char *path)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct pulse *p = NULL;
		if (pulse_open(path, false, &p, NULL) == RC_OK &&
		    enter(p, SHARD) == RC_OK)
			(void)!write(ready[1], "x", 1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

static void the_killed_are_forgotten(void **state)
{
	struct place *t = *state;

	killed_inside(t->path);
	sleep_ms(PULSE_STUCK_COLD_MS + 50);
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
}

static void one_killed_while_trying_is_replaced(void **state)
{
	struct place *t = *state;

	for (int i = 0; i < 3; i++)
		fails(t->p[i]);
	sleep_ms(PULSE_PAUSE_MIN_MS + 20);
	killed_inside(t->path);
	assert_int_equal(state_now(t->p[0]), PULSE_HALF_OPEN);
	assert_true(pulse_ready(t->p[0], SHARD));
	assert_int_equal(enter(t->p[0], SHARD), RC_OK);
	assert_int_equal(enter(t->p[1], SHARD), RC_UNAVAILABLE);
	pulse_leave(t->p[0], SHARD, RC_OK);
	assert_int_equal(state_now(t->p[1]), PULSE_CLOSED);
}

static void figures_of_the_last_minute(void **state)
{
	struct place *t = *state;
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
	struct place *t = *state;
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(failures_in_a_row_open_for_all),
		CASE(other_results_are_no_failures),
		CASE(a_time_out_opens_at_once_and_one_tries),
		CASE(the_pause_doubles),
		CASE(slow_is_failed_for_servers_alone),
		CASE(one_in_four_stays_free),
		CASE(embedded_or_alone_may_have_all),
		CASE(workers_do_not_count),
		CASE(who_hangs_turns_others_away),
		CASE(the_killed_are_forgotten),
		CASE(one_killed_while_trying_is_replaced),
		CASE(figures_of_the_last_minute),
		CASE(another_boots_file_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
