/*
 * test_nutrition.c - numbers, units, verdicts, names, alternatives, own foods,
 * and input that is no text at all.
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
#include "services/nutrition/text.h"

static void numbers_are_read(void **state)
{
	static const struct want w[] = {
		{ "двести пятьдесят грамм гречки", "Гречка варёная", 250 },
		{ "сто двадцать пять г гречки", "Гречка варёная", 125 },
		{ "полкило гречки", "Гречка варёная", 500 },
		{ "полтора кг гречки", "Гречка варёная", 1500 },
		{ "2,5 кг гречки", "Гречка варёная", 2500 },
		{ "0.25 кг гречки", "Гречка варёная", 250 },
		{ "гречка 150-250 г", "Гречка варёная", 200 },
		{ "две трети банана", "Банан", 80 },
		{ "1/2 банана", "Банан", 60 },
		{ "½ банана", "Банан", 60 },
		{ "полбанана", "Банан", 60 },
		{ "пол-банана", "Банан", 60 },
		{ "половинка банана", "Банан", 60 },
		{ "полтора банана", "Банан", 180 },
		{ "два с половиной банана", "Банан", 300 },
		{ "пара бананов", "Банан", 240 },
		{ "десяток яиц", "Яйцо куриное", 550 },
		{ "три десятка пельменей", "Пельмени", 360 },
		{ "a dozen eggs", "Egg", 660 },
		{ "half a dozen eggs", "Egg", 330 },
		{ "two dozen eggs", "Egg", 1320 },
		{ "a couple of bananas", "Banana", 240 },
		{ "one and a half bananas", "Banana", 180 },
		{ "1 1/2 bananas", "Banana", 180 },
		{ "1½ bananas", "Banana", 180 },
		{ "three quarters of a banana", "Banana", 90 },
		{ "one hundred and fifty grams of chicken breast",
		    "Chicken breast", 150 },
		{ "twenty five g chicken breast", "Chicken breast", 25 },
		{ "2x egg", "Egg", 110 },
		{ "egg x2", "Egg", 110 },
		{ "egg ×2", "Egg", 110 },
		{ "3 x 50 g cheddar", "Cheddar", 150 },
		{ "2 банки пива по 330 мл", "Пиво", 660 },
		{ "a banana", "Banana", 120 },
	};

	ALL_AS_WANTED(*state, w);
}

static void units_are_read(void **state)
{
	static const struct want w[] = {
		{ "гречка 200г", "Гречка варёная", 200 },
		{ "200гр гречки", "Гречка варёная", 200 },
		{ "200 гречки", "Гречка варёная", 200 },
		{ "гречка: 200 г", "Гречка варёная", 200 },
		{ "гречка - 200 г", "Гречка варёная", 200 },
		{ "яйца 2 шт", "Яйцо куриное", 110 },
		{ "2 ст. л. мёда", "Мёд", 42 },
		{ "2 ст.л. мёда", "Мёд", 42 },
		{ "столовая ложка мёда", "Мёд", 21 },
		{ "3 ч. л. сахара", "Сахар", 15 },
		{ "чайная ложка сахара", "Сахар", 5 },
		{ "0,5 л воды", "Вода", 500 },
		{ "поллитра воды", "Вода", 500 },
		{ "вода 250 мл", "Вода", 250 },
		{ "тарелка борща", "Борщ", 300 },
		{ "порция борща", "Борщ", 300 },
		{ "кусок пиццы", "Пицца", 107 },
		{ "горсть миндаля", "Миндаль", 30 },
		{ "банка тунца", "Тунец консервированный", 130 },
		{ "бокал красного вина", "Вино красное сухое", 150 },
		{ "8 oz steak", "Beef steak", 226.8 },
		{ "1 lb shrimp", "Shrimp", 453.6 },
		{ "1 cup rice", "Rice, cooked", 160 },
		{ "half a cup of rice", "Rice, cooked", 80 },
		{ "2 tbsp honey", "Honey", 42 },
		{ "1 tsp sugar", "Sugar", 5 },
		{ "2 slices of pizza", "Pizza", 214 },
		{ "a can of tuna", "Canned tuna", 130 },
		{ "8 fl oz water", "Water", 236.6 },
		{ "2 large eggs", "Egg", 143 },
		{ "стакан (250 г) гречки", "Гречка варёная", 250 },
	};

	ALL_AS_WANTED(*state, w);
}

static void spelling_does_not_matter(void **state)
{
	static const struct want w[] = {
		{ "ГРЕЧКА 100 Г", "Гречка варёная", 100 },
		{ "гречька 100 г", "Гречка варёная", 100 },
		{ "гречку 100 г", "Гречка варёная", 100 },
		{ "100 г гречк\u0438\u0301", "Гречка варёная", 100 },
		{ "мёд 20 г", "Мёд", 20 },
		{ "мед 20 г", "Мёд", 20 },
		{ "кофe 200 г", "Кофе чёрный", 200 },	/* a Latin e */
		{ "и\u0306огурт 100 г", "Йогурт натуральный", 100 },
		{ "пельмнеи 100 г", "Пельмени", 100 },
		{ "творог 5 % 100 г", "Творог 5%", 100 },
		{ "творог 5% 100 г", "Творог 5%", 100 },
		{ "молоко 3.2% 100 г", "Молоко 3,2%", 100 },
		{ "bannana 100 g", "Banana", 100 },
		{ "CHIKEN breast 100 g", "Chicken breast", 100 },
		{ "cr\u00eape 100 g", "Russian pancakes (blini)", 100 },
		{ "🍎 apple 100 g 😋", "Apple", 100 },
	};

	ALL_AS_WANTED(*state, w);
}

