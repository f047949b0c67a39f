/* reshard_place.c - see reshard_place.h. */
#include "config.h"

#include "reshard_place.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/clock.h"

static enum rc reload(void *ctx, struct shard_conf **out, int *n, struct err *e)
{
	const struct reshard_place *p = ctx;

	(void)e;
	*out = malloc(sizeof(p->shards));
	assert_non_null(*out);
	memcpy(*out, p->shards, sizeof(p->shards));
	*n = PLACE_SHARDS;
	return RC_OK;
}

int reshard_place_setup(void **state)
{
	struct reshard_place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");
	struct router_conf rc = { .map_path = p->map, .shards = p->shards,
		.nshards = PLACE_SHARDS, .sync = STORE_SYNC_FULL,
		.create = true, .fence_wait_ms = 50, .reload = reload,
		.reload_ctx = p };
	struct err e = { RC_OK, "" };

	(void)str_format(p->dir, sizeof(p->dir), "%s/fbreshard.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	(void)str_format(p->map, sizeof(p->map), "%s/slots.map", p->dir);
	for (int i = 0; i < PLACE_SHARDS; i++) {
		(void)str_format(p->shards[i].name, sizeof(p->shards[i].name),
		    "shard%d", i);
		(void)str_format(p->shards[i].uri, sizeof(p->shards[i].uri),
		    "sqlite:%s/s%d.db", p->dir, i);
	}
	OK(slots_open(p->map, p->shards, 2, true, &p->slots, &e));
	OK(router_open(&rc, &p->router, &e));
	assert_int_equal(pipe(p->stop), 0);
	p->c = (struct reshard_conf){ .dir = p->dir, .slots = p->slots,
		.journal = { &journal_file, p->dir },
		.router = p->router, .step = &step_local,
		.step_ctx = p->slots, .clock = &clock_system,
		.who = "anna", .stop_fd = p->stop[0] };
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int what,
    struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

int reshard_place_teardown(void **state)
{
	struct reshard_place *p = *state;

	router_free(p->router);
	slots_free(p->slots);
	(void)close(p->stop[0]);
	(void)close(p->stop[1]);
	(void)nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

void reshard_place_add(struct reshard_place *p, int n)
{
	struct err e = { RC_OK, "" };
	int index;

	for (int i = 0; i < n; i++) {
		OK(slots_shard_add(p->slots, p->shards[i].name, &index, &e));
		assert_int_equal(index, i);
	}
}

struct plan reshard_place_plan(const struct reshard_place *p, int n,
    enum plan_placement placement)
{
	struct plan plan = { .nnames = n, .placement = placement,
		.only_slot = -1 };

	for (int i = 0; i < n; i++)
		(void)str_copy(plan.names[i], sizeof(plan.names[i]),
		    p->shards[i].name);
	return plan;
}

void reshard_place_person(struct reshard_place *p, int64_t id, int meals)
{
	struct record *r = calloc(1, sizeof(*r));
	struct record_pack pack;
	struct store *s = NULL;
	struct err e = { RC_OK, "" };
	int32_t slot = slot_of(id);

	record_pack_init(&pack);
	r->user = (struct user){ .user_id = id, .slot = slot, .rev = 3 };
	(void)str_copy(r->user.zone, sizeof(r->user.zone), "UTC");
	OK(record_pack_add(&pack, r, &e));
	r->kind = COLLECTION_MEALS;
	for (int i = 0; i < meals; i++) {
		r->meal = (struct meal){ .user_id = id, .slot = slot,
			.day = 20000 + i / 100, .chat_id = id,
			.message_id = i + 1, .rev = 1, .nitems = 8 };
		for (int k = 0; k < r->meal.nitems; k++)
			(void)str_copy(r->meal.items[k].name, FOOD_NAME_SIZE,
			    "buckwheat with a long name, boiled");
		meal_sum(&r->meal);
		OK(record_pack_add(&pack, r, &e));
	}
	r->kind = COLLECTION_JOBS;
	r->job = (struct job){ .user_id = id, .slot = slot, .run_at = 1 };
	(void)str_format(r->job.id, sizeof(r->job.id), "send:%lld",
	    (long long)id);
	(void)str_copy(r->job.kind, sizeof(r->job.kind), "send");
	OK(record_pack_add(&pack, r, &e));
	OK(router_shard(p->router, slots_get(p->slots, slot).owner, &s, &e));
	OK(s->ops->slot_write(s, slot, &id, 1, &pack, &e));
	record_pack_release(&pack);
	free(r);
}

static enum rc count(void *ctx, const struct record *r, struct err *e)
{
	return digests_add_record(ctx, r, e);
}

struct digests reshard_place_has(struct reshard_place *p, int shard,
    int32_t slot)
{
	struct digests d = { { { 0 } } };
	struct store *s = NULL;
	struct err e = { RC_OK, "" };

	OK(router_shard(p->router, shard, &s, &e));
	OK(s->ops->slot_read(s, slot, NULL, 0, count, &d, &e));
	return d;
}
