/*
 * test_spool.c - what is kept is kept in order, once, and never uncounted:
 * with several processes, kills in between, a full disk and a full quota.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/spool.h"
#include "store/router.h"
#include "utils/buf.h"

enum { ANNA = 77, BORIS = 78, FAR = 77 + SLOT_COUNT, NOW = 1795435200 };

struct place {
	char dir[64], path[128], counts[160];
	struct spool *s;
	struct spooled row;
	int64_t ids;
};

static struct spool *open_it(struct place *t, int64_t max)
{
	const struct spool_conf c = { .path = t->path, .max_bytes = max };
	struct spool *s = spool_new(&c);
	struct err e = { .text = "" };

	if (spool_ready(s, &e) != RC_OK)
		fail_msg("%s", e.text);
	return s;
}

static int setup(void **state)
{
	struct place *t = test_calloc(1, sizeof(*t));

	str_copy(t->dir, sizeof(t->dir), "/tmp/test_spool.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	str_format(t->path, sizeof(t->path), "%s/spool.db", t->dir);
	str_format(t->counts, sizeof(t->counts), "%s-counts", t->path);
	t->s = open_it(t, 1 << 20);
	buf_init(&t->row.body, 1 << 20);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct place *t = *state;
	char cmd[128];

	spool_free(t->s);
	buf_release(&t->row.body);
	str_format(cmd, sizeof(cmd), "rm -rf %s", t->dir);
	assert_int_equal(system(cmd), 0);
	test_free(t);
	return 0;
}

/* Who sends an odd update is to be told of it. */
static enum rc add_to(struct spool *s, int64_t user, int64_t update,
    const char *body, bool *told)
{
	const struct spool_update u = { .user_id = user, .update_id = update,
		.body = body, .len = strlen(body), .tell = update % 2 == 1,
		.tell_every_ms = 60000 };
	struct err e = { .text = "" };
	enum rc rc = spool_add(s, &u, NOW * INT64_C(1000) + update, told, &e);

	if (rc != RC_OK && rc != RC_FULL)
		print_message("%s\n", e.text);
	return rc;
}

static void add(struct place *t, int64_t user, const char *body)
{
	bool told;

	assert_int_equal(add_to(t->s, user, ++t->ids, body, &told), RC_OK);
}

/* Does anything of the slot wait, as far as the counts say? */
static bool slot_holds(struct spool *s, int64_t user)
{
	return spool_slot(s, slot_of(user)) == slot_of(user);
}

static enum rc next(struct place *t, int64_t user, int64_t after)
{
	return spool_next(t->s, slot_of(user), after, NOW * INT64_C(1000),
	    &t->row, NULL);
}

static bool holds(struct spool *s, int64_t user)
{
	bool is = false;

	assert_int_equal(spool_holds(s, user, &is, NULL), RC_OK);
	return is;
}

/* The next row of the person's slot is this one; it stays. */
static void next_is(struct place *t, int64_t user, const char *body)
{
	assert_int_equal(next(t, user, 0),
	    RC_OK);
	assert_int_equal(t->row.user_id, user);
	assert_string_equal(t->row.body.s, body);
}

static void done(struct place *t)
{
	assert_int_equal(spool_done(t->s, &t->row.seq, 1, NULL, NULL), RC_OK);
}

static void none_left(struct place *t, int64_t user)
{
	assert_int_equal(next(t, user, 0),
	    RC_NOTFOUND);
	assert_false(slot_holds(t->s, user));
}

static void kept_in_order_by_slot(void **state)
{
	struct place *t = *state;

	assert_false(slot_holds(t->s, ANNA));
	assert_int_equal(spool_slot(t->s, 0), -1);
	add(t, ANNA, "one");
	add(t, BORIS, "other");
	add(t, ANNA, "two");
	add(t, ANNA, "three");
	assert_true(slot_holds(t->s, ANNA));
	assert_int_equal(spool_slot(t->s, 0), slot_of(ANNA));
	assert_int_equal(spool_slot(t->s, slot_of(ANNA) + 1), slot_of(BORIS));
	next_is(t, ANNA, "one");
	next_is(t, ANNA, "one");	/* until it is done */
	done(t);
	done(t);			/* again changes nothing */
	next_is(t, ANNA, "two");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_OK);
	assert_string_equal(t->row.body.s, "three");
	next_is(t, ANNA, "two");
	done(t);
	next_is(t, ANNA, "three");
	done(t);
	none_left(t, ANNA);
	next_is(t, BORIS, "other");
	done(t);
	assert_int_equal(spool_slot(t->s, 0), -1);
}

