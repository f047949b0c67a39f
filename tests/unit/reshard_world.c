/* reshard_world.c - the place and the people, see reshard_world.h. */
#include "config.h"

#include "reshard_world.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

static int32_t slot_no(int i)
{
	return i * 10 + i % 7;
}

static void shard_name(struct world *w, int i, bool mongo)
{
	struct shard_conf *s = &w->shards[i];
	const char *server = getenv("FAMILYBOT_TEST_MONGO_URI");

	(void)str_format(s->name, sizeof(s->name), "shard%d", i);
	if (mongo)
		(void)str_format(s->uri, sizeof(s->uri), "%s/fbkill_%d_%llx_%d",
		    server ? server : "mongodb://127.0.0.1", (int)getpid(),
		    (unsigned long long)clock_mono_us(), i);
	else
		(void)str_format(s->uri, sizeof(s->uri), "sqlite:%s/s%d.db",
		    w->dir, i);
}

struct world *world_new(const char *kind)
{
	const char *tmp = getenv("TMPDIR");
	struct world *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct slots *m = NULL;
	struct err e = { RC_OK, "" };

	if (w == MAP_FAILED)
		abort();
	(void)str_format(w->dir, sizeof(w->dir), "%s/fbkill.XXXXXX",
	    tmp ? tmp : "/tmp");
	if (!mkdtemp(w->dir))
		abort();
	(void)str_format(w->map, sizeof(w->map), "%s/slots.map", w->dir);
	for (int i = 0; i < WORLD_SHARDS; i++)
		shard_name(w, i, strcmp(kind, "mongo") == 0 ||
		    (i >= WORLD_FIRST && strcmp(kind, "mixed") == 0));
	for (int i = 0; i < WORLD_PEOPLE; i++) {
		int k = i / WORLD_SLOTS;

		w->people[i].id = slot_no(i % WORLD_SLOTS) +
		    (int64_t)SLOT_COUNT * (k == 2 ? -1 : k);
	}
	if (slots_open(w->map, w->shards, WORLD_FIRST, true, &m, &e) != RC_OK) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	slots_free(m);
	return w;
}

static int remove_one(const char *path, const struct stat *st, int what,
    struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

void world_free(struct world *w)
{
	(void)nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)munmap(w, sizeof(*w));
}

struct person *world_find(struct world *w, int64_t id)
{
	int32_t slot = slot_of(id);
	int i = slot / 10;
	int64_t k = (id - slot) / SLOT_COUNT;

	if (i >= WORLD_SLOTS || slot_no(i) != slot || k < -1 || k > 1)
		return NULL;
	return &w->people[(k < 0 ? 2 : (int)k) * WORLD_SLOTS + i];
}

/* As a process reads shards.conf again when the map has a new shard. */
static enum rc reload(void *ctx, struct shard_conf **out, int *n, struct err *e)
{
	struct world *w = ctx;

	(void)e;
	*out = malloc(sizeof(w->shards));
	if (!*out)
		return RC_SYSTEM;
	memcpy(*out, w->shards, sizeof(w->shards));
	*n = WORLD_SHARDS;
	return RC_OK;
}

struct router *world_router(struct world *w, int n)
{
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = n, .sync = STORE_SYNC_NORMAL,
		.create = true, .fence_wait_ms = 500, .reload = reload,
		.reload_ctx = w };
	struct router *r = NULL;
	struct err e = { RC_OK, "" };

	if (router_open(&c, &r, &e) != RC_OK) {
		fprintf(stderr, "%s\n", e.text);
		_exit(3);
	}
	return r;
}

void world_violation(struct world *w, const char *fmt, ...)
{
	va_list ap;

	atomic_fetch_add(&w->violations, 1);
	if (atomic_flag_test_and_set(&w->worded))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w->words, sizeof(w->words), fmt, ap);
	va_end(ap);
}
