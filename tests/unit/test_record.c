/*
 * test_record.c - canonical bytes: pinned, strict when read, whatever lies in
 * memory behind a text; digests that no order changes and no double fools.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "models/record.h"
#include "utils/buf.h"

#define OK(call)	assert_int_equal((call), RC_OK)

static struct record *record_new(enum collection kind)
{
	struct record *r = calloc(1, sizeof(*r));

	r->kind = kind;
	switch (kind) {
	case COLLECTION_USERS:
		r->user.user_id = -7;
		r->user.slot = 5033;
		(void)str_copy(r->user.name, sizeof(r->user.name), "Ёж 🦔");
		break;
	case COLLECTION_MEALS:
		r->meal = (struct meal){ .user_id = 42, .slot = 42,
			.day = -1, .chat_id = INT64_MIN, .nitems = 2 };
		(void)str_copy(r->meal.items[1].name, FOOD_NAME_SIZE, "хлеб");
		r->meal.items[1].n.carb = INT64_MAX;
		break;
	case COLLECTION_OWN_FOODS:
		r->own_food = (struct own_food){ .user_id = 42, .slot = 42 };
		break;
	case COLLECTION_JOBS:
	case COLLECTION_COUNT:
		r->job = (struct job){ .user_id = 1, .slot = 1 };
		memset(r->job.payload, 'p', JOB_PAYLOAD_SIZE - 1);
		break;
	}
	return r;
}

/* The same record in dirty memory: only what means something is the same. */
static struct record *record_dirty(enum collection kind)
{
	struct record *r = record_new(kind), *d = malloc(sizeof(*d));
	struct record_pack p;
	struct err e;
	size_t pos = 0;

	record_pack_init(&p);
	OK(record_pack_add(&p, r, &e));
	memset(d, 0xa5, sizeof(*d));
	OK(record_pack_next(&p, &pos, d, &e));
	assert_int_equal(record_pack_next(&p, &pos, r, &e), RC_NOTFOUND);
	record_pack_release(&p);
	free(r);
	return d;
}

/* What every kind's row must say, or what is made from it is of another. */
static void every_kind_has_a_whole_row(void **state)
{
	bool emptied[COLLECTION_COUNT] = { false };

	(void)state;
	for (int i = 0; i < COLLECTION_COUNT; i++) {
		const struct kind *k = kind_of(i);
		size_t user_id = SIZE_MAX, slot = SIZE_MAX;

		assert_string_equal(collection_name(i), k->name);
		for (const struct column *c = k->columns; c->name; c++) {
			if (strcmp(c->name, "user_id") == 0)
				user_id = c->offset;
			if (strcmp(c->name, "slot") == 0)
				slot = c->offset;
		}
		assert_int_equal(user_id, k->user_id);
		assert_int_equal(slot, k->slot);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(kind_of(j)->name, k->name);
		emptied[kind_to_empty(i)] = true;
	}
	for (int i = 0; i < COLLECTION_COUNT; i++)
		assert_true(emptied[i]);
	/* A job must not run twice; a half-erased person must be seen. */
	assert_true(kind_of(kind_to_empty(0))->work);
	assert_int_equal(kind_to_empty(COLLECTION_COUNT - 1), COLLECTION_USERS);
}

static void what_is_no_kind_is_nobodys_and_no_job(void **state)
{
	struct record *r = record_new(COLLECTION_COUNT);

	(void)state;
	assert_null(kind_of(COLLECTION_COUNT));
	assert_null(kind_of((enum collection)-1));
	assert_string_equal(collection_name(COLLECTION_COUNT), "?");
	assert_int_equal(record_user_id(r), 0);
	assert_int_equal(record_slot(r), -1);
	free(r);
}

static void key_check(const struct record *r, const char *expected)
{
	char key[RECORD_KEY_SIZE];

	record_key(r, key, sizeof(key));
	assert_string_equal(key, expected);
}

static void keys_are_as_a_dba_looks_for_them(void **state)
{
	struct record *r[COLLECTION_COUNT];

	(void)state;
	for (int k = 0; k < COLLECTION_COUNT; k++)
		r[k] = record_new(k);
	(void)str_copy(r[COLLECTION_OWN_FOODS]->own_food.key, FOOD_NAME_SIZE,
	    "сыр day=1");
	(void)str_copy(r[COLLECTION_JOBS]->job.id, JOB_ID_SIZE, "send:1");
	key_check(r[COLLECTION_USERS], "user_id=-7");
	key_check(r[COLLECTION_MEALS], "day=-1 chat_id=-9223372036854775808"
	    " message_id=0");
	key_check(r[COLLECTION_OWN_FOODS], "сыр day=1");
	key_check(r[COLLECTION_JOBS], "send:1");
	for (int k = 0; k < COLLECTION_COUNT; k++)
		free(r[k]);
}

