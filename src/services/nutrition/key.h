/*
 * key.h - keys: the stems of a name, sorted, joined by spaces.
 * Order, case, small words and praise ("свежий", "homemade") do not matter.
 */
#ifndef FAMILYBOT_SERVICES_NUTRITION_KEY_H
#define FAMILYBOT_SERVICES_NUTRITION_KEY_H

#include "models/food.h"
#include "services/nutrition/text.h"

enum { KEY_STEMS_MAX = 10 };

/* Does the token say what the food is (and so belongs to a key)? */
bool token_in_key(const struct token *k);

/*
 * The key of tokens from..to-1, whose classes are known.  False when there is
 * none, or more than KEY_STEMS_MAX stems, or it does not fit.
 */
bool key_make(const struct text *t, int from, int to,
    char key[FOOD_NAME_SIZE]);

/* "=" and the stems as they were said: tells chocolate milk from milk
 * chocolate, where foods.db has both. */
bool key_make_ordered(const struct text *t, int from, int to,
    char key[FOOD_NAME_SIZE]);

/* What makes a row of USDA's no dish as it is eaten: "dry mix", "condensed", of
 * grain and meat "raw"; NULL when nothing does. */
const char *key_state(const char *name);

#endif
