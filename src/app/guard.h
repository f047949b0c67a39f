/*
 * guard.h - what keeps a shard's trouble its own: the breakers and the spool,
 * opened as configured.
 */
#ifndef FAMILYBOT_APP_GUARD_H
#define FAMILYBOT_APP_GUARD_H

#include <stdbool.h>

#include "config/config.h"

struct pulse;
struct spool;

struct guard {
	struct pulse *pulse;	/* NULL: no breaker */
	struct spool *spool;	/* never NULL after guard_open */
};

/* A breaker that cannot be had is logged and done without.  So is a spool, as
 * long as it is known whose updates wait in it: nobody's may overtake them.
 * worker: see pulse_open. */
void guard_open(const struct config *conf, bool worker, struct guard *out);
void guard_close(struct guard *g);

#endif
