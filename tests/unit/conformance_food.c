/*
 * conformance_food.c - meals and own foods: idempotence, changes, limits.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "shards/router.h"
#include "utils/buf.h"

enum { DAY = 20000 };

static void assert_meal(const struct meal *a, const struct meal *b)
{
	assert_same(meal_columns, a, b);
	assert_int_equal(a->nitems, b->nitems);
	for (int i = 0; i < a->nitems; i++)
		assert_same(food_item_columns, &a->items[i], &b->items[i]);
}

static void meal_comes_back_as_stored(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, DAY, 5), got;
	struct day_sum d;
	struct err e;

	meal_items_fill(&m, 3, "яйцо 🥚 \"C0\" \\ $x");
	m.edit_date = 77;
	OK(s->ops->meal_add(s, &m, &d, &e));
	assert_int_equal(m.rev, 1);
	assert_int_equal(d.day, DAY);
	assert_int_equal(d.meals, 1);
	assert_memory_equal(&d.sum, &m.sum, sizeof(d.sum));
	OK(s->ops->meal_get(s, 42, DAY, 42, 5, &got, &e));
	assert_meal(&m, &got);
	assert_int_equal(s->ops->meal_get(s, 42, DAY, 42, 6, &got, &e),
	    RC_NOTFOUND);
	assert_int_equal(s->ops->meal_get(s, 43, DAY, 42, 5, &got, &e),
	    RC_NOTFOUND);
}

static void second_delivery_changes_nothing(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, DAY, 5), again = meal_of(42, DAY, 5), got;
	struct day_sum d = { 0 };
	struct err e;

	OK(s->ops->meal_add(s, &m, NULL, &e));
	meal_items_fill(&again, 7, "other");
	assert_int_equal(s->ops->meal_add(s, &again, &d, &e), RC_CONFLICT);
	/* what is stored is told, so that the answer is the same */
	assert_meal(&m, &again);
	assert_int_equal(d.meals, 1);
	assert_true(d.sum.cal == m.sum.cal);
	OK(s->ops->meal_get(s, 42, DAY, 42, 5, &got, &e));
	assert_meal(&m, &got);
}

static int add_same(int i, void *ctx)
{
	struct store *s = store_place_connect(ctx);
	struct meal m = meal_of(42, DAY, 5);
	struct day_sum d;
	struct err e;
	enum rc rc;

	if (!s)
		return 100;
	meal_items_fill(&m, 1 + i, "x");
	rc = s->ops->meal_add(s, &m, &d, &e);
	if ((rc == RC_OK || rc == RC_CONFLICT) && d.meals != 1)
		return 101;
	store_close(s);
	return (int)rc;
}

static void ten_deliveries_at_once_store_one(void **state)
{
	struct store_place *p = *state;
	struct day_sum d;
	int code[10], first = 0, again = 0;
	struct err e;

	processes_run(10, add_same, p, code);
	for (int i = 0; i < 10; i++) {
		first += code[i] == RC_OK;
		again += code[i] == RC_CONFLICT;
	}
	assert_int_equal(first, 1);
	assert_int_equal(again, 9);
	OK(p->s->ops->day_sums(p->s, 42, DAY, DAY, &d, &e));
	assert_int_equal(d.meals, 1);
}

enum { EATERS = 5, MEALS = 12 };

static int add_own(int i, void *ctx)
{
	struct store *s = store_place_connect(ctx);
	struct err e;

	for (int k = 0; s && k < MEALS; k++) {
		struct meal m = meal_of(42, DAY, i * 100 + k);

		if (s->ops->meal_add(s, &m, NULL, &e) != RC_OK)
			return 1;
	}
	store_close(s);
	return s ? 0 : 2;
}

static void writers_do_not_lose_each_others_meals(void **state)
{
	struct store_place *p = *state;
	struct meal one = meal_of(42, DAY, 1);
	struct day_sum d;
	int code[EATERS];
	struct err e;

	processes_run(EATERS, add_own, p, code);
	for (int i = 0; i < EATERS; i++)
		assert_int_equal(code[i], 0);
	OK(p->s->ops->day_sums(p->s, 42, DAY, DAY, &d, &e));
	assert_int_equal(d.meals, EATERS * MEALS);
	assert_true(d.sum.cal == one.sum.cal * EATERS * MEALS);
}

static void change_is_compare_and_set(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, DAY, 5), other = meal_of(42, DAY, 6);
	struct meal stale, none = meal_of(42, DAY, 7), got;
	struct day_sum d = { 0 };
	struct err e;

	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->meal_add(s, &other, NULL, &e));
	stale = m;
	meal_items_fill(&m, 2, "рис");
	m.edit_date = 99;
	OK(s->ops->meal_replace(s, &m, &d, &e));
	assert_int_equal(m.rev, 2);
	assert_int_equal(d.meals, 2);
	assert_true(d.sum.cal == m.sum.cal + other.sum.cal);
	assert_int_equal(s->ops->meal_replace(s, &stale, &d, &e), RC_CONFLICT);
	assert_int_equal(stale.rev, 1);
	none.rev = 1;
	assert_int_equal(s->ops->meal_replace(s, &none, NULL, &e), RC_NOTFOUND);
	OK(s->ops->meal_get(s, 42, DAY, 42, 5, &got, &e));
	assert_meal(&m, &got);
}

