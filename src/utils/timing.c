/* timing.c - see timing.h. */
#include "config.h"

#include "utils/timing.h"

#include <string.h>

#include "utils/clock.h"

void timing_start(struct timing *t)
{
	memset(t, 0, sizeof(*t));
	t->start_us = t->last_us = clock_mono_us();
	t->now = STAGE_PARSE;
}

enum stage timing_stage(struct timing *t, enum stage next)
{
	enum stage was = t->now;
	int64_t now = clock_mono_us();

	t->us[was] += now - t->last_us;
	t->last_us = now;
	t->now = next;
	return was;
}

int64_t timing_stop(struct timing *t)
{
	timing_stage(t, t->now);
	return t->last_us - t->start_us;
}

const char *stage_name(enum stage s)
{
	static const char *const names[STAGE_COUNT] = {
		"parse", "route", "cache", "shard", "handler", "reply",
	};

	return s < STAGE_COUNT ? names[s] : "?";
}
