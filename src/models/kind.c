/* kind.c - see kind.h.  A row here, its columns and its table are a new kind. */
#include "config.h"

#include "models/kind.h"

#include "models/food.h"
#include "models/job.h"
#include "models/user.h"

#define OWNER_OF(s) offsetof(struct s, user_id), offsetof(struct s, slot)

static const struct kind kinds[] = {
	[COLLECTION_USERS] = { "users", user_columns, "user_id", NULL,
		OWNER_OF(user), false },
	[COLLECTION_MEALS] = { "food_analysis", meal_columns,
		"slot, user_id, day, chat_id, message_id", "items",
		OWNER_OF(meal), false },
	[COLLECTION_OWN_FOODS] = { "own_foods", own_food_columns,
		"slot, user_id, key", NULL, OWNER_OF(own_food), false },
	[COLLECTION_JOBS] = { "jobs", job_columns, "id", NULL, OWNER_OF(job),
		.work = true },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == COLLECTION_COUNT,
    "every kind has a row");

const struct kind *kind_of(enum collection c)
{
	return (unsigned int)c < COLLECTION_COUNT ? &kinds[c] : NULL;
}

enum collection kind_to_empty(int i)
{
	int at = 0;

	for (int work = 1; work >= 0; work--)
		for (int k = COLLECTION_COUNT - 1; k >= 0; k--)
			if (kinds[k].work == work && at++ == i)
				return (enum collection)k;
	return COLLECTION_COUNT;
}

const struct kind *kind_with(const struct column *columns)
{
	for (int k = 0; k < COLLECTION_COUNT; k++)
		if (kinds[k].columns == columns)
			return &kinds[k];
	return NULL;
}
