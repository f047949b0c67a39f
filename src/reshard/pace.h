/*
 * pace.h - how fast the mover may go, and how long its fences took.  Pure: the
 * caller tells the time (monotonic µs).
 */
#ifndef FAMILYBOT_RESHARD_PACE_H
#define FAMILYBOT_RESHARD_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "reshard/reshard.h"

/* A bucket of people: what was copied is taken out afterwards and may leave a
 * debt, which is waited for. */
struct pace {
	int64_t rate;		/* people a second, 0: no limit */
	double left;
	int64_t at;
};

enum { PACE_SMOOTH_MS = 50, PACE_BATCH_MAX = 64 };

void pace_set(struct pace *p, int64_t rate, int64_t now);
/* Most people of one batch: what 50 ms may take, 1 at least. */
size_t pace_batch(const struct pace *p);
void pace_take(struct pace *p, int64_t now, size_t people);
/* How long to wait before the next batch; 0: go on. */
int64_t pace_wait_us(struct pace *p, int64_t now);

/* The histogram of fences: eight buckets an octave from 16 µs on. */
void fences_add(struct reshard *r, int64_t us);
/* Upper bound of the bucket below which that share of fences lies; 0 none. */
int64_t fences_quantile(const struct reshard *r, double share);

/* What was done lately, for the time that is left. */
enum { SPEED_SECONDS = 10 };
struct speed {
	int64_t second[SPEED_SECONDS];	/* which second a cell is of */
	int64_t users[SPEED_SECONDS];
	int64_t slots[SPEED_SECONDS];
	int64_t begun;
};
void speed_add(struct speed *s, int64_t now, int64_t users, int64_t slots);
double speed_users(const struct speed *s, int64_t now);	/* a second */
double speed_slots(const struct speed *s, int64_t now);

#endif