static void cooked_is_meant_unless_dry_is_said(void **state)
{
	static const struct want w[] = {
		{ "100 г гречки", "Гречка варёная", 100 },
		{ "100 г сухой гречки", "Гречка сухая", 100 },
		{ "гречка сырая 100 г", "Гречка сухая", 100 },
		{ "100 г риса", "Рис варёный", 100 },
		{ "100 г сухого риса", "Рис сухой", 100 },
		{ "макароны 100 г", "Макароны варёные", 100 },
		{ "100 g rice", "Rice, cooked", 100 },
		{ "100 g dry rice", "Rice, dry", 100 },
	};

	ALL_AS_WANTED(*state, w);
}

static void nutrients_are_of_the_weight_eaten(void **state)
{
	assert_int_equal(parse(*state, "200 г гречки"), PARSE_FOOD);
	assert_int_equal(p.items[0].n.cal, 184000);
	assert_int_equal(p.items[0].n.protein, 6760);
	assert_int_equal(p.items[0].source, FOOD_SRC_USDA);
	assert_int_equal(p.items[0].guessed, 0);
	assert_string_equal(p.items[0].query, "гречки");
	assert_int_equal(parse(*state, "борщ"), PARSE_FOOD);
	assert_int_equal(p.items[0].source, FOOD_SRC_RECIPE);
	assert_int_equal(p.items[0].guessed, 1);
}

static void lists_are_split(void **state)
{
	static const char *const texts[] = {
		"200 г гречки, 2 яйца и полстакана молока",
		"гречка 200 г; яйца 2 шт; молоко полстакана",
		"200 г гречки\n2 яйца\nполстакана молока",
		"- 200 г гречки\n- 2 яйца\n- полстакана молока",
		"200 г гречки + 2 яйца + полстакана молока",
		"съел 200г гречки, два яйца и выпил полстакана молока",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(*state, texts[i]), PARSE_FOOD);
		assert_int_equal(p.nitems, 3);
		assert_string_equal(p.items[0].name, "Гречка варёная");
		assert_int_equal(p.items[0].mg, 200000);
		assert_string_equal(p.items[1].name, "Яйцо куриное");
		assert_int_equal(p.items[1].mg, 110000);
		assert_string_equal(p.items[2].name, "Молоко 2,5%");
	}
	assert_int_equal(parse(*state, "rice with chicken"), PARSE_FOOD);
	assert_int_equal(p.nitems, 1);
	assert_int_equal(parse(*state, "2 eggs and bacon"), PARSE_FOOD);
	assert_int_equal(p.nitems, 2);
	assert_int_equal(p.items[0].mg, 110000);
}

static void long_lists_are_cut_and_said_so(void **state)
{
	struct buf b;

	buf_init(&b, 4096);
	for (int i = 0; i < MEAL_ITEMS_MAX + 5; i++)
		buf_puts(&b, "100 г гречки, ");
	assert_int_equal(parse(*state, b.s), PARSE_FOOD);
	assert_int_equal(p.nitems, MEAL_ITEMS_MAX);
	assert_true(p.truncated);
	buf_release(&b);
}