static void undone_meal_stays_undone(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, DAY, 5), again = meal_of(42, DAY, 5), got;
	struct day_sum d = { 0 };
	struct err e;
	size_t n = 9;

	OK(s->ops->meal_add(s, &m, NULL, &e));
	m.deleted = 1;
	OK(s->ops->meal_replace(s, &m, &d, &e));
	assert_int_equal(d.meals, 0);
	assert_true(d.sum.cal == 0);
	/* a repeated delivery does not bring it back */
	assert_int_equal(s->ops->meal_add(s, &again, &d, &e), RC_CONFLICT);
	assert_int_equal(again.deleted, 1);
	assert_int_equal(d.meals, 0);
	OK(s->ops->meal_page(s, 42, NULL, 1, &got, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->meal_day(s, 42, DAY, 1, &got, &n, &e));
	assert_int_equal(n, 0);
	/* it can be restored */
	OK(s->ops->meal_get(s, 42, DAY, 42, 5, &got, &e));
	got.deleted = 0;
	OK(s->ops->meal_replace(s, &got, &d, &e));
	assert_int_equal(got.rev, 3);
	assert_int_equal(d.meals, 1);
}

static void biggest_meal_fits_and_no_bigger(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, DAY, 5), got, bad = meal_of(42, DAY, 6);
	char name[FOOD_NAME_SIZE] = "";
	struct err e;

	/* control characters take the most room when they are escaped */
	memset(name, '\x01', sizeof(name) - 1);
	meal_items_fill(&m, MEAL_ITEMS_MAX, name);
	for (int i = 0; i < MEAL_ITEMS_MAX; i++) {
		m.items[i].mg = FOOD_MG_MAX;
		m.items[i].n.cal = INT64_C(180000000);
	}
	meal_sum(&m);
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->meal_get(s, 42, DAY, 42, 5, &got, &e));
	assert_meal(&m, &got);
	bad.nitems = MEAL_ITEMS_MAX + 1;
	assert_int_equal(s->ops->meal_add(s, &bad, NULL, &e), RC_INVALID);
	bad.nitems = 0;
	OK(s->ops->meal_add(s, &bad, NULL, &e));
	OK(s->ops->meal_get(s, 42, DAY, 42, 6, &got, &e));
	assert_int_equal(got.nitems, 0);
}

static void day_takes_so_many_meals(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m;
	struct day_sum d = { 0 };
	struct err e;

	for (int i = 0; i < MEALS_PER_DAY_MAX; i++) {
		m = meal_of(42, DAY, i);
		OK(s->ops->meal_add(s, &m, &d, &e));
	}
	assert_int_equal(d.meals, MEALS_PER_DAY_MAX);
	/* undone ones count, else adding and undoing would have no end */
	m.deleted = 1;
	OK(s->ops->meal_replace(s, &m, &d, &e));
	m = meal_of(42, DAY, MEALS_PER_DAY_MAX);
	assert_int_equal(s->ops->meal_add(s, &m, NULL, &e), RC_TOOBIG);
	assert_true(strlen(e.text) > 0);
	/* what is stored is still known, and other days are free */
	m = meal_of(42, DAY, 0);
	assert_int_equal(s->ops->meal_add(s, &m, NULL, &e), RC_CONFLICT);
	m = meal_of(42, DAY + 1, 1000);
	OK(s->ops->meal_add(s, &m, NULL, &e));
	m = meal_of(43, DAY, 1000);
	OK(s->ops->meal_add(s, &m, NULL, &e));
}

static void own_foods_are_kept_by_key(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct own_food f = { .user_id = 42, .slot = slot_of(42),
		.key = "сырник мам", .name = "Мамины сырники 🥞",
		.per100 = { 220000, 18000, 3600, 18000 }, .updated_at = 100 };
	struct own_food g = f, of_other = f, got[3];
	struct err e;
	size_t n = 0;

	OK(s->ops->own_food_put(s, &f, &e));
	(void)str_copy(g.key, sizeof(g.key), "borscht");
	g.updated_at = 200;
	OK(s->ops->own_food_put(s, &g, &e));
	of_other.user_id = 42 + SLOT_COUNT;
	OK(s->ops->own_food_put(s, &of_other, &e));
	f.per100.cal = 230000;
	f.updated_at = 300;
	OK(s->ops->own_food_put(s, &f, &e));
	OK(s->ops->own_food_list(s, 42, 3, got, &n, &e));
	assert_int_equal(n, 2);
	assert_same(own_food_columns, &f, &got[0]);
	assert_same(own_food_columns, &g, &got[1]);
	OK(s->ops->own_food_list(s, 42, 1, got, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(got[0].key, f.key);
}

const struct CMUnitTest conformance_food[] = {
	CASE(meal_comes_back_as_stored),
	CASE(second_delivery_changes_nothing),
	CASE(ten_deliveries_at_once_store_one),
	CASE(writers_do_not_lose_each_others_meals),
	CASE(change_is_compare_and_set),
	CASE(undone_meal_stays_undone),
	CASE(biggest_meal_fits_and_no_bigger),
	CASE(day_takes_so_many_meals),
	CASE(own_foods_are_kept_by_key),
};
const size_t conformance_food_n = COUNT(conformance_food);
