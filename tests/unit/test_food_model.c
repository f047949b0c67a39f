/*
 * test_food_model.c - sums of nutrients, and items as they are stored.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/food.h"

static void parts_are_rounded_to_nearest(void **state)
{
	const struct nutrients per100 = { 92000, 3380, 620, 19940 };
	struct nutrients n = nutrients_for(&per100, 200000);

	(void)state;
	assert_int_equal(n.cal, 184000);
	assert_int_equal(n.protein, 6760);
	n = nutrients_for(&per100, 1);
	assert_int_equal(n.cal, 1);
	assert_int_equal(n.protein, 0);
	n = nutrients_for(&(struct nutrients){ 900000, 100000, 100000, 100000 },
	    FOOD_MG_MAX);
	assert_int_equal(n.cal, 180000000);
}

static void meal_make(struct meal *m)
{
	memset(m, 0, sizeof(*m));
	m->nitems = 2;
	for (int i = 0; i < 2; i++) {
		struct food_item *it = &m->items[i];

		assert_true(str_copy(it->name, sizeof(it->name),
		    i == 0 ? "Гречка \"варёная\"" : "Egg\\\n"));
		assert_true(str_copy(it->query, sizeof(it->query), "гречки"));
		it->food_id = 100001 + i;
		it->source = i;
		it->guessed = i;
		it->mg = 200000;
		it->n = (struct nutrients){ 184000, 6760, 1240, 39880 };
	}
}

static void a_meal_is_the_sum_of_its_items(void **state)
{
	struct meal m;

	(void)state;
	meal_make(&m);
	meal_sum(&m);
	assert_int_equal(m.sum.cal, 368000);
	assert_int_equal(m.sum.carb, 79760);
	nutrients_sub(&m.sum, &m.items[0].n);
	assert_int_equal(m.sum.cal, 184000);
	m.nitems = 0;
	meal_sum(&m);
	assert_int_equal(m.sum.cal, 0);
}

static void items_survive_being_stored(void **state)
{
	struct meal m, back;
	struct buf b;

	(void)state;
	meal_make(&m);
	memset(&back, 0, sizeof(back));
	buf_init(&b, 65536);
	meal_items_encode(&m, &b);
	assert_int_equal(meal_items_decode(&back, b.s, b.len), RC_OK);
	assert_int_equal(back.nitems, 2);
	assert_memory_equal(back.items, m.items, sizeof(m.items));
	buf_clear(&b);
	m.nitems = 0;
	meal_items_encode(&m, &b);
	assert_string_equal(b.s, "[]");
	assert_int_equal(meal_items_decode(&back, b.s, b.len), RC_OK);
	assert_int_equal(back.nitems, 0);
	buf_release(&b);
}

/* A space more than the bot writes: read by the parser of all JSON. */
static void both_readers_read_the_same(void **state)
{
	static const char *const texts[] = { "[]",
		"[[\"a\",\"\",0,0,0,0,0,0,0,0]]",
		("[[\"щи 🥣\",\"b\",2147483647,2,1,1000000000000,1,2,3,4],"
		 "[\"c\",\"d\",1,1,0,10,20,30,40,50]]"),
		"[[\"a\\\"\\u0001\",\"b\",1,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",2147483648,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,1000000000001,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,99999999999999999999999,1,1,1,1]]",
		"[[\"a\",\"b\",01,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,1],]",
		"[[\"a\xc0\x80\",\"b\",1,0,0,1,1,1,1,1]]",
		"[[\"\xed\xa0\x80\",\"b\",1,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,1]]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,1]] x" };
	char spaced[300];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct meal a = { .nitems = 7 }, b = { .nitems = 7 };
		enum rc want = i < 4 ? RC_OK : RC_CORRUPT;

		assert_true(str_format(spaced, sizeof(spaced), "[ %s",
		    texts[i] + 1));
		assert_int_equal(meal_items_decode(&a, texts[i],
		    strlen(texts[i])), want);
		assert_int_equal(meal_items_decode(&b, spaced, strlen(spaced)),
		    want);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void other_data_is_corrupt(void **state)
{
	static const char *const bad[] = { "", "{}", "1", "[1]", "[[]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,1,1]]",
		"[[1,\"b\",1,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",-1,0,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,9,0,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,2,1,1,1,1,1]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,9999999999999999]]",
		"[[\"a\",\"b\",1,0,0,1,1,1,1,1]" };
	struct meal m = { .nitems = 7 };
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(meal_items_decode(&m, bad[i], strlen(bad[i])),
		    RC_CORRUPT);
		assert_int_equal(m.nitems, 7);
	}
	buf_init(&b, 65536);
	for (int i = 0; i <= MEAL_ITEMS_MAX; i++)
		buf_puts(&b, i == 0 ? "[[\"a\",\"b\",1,0,0,1,1,1,1,1]" :
		    ",[\"a\",\"b\",1,0,0,1,1,1,1,1]");
	buf_putc(&b, ']');
	assert_int_equal(meal_items_decode(&m, b.s, b.len), RC_CORRUPT);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_rounded_to_nearest),
		cmocka_unit_test(a_meal_is_the_sum_of_its_items),
		cmocka_unit_test(items_survive_being_stored),
		cmocka_unit_test(both_readers_read_the_same),
		cmocka_unit_test(other_data_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
