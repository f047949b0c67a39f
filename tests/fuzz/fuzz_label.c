/*
 * fuzz_label.c - what a package says per 100 g: nutrition_parse_label.
 */
#include "config.h"

#include "fuzz.h"

#include "services/nutrition/nutrition.h"

enum { GRAM = 1000, KCAL = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nutrients n = { 0 };
	char *text = fuzz_text(data, size);

	if (nutrition_parse_label(text, &n)) {
		MUST(n.cal >= 0 && n.cal <= 900 * KCAL);
		MUST(n.protein >= 0 && n.fat >= 0 && n.carb >= 0);
		MUST(n.protein + n.fat + n.carb <= 100 * GRAM);
	}
	free(text);
	return 0;
}
