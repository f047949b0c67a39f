/*
 * teach.h - a food that nobody knows: ask, remember, count.
 */
#ifndef FAMILYBOT_HANDLERS_TEACH_H
#define FAMILYBOT_HANDLERS_TEACH_H

#include "bot/command.h"
#include "services/nutrition/nutrition.h"

/* Asks for the figures of unknown and keeps text in the user's draft, so that
 * it is counted when they come. */
MUST_CHECK enum rc teach_ask(struct turn *t, const char *text,
    const struct parsed_unknown *unknown);

#endif
