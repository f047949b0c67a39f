/*
 * clock.h - time that tests can set, and calendar days in a person's zone.
 *
 * A day is an int32_t: days since 1970-01-01 of the local calendar.  With a
 * day start of 04:00, what is eaten at 02:30 belongs to the day before.
 */
#ifndef FAMILYBOT_UTILS_CLOCK_H
#define FAMILYBOT_UTILS_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*now_ms)(void *ctx);	/* UTC, ms since the epoch */
	void *ctx;
};

extern const struct clock clock_system;

static inline int64_t clock_ms(const struct clock *c)
{
	return c->now_ms(c->ctx);
}

int64_t clock_mono_us(void);	/* monotonic microseconds, for timing */

/* Is there such a zone in tzdata ("Europe/Moscow")?  "UTC" always is. */
bool zone_valid(const char *zone);

/* Local day of the UTC second at, in a valid zone, days starting at
 * day_start_min minutes after midnight (0..720). */
int32_t zone_day(const char *zone, int day_start_min, int64_t at);

/* Local wall clock of at. minutes: since local midnight. */
void zone_local(const char *zone, int64_t at, int32_t *day, int *minutes);

void day_to_ymd(int32_t day, int *y, int *m, int *d);	/* m 1..12 */
int32_t day_from_ymd(int y, int m, int d);
int day_weekday(int32_t day);	/* 0 = Monday */

#endif