static void digest_is_of_what_is_meant(void **state)
{
	(void)state;
	for (int k = 0; k < COLLECTION_COUNT; k++) {
		struct record *a = record_new(k), *b = record_dirty(k);
		struct digests da = { 0 }, db = { 0 };
		struct err e;

		assert_int_equal(b->kind, k);
		assert_true(record_user_id(a) == record_user_id(b));
		assert_int_equal(record_slot(a), record_slot(b));
		OK(digests_add_record(&da, a, &e));
		OK(digests_add_record(&db, b, &e));
		assert_true(digests_equal(&da, &db));
		assert_int_equal(da.of[k].records, 1);
		free(a);
		free(b);
	}
}

/* Hosts of one version compare digests, so the bytes may not change unnoticed. */
static void bytes_are_pinned(void **state)
{
	static const unsigned char want[] = {
		62, 0, 0, 0,			/* length */
		COLLECTION_OWN_FOODS,
		0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	/* user_id -2 */
		0xae, 0x13, 0, 0,		/* slot 5038 */
		2, 0, 'k', '1',			/* key */
		3, 0, 0xd0, 0xb1, '!',		/* name */
		1, 0, 0, 0, 0, 0, 0, 0,		/* cal */
		0, 2, 0, 0, 0, 0, 0, 0,		/* protein */
		3, 0, 0, 0, 0, 0, 0, 0,		/* fat */
		4, 0, 0, 0, 0, 0, 0, 0,		/* carb */
		5, 0, 0, 0, 0, 0, 0, 0,		/* updated_at */
	};
	struct record *r = record_new(COLLECTION_OWN_FOODS);
	struct record_pack p;
	struct err e;

	(void)state;
	r->own_food = (struct own_food){ .user_id = -2, .slot = 5038,
		.key = "k1", .name = "б!", .per100 = { 1, 512, 3, 4 },
		.updated_at = 5 };
	record_pack_init(&p);
	OK(record_pack_add(&p, r, &e));
	assert_int_equal(p.bytes.len, sizeof(want));
	assert_memory_equal(p.bytes.s, want, sizeof(want));
	assert_int_equal(p.digests.of[COLLECTION_OWN_FOODS].bytes,
	    sizeof(want) - 4);
	assert_true(p.digests.of[COLLECTION_OWN_FOODS].lo ==
	    UINT64_C(0x0c0b8c5d50248f9b));
	assert_true(p.digests.of[COLLECTION_OWN_FOODS].hi ==
	    UINT64_C(0x00d05c6b58a98a5e));
	record_pack_release(&p);
	free(r);
}

static void meals_take_no_room_for_items_not_there(void **state)
{
	struct record *r = record_new(COLLECTION_MEALS);
	struct digests d = { 0 };
	struct err e;

	(void)state;
	r->meal.nitems = 0;
	OK(digests_add_record(&d, r, &e));
	assert_true(d.of[COLLECTION_MEALS].bytes < 120);
	r->meal.nitems = MEAL_ITEMS_MAX + 1;
	assert_int_equal(digests_add_record(&d, r, &e), RC_INVALID);
	r->meal.nitems = -1;
	assert_int_equal(digests_add_record(&d, r, &e), RC_INVALID);
	free(r);
}

static void order_does_not_count_and_doubles_do(void **state)
{
	struct record *r[COLLECTION_COUNT];
	struct digests a = { 0 }, b = { 0 }, zero = { 0 };
	struct err e;

	(void)state;
	for (int k = 0; k < COLLECTION_COUNT; k++)
		r[k] = record_new(k);
	for (int round = 0; round < 50; round++) {
		struct record *u = r[COLLECTION_USERS];

		u->user.rev = round;
		OK(digests_add_record(&a, u, &e));
		u->user.rev = 49 - round;
		OK(digests_add_record(&b, u, &e));
	}
	assert_true(digests_equal(&a, &b));
	OK(digests_add_record(&a, r[COLLECTION_JOBS], &e));
	assert_false(digests_equal(&a, &b));
	OK(digests_add_record(&b, r[COLLECTION_JOBS], &e));
	assert_true(digests_equal(&a, &b));
	/* an exclusive or would forget both of these */
	OK(digests_add_record(&a, r[COLLECTION_MEALS], &e));
	OK(digests_add_record(&a, r[COLLECTION_MEALS], &e));
	a.of[COLLECTION_MEALS].records = 0;
	a.of[COLLECTION_MEALS].bytes = 0;
	assert_false(digests_equal(&a, &b));
	digests_sub(&a, &a);
	assert_true(digests_equal(&a, &zero));
	digests_add(&a, &b);
	assert_true(digests_equal(&a, &b));
	for (int k = 0; k < COLLECTION_COUNT; k++)
		free(r[k]);
}

static void sums_carry_over(void **state)
{
	struct digests a = { 0 }, b = { 0 }, was;

	(void)state;
	a.of[0].lo = UINT64_MAX;
	a.of[0].hi = UINT64_MAX;
	b.of[0].lo = 2;
	was = a;
	digests_add(&a, &b);
	assert_true(a.of[0].lo == 1);
	assert_true(a.of[0].hi == 0);
	digests_sub(&a, &b);
	assert_true(digests_equal(&a, &was));
}

