/*
 * user.h - a person: profile, target, zone, and the state of a dialogue.
 */
#ifndef FAMILYBOT_MODELS_USER_H
#define FAMILYBOT_MODELS_USER_H

#include <stdint.h>

#include "models/column.h"

enum lang { LANG_EN, LANG_RU, LANG_COUNT };
enum sex { SEX_UNSET, SEX_MALE, SEX_FEMALE };
enum activity { ACTIVITY_UNSET, ACTIVITY_SEDENTARY, ACTIVITY_LIGHT,
	ACTIVITY_MODERATE, ACTIVITY_HIGH, ACTIVITY_VERY_HIGH, ACTIVITY_COUNT };
enum goal { GOAL_UNSET, GOAL_LOSE, GOAL_KEEP, GOAL_GAIN, GOAL_COUNT };

enum {
	USER_F_LANG_CHOSEN = 1,		/* said /language: Telegram's is ignored */
	USER_F_UNREACHABLE = 2,		/* Telegram answered 403 */
	USER_F_ZONE_CHOSEN = 4
};

enum { USER_ZONE_SIZE = 48, USER_DIALOGUE_SIZE = 24, USER_DRAFT_SIZE = 2048,
	USER_PAYLOAD_SIZE = 65, USER_NAME_SIZE = 128 };

struct user {
	int64_t user_id;
	int32_t slot;
	int32_t rev;		/* 0: not stored yet; each write adds one */
	int32_t lang;		/* enum lang */
	int32_t flags;		/* USER_F_* */
	int32_t sex;		/* enum sex */
	int32_t birth_year;	/* 0 unknown */
	int32_t height_cm;	/* 0 unknown */
	int32_t weight_g;	/* 0 unknown */
	int32_t activity;	/* enum activity */
	int32_t goal;		/* enum goal */
	int32_t target_kcal;	/* own daily target, 0: computed */
	int32_t own_foods;	/* how many foods of their own are stored */
	int32_t day_start_min;	/* 0..720 */
	char zone[USER_ZONE_SIZE];
	/* What happened before zone_since (UTC s) stays in the zone of then, so
	 * that a message's day never changes when it is delivered again. */
	char zone_before[USER_ZONE_SIZE];
	int32_t day_start_before;
	int64_t zone_since;
	char name[USER_NAME_SIZE];	/* first name, as Telegram gave it */
	char start_payload[USER_PAYLOAD_SIZE];
	char dialogue[USER_DIALOGUE_SIZE];	/* "" none, else its name:step */
	char draft[USER_DRAFT_SIZE];		/* the dialogue's own JSON */
	int64_t created_at;	/* UTC ms */
	int64_t updated_at;	/* UTC ms */
};

extern const struct column user_columns[];	/* ends with name NULL */

/* The local day to which something at UTC second at belongs. */
int32_t user_day(const struct user *u, int64_t at);

#endif
