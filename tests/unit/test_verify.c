/*
 * test_verify.c - verify finds what is planted, each kind as what it is and
 * nothing else; under load it finds nothing; it repairs only what is safe.
 */
#include "config.h"

#include "conformance.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reshard/verify.h"
#include "store/router.h"
#include "store/slots.h"
#include "store/sqlite.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { SHARDS = 3, PEOPLE = 60 };

struct world {
	char dir[400], map[512];
	struct shard_conf shards[SHARDS];
	struct router *router;
	struct slots *slots;
};

struct heard {
	struct world *w;
	int64_t n[VERIFY_KINDS], lines, repaired;
	struct verify_finding last;
	char words[512];
	struct verify_result r;
};

static int setup(void **state)
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

static int teardown(void **state)
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

static struct store *shard_of(struct world *w, int shard)
{
	struct store *s = NULL;
	struct err e = { 0 };

	OK(router_shard(w->router, shard, &s, &e));
	return s;
}

/* A profile, some meals, an own food that the profile counts, a job. */
static void person_put(struct store *s, int64_t id)
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

static void people_put(struct world *w)
{
	for (int64_t id = 1; id <= PEOPLE; id++)
		person_put(shard_of(w, (int)(id % SHARDS)), id);
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

static struct heard verify(struct world *w, bool digests, bool repair)
{
	struct heard h = { .w = w };
	struct verify_conf c = { .router = w->router, .slots = w->slots,
		.dir = w->dir, .only_slot = -1, .only_shard = -1,
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

/* Only of these, n of that kind. */
static void found_only(const struct heard *h, enum verify_kind kind,
    int64_t n)
{
	for (int i = 0; i < VERIFY_KINDS; i++)
		if (h->n[i] != ((enum verify_kind)i == kind ? n : 0))
			fail_msg("%lld %s; last: %s", (long long)h->n[i],
			    verify_kind_name((enum verify_kind)i), h->words);
}

static void clean(const struct heard *h)
{
	found_only(h, VERIFY_DRIFT, 0);
}

static void sql(struct world *w, int shard, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(w->shards[shard].uri + 7, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static enum rc record_add(void *ctx, const struct record *r, struct err *e)
{
	return record_pack_add(ctx, r, e);
}

/* What the person has on one shard, onto another as well. */
static void person_copy(struct world *w, int64_t id, int from, int to)
{
	struct store *a = shard_of(w, from), *b = shard_of(w, to);
	struct record_pack pack;
	struct err e = { 0 };

	record_pack_init(&pack);
	OK(a->ops->slot_read(a, slot_of(id), &id, 1, record_add, &pack, &e));
	assert_true(pack.n >= 6);
	OK(b->ops->slot_write(b, slot_of(id), &id, 1, &pack, &e));
	record_pack_release(&pack);
}

static void person_drop(struct world *w, int64_t id, int shard)
{
	struct err e = { 0 };
	struct store *s = shard_of(w, shard);

	OK(s->ops->erase(s, id, &e));
}

static void all_is_well_and_the_digest_counts_everything(void **state)
{
	struct world *w = *state;
	struct heard h, again;

	people_put(w);
	h = verify(w, true, false);
	clean(&h);
	assert_int_equal(h.r.users, PEOPLE);
	assert_int_equal(h.r.records, PEOPLE * 6);
	assert_int_equal(h.r.all.of[COLLECTION_MEALS].records, PEOPLE * 3);
	assert_int_equal(h.r.all.of[COLLECTION_JOBS].records, PEOPLE);
	assert_int_equal(h.r.shards_unread, 0);
	again = verify(w, true, false);
	assert_true(digests_equal(&h.r.all, &again.r.all));
	sql(w, 1, "UPDATE food_analysis SET at = at + 1 WHERE user_id = 4 "
	    "AND day = 20000");
	again = verify(w, true, false);
	assert_false(digests_equal(&h.r.all, &again.r.all));
}

/* Slots that lie elsewhere, the same records: the same digest of all. */
static void the_digest_is_the_same_wherever_slots_lie(void **state)
{
	struct world *w = *state;
	struct slot_entry entry;
	struct heard h, after;
	struct err e = { 0 };

	people_put(w);
	h = verify(w, true, false);
	person_copy(w, 4, 1, 2);
	person_drop(w, 4, 1);
	entry = slots_get(w->slots, 4);
	entry.owner = entry.target = 2;
	entry.generation++;
	OK(slots_lock(w->slots, 4, true, 1000, &e));
	OK(slots_set(w->slots, 4, entry, &e));
	slots_unlock(w->slots, 4);
	after = verify(w, true, false);
	clean(&after);
	assert_true(digests_equal(&h.r.all, &after.r.all));
}

static void a_copy_elsewhere_is_a_duplicate_and_is_repaired(void **state)
{
	struct world *w = *state;
	struct heard h, before;

	people_put(w);
	before = verify(w, true, false);
	person_copy(w, 7, 1, 2);
	h = verify(w, false, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.last.shard, 2);
	assert_int_equal(h.last.slot, 7);
	assert_int_equal(h.lines, COLLECTION_COUNT);
	h = verify(w, false, true);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.repaired, 6);
	h = verify(w, true, false);
	clean(&h);
	assert_true(digests_equal(&h.r.all, &before.r.all));
}

static void an_older_copy_is_orphaned_and_stays(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	person_copy(w, 7, 1, 2);
	sql(w, 1, "UPDATE food_analysis SET rev = rev + 1 WHERE user_id = 7 "
	    "AND day = 20001");
	h = verify(w, false, true);
	assert_int_equal(h.n[VERIFY_ORPHANED], 1);
	assert_int_equal(h.n[VERIFY_DUPLICATE], 5);
	/* one of this person's records differs: nothing of theirs is deleted */
	assert_int_equal(h.repaired, 0);
	h = verify(w, false, false);
	assert_int_equal(h.n[VERIFY_ORPHANED], 1);
	assert_int_equal(h.n[VERIFY_DUPLICATE], 5);
}

static void what_the_owner_lacks_is_misplaced_and_stays(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	person_copy(w, 8, 2, 0);
	person_drop(w, 8, 2);
	for (int repair = 0; repair < 2; repair++) {
		h = verify(w, false, repair == 1);
		found_only(&h, VERIFY_MISPLACED, 6);
		assert_int_equal(h.last.shard, 0);
		assert_int_equal(h.last.slot, 8);
		assert_non_null(strstr(h.words, "shard2"));
	}
}

static void the_target_of_a_slot_that_is_copied_is_passed_over(void **state)
{
	struct world *w = *state;
	struct slot_entry entry = { .owner = 1, .target = 0,
		.state = SLOT_COPYING };
	struct heard h;
	struct err e = { 0 };

	people_put(w);
	person_copy(w, 7, 1, 0);
	person_copy(w, 7, 1, 2);
	OK(slots_lock(w->slots, 7, true, 1000, &e));
	OK(slots_set(w->slots, 7, entry, &e));
	slots_unlock(w->slots, 7);
	h = verify(w, false, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.last.shard, 2);
}

static void drift_is_found_and_counted_again(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	sql(w, 0, "UPDATE users SET own_foods = 9 WHERE user_id = 6");
	sql(w, 0, "UPDATE food_analysis SET cal = cal + 5 WHERE user_id = 9 "
	    "AND day = 20002");
	h = verify(w, false, false);
	found_only(&h, VERIFY_DRIFT, 2);
	h = verify(w, false, true);
	found_only(&h, VERIFY_DRIFT, 2);
	assert_int_equal(h.repaired, 2);
	h = verify(w, false, false);
	clean(&h);
}

static void drift_of_a_slot_that_moves_is_left_alone(void **state)
{
	struct world *w = *state;
	struct slot_entry entry = { .owner = 0, .target = 1,
		.state = SLOT_COPYING };
	struct heard h;
	struct err e = { 0 };

	people_put(w);
	sql(w, 0, "UPDATE users SET own_foods = 9 WHERE user_id = 6");
	OK(slots_lock(w->slots, 6, true, 1000, &e));
	OK(slots_set(w->slots, 6, entry, &e));
	slots_unlock(w->slots, 6);
	h = verify(w, false, true);
	found_only(&h, VERIFY_DRIFT, 1);
	assert_int_equal(h.repaired, 0);
}

static void unreadable_records_are_named_and_the_rest_is_read(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	sql(w, 2, "UPDATE food_analysis SET items = '[not' WHERE user_id = 5 "
	    "AND day = 20000");
	for (int digests = 0; digests < 2; digests++) {
		h = verify(w, digests == 1, false);
		found_only(&h, VERIFY_UNREADABLE, 1);
		assert_int_equal(h.last.slot, 5);
		assert_int_equal(h.last.shard, 2);
	}
	sql(w, 2, "UPDATE food_analysis SET items = '[]', cal = 0, protein = 0,"
	    " fat = 0, carb = 0 WHERE user_id = 5 AND day = 20000");
	h = verify(w, true, false);
	clean(&h);
}

static void a_record_in_the_wrong_slot_is_found(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	sql(w, 2, "UPDATE food_analysis SET slot = 8 WHERE user_id = 5 AND "
	    "day = 20000");
	h = verify(w, false, false);
	found_only(&h, VERIFY_UNREADABLE, 1);
	assert_non_null(strstr(h.words, "belongs to slot 5"));
}

static void a_slot_that_there_is_not_is_found(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	sql(w, 2, "UPDATE food_analysis SET slot = 9999 WHERE user_id = 5 AND "
	    "day = 20000");
	h = verify(w, false, false);
	found_only(&h, VERIFY_UNREADABLE, 1);
	assert_int_equal(h.last.slot, -1);
	assert_int_equal(h.last.collection, COLLECTION_MEALS);
}

static void own_foods_without_a_profile_are_orphaned(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	sql(w, 2, "DELETE FROM users WHERE user_id = 11");
	h = verify(w, false, false);
	found_only(&h, VERIFY_ORPHANED, 1);
	assert_int_equal(h.last.collection, COLLECTION_OWN_FOODS);
	/* meals and jobs of somebody without a profile are no fault */
	sql(w, 2, "DELETE FROM own_foods WHERE user_id = 11");
	h = verify(w, true, false);
	clean(&h);
}

static void jobs_of_nobody_are_no_fault(void **state)
{
	struct world *w = *state;
	struct store *s = shard_of(w, 0);
	struct job j = job_of("purge", 0, 1000);
	struct err e = { 0 };
	struct heard h;

	OK(s->ops->job_add(s, &j, 1, &e));
	h = verify(w, true, false);
	clean(&h);
	assert_int_equal(h.r.records, 1);
}

static void a_shard_that_is_gone_hides_no_faults_of_others(void **state)
{
	struct world *w = *state;
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 500 };
	struct heard h;
	struct err e = { 0 };

	people_put(w);
	person_copy(w, 7, 1, 2);
	router_free(w->router);
	w->router = NULL;
	assert_int_equal(unlink(w->shards[0].uri + 7), 0);
	OK(router_open(&c, &w->router, &e));
	h = verify(w, true, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.r.shards_unread, 1);
}

/* -- under load -- */

/* What each process's own people do: write, teach, erase themselves and come back; the
 * slots' locks are taken as the programs take them. */
static void live(struct router *r, int64_t id, int32_t day, uint32_t *seed)
{
	struct route route;
	struct err e = { 0 };
	struct meal m = meal_of(id, day, rand_r(seed));
	struct own_food f = { .user_id = id, .slot = slot_of(id) };
	struct user u;
	const struct store_ops *ops;

	OK(router_enter(r, id, &route, &e));
	ops = route.store->ops;
	OK(ops->meal_add(route.store, &m, NULL, &e));
	if (rand_r(seed) % 8 == 0) {
		OK(ops->erase(route.store, id, &e));
		person_put(route.store, id);
	}
	if (rand_r(seed) % 4 == 0) {
		(void)str_format(f.key, sizeof(f.key), "k%d", rand_r(seed));
		(void)str_copy(f.name, sizeof(f.name), "x");
		OK(ops->own_food_put(route.store, &f, &e));
		OK(ops->user_get(route.store, id, &u, &e));
		u.own_foods++;
		OK(ops->user_put(route.store, &u, &e));
	}
	router_leave(&route);
}

static int load(int i, void *ctx)
{
	struct world *w = ctx;
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 5000 };
	uint32_t seed = (uint32_t)i + 1;
	int64_t end = clock_mono_us() + 3000 * 1000;
	struct router *r = NULL;
	struct err e = { 0 };
	int32_t day = 20100;

	if (router_open(&c, &r, &e) != RC_OK)
		return 1;
	while (clock_mono_us() < end)
		live(r, i + 3 * (rand_r(&seed) % (PEOPLE / 3)), day++, &seed);
	router_free(r);
	return 0;
}

static int verify_beside(int i, void *ctx)
{
	struct world *w = ctx, own = *w;
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 500 };
	int64_t end = clock_mono_us() + 2800 * 1000;
	struct heard h;
	struct err e = { 0 };
	int n = 0;

	if (i > 0)
		return load(i, ctx);
	if (router_open(&c, &own.router, &e) != RC_OK ||
	    slots_open(w->map, NULL, 0, true, &own.slots, &e) != RC_OK)
		return 1;
	while (clock_mono_us() < end) {
		h = verify(&own, n % 2 == 0, false);
		if (h.lines > 0)
			print_error("%s: %s\n", verify_kind_name(h.last.kind),
			    h.words);
		if (h.lines > 0)
			return 2;
		n++;
	}
	router_free(own.router);
	slots_free(own.slots);
	return n >= 2 ? 0 : 3;
}

static void under_load_nothing_is_found(void **state)
{
	struct world *w = *state;
	int code[4];
	struct heard h;

	people_put(w);
	/* children open their own */
	router_free(w->router);
	w->router = NULL;
	processes_run(4, verify_beside, w, code);
	for (int i = 0; i < 4; i++)
		assert_int_equal(code[i], 0);
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 500 };
	struct err e = { 0 };
	OK(router_open(&c, &w->router, &e));
	h = verify(w, true, false);
	clean(&h);
	assert_true(h.r.records > PEOPLE * 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_well_and_the_digest_counts_everything),
		TEST(the_digest_is_the_same_wherever_slots_lie),
		TEST(a_copy_elsewhere_is_a_duplicate_and_is_repaired),
		TEST(an_older_copy_is_orphaned_and_stays),
		TEST(what_the_owner_lacks_is_misplaced_and_stays),
		TEST(the_target_of_a_slot_that_is_copied_is_passed_over),
		TEST(drift_is_found_and_counted_again),
		TEST(drift_of_a_slot_that_moves_is_left_alone),
		TEST(unreadable_records_are_named_and_the_rest_is_read),
		TEST(a_record_in_the_wrong_slot_is_found),
		TEST(a_slot_that_there_is_not_is_found),
		TEST(own_foods_without_a_profile_are_orphaned),
		TEST(jobs_of_nobody_are_no_fault),
		TEST(a_shard_that_is_gone_hides_no_faults_of_others),
		TEST(under_load_nothing_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
