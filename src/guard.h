/*
 * guard.h - what keeps a shard's trouble its own: the breakers and the spool,
 * opened as configured.
 */
#ifndef FAMILYBOT_GUARD_H
#define FAMILYBOT_GUARD_H

#include <stdbool.h>

#include "config/config.h"

struct pulse;
struct spool;

struct guard {
	struct pulse *pulse;	/* NULL: no breaker */
	struct spool *spool;	/* NULL: nothing is kept for later */
};

/* What cannot be had is logged and done without: a full disk or a damaged file
 * here must stop nobody whose shard is well.  worker: see pulse_open. */
void guard_open(const struct config *conf, bool worker, struct guard *out);
void guard_close(struct guard *g);

#endif
