/*
 * nutrition_place.h - what the tests of words to food share: the built foods.db,
 * one text parsed, and what it should have been.
 */
#ifndef FAMILYBOT_TESTS_NUTRITION_PLACE_H
#define FAMILYBOT_TESTS_NUTRITION_PLACE_H

#include "services/nutrition/nutrition.h"

extern struct parsed p;	/* of the last text */

struct nutrition *foods_open(void);
int foods_group_open(void **state);	/* *state: struct nutrition */
int foods_group_close(void **state);

/* Into p, in the language of the text. */
enum parse_verdict parse(struct nutrition *n, const char *text);

struct want {
	const char *text, *name;
	double grams;
};

/* Each text is one item of this name and weight. */
void all_as_wanted(struct nutrition *n, const struct want *w, size_t count);

#define ALL_AS_WANTED(n, w) all_as_wanted(n, w, sizeof(w) / sizeof((w)[0]))

#endif
