/* verify_place.c - see verify_place.h. */
#include "config.h"

#include "verify_place.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "utils/buf.h"

int verify_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL, .create = true,
		.fence_wait_ms = 2000 };
	struct err e = { 0 };

	(void)str_format(w->dir, sizeof(w->dir), "%s/fbverify.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	(void)str_format(w->map, sizeof(w->map), "%s/slots.map", w->dir);
	for (int i = 0; i < SHARDS; i++) {
		(void)str_format(w->shards[i].name, sizeof(w->shards[i].name),
		    "shard%d", i);
		(void)str_format(w->shards[i].uri, sizeof(w->shards[i].uri),
		    "sqlite:%s/shard%d.db", w->dir, i);
	}
	OK(router_open(&c, &w->router, &e));
	OK(slots_open(w->map, NULL, 0, true, &w->slots, &e));
	*state = w;
	return 0;
}

int verify_teardown(void **state)
{
	struct world *w = *state;
	char command[600];

	router_free(w->router);
	slots_free(w->slots);
	(void)str_format(command, sizeof(command), "rm -rf '%s'", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

struct store *world_shard(struct world *w, int shard)
{
	struct store *s = NULL;
	struct err e = { 0 };

	OK(router_shard(w->router, shard, &s, &e));
	return s;
}

void person_put(struct store *s, int64_t id)
{
	struct user u = user_of(id);
	struct own_food f = { .user_id = id, .slot = slot_of(id),
		.updated_at = 7 };
	struct job j;
	struct meal m;
	struct err e = { 0 };
	char name[64];

	u.own_foods = 1;
	OK(s->ops->user_put(s, &u, &e));
	for (int i = 0; i < 3; i++) {
		m = meal_of(id, 20000 + i, i + 1);
		OK(s->ops->meal_add(s, &m, NULL, &e));
	}
	(void)str_copy(f.key, sizeof(f.key), "каш");
	(void)str_copy(f.name, sizeof(f.name), "каша");
	OK(s->ops->own_food_put(s, &f, &e));
	(void)str_format(name, sizeof(name), "send:%lld:1", (long long)id);
	j = job_of(name, id, 1000);
	OK(s->ops->job_add(s, &j, 1, &e));
}

void people_put(struct world *w)
{
	for (int64_t id = 1; id <= PEOPLE; id++)
		person_put(world_shard(w, (int)(id % SHARDS)), id);
}

static void hear(void *ctx, const struct verify_finding *f)
{
	struct heard *h = ctx;

	h->n[f->kind] += f->records;
	h->lines++;
	h->repaired += f->repaired ? f->records : 0;
	h->last = *f;
	(void)str_copy(h->words, sizeof(h->words), f->words);
}

struct heard world_verify(struct world *w, bool digests, bool repair)
{
	struct heard h = { .w = w };
	const struct journal journal = { &journal_file, w->dir };
	struct verify_conf c = { .router = w->router, .slots = w->slots,
		.journal = &journal, .only_slot = -1, .only_shard = -1,
		.digests = digests, .repair = repair, .found = hear, .ctx = &h };
	struct err e = { 0 };
	enum rc rc = verify_run(&c, &h.r, &e);

	if (rc != RC_OK)
		fail_msg("verify: %s", e.text);
	for (int i = 0; i < VERIFY_KINDS; i++)
		assert_int_equal(h.n[i], h.r.found[i]);
	assert_int_equal(h.repaired, h.r.repaired);
	return h;
}

void found_only(const struct heard *h, enum verify_kind kind,
    int64_t n)
{
	for (int i = 0; i < VERIFY_KINDS; i++)
		if (h->n[i] != ((enum verify_kind)i == kind ? n : 0))
			fail_msg("%lld %s; last: %s", (long long)h->n[i],
			    verify_kind_name((enum verify_kind)i), h->words);
}

void found_nothing(const struct heard *h)
{
	found_only(h, VERIFY_DRIFT, 0);
}

void world_sql(struct world *w, int shard, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(w->shards[shard].uri + 7, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
