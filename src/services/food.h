/*
 * food.h - the food diary: log, change, look back.
 */
#ifndef FAMILYBOT_SERVICES_FOOD_H
#define FAMILYBOT_SERVICES_FOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "models/food.h"
#include "models/user.h"
#include "services/nutrition/nutrition.h"
#include "store/store.h"
#include "utils/clock.h"
#include "utils/err.h"

struct food_service;

struct food_service *food_service_new(struct nutrition *n,
    const struct clock *clock);
void food_service_free(struct food_service *s);	/* leaves n */
struct nutrition *food_nutrition(struct food_service *s);

/* nutrition_parse with the person's own foods. */
MUST_CHECK enum rc food_parse(struct food_service *s, struct store *st,
    const struct user *u, const char *text, struct parsed *out,
    struct err *e);

/* Starts a meal: natural key, day, no items (their memory is not touched). */
void food_meal_init(const struct user *u, int64_t chat_id, int64_t message_id,
    int64_t at, struct meal *out);

/* The same for a meal eaten days before it was told, at the same hour. */
void food_meal_init_back(const struct user *u, int64_t chat_id,
    int64_t message_id, int64_t at, int days, struct meal *out);

/* Adds once; a repeated delivery gives what is stored and *day alike. */
MUST_CHECK enum rc food_add(struct food_service *s, struct store *st,
    struct meal *m, struct day_sum *day, struct err *e);

/* The meal named by m's day (or one beside it, as zones change), chat and
 * message, and the sum of its day. */
MUST_CHECK enum rc food_get(struct food_service *s, struct store *st,
    struct meal *m, struct day_sum *day, struct err *e);

/* What a tap or an edit wants of a meal. */
enum meal_change { MEAL_UNDO, MEAL_RESTORE, MEAL_HALF, MEAL_DOUBLE,
	MEAL_DROP_ITEM, MEAL_SWAP_ITEM };

/*
 * Applies a change to the meal as its reader saw it (rev).  When rev is no
 * longer the stored one the change is not applied (a repeated or stale tap):
 * *applied false, *m and *day as stored.  item: index for DROP and SWAP;
 * food_id: for SWAP the alternative chosen.
 */
MUST_CHECK enum rc food_change(struct food_service *s, struct store *st,
    const struct user *u, struct meal *m, int32_t rev, enum meal_change what,
    int item, int32_t food_id, bool *applied, struct day_sum *day,
    struct err *e);

/* Days first..last, into out[last - first + 1]. */
MUST_CHECK enum rc food_days(struct food_service *s, struct store *st,
    int64_t user_id, int32_t first, int32_t last, struct day_sum *out,
    struct err *e);
/* The meals of a day, oldest first. */
MUST_CHECK enum rc food_day(struct food_service *s, struct store *st,
    int64_t user_id, int32_t day, size_t max, struct meal *out, size_t *n,
    struct err *e);
/* A page of history, newest first, strictly older than from (NULL: newest). */
MUST_CHECK enum rc food_page(struct food_service *s, struct store *st,
    int64_t user_id, const struct meal_cursor *from, size_t max,
    struct meal *out, size_t *n, struct err *e);

/* An edited message: replaces the items unless edit_date was applied already;
 * adds the meal when there was none. */
MUST_CHECK enum rc food_edit(struct food_service *s, struct store *st,
    struct meal *edited, struct day_sum *day, struct err *e);

/*
 * A message read again, now that the person's own food called name is known:
 * its rows are added to the meal as it is by now, other changes stay.  When
 * that came of an older text (edited before text_edit), or is not there, read
 * takes its place.  read->edit_date: later than text_edit; applied once.
 */
MUST_CHECK enum rc food_reread(struct food_service *s, struct store *st,
    struct meal *read, int64_t text_edit, const char *name,
    struct day_sum *day, struct err *e);

/* Stores a food taught by the person and counts it in the profile (which the
 * caller saves). */
MUST_CHECK enum rc food_teach(struct food_service *s, struct store *st,
    struct user *u, const char *key, const char *name,
    const struct nutrients *per100, struct err *e);

#endif
