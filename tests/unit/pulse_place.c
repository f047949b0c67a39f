/* pulse_place.c - see pulse_place.h. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pulse_place.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "utils/buf.h"

void sleep_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
}

int pulse_setup(void **state)
{
	struct pulse_place *t = test_calloc(1, sizeof(*t));
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

int pulse_teardown(void **state)
{
	struct pulse_place *t = *state;

	for (int i = 0; i < PLACES; i++)
		pulse_free(t->p[i]);
	(void)unlink(t->path);
	(void)rmdir(t->dir);
	test_free(t);
	return 0;
}

enum rc enter(struct pulse *p, int shard)
{
	return pulse_enter(p, shard, true, SHARDS, NULL);
}

void fails(struct pulse *p)
{
	assert_int_equal(enter(p, SHARD), RC_OK);
	pulse_leave(p, SHARD, RC_UNAVAILABLE);
}

enum pulse_state state_now(struct pulse *p)
{
	struct pulse_shard s;

	pulse_read(p, SHARD, &s);
	return s.state;
}

void opens(struct pulse_place *t)
{
	for (int i = 0; i < 3; i++)
		fails(t->p[i]);
	assert_int_equal(state_now(t->p[3]), PULSE_OPEN);
}

struct pulse *worker_of(struct pulse_place *t)
{
	struct pulse *w = NULL;

	assert_int_equal(pulse_open(t->path, true, &w, NULL), RC_OK);
	return w;
}

/* A child that enters and is killed there. */
void killed_inside(const char *path, bool worker)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct pulse *p = NULL;
		if (pulse_open(path, worker, &p, NULL) == RC_OK &&
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
