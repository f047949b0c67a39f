/*
 * test_label.c - nutrition_parse_label(): what a package says per 100 g.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/nutrition/nutrition.h"

static void labels_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t cal, protein, fat, carb;
	} good[] = {
		{ "350", 350000, 0, 0, 0 },
		{ "350 ккал", 350000, 0, 0, 0 },
		{ "350 12 5 40", 350000, 12000, 5000, 40000 },
		{ "350, 12, 5, 40", 350000, 12000, 5000, 40000 },
		{ "52,5 ккал 0,3 0,2 11,4", 52500, 300, 200, 11400 },
		{ "350 ккал, белки 12, жиры 5, углеводы 40", 350000, 12000,
		    5000, 40000 },
		{ "Б 12 Ж 5 У 40 К 350", 350000, 12000, 5000, 40000 },
		{ "protein 12g fat 5g carbs 40g 350 kcal", 350000, 12000, 5000,
		    40000 },
		{ "350 kcal, 12 g protein", 350000, 12000, 0, 0 },
		{ "0", 0, 0, 0, 0 },
		{ "900", 900000, 0, 0, 0 },
	};
	static const char *const bad[] = { "", "много", "901", "-5", "белки 12",
		"350 60 50 40", "350 350 ккал 350 ккал", "1 2 3 4 5" };
	struct nutrients n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(&n, 0xff, sizeof(n));
		if (!nutrition_parse_label(good[i].text, &n) ||
		    n.cal != good[i].cal || n.protein != good[i].protein ||
		    n.fat != good[i].fat || n.carb != good[i].carb)
			fail_msg("%s: got %lld %lld %lld %lld", good[i].text,
			    (long long)n.cal, (long long)n.protein,
			    (long long)n.fat, (long long)n.carb);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (nutrition_parse_label(bad[i], &n))
			fail_msg("%s: taken for a label", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