static void people_of_one_slot_are_told_apart(void **state)
{
	struct place *t = *state;

	add(t, ANNA, "one");
	assert_true(slot_holds(t->s, FAR));
	assert_true(holds(t->s, ANNA));
	assert_false(holds(t->s, FAR));
	assert_false(holds(t->s, BORIS));
}

static void the_same_update_is_kept_once(void **state)
{
	struct place *t = *state;
	struct spool_stats st;
	bool told;

	assert_int_equal(add_to(t->s, ANNA, 5, "one", &told), RC_OK);
	assert_int_equal(add_to(t->s, ANNA, 8, "two", &told), RC_OK);
	assert_int_equal(add_to(t->s, ANNA, 5, "one", &told), RC_OK);
	next_is(t, ANNA, "one");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_OK);
	assert_string_equal(t->row.body.s, "two");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_NOTFOUND);
	assert_int_equal(spool_stats_slot(t->s, slot_of(ANNA), &st, NULL),
	    RC_OK);
	assert_int_equal(st.rows, 2);
	assert_int_equal(st.bytes, 6);
	assert_int_equal(st.oldest_at, NOW * INT64_C(1000) + 5);
}

static bool told_at(struct place *t, int64_t user, int64_t update, bool tell,
    int64_t seconds)
{
	const struct spool_update u = { .user_id = user, .update_id = update,
		.body = "x", .len = 1, .tell = tell, .tell_every_ms = 60000 };
	bool told = !tell;

	assert_int_equal(spool_add(t->s, &u, (NOW + seconds) * INT64_C(1000),
	    &told, NULL), RC_OK);
	return told;
}

/* Once a minute, however often they write, and whatever the clock does. */
static void a_person_is_told_once_a_minute(void **state)
{
	struct place *t = *state;

	assert_false(told_at(t, ANNA, 1, false, 0));
	assert_true(told_at(t, ANNA, 2, true, 1));
	assert_true(told_at(t, ANNA, 2, true, 2));	/* that answer got lost */
	assert_true(told_at(t, BORIS, 3, true, 2));
	assert_false(told_at(t, ANNA, 4, true, 41));
	assert_false(told_at(t, ANNA, 4, true, 42));
	assert_true(told_at(t, ANNA, 5, true, 81));
	assert_false(told_at(t, ANNA, 6, true, 121));
	assert_true(told_at(t, ANNA, 7, true, 161));
	assert_true(told_at(t, ANNA, 8, true, 161 - 3600));
	assert_false(told_at(t, ANNA, 9, true, 191 - 3600));
}

static void several_are_done_at_once(void **state)
{
	struct place *t = *state;
	struct spool_stats st;
	int64_t seqs[3] = { 0, 0, 4711 };

	add(t, ANNA, "one");
	add(t, ANNA, "two");
	add(t, BORIS, "three");
	next_is(t, ANNA, "one");
	seqs[0] = t->row.seq;
	next_is(t, BORIS, "three");
	seqs[1] = t->row.seq;
	assert_int_equal(spool_done(t->s, seqs, 3, NULL, NULL), RC_OK);
	none_left(t, BORIS);
	next_is(t, ANNA, "two");
	spool_glance(t->s, &st);
	assert_int_equal(st.rows, 1);
	assert_int_equal(st.bytes, 3);
	assert_int_equal(st.oldest_at, NOW * INT64_C(1000) + 2);
}

