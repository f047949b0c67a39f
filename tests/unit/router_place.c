/*
 * router_place.c - see router_place.h.
 */
#include "config.h"

#include "router_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utils/buf.h"

int router_setup(void **state)
{
	struct router_place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");

	(void)str_format(p->dir, sizeof(p->dir), "%s/fbrouter.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	(void)str_format(p->map, sizeof(p->map), "%s/slots.map", p->dir);
	for (int i = 0; i < SHARDS; i++) {
		(void)str_format(p->shards[i].name, sizeof(p->shards[i].name),
		    "shard%d", i);
		(void)str_format(p->shards[i].uri, sizeof(p->shards[i].uri),
		    "sqlite:%s/s%d/shard.db", p->dir, i);
	}
	*state = p;
	return 0;
}

static void shard_dir(const struct router_place *p, int i, char *out, size_t size)
{
	(void)str_format(out, size, "%s/s%d", p->dir, i);
}

void shard_make(const struct router_place *p, int i)
{
	char dir[512];

	shard_dir(p, i, dir, sizeof(dir));
	assert_int_equal(mkdir(dir, 0700), 0);
}

void shard_remove(const struct router_place *p, int i)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-turn" };
	char path[600];

	for (int k = 0; k < 4; k++) {
		(void)str_format(path, sizeof(path), "%s/s%d/shard.db%s", p->dir,
		    i, ends[k]);
		(void)unlink(path);
	}
	shard_dir(p, i, path, sizeof(path));
	(void)rmdir(path);
}

int router_teardown(void **state)
{
	struct router_place *p = *state;
	char path[512];

	for (int i = 0; i < SHARDS; i++)
		shard_remove(p, i);
	(void)unlink(p->map);
	(void)str_format(path, sizeof(path), "%s/slots.lock", p->dir);
	(void)unlink(path);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

struct router *router_of(struct router_place *p, int n)
{
	struct router_conf c = { .map_path = p->map, .shards = p->shards,
		.nshards = n, .sync = STORE_SYNC_NORMAL, .create = true,
		.fence_wait_ms = 30 };
	struct router *r = NULL;
	struct err e = { 0 };

	if (router_open(&c, &r, &e) != RC_OK)
		fail_msg("%s", e.text);
	return r;
}
