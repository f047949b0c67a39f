/*
 * test_slots.c - the slot map: whose slot is where, and who may hold it.
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
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "slots_place.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

static void refused(struct slots_place *p, int n, enum rc want, const char *word)
{
	struct slots *m = NULL;
	struct err e = { 0 };

	assert_int_equal(slots_open(p->map, p->shards, n, false, &m, &e), want);
	assert_null(m);
	if (!strstr(e.text, word))
		fail_msg("'%s' is not in: %s", word, e.text);
}

/* What modulo means in mathematics, by another way than the code's. */
static int64_t modulo(int64_t a, int64_t n)
{
	return (int64_t)((__int128)a - (__int128)n *
	    (a / n - (a % n != 0 && a < 0)));
}

static const int64_t ids[] = { 0, 1, 5, 5039, 5040, 5041, 123456789,
	7123456789, INT64_C(1) << 52, INT64_MAX, -1, -2, -5039, -5040, -5041,
	-1001234567890, INT64_MIN };

static void slot_is_the_floor_modulo(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_in_range(slot_of(ids[i]), 0, SLOT_COUNT - 1);
		assert_int_equal(slot_of(ids[i]), modulo(ids[i], SLOT_COUNT));
	}
	assert_int_equal(slot_of(-1), 5039);
	assert_int_equal(slot_of(-5040), 0);
}

static void new_map_is_user_id_modulo_n(void **state)
{
	struct slots_place *p = *state;

	for (int n = 1; n <= 10; n++) {
		struct slots *m = map_open(p, n);

		assert_non_null(m);
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			struct slot_entry s = slots_get(m, slot_of(ids[i]));

			assert_int_equal(s.owner, modulo(ids[i], n));
			assert_int_equal(s.state, SLOT_STABLE);
			assert_int_equal(s.generation, 0);
		}
		for (int64_t id = -6000; id < 6000; id++)
			assert_int_equal(slots_get(m, slot_of(id)).owner,
			    modulo(id, n));
		slots_free(m);
		assert_int_equal(unlink(p->map), 0);
	}
}

static void numbers_that_divide_are_named(void **state)
{
	static const int good[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16,
		18, 20, 21, 24 };
	int below, above;

	(void)state;
	for (int n = 1, k = 0; n <= 24; n++) {
		bool want = n == good[k];

		assert_int_equal(slots_divide(n, &below, &above), want);
		if (want) {
			assert_int_equal(below, n);
			assert_int_equal(above, n);
			k++;
		} else {
			assert_int_equal(below, good[k - 1]);
			assert_int_equal(above, good[k]);
		}
	}
	assert_false(slots_divide(0, &below, &above));
	assert_int_equal(above, 1);
	assert_false(slots_divide(-3, &below, &above));
	assert_int_equal(above, 1);
	assert_false(slots_divide(100000, &below, &above));
	assert_int_equal(below, 252);
	assert_int_equal(SLOT_COUNT % below, 0);
}

static void map_is_made_once_and_keeps_its_shards(void **state)
{
	struct slots_place *p = *state;
	struct slots *m;

	refused(p, 11, RC_INVALID, "use 10 or 12 shards");
	refused(p, 0, RC_NOTFOUND, p->map);
	m = map_open(p, 3);
	assert_non_null(m);
	slots_free(m);
	/* whom somebody would like to have there now is another matter */
	(void)str_copy(p->shards[0].name, 8, "other");
	for (int n = 0; n < 12; n += 4) {
		m = map_open(p, n);
		assert_non_null(m);
		assert_int_equal(slots_shards(m), 3);
		assert_string_equal(slots_shard_name(m, 0), "shard0");
		assert_string_equal(slots_shard_name(m, 2), "shard2");
		assert_string_equal(slots_shard_name(m, 3), "");
		assert_string_equal(slots_shard_name(m, -1), "");
		assert_int_equal(slots_shard_find(m, "shard1"), 1);
		assert_int_equal(slots_shard_find(m, "other"), -1);
		assert_int_equal(slots_shard_find(m, ""), -1);
		slots_free(m);
	}
}

static void damaged_map_is_refused(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3);
	struct stat st;

	slots_free(m);
	assert_int_equal(stat(p->map, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	/* owner of the last slot: a shard that does not exist */
	poke(p, st.st_size - 8, "\x77");
	refused(p, 3, RC_CORRUPT, "slot 5039 is damaged");
	poke(p, st.st_size - 8, "\x00");
	m = map_open(p, 3);
	assert_non_null(m);
	slots_free(m);
	poke(p, 0, "X");
	refused(p, 3, RC_CORRUPT, "no slot map");
	poke(p, 0, "F");
	poke(p, 24, "\x00");	/* the name of shard0: a gap that has slots */
	refused(p, 3, RC_CORRUPT, "slot 0 is damaged");
	poke(p, 24, "s");
	poke(p, 8, "\x09");
	refused(p, 3, RC_INVALID, "version 9");
	poke(p, 8, "\x01");
	assert_int_equal(truncate(p->map, st.st_size - 1), 0);
	refused(p, 3, RC_CORRUPT, "bytes");
}

static void moved_slot_is_seen_by_all_and_kept(void **state)
{
	struct slots_place *p = *state;
	struct slots *mover = map_open(p, 3), *reader = NULL;
	struct slot_entry s = { .owner = 2, .target = 2, .generation = 1 };
	struct err e;

	assert_int_equal(slots_open(p->map, p->shards, 3, false, &reader, &e),
	    RC_OK);
	assert_int_equal(slots_get(reader, 7).owner, 1);
	assert_int_equal(slots_set(mover, 7, s, &e), RC_OK);
	assert_int_equal(slots_get(reader, 7).owner, 2);
	assert_int_equal(slots_get(reader, 7).generation, 1);
	assert_int_equal(slots_get(reader, 8).owner, 2);
	assert_int_equal(slots_get(reader, 6).owner, 0);
	assert_int_equal(slots_set(reader, 7, s, &e), RC_DENIED);
	slots_free(mover);
	slots_free(reader);
	mover = map_open(p, 3);
	assert_int_equal(slots_get(mover, 7).owner, 2);
	slots_free(mover);
}

static void shared_and_exclusive_locks_exclude(void **state)
{
	struct slots_place *p = *state;
	struct slots *a = map_open(p, 3), *b = map_open(p, 3);
	struct slots *mover = map_open(p, 3);
	struct err e;
	int64_t start;

	assert_int_equal(slots_lock(a, 7, false, 0, &e), RC_OK);
	assert_int_equal(slots_lock(b, 7, false, 0, &e), RC_OK);
	start = clock_mono_us();
	assert_int_equal(slots_lock(mover, 7, true, 30, &e), RC_BUSY);
	assert_true(clock_mono_us() - start >= 30 * 1000);
	assert_int_equal(slots_lock(mover, 8, true, 0, &e), RC_OK);
	assert_int_equal(slots_lock(a, 8, false, 0, &e), RC_BUSY);
	slots_unlock(a, 7);
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_BUSY);
	slots_unlock(b, 7);
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_OK);
	assert_int_equal(slots_lock(a, 7, false, 0, &e), RC_BUSY);
	slots_free(mover);	/* closing is unlocking */
	assert_int_equal(slots_lock(a, 7, false, 0, &e), RC_OK);
	slots_free(a);
	slots_free(b);
}