static void absurd_amounts_are_left_out(void **state)
{
	static const char *const texts[] = { "0 г гречки", "-5 яиц",
		"100 кг гречки", "99999999999999999999 яиц",
		"гречка 0,0000001 г" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(*state, texts[i]), PARSE_NOT_FOOD);
		assert_true(p.bad_amount);
		assert_int_equal(p.nitems, 0);
	}
	assert_int_equal(parse(*state, "0 г гречки, 100 г риса"), PARSE_FOOD);
	assert_int_equal(p.nitems, 1);
	assert_true(p.bad_amount);
}

static void sentences_are_no_food(void **state)
{
	static const char *const texts[] = { "", " ", "как дела?", "спасибо",
		"what should I eat?", "я устал", "сколько калорий в яблоке?",
		"сколько калорий в яблоке", "привет", "hello", "10k", "200 г",
		"350", "я люблю гречку", "I love chicken", "хочу пиццу",
		"яблоко упало на пол", "не ел сегодня гречку", "apple watch",
		"water the plants", "I had a hard day", "my car broke down",
		"завтра куплю молоко", "5 минут", "прошёл 10 км", "тест",
		"ок",
		"👍", "???", "http://example.com/a?b=c",
		"напомни мне завтра в 10 позвонить маме" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(*state, texts[i]) != PARSE_NOT_FOOD)
			fail_msg("%s: taken for food %s", texts[i],
			    p.items[0].name);
}

static void unknown_foods_are_asked_for(void **state)
{
	assert_int_equal(parse(*state, "200 г хрюмзика"), PARSE_UNKNOWN);
	assert_int_equal(p.nunknown, 1);
	assert_string_equal(p.unknown[0].name, "хрюмзика");
	assert_int_equal(p.unknown[0].mg, 200000);
	assert_int_equal(parse(*state, "хрюмзик"), PARSE_UNKNOWN);
	assert_int_equal(p.unknown[0].mg, 0);
	assert_int_equal(parse(*state, "100 г гречки, 200 г хрюмзика"),
	    PARSE_FOOD);
	assert_int_equal(p.nitems, 1);
	assert_int_equal(p.nunknown, 1);
}

static void yesterday_is_understood(void **state)
{
	assert_int_equal(parse(*state, "как вчера"),
	    PARSE_SAME_AS_YESTERDAY);
	assert_int_equal(parse(*state, "То же, что и вчера!"),
	    PARSE_SAME_AS_YESTERDAY);
	assert_int_equal(parse(*state, "Same as yesterday"),
	    PARSE_SAME_AS_YESTERDAY);
	assert_int_equal(parse(*state, "как вчера дела?"), PARSE_NOT_FOOD);
	/* "pizzas yesterday" only ends like "as yesterday" */
	assert_int_equal(parse(*state, "12 pizzas yesterday"), PARSE_FOOD);
}

static void own_foods_win(void **state)
{
	struct own_food own = { .per100 = { 123000, 1000, 2000, 3000 } };

	assert_true(str_copy(own.name, sizeof(own.name), "Мой хрюмзик"));
	nutrition_key(*state, "хрюмзик", own.key);
	assert_int_equal(nutrition_parse(*state, LANG_RU, "200 г хрюмзика",
	    &own, 1, &p, NULL), RC_OK);
	assert_int_equal(p.verdict, PARSE_FOOD);
	assert_string_equal(p.items[0].name, "Мой хрюмзик");
	assert_int_equal(p.items[0].n.cal, 246000);
	assert_int_equal(p.items[0].food_id, 0);
	assert_int_equal(p.items[0].source, FOOD_SRC_OWN);
	nutrition_key(*state, "гречка", own.key);
	assert_int_equal(nutrition_parse(*state, LANG_RU, "гречка", &own, 1,
	    &p, NULL), RC_OK);
	assert_int_equal(p.items[0].source, FOOD_SRC_OWN);
}

static void the_key_of_an_unknown_finds_it_again(void **state)
{
	char key[FOOD_NAME_SIZE];

	parse(*state, "200 г бабушкиного хрюмзика с дзюбликом");
	assert_int_equal(p.verdict, PARSE_UNKNOWN);
	nutrition_key(*state, p.unknown[0].name, key);
	assert_string_equal(key, p.unknown[0].key);
	nutrition_key(*state, "", key);
	assert_string_equal(key, "");
}

