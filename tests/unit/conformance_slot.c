/*
 * conformance_slot.c - slots as a whole: moved exactly as stored, listed,
 * counted, and cleared without touching their neighbours.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "shards/router.h"
#include "utils/buf.h"

enum { WHO = 42, NEIGHBOUR = WHO + SLOT_COUNT, OTHER = WHO + 1, DAY = 20000,
	MANY_MEALS = 900 };

static void text_fill(char *out, size_t size, const char *sign)
{
	size_t n = strlen(sign);

	for (size_t i = 0; i + n < size; i += n)
		memcpy(out + i, sign, n + 1);
}

static void meals_put(struct store *s, int64_t who)
{
	struct meal m = meal_of(who, DAY, 1);
	struct err e;

	meal_items_fill(&m, MEAL_ITEMS_MAX, "");
	for (int i = 0; i < MEAL_ITEMS_MAX; i++) {
		text_fill(m.items[i].name, FOOD_NAME_SIZE, "ж");
		text_fill(m.items[i].query, FOOD_NAME_SIZE, "q");
	}
	OK(s->ops->meal_add(s, &m, NULL, &e));
	m = meal_of(who, DAY, 2);
	m.chat_id = -1001234567890;
	m.edit_date = 77;
	OK(s->ops->meal_add(s, &m, NULL, &e));
	m.deleted = 1;
	OK(s->ops->meal_replace(s, &m, NULL, &e));
	m = meal_of(who, -DAY, INT64_MAX);
	meal_items_fill(&m, 0, "");
	OK(s->ops->meal_add(s, &m, NULL, &e));
}

static void foods_put(struct store *s, int64_t who)
{
	struct own_food f = { .user_id = who, .slot = slot_of(who),
		.per100 = { 1, 2, 3, INT64_C(900000000000) },
		.updated_at = 1700000000001 };
	struct err e;

	text_fill(f.key, sizeof(f.key), "к");
	text_fill(f.name, sizeof(f.name), "Б");
	OK(s->ops->own_food_put(s, &f, &e));
	(void)str_copy(f.key, sizeof(f.key), "k $a.b '\"\\");
	f.name[0] = '\0';
	OK(s->ops->own_food_put(s, &f, &e));
}

/* A job of each state; their ids begin with tag. */
static void jobs_put(struct store *s, int64_t who, const char *tag)
{
	struct job *j = calloc(4, sizeof(*j));
	struct err e;
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		char id[JOB_ID_SIZE];

		(void)str_format(id, sizeof(id), "%s:%d", tag, i);
		j[i] = job_of(id, who, 1000 + i);
	}
	text_fill(j[3].payload, JOB_PAYLOAD_SIZE, "я");
	text_fill(j[3].id + strlen(tag) + 2, JOB_ID_SIZE - strlen(tag) - 2, "i");
	OK(s->ops->job_add(s, j, 3, &e));
	OK(s->ops->job_lease(s, 1002, 500000, 99, 3, NULL, j, &n, &e));
	assert_int_equal(n, 3);
	j[0].state = JOB_DONE;
	j[0].done_at = 5000;
	j[1].state = JOB_DEAD;
	j[1].tries = JOB_TRIES_MAX;
	text_fill(j[1].last_error, JOB_ERROR_SIZE, "ё");
	OK(s->ops->job_settle(s, j, 2, &e));
	j[3].run_at = 900000;
	OK(s->ops->job_add(s, &j[3], 1, &e));
	free(j);
}

void person_fill(struct store *s, int64_t who, const char *tag)
{
	struct user u = user_of(who);
	struct err e;

	text_fill(u.draft, sizeof(u.draft), "щ");
	text_fill(u.name, sizeof(u.name), "🥣");
	u.own_foods = 2;
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->user_put(s, &u, &e));
	meals_put(s, who);
	foods_put(s, who);
	jobs_put(s, who, tag);
}

static enum rc keep(void *ctx, const struct record *r, struct err *e)
{
	return record_pack_add(ctx, r, e);
}

struct digests slot_pack(struct store *s, int32_t slot, const int64_t *users,
    size_t n, struct record_pack *out)
{
	struct record_pack own, *p = out ? out : &own;
	struct digests d;
	struct err e = { 0 };

	record_pack_init(p);
	if (s->ops->slot_read(s, slot, users, n, keep, p, &e) != RC_OK)
		fail_msg("slot %d: %s", (int)slot, e.text);
	d = p->digests;
	if (!out)
		record_pack_release(p);
	return d;
}

static void assert_digests(const struct digests *a, const struct digests *b)
{
	for (int i = 0; i < COLLECTION_COUNT; i++)
		if (memcmp(&a->of[i], &b->of[i], sizeof(a->of[i])) != 0)
			fail_msg("%s differ: %d records and %d",
			    collection_name((enum collection)i),
			    (int)a->of[i].records, (int)b->of[i].records);
}

