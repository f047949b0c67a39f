/*
 * timing.h - where the time of one request went, by stage.
 *
 * Stages follow one another; timing_stage() ends the running one and begins
 * the next.  Entering a stage again adds to it.
 */
#ifndef FAMILYBOT_UTILS_TIMING_H
#define FAMILYBOT_UTILS_TIMING_H

#include <stdint.h>

enum stage { STAGE_PARSE, STAGE_ROUTE, STAGE_CACHE, STAGE_SHARD, STAGE_HANDLER,
	STAGE_REPLY, STAGE_COUNT };

struct timing {
	int64_t start_us, last_us;	/* monotonic */
	enum stage now;
	int64_t us[STAGE_COUNT];
};

void timing_start(struct timing *t);	/* begins in STAGE_PARSE */
/* Returns the stage that was running, for those who go back to it. */
enum stage timing_stage(struct timing *t, enum stage next);
int64_t timing_stop(struct timing *t);	/* total microseconds */
const char *stage_name(enum stage s);	/* "parse", ... */

#endif
