/*
 * test_spool_kill.c - several processes add and take out, and are killed: what
 * was promised is there, in order, and never uncounted.
 */
#include "config.h"

#include "spool_place.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "utils/buf.h"

static void die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Children add as fast as they can and tell through a pipe what was promised;
 * they are killed; all that was promised is there, in order, and counted. */
static void adder(struct spool_place *t, int64_t user, int out)
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

static void what_was_promised_is_there(struct spool_place *t, int64_t user,
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
	struct spool_place *t = *state;

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
static void taker(struct spool_place *t)
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
	struct spool_place *t = *state;
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, spool_place_open, spool_place_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(killed_while_adding),
		CASE(killed_while_taking_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
