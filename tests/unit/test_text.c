/* test_text.c - placeholders, plurals, escaping and figures. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "bot/text.h"

static void texts_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < TEXT_COUNT; i++)
		for (int l = 0; l < LANG_COUNT; l++)
			assert_non_null(text_get((enum lang)l, (enum text_id)i));
}

static void arguments_are_escaped_and_plurals_chosen(void **state)
{
	static const struct { const char *n, *ru, *en; } cases[] = {
		{ "1", "ещё 1 запись", "1 more entry" },
		{ "2", "ещё 2 записи", "2 more entries" },
		{ "5", "ещё 5 записей", "5 more entries" },
		{ "11", "ещё 11 записей", "11 more entries" },
		{ "21", "ещё 21 запись", "21 more entries" },
		{ "112", "ещё 112 записей", "112 more entries" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		text_put(&b, LANG_RU, T_DAY_MORE, cases[i].n);
		assert_non_null(strstr(b.s, cases[i].ru));
		buf_clear(&b);
		text_put(&b, LANG_EN, T_DAY_MORE, cases[i].n);
		assert_non_null(strstr(b.s, cases[i].en));
	}
	buf_clear(&b);
	text_put(&b, LANG_EN, T_ITEM, "<b>&\"x", "5");
	assert_non_null(strstr(b.s, "&lt;b&gt;&amp;&quot;x</b> — 5 g"));
	buf_release(&b);
}

static void figures_read_as_people_write_them(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_string_equal(fmt_int(&a, LANG_EN, 1234567), "1,234,567");
	assert_string_equal(fmt_int(&a, LANG_RU, 1234), "1\xc2\xa0""234");
	assert_string_equal(fmt_int(&a, LANG_EN, 0), "0");
	assert_string_equal(fmt_int(&a, LANG_EN, -1500), "-1,500");
	assert_string_equal(fmt_kcal(&a, LANG_EN, 1499), "1");
	assert_string_equal(fmt_kcal(&a, LANG_EN, 1500), "2");
	assert_string_equal(fmt_g(&a, LANG_RU, 2450), "2,5");
	assert_string_equal(fmt_g(&a, LANG_EN, 2000), "2");
	assert_string_equal(fmt_g(&a, LANG_EN, 12400), "12");
	assert_string_equal(fmt_num(&a, LANG_RU, 72.5, 1), "72,5");
	assert_string_equal(fmt_num(&a, LANG_EN, 1.375, 3), "1.375");
	assert_string_equal(fmt_num(&a, LANG_EN, 100, 1), "100");
	assert_string_equal(fmt_day(&a, LANG_RU, 20780, 20785),
	    "Понедельник, 23 ноября");
	assert_string_equal(fmt_day(&a, LANG_EN, 20780, 20780), "Today");
	assert_string_equal(fmt_day(&a, LANG_EN, 20779, 20780), "Yesterday");
	arena_release(&a);
}

static void language_follows_telegram(void **state)
{
	(void)state;
	assert_int_equal(lang_from_code("ru"), LANG_RU);
	assert_int_equal(lang_from_code("ru-RU"), LANG_RU);
	assert_int_equal(lang_from_code("uk"), LANG_RU);
	assert_int_equal(lang_from_code("en-GB"), LANG_EN);
	assert_int_equal(lang_from_code(""), LANG_EN);
	assert_int_equal(lang_from_code("rum"), LANG_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_whole),
		cmocka_unit_test(arguments_are_escaped_and_plurals_chosen),
		cmocka_unit_test(figures_read_as_people_write_them),
		cmocka_unit_test(language_follows_telegram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
