/* nutrition_place.c - see nutrition_place.h. */
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

struct parsed p;

struct nutrition *foods_open(void)
{
	struct nutrition *n = NULL;
	struct err e = { RC_OK, "" };
	const char *db = getenv("FOODS_DB");

	assert_non_null(db);
	if (nutrition_open(db, &n, &e) != RC_OK)
		fail_msg("%s", e.text);
	return n;
}

int foods_group_open(void **state)
{
	*state = foods_open();
	return 0;
}

int foods_group_close(void **state)
{
	nutrition_free(*state);
	return 0;
}

enum parse_verdict parse(struct nutrition *n, const char *text)
{
	enum lang lang = LANG_EN;

	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c == 0xd0 || (unsigned char)*c == 0xd1)
			lang = LANG_RU;
	assert_int_equal(nutrition_parse(n, lang, text, NULL, 0, &p, NULL),
	    RC_OK);
	return p.verdict;
}

void all_as_wanted(struct nutrition *n, const struct want *w,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		parse(n, w[i].text);
		if (p.nitems != 1 || strcmp(p.items[0].name, w[i].name) != 0 ||
		    llabs(p.items[0].mg - (int64_t)(w[i].grams * 1000)) > 1000)
			fail_msg("%s: want %s %.1f g, got %d items, %s %.1f g",
			    w[i].text, w[i].name, w[i].grams, p.nitems,
			    p.items[0].name, (double)p.items[0].mg / 1000);
	}
}