static void person_moves_exactly_as_stored(void **state)
{
	struct store *s = ((struct store_place *)*state)->s, *t;
	const int64_t who = WHO;
	struct record_pack p;
	struct digests d, there;
	struct user u;
	struct meal m;
	struct job *j = calloc(4, sizeof(*j));
	void *second = NULL;
	struct err e;
	size_t n = 0;

	assert_int_equal(store_place_setup(&second), 0);
	t = ((struct store_place *)second)->s;
	person_fill(s, WHO, "a");
	d = slot_pack(s, slot_of(WHO), &who, 1, &p);
	assert_int_equal(d.of[COLLECTION_USERS].records, 1);
	assert_int_equal(d.of[COLLECTION_MEALS].records, 3);
	assert_int_equal(d.of[COLLECTION_OWN_FOODS].records, 2);
	assert_int_equal(d.of[COLLECTION_JOBS].records, 4);
	for (int i = 0; i < 2; i++) {	/* twice gives the same */
		OK(t->ops->slot_write(t, slot_of(WHO), &who, 1, &p, &e));
		there = slot_pack(t, slot_of(WHO), &who, 1, NULL);
		assert_digests(&d, &there);
	}
	/* and it works on: revisions, tombstones and leases are the same */
	OK(t->ops->user_get(t, WHO, &u, &e));
	assert_int_equal(u.rev, 2);
	OK(t->ops->user_put(t, &u, &e));
	OK(t->ops->meal_get(t, WHO, DAY, -1001234567890, 2, &m, &e));
	assert_int_equal(m.deleted, 1);
	assert_int_equal(m.rev, 2);
	m.deleted = 0;
	OK(t->ops->meal_replace(t, &m, NULL, &e));
	OK(t->ops->job_list(t, JOB_LEASED, 4, j, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(j->lease_token, 99);
	j->state = JOB_DONE;
	OK(t->ops->job_settle(t, j, 1, &e));
	OK(t->ops->job_list(t, JOB_LEASED, 4, j, &n, &e));
	assert_int_equal(n, 0);
	record_pack_release(&p);
	free(j);
	(void)store_place_teardown(&second);
}

static void later_copy_replaces_the_person_alone(void **state)
{
	struct store *s = ((struct store_place *)*state)->s, *t;
	const int64_t who = WHO, neighbour = NEIGHBOUR;
	struct record_pack p;
	struct digests d, there, beside;
	void *second = NULL;
	struct meal m = meal_of(WHO, DAY + 1, 1);
	struct err e;

	assert_int_equal(store_place_setup(&second), 0);
	t = ((struct store_place *)second)->s;
	person_fill(s, WHO, "a");
	person_fill(t, NEIGHBOUR, "b");
	beside = slot_pack(t, slot_of(WHO), &neighbour, 1, NULL);
	(void)slot_pack(s, slot_of(WHO), &who, 1, &p);
	OK(t->ops->slot_write(t, slot_of(WHO), &who, 1, &p, &e));
	record_pack_release(&p);
	/* something new, and something less */
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->job_revive(s, "a:1", true, 0, &e));
	d = slot_pack(s, slot_of(WHO), &who, 1, &p);
	OK(t->ops->slot_write(t, slot_of(WHO), &who, 1, &p, &e));
	there = slot_pack(t, slot_of(WHO), &who, 1, NULL);
	assert_digests(&d, &there);
	/* nothing is left of who was erased meanwhile */
	record_pack_clear(&p);
	OK(t->ops->slot_write(t, slot_of(WHO), &who, 1, &p, &e));
	d = p.digests;
	there = slot_pack(t, slot_of(WHO), &who, 1, NULL);
	assert_digests(&d, &there);
	there = slot_pack(t, slot_of(WHO), NULL, 0, NULL);
	assert_digests(&beside, &there);
	record_pack_release(&p);
	(void)store_place_teardown(&second);
}

static void big_person_comes_in_several_packs(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	const int64_t who = WHO;
	struct digests sum = { 0 }, there;
	struct record_pack p;
	struct record *r = calloc(1, sizeof(*r));
	struct err e;

	record_pack_init(&p);
	for (int i = 0; i < 4; i++) {
		record_pack_clear(&p);
		for (int k = 0; k < 10; k++) {
			r->kind = COLLECTION_MEALS;
			r->meal = meal_of(WHO, DAY + i, k);
			r->meal.rev = 1 + k;
			OK(record_pack_add(&p, r, &e));
		}
		digests_add(&sum, &p.digests);
		OK(s->ops->slot_write(s, slot_of(WHO), &who, i == 0, &p, &e));
	}
	there = slot_pack(s, slot_of(WHO), NULL, 0, NULL);
	assert_digests(&sum, &there);
	/* the last one again, as after a crash */
	OK(s->ops->slot_write(s, slot_of(WHO), NULL, 0, &p, &e));
	there = slot_pack(s, slot_of(WHO), &who, 1, NULL);
	assert_digests(&sum, &there);
	record_pack_release(&p);
	free(r);
}

struct seen {
	int64_t user[32];
	int n, stop_at;
};

static enum rc see(void *ctx, const struct record *r, struct err *e)
{
	struct seen *seen = ctx;

	assert_true(seen->n < (int)COUNT(seen->user));
	seen->user[seen->n++] = record_user_id(r);
	if (seen->n == seen->stop_at)
		return err_set(e, RC_BUSY, "enough");
	return RC_OK;
}

static void slot_is_read_person_by_person(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	const int64_t both[] = { NEIGHBOUR, 77 * SLOT_COUNT + WHO, WHO };
	struct digests all, sum, one;
	struct seen seen = { .n = 0 };
	struct err e = { 0 };

	person_fill(s, WHO, "a");
	person_fill(s, NEIGHBOUR, "b");
	person_fill(s, OTHER, "c");
	OK(s->ops->slot_read(s, slot_of(WHO), both, 3, see, &seen, &e));
	assert_int_equal(seen.n, 20);
	for (int i = 0; i < 20; i++)
		assert_true(seen.user[i] == seen.user[i / 10 * 10]);
	assert_true(seen.user[0] + seen.user[10] == WHO + NEIGHBOUR);
	all = slot_pack(s, slot_of(WHO), NULL, 0, NULL);
	sum = slot_pack(s, slot_of(WHO), &both[0], 1, NULL);
	one = slot_pack(s, slot_of(WHO), &both[2], 1, NULL);
	digests_add(&sum, &one);
	assert_digests(&all, &sum);
	memset(&seen, 0, sizeof(seen));
	seen.stop_at = 2;
	assert_int_equal(s->ops->slot_read(s, slot_of(WHO), NULL, 0, see, &seen,
	    &e), RC_BUSY);
	assert_string_equal(e.text, "enough");
	assert_int_equal(seen.n, 2);
	/* and the store works on */
	OK(s->ops->erase(s, WHO, &e));
}

static void people_of_a_slot_are_listed_in_pages(void **state)
{
	static const int64_t ids[] = { -2 * SLOT_COUNT + WHO, WHO, NEIGHBOUR,
		WHO + 2 * SLOT_COUNT };
	struct store *s = ((struct store_place *)*state)->s;
	struct user u = user_of(ids[0]), other = user_of(OTHER);
	struct meal m = meal_of(ids[1], DAY, 1), again;
	struct own_food f = { .user_id = ids[2], .slot = slot_of(WHO),
		.key = "k", .name = "n" };
	struct job *j = calloc(1, sizeof(*j));
	int64_t got[8] = { 0 };
	struct err e;
	size_t n = 9;

	OK(s->ops->slot_users(s, slot_of(WHO), INT64_MIN, 8, got, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->user_put(s, &other, &e));
	OK(s->ops->meal_add(s, &m, NULL, &e));
	m = meal_of(ids[1], DAY, 2);	/* twice there, once listed */
	OK(s->ops->meal_add(s, &m, NULL, &e));
	again = meal_of(ids[0], DAY, 1);
	OK(s->ops->meal_add(s, &again, NULL, &e));
	OK(s->ops->own_food_put(s, &f, &e));
	*j = job_of("x", ids[3], 1);
	OK(s->ops->job_add(s, j, 1, &e));
	OK(s->ops->slot_users(s, slot_of(WHO), INT64_MIN, 8, got, &n, &e));
	assert_int_equal(n, 4);
	for (int i = 0; i < 4; i++)
		assert_true(got[i] == ids[i]);
	OK(s->ops->slot_users(s, slot_of(WHO), ids[0], 2, got, &n, &e));
	assert_int_equal(n, 2);
	assert_true(got[0] == ids[1] && got[1] == ids[2]);
	OK(s->ops->slot_users(s, slot_of(WHO), ids[2], 2, got, &n, &e));
	assert_int_equal(n, 1);
	assert_true(got[0] == ids[3]);
	OK(s->ops->slot_users(s, slot_of(WHO), ids[3], 2, got, &n, &e));
	assert_int_equal(n, 0);
	free(j);
}

static void many_meals_write(struct store *s)
{
	struct record *r = calloc(1, sizeof(*r));
	struct record_pack p;
	struct err e;

	record_pack_init(&p);
	for (int i = 0; i < MANY_MEALS; i++) {
		r->kind = COLLECTION_MEALS;
		r->meal = meal_of(WHO, DAY + i % 30, i);
		r->meal.rev = 1;
		OK(record_pack_add(&p, r, &e));
	}
	OK(s->ops->slot_write(s, slot_of(WHO), NULL, 0, &p, &e));
	record_pack_release(&p);
	free(r);
}

static void clearing_leaves_the_neighbours_alone(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct digests before[2], after, none = { 0 };
	int64_t got[2];
	struct err e;
	size_t n = 9;

	person_fill(s, OTHER, "c");
	person_fill(s, WHO - 1, "d");
	before[0] = slot_pack(s, slot_of(OTHER), NULL, 0, NULL);
	before[1] = slot_pack(s, slot_of(WHO - 1), NULL, 0, NULL);
	person_fill(s, WHO, "a");
	person_fill(s, NEIGHBOUR, "b");
	many_meals_write(s);
	OK(s->ops->slot_clear(s, slot_of(WHO), &e));
	after = slot_pack(s, slot_of(WHO), NULL, 0, NULL);
	assert_digests(&none, &after);
	OK(s->ops->slot_users(s, slot_of(WHO), INT64_MIN, 2, got, &n, &e));
	assert_int_equal(n, 0);
	after = slot_pack(s, slot_of(OTHER), NULL, 0, NULL);
	assert_digests(&before[0], &after);
	after = slot_pack(s, slot_of(WHO - 1), NULL, 0, NULL);
	assert_digests(&before[1], &after);
	OK(s->ops->slot_clear(s, slot_of(WHO), &e));
}

static void jobs_alone_are_cleared(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct digests before, after;
	struct err e;

	person_fill(s, WHO, "a");
	person_fill(s, OTHER, "c");
	before = slot_pack(s, slot_of(WHO), NULL, 0, NULL);
	OK(s->ops->slot_clear_jobs(s, slot_of(WHO), &e));
	after = slot_pack(s, slot_of(WHO), NULL, 0, NULL);
	memset(&before.of[COLLECTION_JOBS], 0, sizeof(before.of[0]));
	assert_digests(&before, &after);
	after = slot_pack(s, slot_of(OTHER), NULL, 0, NULL);
	assert_int_equal(after.of[COLLECTION_JOBS].records, 4);
}

static void census_counts_each_slot(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct slot_census *c = calloc(SLOT_COUNT, sizeof(*c));
	struct err e;

	person_fill(s, WHO, "a");
	person_fill(s, NEIGHBOUR, "b");
	person_fill(s, -1, "c");
	memset(c, 0xff, SLOT_COUNT * sizeof(*c));
	OK(s->ops->census(s, c, &e));
	for (int i = 0; i < SLOT_COUNT; i++) {
		uint32_t people = i == slot_of(WHO) ? 2 : i == slot_of(-1);

		assert_int_equal(c[i].users, people);
		assert_int_equal(c[i].records[COLLECTION_USERS], people);
		assert_int_equal(c[i].records[COLLECTION_MEALS], 3 * people);
		assert_int_equal(c[i].records[COLLECTION_OWN_FOODS], 2 * people);
		assert_int_equal(c[i].records[COLLECTION_JOBS], 4 * people);
	}
	free(c);
}

static void info_says_what_is_there(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct store_info i = { .schema = -1 };
	struct err e;

	person_fill(s, WHO, "a");
	person_fill(s, OTHER, "b");
	OK(s->ops->info(s, &i, &e));
	assert_non_null(strstr(store_place_base(), i.backend));
	assert_true(i.backend[0] && i.version[0]);
	assert_true(i.schema > 0);
	assert_int_equal(i.schema, i.schema_known);
	assert_int_equal(i.records[COLLECTION_USERS], 2);
	assert_int_equal(i.records[COLLECTION_MEALS], 6);
	assert_int_equal(i.records[COLLECTION_OWN_FOODS], 4);
	assert_int_equal(i.records[COLLECTION_JOBS], 8);
	for (int k = 0; k < COLLECTION_COUNT; k++)
		assert_true(i.bytes[k] == -1 || i.bytes[k] > 0);
	assert_true(i.disk_free == -1 || i.disk_free > 0);
}

const struct CMUnitTest conformance_slot[] = {
	CASE(person_moves_exactly_as_stored),
	CASE(later_copy_replaces_the_person_alone),
	CASE(big_person_comes_in_several_packs),
	CASE(slot_is_read_person_by_person),
	CASE(people_of_a_slot_are_listed_in_pages),
	CASE(clearing_leaves_the_neighbours_alone),
	CASE(jobs_alone_are_cleared),
	CASE(census_counts_each_slot),
	CASE(info_says_what_is_there),
};
const size_t conformance_slot_n = COUNT(conformance_slot);
