/*
 * food.h - what was eaten.  A meal is what one message told: its identity is
 * (user_id, chat_id, message_id), so storing it again changes nothing.
 *
 * Amounts are integers so that sums and digests are exact: food in mg,
 * protein, fat and carbohydrate in mg, energy in cal (1 kcal = 1000 cal).
 */
#ifndef FAMILYBOT_MODELS_FOOD_H
#define FAMILYBOT_MODELS_FOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "models/column.h"
#include "utils/buf.h"
#include "utils/err.h"

struct nutrients {
	int64_t cal;		/* small calories */
	int64_t protein;	/* mg */
	int64_t fat;		/* mg */
	int64_t carb;		/* mg */
};

void nutrients_add(struct nutrients *sum, const struct nutrients *n);
void nutrients_sub(struct nutrients *sum, const struct nutrients *n);
/* per100: of 100 g.  Returns those of mg milligrams, rounded to nearest. */
struct nutrients nutrients_for(const struct nutrients *per100, int64_t mg);

enum food_source { FOOD_SRC_USDA, FOOD_SRC_OWN, FOOD_SRC_RECIPE };

enum { FOOD_NAME_SIZE = 96, MEAL_ITEMS_MAX = 20, MEALS_PER_DAY_MAX = 200,
	FOOD_MG_MAX = 20000000 /* 20 kg in one row */ };

struct food_item {
	char name[FOOD_NAME_SIZE];	/* as shown, in the user's language */
	char query[FOOD_NAME_SIZE];	/* the words that found it */
	int32_t food_id;		/* of the table; 0 for own foods */
	int32_t source;			/* enum food_source */
	int32_t guessed;		/* 1: no amount was said, a usual one taken */
	int64_t mg;			/* weight eaten */
	struct nutrients n;		/* of that weight */
};

struct meal {
	int64_t user_id;
	int32_t slot;
	int32_t day;		/* local day, see utils/clock.h */
	int64_t chat_id;
	int64_t message_id;
	int64_t at;		/* UTC s, the message's date */
	int64_t edit_date;	/* UTC s of the last edit applied, 0 none */
	int32_t rev;		/* 1 when new; each change adds one */
	int32_t deleted;	/* 1: undone; kept so that a repeated delivery does
				 * not bring it back, and so that it can be restored */
	struct nutrients sum;	/* of all items; what a day counts if !deleted */
	int32_t nitems;
	struct food_item items[MEAL_ITEMS_MAX];
};

extern const struct column meal_columns[];	/* without items */
extern const struct column food_item_columns[];

void meal_sum(struct meal *m);	/* sets sum from the items */

/* Items as a JSON array for the column `items`, and back.
 * Decoding: RC_CORRUPT on anything it did not write. */
void meal_items_encode(const struct meal *m, struct buf *out);
MUST_CHECK enum rc meal_items_decode(struct meal *m, const char *json,
    size_t len);

/* A food that a user taught the bot. Identity: (user_id, key). */
struct own_food {
	int64_t user_id;
	int32_t slot;
	char key[FOOD_NAME_SIZE];	/* stems of the name, see nutrition.h */
	char name[FOOD_NAME_SIZE];
	struct nutrients per100;
	int64_t updated_at;		/* UTC ms */
};

enum { OWN_FOODS_MAX = 500 };

extern const struct column own_food_columns[];

/* What a day adds up to. */
struct day_sum {
	int32_t day;
	int32_t meals;		/* not deleted */
	struct nutrients sum;
};

#endif
