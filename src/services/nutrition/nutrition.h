/*
 * nutrition.h - from words to grams and calories, without any AI.
 *
 * Reads data/foods.db (built from the USDA table and the aliases), never
 * writes.  Pure in the sense that the same text gives the same answer.
 */
#ifndef FAMILYBOT_SERVICES_NUTRITION_NUTRITION_H
#define FAMILYBOT_SERVICES_NUTRITION_NUTRITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/food.h"
#include "models/user.h"
#include "utils/err.h"

struct nutrition;

/* path: foods.db. */
MUST_CHECK enum rc nutrition_open(const char *path, struct nutrition **out,
    struct err *e);
void nutrition_free(struct nutrition *n);

enum parse_verdict {
	PARSE_FOOD,	/* at least one item is known: items and unknowns filled */
	PARSE_UNKNOWN,	/* looks like food (an amount, or one or two words a
			 * person may mean as food) but none is known */
	PARSE_SAME_AS_YESTERDAY,	/* "как вчера", "same as yesterday" */
	PARSE_NOT_FOOD	/* a sentence, question, greeting: no entry is made */
};

struct parsed_unknown {
	char name[FOOD_NAME_SIZE];	/* what was said, without the amount */
	char key[FOOD_NAME_SIZE];	/* stems, for struct own_food */
	int64_t mg;			/* 0 when it could not be told */
};

struct parsed {
	enum parse_verdict verdict;
	int nitems;
	struct food_item items[MEAL_ITEMS_MAX];
	int nunknown;
	struct parsed_unknown unknown[MEAL_ITEMS_MAX];
	int days_back;		/* eaten so many days before the message: "вчера" is 1,
				 * "позавчера" and longer ago 2 */
	bool truncated;		/* more than MEAL_ITEMS_MAX were said */
	bool bad_amount;	/* an amount was zero, negative or absurd: what it
				 * belonged to is left out */
};

/*
 * Parses text (UTF-8, any length up to 4096; both languages may be mixed;
 * lang is for the names shown).  own: the user's own foods, which win over
 * the table.  Cost: tens of microseconds for a known phrase.
 */
MUST_CHECK enum rc nutrition_parse(struct nutrition *n, enum lang lang,
    const char *text, const struct own_food *own, size_t nown,
    struct parsed *out, struct err *e);

/*
 * The next best foods for the words that found item (item->query), item's own
 * food left out, each with item's weight and its nutrients; *count ≤ max.
 */
MUST_CHECK enum rc nutrition_alternatives(struct nutrition *n, enum lang lang,
    const struct food_item *item, size_t max, struct food_item *out,
    size_t *count, struct err *e);

/* Stems of a food's name, in order, for struct own_food.key. */
void nutrition_key(struct nutrition *n, const char *name,
    char key[FOOD_NAME_SIZE]);

/*
 * "350", "350 ккал", "350 12 5 40" (kcal, protein, fat, carbohydrate per
 * 100 g; decimal comma; words "белки 12", "protein 12g" in any order).
 * False when the text tells no energy in 0..900 kcal or macros over 100 g.
 */
bool nutrition_parse_label(const char *text, struct nutrients *per100);

#endif
