/*
 * applier.h - applies updates that were kept, for the worker: a bot that is
 * made when the first is there, as the food table costs memory.
 */
#ifndef FAMILYBOT_APPLIER_H
#define FAMILYBOT_APPLIER_H

#include <stddef.h>

#include "config/config.h"
#include "utils/err.h"

struct applier;
struct router;

struct applier *applier_new(const struct config *conf, struct router *router);
void applier_free(struct applier *a);	/* takes NULL */

/* ctx: struct applier.  Results are those of bot_apply; RC_SYSTEM when there
 * can be no bot now. */
MUST_CHECK enum rc applier_apply(void *ctx, const char *body, size_t len,
    struct err *e);

#endif
