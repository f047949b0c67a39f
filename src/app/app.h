/*
 * app.h - wires everything once: configuration → router, queue, services,
 * bot, web.  Nothing below reaches for what it was not handed here.
 */
#ifndef FAMILYBOT_APP_APP_H
#define FAMILYBOT_APP_APP_H

#include <stdio.h>

#include "config/config.h"
#include "utils/err.h"

struct app;

/* conf is borrowed and outlives the app.  Shards are opened when first used.
 * RC_INVALID and RC_NOTFOUND: the configuration or foods.db is wrong. */
MUST_CHECK enum rc app_open(const struct config *conf, struct app **out,
    struct err *e);
void app_free(struct app *a);

/* Serves FastCGI on fd until SIGTERM; see web/fcgi.h. */
MUST_CHECK enum rc app_serve(struct app *a, int fd, struct err *e);

/*
 * What `familybot -t` tries beyond the files' words: foods.db, the slot map,
 * every shard (a shard that does not answer is a warning: it costs only its
 * own users).  Creates nothing.  RC_INVALID when familybot would not start.
 */
MUST_CHECK enum rc app_test(const struct config *conf, FILE *report,
    struct err *e);

#endif
