/*
 * answerer.h - the bot with all that it works with, wired once: the services,
 * the food table, the queue.  For the web process, for the worker that applies
 * what was kept, and for benchmarks.
 */
#ifndef FAMILYBOT_APP_ANSWERER_H
#define FAMILYBOT_APP_ANSWERER_H

#include "config/config.h"
#include "utils/clock.h"
#include "utils/err.h"

struct answerer;
struct bot;
struct router;
struct spool;

/* All is borrowed and outlives it; spool may be NULL.  clock is of answers, too.  RC_INVALID and
 * RC_NOTFOUND: foods.db is wrong. */
MUST_CHECK enum rc answerer_open(const struct config *conf,
    struct router *router, struct spool *spool, const struct clock *clock,
    struct answerer **out, struct err *e);
void answerer_free(struct answerer *a);	/* takes NULL */

struct bot *answerer_bot(struct answerer *a);

#endif
