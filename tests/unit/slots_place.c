/*
 * slots_place.c - see slots_place.h.
 */
#include "config.h"

#include "slots_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "utils/buf.h"

int slots_place_setup(void **state)
{
	struct slots_place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");

	(void)str_format(p->dir, sizeof(p->dir), "%s/fbslots.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	(void)str_format(p->map, sizeof(p->map), "%s/slots.map", p->dir);
	for (int i = 0; i < 24; i++)
		(void)str_format(p->shards[i].name, sizeof(p->shards[i].name),
		    "shard%d", i);
	*state = p;
	return 0;
}

int slots_place_teardown(void **state)
{
	struct slots_place *p = *state;
	char lock[512];

	(void)str_format(lock, sizeof(lock), "%s/slots.lock", p->dir);
	(void)unlink(p->map);
	(void)unlink(lock);
	assert_int_equal(rmdir(p->dir), 0);	/* nothing else was left */
	free(p);
	return 0;
}

struct slots *map_open(struct slots_place *p, int n)
{
	struct slots *m = NULL;
	struct err e = { 0 };

	if (slots_open(p->map, p->shards, n, true, &m, &e) != RC_OK)
		print_error("%s\n", e.text);
	return m;
}

void poke(const struct slots_place *p, off_t at, const char *byte)
{
	int fd = open(p->map, O_WRONLY);

	assert_int_equal(pwrite(fd, byte, 1, at), 1);
	(void)close(fd);
}

pid_t holder(struct slots_place *p, bool (*act)(struct slots *m))
{
	int said[2];
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct slots *m = map_open(p, 3);

		(void)alarm(60);
		if (act(m))
			(void)!write(said[1], "y", 1);
		for (;;)
			(void)pause();
	}
	(void)close(said[1]);
	assert_int_equal(read(said[0], &c, 1), 1);
	(void)close(said[0]);
	return pid;
}
