/*
 * steps.h - the questions about a person, for /start and /profile.
 *
 * A tap is "s:<mode>:<step>:<value>", value "-" to skip; the dialogue is
 * "step:<mode>:<step>", in which typed figures are heard.
 */
#ifndef FAMILYBOT_HANDLERS_STEPS_H
#define FAMILYBOT_HANDLERS_STEPS_H

#include "bot/command.h"

enum step { STEP_LANGUAGE, STEP_SEX, STEP_AGE, STEP_HEIGHT, STEP_WEIGHT,
	STEP_ACTIVITY, STEP_GOAL, STEP_START_COUNT, STEP_TARGET = STEP_START_COUNT,
	STEP_COUNT };

enum step_mode { STEP_MODE_START = 's', STEP_MODE_PROFILE = 'p' };

/* Puts the question of a step into out, its buttons into the keyboard, and
 * sets the user's dialogue (the caller saves). */
void step_ask(struct turn *t, struct buf *out, enum step_mode mode,
    enum step step);

/* Basal rate, activity, goal, target: the arithmetic, line by line. */
void energy_put(struct turn *t, struct buf *out);

/* Puts the profile and its buttons into the newest message. */
void profile_put(struct turn *t, struct buf *out);

#endif