static void counts_come_back_after_a_restart(void **state)
{
	struct place *t = *state;
	int fd;

	add(t, ANNA, "one");
	add(t, BORIS, "two");
	spool_free(t->s);
	fd = open(t->counts, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "damaged", 7), 7);
	close(fd);
	t->s = open_it(t, 1 << 20);
	assert_true(slot_holds(t->s, ANNA));
	assert_true(slot_holds(t->s, BORIS));
	assert_false(slot_holds(t->s, BORIS + 1));
	spool_free(t->s);
	t->s = NULL;
	assert_int_equal(unlink(t->counts), 0);
	t->s = open_it(t, 1 << 20);
	assert_true(slot_holds(t->s, ANNA));
	next_is(t, ANNA, "one");
	done(t);
	none_left(t, ANNA);
}

/* All processes see what one adds. */
static void seen_by_all_processes(void **state)
{
	struct place *t = *state;
	struct spool *other = open_it(t, 1 << 20);

	add(t, ANNA, "one");
	assert_true(slot_holds(other, ANNA));
	assert_true(holds(other, ANNA));
	next_is(t, ANNA, "one");
	done(t);
	assert_false(slot_holds(other, ANNA));
	spool_free(other);
}

static void another_versions_counts_are_refused(void **state)
{
	struct place *t = *state;
	const struct spool_conf c = { .path = t->path, .max_bytes = 1 << 20 };
	const uint64_t layout = 99;
	struct spool *other = spool_new(&c);
	struct err e = { .text = "" };
	uint64_t was;
	int fd = open(t->counts, O_RDWR);
	bool told;

	assert_int_equal(pread(fd, &was, sizeof(was), 0), 8);
	assert_int_equal(pwrite(fd, &layout, sizeof(layout), 0), 8);
	assert_int_equal(spool_ready(other, &e), RC_CONFLICT);
	assert_non_null(strstr(e.text, "stop all"));
	/* whose updates wait is known all the same; nothing is added that
	 * those others would not see */
	add(t, ANNA, "one");
	assert_true(holds(other, ANNA));
	assert_false(holds(other, BORIS));
	assert_int_equal(add_to(other, BORIS, 9, "two", &told), RC_CONFLICT);
	assert_false(holds(t->s, BORIS));
	/* … until they are gone */
	assert_int_equal(pwrite(fd, &was, sizeof(was), 0), 8);
	close(fd);
	assert_int_equal(add_to(other, BORIS, 9, "two", &told), RC_OK);
	assert_true(holds(t->s, BORIS));
	spool_free(other);
}

static void too_much_is_refused(void **state)
{
	struct place *t = *state;
	struct spool *s = open_it(t, 10);
	bool told;

	assert_int_equal(add_to(s, ANNA, 1, "12345", &told), RC_OK);
	assert_int_equal(add_to(s, ANNA, 2, "12345", &told), RC_OK);
	assert_int_equal(add_to(s, BORIS, 3, "1", &told), RC_FULL);
	assert_false(slot_holds(s, BORIS));
	next_is(t, ANNA, "12345");
	done(t);
	assert_int_equal(add_to(s, BORIS, 3, "1", &told), RC_OK);
	spool_free(s);
}

