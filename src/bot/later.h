/*
 * later.h - updates that cannot be served now are kept for later, and the
 * person is told so: in one short message, once a minute at most; a tap by a
 * toast.  What the bot would not answer is not kept.
 */
#ifndef FAMILYBOT_BOT_LATER_H
#define FAMILYBOT_BOT_LATER_H

#include <stdbool.h>
#include <stddef.h>

#include "bot/bot.h"
#include "bot/update.h"
#include "utils/arena.h"
#include "utils/buf.h"
#include "utils/err.h"

/* Does anything of this person wait, so that this update must, too? */
MUST_CHECK enum rc later_must(struct bot *bot, const struct update *u,
    bool *out, struct err *e);

/* Is anything kept here? */
bool later_may(const struct bot *bot);

/* Keeps the update u, whose text is body; fills the webhook's answer.  What
 * failed may succeed later: never RC_INVALID, RC_NOTFOUND or RC_TOOBIG.
 * RC_BUSY: this host may not serve, perhaps another one does. */
MUST_CHECK enum rc later_keep(struct bot *bot, const struct update *u,
    const char *body, size_t len, struct arena *arena, struct buf *answer,
    struct update_info *info, struct err *e);

#endif
