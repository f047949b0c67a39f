/*
 * dialogue.h - text that may answer a question, and words that end one.
 *
 * "отмена" and "пропустить" are heard in every dialogue, so that nobody is
 * held by a question; what a dialogue does not take is read as if nothing had
 * been asked.
 */
#ifndef FAMILYBOT_BOT_DIALOGUE_H
#define FAMILYBOT_BOT_DIALOGUE_H

#include <stdbool.h>

#include "bot/command.h"

/* The row of the person's dialogue; NULL: none, or one of an older version. */
const struct dialogue *dialogue_of(const struct turn *t);

/* Offers text to the dialogue; *consumed: it was answered. */
MUST_CHECK enum rc dialogue_text(struct turn *t, const char *text,
    struct update_info *info, bool *consumed);

/* Takes the pending question of this chat away and says so; says so again when
 * the update is delivered again.  *was false: there is none, nothing is said. */
MUST_CHECK enum rc dialogue_cancel(struct turn *t, bool *was);

#endif
