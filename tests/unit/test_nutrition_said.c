/*
 * test_nutrition_said.c - nothing that was said is lost, and nothing is written
 * down that was not: stated amounts, lists, ordinary words, drinks without sugar.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nutrition_place.h"

/* What was said before the number does not take the number away. */
static void stated_amounts_are_kept(void **state)
{
	static const struct want w[] = {
		{ "Я ем 43 г риса", "Рис варёный", 43 },
		{ "взвесил 300 г риса", "Рис варёный", 300 },
		{ "сварил 80 г пельменей", "Пельмени", 80 },
		{ "навернул 300 г борща", "Борщ", 300 },
		{ "grabbed 300 g rice", "Rice, cooked", 300 },
		{ "dined on 200 g salmon", "Salmon", 200 },
		{ "говядина 80/20 100 г", "Говядина тушёная", 100 },
		{ "1 500 г арбуза", "Арбуз", 1500 },
		{ "1\u00a0000 г риса", "Рис варёный", 1000 },
		{ "1,500 ml water", "Water", 1500 },
		{ "1,500 кг картошки", "Картофель варёный", 1500 },
		{ "３５０ г риса", "Рис варёный", 350 },
		{ "١٥٠ g rice", "Rice, cooked", 150 },
		{ "кг яблок", "Яблоко", 1000 },
		{ "1 stick butter", "Butter", 113 },
		{ "кефир 3,2 200 мл", "Кефир 3,2%", 206 },
		{ "кефир 3,2", "Кефир 3,2%", 200 },
	};

	ALL_AS_WANTED(*state, w);
	assert_int_equal(parse(*state, "яйца 2 200 г риса"), PARSE_FOOD);
	assert_int_equal(p.nitems, 2);
	assert_int_equal(p.items[1].mg, 200000);
	assert_int_equal(parse(*state, "пирог на 1 000 ккал"), PARSE_FOOD);
	assert_in_range(p.items[0].n.cal, 999000, 1001000);
}

static void an_unknown_name_keeps_its_own_amount(void **state)
{
	assert_int_equal(parse(*state, "шмурдяк 200 г рис 100 г"), PARSE_FOOD);
	assert_int_equal(p.nitems, 1);
	assert_int_equal(p.items[0].mg, 100000);
	assert_int_equal(p.nunknown, 1);
	assert_string_equal(p.unknown[0].name, "шмурдяк");
	assert_int_equal(p.unknown[0].mg, 200000);
}

static void numbers_of_a_list_are_no_amounts(void **state)
{
	assert_int_equal(parse(*state,
	    "1. rice 200 g\n2. eggs 2\n3. apple"), PARSE_FOOD);
	assert_int_equal(p.nitems, 3);
	assert_int_equal(p.items[0].mg, 200000);
	assert_int_equal(p.items[1].mg, 110000);
	assert_true(p.items[2].guessed);
	assert_int_equal(parse(*state, "1) рис 200 г\n2) яйца 3"), PARSE_FOOD);
	assert_int_equal(p.items[0].mg, 200000);
	assert_int_equal(p.items[1].mg, 165000);
	/* one line alone is no list */
	assert_int_equal(parse(*state, "2 яйца\nкофе"), PARSE_FOOD);
	assert_int_equal(p.items[0].mg, 110000);
}

/* "shared" is no misspelt shake, as the language has the word. */
static void words_of_the_language_are_no_misspelt_foods(void **state)
{
	static const char *const no_food[] = { "quick lunch", "lunch break",
		"coffee break", "satisfying", "comforting", "I savored it" };
	static const struct want w[] = {
		{ "we shared 200 g rice", "Rice, cooked", 200 },
		{ "chilled water 300 ml", "Water", 300 },
		{ "маминой гречки 100 г", "Гречка варёная", 100 },
		{ "200 г маминой гречки", "Гречка варёная", 200 },
		{ "диетический йогурт 150 г", "Йогурт натуральный", 150 },
	};

	for (size_t i = 0; i < sizeof(no_food) / sizeof(no_food[0]); i++) {
		parse(*state, no_food[i]);
		if (p.nitems != 0)
			fail_msg("%s: %s", no_food[i], p.items[0].name);
	}
	ALL_AS_WANTED(*state, w);
}

/* The same two words name a drink and a sweet. */
static void the_order_of_words_tells_foods_apart(void **state)
{
	static const struct want w[] = {
		{ "chocolate milk 1 cup", "Chocolate milk", 240 },
		{ "milk chocolate 20 g", "Milk chocolate", 20 },
		{ "шоколадное молоко 200 г", "Молоко шоколадное", 200 },
		{ "молочный шоколад 20 г", "Шоколад молочный", 20 },
	};

	ALL_AS_WANTED(*state, w);
}

/* The head of a dish, not its first word; as eaten, unless dry or raw is said. */
static void dishes_are_one_and_as_eaten(void **state)
{
	static const struct want w[] = {
		{ "honey roasted peanuts 30 g", "Peanuts, honey roasted", 30 },
		{ "apple jam 20 g", "Jam", 20 },
		{ "turkey or chicken sausage 100 g",
		    "Turkey or chicken sausage", 100 },
		{ "рис или гречка 200 г", "Гречка варёная", 200 },
		{ "борщ с говядиной 300 г", "Борщ", 300 },
		{ "peanut butter and jelly sandwich on whole wheat bread",
		    "Peanut butter and jelly sandwich", 108 },
		{ "potato soup 300 g", "Potato soup", 300 },
		{ "gelatin dessert 100 g", "Gelatin dessert", 100 },
		{ "steamed glutinous rice 150 g",
		    "White rice, cooked, glutinous", 150 },
		{ "guava 100 g", "Guava", 100 },
	};

	ALL_AS_WANTED(*state, w);
	/* with nothing between, each is a food of its own */
	assert_int_equal(parse(*state, "eggs bacon toast coffee"), PARSE_FOOD);
	assert_int_equal(p.nitems, 3);
}

static void drinks_without_sugar_have_none(void **state)
{
	static const char *const texts[] = { "diet pepsi can",
		"спрайт зеро 0,33", "диетическая кола", "sprite zero",
		"фанта зеро", "кола без сахара" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(*state, texts[i]), PARSE_FOOD);
		assert_int_equal(p.nitems, 1);
		assert_in_range(p.items[0].n.cal, 0, 5000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stated_amounts_are_kept),
		cmocka_unit_test(an_unknown_name_keeps_its_own_amount),
		cmocka_unit_test(numbers_of_a_list_are_no_amounts),
		cmocka_unit_test(words_of_the_language_are_no_misspelt_foods),
		cmocka_unit_test(the_order_of_words_tells_foods_apart),
		cmocka_unit_test(dishes_are_one_and_as_eaten),
		cmocka_unit_test(drinks_without_sugar_have_none),
	};

	return cmocka_run_group_tests(tests, foods_group_open, foods_group_close);
}