static void alternatives_are_others_in_ones_language(void **state)
{
	static const char *const texts[] = { "гречка 150 г", "творог", "борщ",
		"яблоко", "chicken", "milk 200 ml", "rice", "котлета" };
	struct food_item alt[6];
	size_t n;

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		enum lang lang = (unsigned char)texts[t][0] >= 0xd0 ? LANG_RU :
		    LANG_EN;

		assert_int_equal(parse(*state, texts[t]), PARSE_FOOD);
		n = 99;
		assert_int_equal(nutrition_alternatives(*state, lang,
		    &p.items[0], 6, alt, &n, NULL), RC_OK);
		assert_in_range(n, 4, 6);
		for (size_t i = 0; i < n; i++) {
			assert_int_not_equal(alt[i].food_id,
			    p.items[0].food_id);
			assert_string_not_equal(alt[i].name, p.items[0].name);
			assert_int_equal(alt[i].mg, p.items[0].mg);
			if (lang == LANG_RU)
				assert_true((unsigned char)alt[i].name[0] >=
				    0xd0);
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(alt[i].name,
				    alt[j].name);
		}
	}
	parse(*state, "гречка");
	assert_int_equal(nutrition_alternatives(*state, LANG_RU, &p.items[0],
	    1, alt, &n, NULL), RC_OK);
	assert_int_equal(n, 1);
	assert_non_null(strstr(alt[0].name, "реч"));
}

static bool valid_utf8(const char *s)
{
	char out[FOOD_NAME_SIZE * 4];

	text_normalise(s, out, sizeof(out));
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0xf8)
			return false;
	return true;
}

/* Bounded and repeatable: a small generator with a fixed seed. */
static void garbage_is_survived(void **state)
{
	static char text[4200];
	static struct parsed again;
	uint32_t seed = 12345;

	for (int round = 0; round < 300; round++) {
		size_t len = round < 290 ? (size_t)round * 3 : 4096;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525u + 1013904223u;
			text[i] = (char)(seed >> 24);
			if (text[i] == '\0')
				text[i] = ' ';
		}
		text[len] = '\0';
		parse(*state, text);
		again = p;
		parse(*state, text);
		assert_memory_equal(&again, &p, sizeof(p));
		for (int i = 0; i < p.nitems; i++) {
			assert_in_range(p.items[i].mg, 1, FOOD_MG_MAX);
			assert_true(valid_utf8(p.items[i].name));
		}
	}
}

static void long_texts_are_survived(void **state)
{
	static const char *const units[] = { "а", "1", "гречка ", "1/2 ",
		"полполпол", ",", "x ", "200 г гречки, ", "\xf0\x9f\x98\x80",
		"\xd0", "и и и ", "chicken rice ", "%", "'" };
	struct buf b;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		buf_init(&b, 4096);
		while (!buf_over(&b))
			buf_puts(&b, units[i]);
		parse(*state, b.s);
		assert_in_range(p.nitems, 0, MEAL_ITEMS_MAX);
		assert_in_range(p.nunknown, 0, MEAL_ITEMS_MAX);
		buf_release(&b);
	}
}

static void a_wrong_file_is_refused(void **state)
{
	struct nutrition *n = NULL;
	struct err e = { RC_OK, "" };
	char path[512];

	(void)state;
	assert_int_equal(nutrition_open("/nonexistent/foods.db", &n, &e),
	    RC_NOTFOUND);
	assert_non_null(strstr(e.text, "/nonexistent/foods.db"));
	assert_true(str_format(path, sizeof(path),
	    "%s/tests/data/phrases.tsv", getenv("SRCDIR")));
	assert_int_equal(nutrition_open(path, &n, &e), RC_CORRUPT);
	assert_null(n);
	nutrition_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(units_are_read),
		cmocka_unit_test(spelling_does_not_matter),
		cmocka_unit_test(cooked_is_meant_unless_dry_is_said),
		cmocka_unit_test(nutrients_are_of_the_weight_eaten),
		cmocka_unit_test(lists_are_split),
		cmocka_unit_test(long_lists_are_cut_and_said_so),
		cmocka_unit_test(absurd_amounts_are_left_out),
		cmocka_unit_test(sentences_are_no_food),
		cmocka_unit_test(unknown_foods_are_asked_for),
		cmocka_unit_test(yesterday_is_understood),
		cmocka_unit_test(own_foods_win),
		cmocka_unit_test(the_key_of_an_unknown_finds_it_again),
		cmocka_unit_test(alternatives_are_others_in_ones_language),
		cmocka_unit_test(garbage_is_survived),
		cmocka_unit_test(long_texts_are_survived),
		cmocka_unit_test(a_wrong_file_is_refused),
	};

	return cmocka_run_group_tests(tests, foods_group_open, foods_group_close);
}
