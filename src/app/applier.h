/*
 * applier.h - applies updates that were kept, for the worker: a bot that is
 * made when the first is there, as the food table costs memory.
 */
#ifndef FAMILYBOT_APP_APPLIER_H
#define FAMILYBOT_APP_APPLIER_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "utils/err.h"

struct applier;
struct router;

struct applier *applier_new(const struct config *conf, struct router *router);
void applier_free(struct applier *a);	/* takes NULL */

/* ctx: struct applier.  As if it had come at received_at, UTC ms; what is said
 * is said now.  Results are those of bot_apply; RC_UNAVAILABLE when there can
 * be no bot now. */
MUST_CHECK enum rc applier_apply(void *ctx, const char *body, size_t len,
    int64_t received_at, struct err *e);

/* The moment of an answer after one at last_ms: none twice, so that answers are
 * sent in the order of the updates; a clock that was set back is followed. */
int64_t applier_rise(int64_t last_ms, int64_t now_ms);

#endif
