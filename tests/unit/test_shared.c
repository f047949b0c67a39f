/*
 * test_shared.c - who opens a shared file first sets it right, and who was
 * killed before it was done has not.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shards/shared.h"
#include "utils/buf.h"

enum { SIZE = 4096, LAYOUT = 7, WAITERS = 6 };

struct shared_place {
	char dir[64], path[128];
};

static int setup(void **state)
{
	struct shared_place *t = test_calloc(1, sizeof(*t));

	str_copy(t->dir, sizeof(t->dir), "/tmp/test_shared.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	str_format(t->path, sizeof(t->path), "%s/file", t->dir);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct shared_place *t = *state;

	(void)unlink(t->path);
	(void)rmdir(t->dir);
	test_free(t);
	return 0;
}

static struct shared open_it(const struct shared_place *t)
{
	struct shared s = { .fd = -1 };
	struct err e = { .text = "" };

	if (shared_open(t->path, SIZE, LAYOUT, false, &s, &e) != RC_OK)
		fail_msg("%s", e.text);
	return s;
}

/* In a child, which has no test to fail. */
static struct shared open_or_end(const struct shared_place *t)
{
	struct shared s = { .fd = -1 };

	if (shared_open(t->path, SIZE, LAYOUT, false, &s, NULL) != RC_OK)
		_exit(9);
	return s;
}

static void sleep_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
}

/* A value beside the layout, as its owner wrote it. */
static void value_put(const struct shared *s, int v)
{
	((int *)s->p)[16] = v;
}

static int value_of(const struct shared *s)
{
	return ((int *)s->p)[16];
}

/* A child that runs work with the file, then says so and stays. */
static pid_t child(const struct shared_place *t, void (*work)(const struct shared_place *t))
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(t);
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void gone(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What a first one leaves that has begun to set things right. */
static void begins(const struct shared_place *t)
{
	struct shared s = open_or_end(t);

	if (!s.first)
		_exit(9);
	value_put(&s, 0);
}

/* ... and one that was making the file. */
static void makes(const struct shared_place *t)
{
	struct shared s = open_or_end(t);

	if (!s.first || ftruncate(s.fd, 0) != 0)
		_exit(9);
}

/* Waits for the first, and ends as it found things. */
static pid_t waiter(const struct shared_place *t)
{
	pid_t pid = fork();
	struct shared s;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	s = open_or_end(t);
	if (s.first) {
		sleep_ms(50);
		value_put(&s, 5);
		shared_ready(&s);
		sleep_ms(500);
		_exit(1);
	}
	_exit(value_of(&s) == 5 ? 0 : 2);
}

static void first_is_replaced(struct shared_place *t, void (*work)(const struct shared_place *))
{
	pid_t first, others[WAITERS];
	int firsts = 0, status;

	first = child(t, work);
	for (int i = 0; i < WAITERS; i++)
		others[i] = waiter(t);
	sleep_ms(100);
	gone(first);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(waitpid(others[i], &status, 0), others[i]);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, 1);
		firsts += WEXITSTATUS(status);
	}
	assert_int_equal(firsts, 1);
}

static void a_first_one_killed_while_it_counts_is_replaced(void **state)
{
	struct shared_place *t = *state;
	struct shared s = open_it(t);

	value_put(&s, 5);
	shared_ready(&s);
	shared_close(&s);
	first_is_replaced(t, begins);
}

static void a_first_one_killed_while_it_makes_the_file_is_replaced(void **state)
{
	first_is_replaced(*state, makes);
}

static void a_first_one_that_gives_up_is_replaced(void **state)
{
	struct shared_place *t = *state;
	struct shared s = open_it(t);

	assert_true(s.first);
	shared_close(&s);	/* without shared_ready */
	s = open_it(t);
	assert_true(s.first);
	shared_ready(&s);
	shared_close(&s);
}

static void who_is_ready_lets_others_in(void **state)
{
	struct shared_place *t = *state;
	struct shared a = open_it(t), b;

	assert_true(a.first && a.empty);
	value_put(&a, 5);
	shared_ready(&a);
	b = open_it(t);
	assert_false(b.first);
	assert_int_equal(value_of(&b), 5);
	shared_close(&a);
	shared_close(&b);
	a = open_it(t);		/* of processes that all are gone */
	assert_true(a.first && !a.empty);
	assert_int_equal(value_of(&a), 5);
	shared_close(&a);
}

static void another_layout_is_refused_or_replaced(void **state)
{
	struct shared_place *t = *state;
	struct shared a = open_it(t), b = { .fd = -1 };
	struct err e = { .text = "" };

	shared_ready(&a);
	assert_int_equal(shared_open(t->path, SIZE, LAYOUT + 1, false, &b, &e),
	    RC_CONFLICT);
	assert_non_null(strstr(e.text, "stop all"));
	assert_int_equal(shared_open(t->path, SIZE, LAYOUT + 1, true, &b, &e),
	    RC_OK);
	assert_true(b.first && b.empty);
	shared_close(&a);
	shared_close(&b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_is_ready_lets_others_in),
		CASE(a_first_one_killed_while_it_counts_is_replaced),
		CASE(a_first_one_killed_while_it_makes_the_file_is_replaced),
		CASE(a_first_one_that_gives_up_is_replaced),
		CASE(another_layout_is_refused_or_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
