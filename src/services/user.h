/*
 * user.h - people: load, save by compare-and-set, target of a day.
 */
#ifndef FAMILYBOT_SERVICES_USER_H
#define FAMILYBOT_SERVICES_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/user.h"
#include "store/store.h"
#include "utils/clock.h"
#include "utils/err.h"

struct user_service;

struct user_service *user_service_new(const struct clock *clock,
    const char *default_zone);
void user_service_free(struct user_service *s);

/* A new person when the shard knows none: rev 0, not stored. */
MUST_CHECK enum rc user_load(struct user_service *s, struct store *st,
    int64_t user_id, struct user *out, struct err *e);
/* Compare-and-set; RC_CONFLICT when another update of theirs was faster. */
MUST_CHECK enum rc user_save(struct user_service *s, struct store *st,
    struct user *u, struct err *e);
MUST_CHECK enum rc user_erase(struct user_service *s, struct store *st,
    int64_t user_id, struct err *e);

/* Moves to another zone at UTC second at; what happened before keeps its
 * day. */
void user_set_zone(struct user *u, const char *zone, int day_start_min,
    int64_t at);

enum { AGE_MIN = 5, AGE_MAX = 110, ADULT_AGE = 18, HEIGHT_CM_MIN = 80,
	HEIGHT_CM_MAX = 250, WEIGHT_G_MIN = 10000, WEIGHT_G_MAX = 400000,
	TARGET_KCAL_MIN = 800, TARGET_KCAL_MAX = 8000 };

/* How a daily target comes about; kcal rounded to whole numbers last. */
struct energy {
	bool known;		/* sex, age, height and weight are there */
	bool own;		/* target is the person's own figure */
	bool minor;		/* under 18: never a deficit */
	int age;
	double basal;		/* Mifflin-St Jeor 1990, kcal a day */
	double factor;		/* 1.2 … 1.9 by activity */
	double total;		/* basal × factor */
	int goal_percent;	/* -15, 0, +10 */
	int target_kcal;	/* 0: unknown */
};

/* Mifflin MD, St Jeor ST et al., Am J Clin Nutr 1990;51:241-7.  Activity
 * factors as in facts of FAO/WHO practice: 1.2 1.375 1.55 1.725 1.9. */
double basal_kcal(enum sex sex, double kg, double cm, int years);
double activity_factor(enum activity a);
void user_energy(struct user_service *s, const struct user *u,
    struct energy *out);

#endif