/* A limit of the file's size stands for a full disk. */
static void nothing_is_kept_on_a_full_disk(void **state)
{
	struct place *t = *state;
	struct rlimit was, small = { 65536, 65536 };
	char *big = test_malloc(200001);
	struct spool_stats st;
	bool told;

	add(t, ANNA, "one");
	memset(big, 'x', 200000);
	big[200000] = '\0';
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(add_to(t->s, BORIS, 9, big, &told), RC_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_false(holds(t->s, BORIS));
	assert_int_equal(spool_stats(t->s, &st, NULL), RC_OK);
	assert_int_equal(st.rows, 1);
	assert_int_equal(add_to(t->s, BORIS, 9, big, &told), RC_OK);
	assert_true(holds(t->s, BORIS));
	test_free(big);
}

static void die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Children add as fast as they can and tell through a pipe what was promised;
 * they are killed; all that was promised is there, in order, and counted. */
static void adder(struct place *t, int64_t user, int out)
{
	struct spool *s = open_it(t, 1 << 20);
	char body[32];
	bool told;

	for (int64_t i = 1; i < 100000; i++) {
		str_format(body, sizeof(body), "%" PRId64, i);
		if (add_to(s, user, i, body, &told) != RC_OK)
			_exit(1);
		if (write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
	_exit(0);
}

static int64_t promised(int in, int64_t last)
{
	int64_t i = 0;

	while (read(in, &i, sizeof(i)) == sizeof(i))
		last = i;
	return last;
}

static void what_was_promised_is_there(struct place *t, int64_t user,
    int64_t last)
{
	int64_t n = 0, after = 0;

	while (next(t, user, after) == RC_OK) {
		after = t->row.seq;
		if (t->row.user_id == user)
			assert_int_equal(strtoll(t->row.body.s, NULL, 10), ++n);
	}
	/* one more may have been stored and not told */
	assert_in_range(n, last, last + 1);
	assert_true(n == 0 || slot_holds(t->s, user));
}

static void killed_while_adding(void **state)
{
	static const int64_t users[] = { ANNA, BORIS, FAR };
	const struct timespec some = { 0, 50000000 };
	struct place *t = *state;

	for (int round = 0; round < 4; round++) {
		pid_t pid[3];
		int64_t last[3];
		int fd[3][2];
		for (int i = 0; i < 3; i++) {
			assert_int_equal(pipe(fd[i]), 0);
			pid[i] = fork();
			assert_true(pid[i] >= 0);
			if (pid[i] == 0) {
				die_with_parent();
				close(fd[i][0]);
				adder(t, users[i] + round * 10, fd[i][1]);
			}
			close(fd[i][1]);
		}
		for (int i = 0; i < 3; i++)
			assert_int_equal(read(fd[i][0], &last[i], 8), 8);
		(void)nanosleep(&some, NULL);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(kill(pid[i], SIGKILL), 0);
			assert_int_equal(waitpid(pid[i], NULL, 0), pid[i]);
		}
		for (int i = 0; i < 3; i++) {
			what_was_promised_is_there(t, users[i] + round * 10,
			    promised(fd[i][0], last[i]));
			close(fd[i][0]);
		}
	}
}

/* One takes out and is killed again and again, while others add. */
static void taker(struct place *t)
{
	struct spool *s = open_it(t, 1 << 20);
	struct spooled row = { .seq = 0 };

	buf_init(&row.body, 4096);
	for (;;) {
		int32_t slot = spool_slot(s, 0);
		if (slot >= 0 && spool_next(s, slot, 0, 0, &row, NULL) == RC_OK &&
		    spool_done(s, &row.seq, 1, NULL, NULL) != RC_OK)
			_exit(1);
	}
}

static void killed_while_taking_out(void **state)
{
	const struct timespec some = { 0, 30000000 };
	struct place *t = *state;
	struct spool_stats st, told;

	for (int round = 0; round < 8; round++) {
		pid_t pid;
		for (int i = 0; i < 30; i++)
			add(t, i % 2 ? ANNA : BORIS, "x");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			die_with_parent();
			taker(t);
		}
		(void)nanosleep(&some, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(spool_stats(t->s, &st, NULL), RC_OK);
		spool_glance(t->s, &told);
		assert_true(told.rows >= st.rows);
		assert_true(st.rows == 0 || spool_slot(t->s, 0) >= 0);
	}
	/* what crashes left over in the counts is set right */
	for (int32_t slot = 0; (slot = spool_slot(t->s, slot)) >= 0;)
		if (spool_next(t->s, slot, 0, 0, &t->row, NULL) == RC_OK)
			done(t);
	none_left(t, ANNA);
	none_left(t, BORIS);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(kept_in_order_by_slot),
		CASE(people_of_one_slot_are_told_apart),
		CASE(the_same_update_is_kept_once),
		CASE(a_person_is_told_once_a_minute),
		CASE(several_are_done_at_once),
		CASE(counts_come_back_after_a_restart),
		CASE(seen_by_all_processes),
		CASE(another_versions_counts_are_refused),
		CASE(too_much_is_refused),
		CASE(nothing_is_kept_on_a_full_disk),
		CASE(killed_while_adding),
		CASE(killed_while_taking_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