static bool hold_shared(struct slots *m)
{
	struct err e;

	return slots_lock(m, 7, false, 0, &e) == RC_OK;
}

static bool hold_exclusive(struct slots *m)
{
	struct err e;

	return slots_lock(m, 7, true, 0, &e) == RC_OK;
}

static void lock_dies_with_its_process(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3);
	struct err e;

	for (int exclusive = 0; exclusive < 2; exclusive++) {
		pid_t pid = holder(p, exclusive ? hold_exclusive : hold_shared);

		assert_int_equal(slots_lock(m, 7, true, 5, &e), RC_BUSY);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(slots_lock(m, 7, true, 0, &e), RC_OK);
		slots_unlock(m, 7);
	}
	slots_free(m);
}

static void fenced_slot_is_waited_for_then_busy(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3), *mover = map_open(p, 3);
	struct slot_entry fenced = { .owner = 1, .target = 2,
		.state = SLOT_FENCING }, got = { .owner = 99 };
	struct err e;
	int64_t start;

	assert_int_equal(slots_mover_lock(mover, &e), RC_OK);
	assert_int_equal(slots_set(mover, 7, fenced, &e), RC_OK);
	start = clock_mono_us();
	assert_int_equal(slots_enter(m, 7, 40, &got, &e), RC_BUSY);
	assert_true(clock_mono_us() - start >= 40 * 1000);
	assert_int_equal(got.owner, 99);
	/* giving up left no lock behind */
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_OK);
	slots_unlock(mover, 7);
	assert_int_equal(slots_enter(m, 8, 0, &got, &e), RC_OK);
	fenced.state = SLOT_COPYING;	/* while copying, requests go on */
	assert_int_equal(slots_set(mover, 7, fenced, &e), RC_OK);
	assert_int_equal(slots_enter(m, 7, 0, &got, &e), RC_OK);
	assert_int_equal(got.owner, 1);
	assert_int_equal(got.state, SLOT_COPYING);
	slots_free(mover);
	slots_free(m);
}

static void who_waits_gets_the_new_owner(void **state)
{
	struct slots_place *p = *state;
	struct slots *m = map_open(p, 3), *mover = map_open(p, 3);
	struct slot_entry s = { .owner = 1, .target = 2,
		.state = SLOT_FENCING }, got = { 0 };
	struct err e;
	pid_t pid;

	assert_int_equal(slots_mover_lock(mover, &e), RC_OK);
	assert_int_equal(slots_set(mover, 7, s, &e), RC_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct timespec t = { 0, 20 * 1000000 };
		struct slots *child = map_open(p, 3);

		if (slots_lock(child, 7, true, 1000, &e) != RC_OK)
			_exit(1);
		(void)nanosleep(&t, NULL);
		s = (struct slot_entry){ .owner = 2, .target = 2,
			.generation = 1 };
		_exit(slots_set(child, 7, s, &e) == RC_OK ? 0 : 2);
	}
	assert_int_equal(slots_enter(m, 7, 5000, &got, &e), RC_OK);
	assert_int_equal(got.owner, 2);
	assert_int_equal(got.generation, 1);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	slots_free(mover);
	slots_free(m);
}

static void ten_processes_make_one_map(void **state)
{
	struct slots_place *p = *state;
	pid_t pid[10];
	int status;

	for (int i = 0; i < 10; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			struct slots *m = map_open(p, 3);
			bool ok = m && slots_get(m, 5039).owner == 5039 % 3;

			slots_free(m);
			_exit(ok ? 0 : 1);
		}
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, slots_place_setup, \
    slots_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(slot_is_the_floor_modulo),
		CASE(new_map_is_user_id_modulo_n),
		CASE(numbers_that_divide_are_named),
		CASE(map_is_made_once_and_keeps_its_shards),
		CASE(damaged_map_is_refused),
		CASE(moved_slot_is_seen_by_all_and_kept),
		CASE(shared_and_exclusive_locks_exclude),
		CASE(lock_dies_with_its_process),
		CASE(fenced_slot_is_waited_for_then_busy),
		CASE(who_waits_gets_the_new_owner),
		CASE(ten_processes_make_one_map),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
