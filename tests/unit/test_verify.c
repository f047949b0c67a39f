/*
 * test_verify.c - verify finds what is planted, each kind as what it is and
 * nothing else; it repairs only what is safe.
 */
#include "config.h"

#include "verify_place.h"

#include <string.h>
#include <unistd.h>

#include "utils/buf.h"

static enum rc record_add(void *ctx, const struct record *r, struct err *e)
{
	return record_pack_add(ctx, r, e);
}

/* What the person has on one shard, onto another as well. */
static void person_copy(struct world *w, int64_t id, int from, int to)
{
	struct store *a = world_shard(w, from), *b = world_shard(w, to);
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
	struct store *s = world_shard(w, shard);

	OK(s->ops->erase(s, id, &e));
}

static void all_is_well_and_the_digest_counts_everything(void **state)
{
	struct world *w = *state;
	struct heard h, again;

	people_put(w);
	h = world_verify(w, true, false);
	found_nothing(&h);
	assert_int_equal(h.r.users, PEOPLE);
	assert_int_equal(h.r.records, PEOPLE * 6);
	assert_int_equal(h.r.all.of[COLLECTION_MEALS].records, PEOPLE * 3);
	assert_int_equal(h.r.all.of[COLLECTION_JOBS].records, PEOPLE);
	assert_int_equal(h.r.shards_unread, 0);
	again = world_verify(w, true, false);
	assert_true(digests_equal(&h.r.all, &again.r.all));
	world_sql(w, 1, "UPDATE food_analysis SET at = at + 1 WHERE user_id = 4 "
	    "AND day = 20000");
	again = world_verify(w, true, false);
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
	h = world_verify(w, true, false);
	person_copy(w, 4, 1, 2);
	person_drop(w, 4, 1);
	entry = slots_get(w->slots, 4);
	entry.owner = entry.target = 2;
	entry.generation++;
	OK(slots_lock(w->slots, 4, true, 1000, &e));
	OK(slots_set(w->slots, 4, entry, &e));
	slots_unlock(w->slots, 4);
	after = world_verify(w, true, false);
	found_nothing(&after);
	assert_true(digests_equal(&h.r.all, &after.r.all));
}

static void a_copy_elsewhere_is_a_duplicate_and_is_repaired(void **state)
{
	struct world *w = *state;
	struct heard h, before;

	people_put(w);
	before = world_verify(w, true, false);
	person_copy(w, 7, 1, 2);
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.last.shard, 2);
	assert_int_equal(h.last.slot, 7);
	assert_int_equal(h.lines, COLLECTION_COUNT);
	h = world_verify(w, false, true);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.repaired, 6);
	h = world_verify(w, true, false);
	found_nothing(&h);
	assert_true(digests_equal(&h.r.all, &before.r.all));
}

static void an_older_copy_is_orphaned_and_stays(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	person_copy(w, 7, 1, 2);
	world_sql(w, 1, "UPDATE food_analysis SET rev = rev + 1 WHERE user_id = 7 "
	    "AND day = 20001");
	h = world_verify(w, false, true);
	assert_int_equal(h.n[VERIFY_ORPHANED], 1);
	assert_int_equal(h.n[VERIFY_DUPLICATE], 5);
	/* one of this person's records differs: nothing of theirs is deleted */
	assert_int_equal(h.repaired, 0);
	h = world_verify(w, false, false);
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
		h = world_verify(w, false, repair == 1);
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
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.last.shard, 2);
}

static void drift_is_found_and_counted_again(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	world_sql(w, 0, "UPDATE users SET own_foods = 9 WHERE user_id = 6");
	world_sql(w, 0, "UPDATE food_analysis SET cal = cal + 5 WHERE user_id = 9 "
	    "AND day = 20002");
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_DRIFT, 2);
	h = world_verify(w, false, true);
	found_only(&h, VERIFY_DRIFT, 2);
	assert_int_equal(h.repaired, 2);
	h = world_verify(w, false, false);
	found_nothing(&h);
}

static void drift_of_a_slot_that_moves_is_left_alone(void **state)
{
	struct world *w = *state;
	struct slot_entry entry = { .owner = 0, .target = 1,
		.state = SLOT_COPYING };
	struct heard h;
	struct err e = { 0 };

	people_put(w);
	world_sql(w, 0, "UPDATE users SET own_foods = 9 WHERE user_id = 6");
	OK(slots_lock(w->slots, 6, true, 1000, &e));
	OK(slots_set(w->slots, 6, entry, &e));
	slots_unlock(w->slots, 6);
	h = world_verify(w, false, true);
	found_only(&h, VERIFY_DRIFT, 1);
	assert_int_equal(h.repaired, 0);
}

static void unreadable_records_are_named_and_the_rest_is_read(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	world_sql(w, 2, "UPDATE food_analysis SET items = '[not' WHERE user_id = 5 "
	    "AND day = 20000");
	for (int digests = 0; digests < 2; digests++) {
		h = world_verify(w, digests == 1, false);
		found_only(&h, VERIFY_UNREADABLE, 1);
		assert_int_equal(h.last.slot, 5);
		assert_int_equal(h.last.shard, 2);
	}
	world_sql(w, 2, "UPDATE food_analysis SET items = '[]', cal = 0, protein = 0,"
	    " fat = 0, carb = 0 WHERE user_id = 5 AND day = 20000");
	h = world_verify(w, true, false);
	found_nothing(&h);
}

static void a_record_in_the_wrong_slot_is_found(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	world_sql(w, 2, "UPDATE food_analysis SET slot = 8 WHERE user_id = 5 AND "
	    "day = 20000");
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_UNREADABLE, 1);
	assert_non_null(strstr(h.words, "belongs to slot 5"));
}

static void a_slot_that_there_is_not_is_found(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	world_sql(w, 2, "UPDATE food_analysis SET slot = 9999 WHERE user_id = 5 AND "
	    "day = 20000");
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_UNREADABLE, 1);
	assert_int_equal(h.last.slot, -1);
	assert_int_equal(h.last.collection, COLLECTION_MEALS);
}

static void own_foods_without_a_profile_are_orphaned(void **state)
{
	struct world *w = *state;
	struct heard h;

	people_put(w);
	world_sql(w, 2, "DELETE FROM users WHERE user_id = 11");
	h = world_verify(w, false, false);
	found_only(&h, VERIFY_ORPHANED, 1);
	assert_int_equal(h.last.collection, COLLECTION_OWN_FOODS);
	/* meals and jobs of somebody without a profile are no fault */
	world_sql(w, 2, "DELETE FROM own_foods WHERE user_id = 11");
	h = world_verify(w, true, false);
	found_nothing(&h);
}

static void jobs_of_nobody_are_no_fault(void **state)
{
	struct world *w = *state;
	struct store *s = world_shard(w, 0);
	struct job j = job_of("purge", 0, 1000);
	struct err e = { 0 };
	struct heard h;

	OK(s->ops->job_add(s, &j, 1, &e));
	h = world_verify(w, true, false);
	found_nothing(&h);
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
	h = world_verify(w, true, false);
	found_only(&h, VERIFY_DUPLICATE, 6);
	assert_int_equal(h.r.shards_unread, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, verify_setup, verify_teardown)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