static void damaged_bytes_are_corrupt(void **state)
{
	(void)state;
	for (int k = 0; k < COLLECTION_COUNT; k++) {
		struct record *r = record_new(k), *out = calloc(1, sizeof(*out));
		struct record_pack p;
		struct err e;

		out->kind = COLLECTION_COUNT;
		record_pack_init(&p);
		if (k == COLLECTION_JOBS)
			r->job.payload[100] = '\0';
		OK(record_pack_add(&p, r, &e));
		size_t len = p.bytes.len;
		for (size_t cut = 1; cut < len; cut++) {
			uint32_t head = (uint32_t)(len - 4 - cut);
			size_t pos = 0;

			/* cut off, and the length as it was */
			p.bytes.len = len - cut;
			assert_int_equal(record_pack_next(&p, &pos, out, &e),
			    RC_CORRUPT);
			assert_int_equal(pos, 0);
			if (cut > len - 4)
				continue;
			/* cut off, and the length made to fit */
			memcpy(p.bytes.s, &head, 4);
			assert_int_equal(record_pack_next(&p, &pos, out, &e),
			    RC_CORRUPT);
			head = (uint32_t)(len - 4);
			memcpy(p.bytes.s, &head, 4);
		}
		assert_int_equal(out->kind, COLLECTION_COUNT);
		record_pack_release(&p);
		free(r);
		free(out);
	}
}

static void strange_bytes_are_corrupt(void **state)
{
	struct record *r = record_new(COLLECTION_OWN_FOODS);
	struct record *out = calloc(1, sizeof(*out));
	struct record_pack p;
	struct err e;
	size_t pos = 0;

	(void)state;
	(void)str_copy(r->own_food.key, FOOD_NAME_SIZE, "abc");
	record_pack_init(&p);
	OK(record_pack_add(&p, r, &e));
	p.bytes.s[4] = COLLECTION_COUNT;	/* no such collection */
	assert_int_equal(record_pack_next(&p, &pos, out, &e), RC_CORRUPT);
	p.bytes.s[4] = COLLECTION_OWN_FOODS;
	p.bytes.s[4 + 1 + 12 + 2] = '\0';	/* a text that ends early */
	assert_int_equal(record_pack_next(&p, &pos, out, &e), RC_CORRUPT);
	p.bytes.s[4 + 1 + 12 + 2] = 'a';
	p.bytes.s[0]++;				/* a byte too many */
	buf_putc(&p.bytes, 'x');
	assert_int_equal(record_pack_next(&p, &pos, out, &e), RC_CORRUPT);
	p.bytes.s[0]--;
	OK(record_pack_next(&p, &pos, out, &e));
	assert_string_equal(out->own_food.key, "abc");
	assert_int_equal(record_pack_next(&p, &pos, out, &e), RC_CORRUPT);
	pos = p.bytes.len + 5;			/* nobody's position */
	assert_int_equal(record_pack_next(&p, &pos, out, &e), RC_CORRUPT);
	record_pack_release(&p);
	free(r);
	free(out);
}

static void pack_ends_at_its_most(void **state)
{
	struct record *r = record_new(COLLECTION_JOBS);
	struct record *out = calloc(1, sizeof(*out));
	struct record_pack p;
	struct err e;
	size_t n = 0, pos = 0;
	enum rc rc;

	(void)state;
	record_pack_init(&p);
	while ((rc = record_pack_add(&p, r, &e)) == RC_OK)
		n++;
	assert_int_equal(rc, RC_TOOBIG);
	assert_true(p.bytes.len <= RECORD_PACK_MAX);
	assert_true(p.bytes.len > RECORD_PACK_MAX - 20000);
	assert_int_equal(p.n, n);
	/* what was in it is whole */
	while ((rc = record_pack_next(&p, &pos, out, &e)) == RC_OK)
		n--;
	assert_int_equal(rc, RC_NOTFOUND);
	assert_int_equal(n, 0);
	record_pack_clear(&p);
	OK(record_pack_add(&p, r, &e));
	assert_int_equal(p.digests.of[COLLECTION_JOBS].records, 1);
	record_pack_release(&p);
	free(r);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_whole_row),
		cmocka_unit_test(what_is_no_kind_is_nobodys_and_no_job),
		cmocka_unit_test(keys_are_as_a_dba_looks_for_them),
		cmocka_unit_test(digest_is_of_what_is_meant),
		cmocka_unit_test(bytes_are_pinned),
		cmocka_unit_test(meals_take_no_room_for_items_not_there),
		cmocka_unit_test(order_does_not_count_and_doubles_do),
		cmocka_unit_test(sums_carry_over),
		cmocka_unit_test(damaged_bytes_are_corrupt),
		cmocka_unit_test(strange_bytes_are_corrupt),
		cmocka_unit_test(pack_ends_at_its_most),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
