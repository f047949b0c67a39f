/*
 * pulse_file.h - layout of the shared file, for pulse*.c alone.
 */
#ifndef FAMILYBOT_SHARDS_PULSE_FILE_H
#define FAMILYBOT_SHARDS_PULSE_FILE_H

#include <stdint.h>
#include <string.h>

#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/shared.h"

/* Times in µs: 16 of 1 µs, then eight in each power of two, to 134 s. */
enum { PULSE_BUCKETS = 16 + 23 * 8, PULSE_WINDOWS = 8, PULSE_LAST = 6,
	PULSE_WINDOW_US = 10000000 };

/* In which shard a process is since when, in one word: shard + 1 above, the
 * monotonic µs below; 0 in none. */
enum { INSIDE_BITS = 48 };

static inline uint64_t inside_word(int shard, int64_t us)
{
	return (uint64_t)(shard + 1) << INSIDE_BITS | (uint64_t)us;
}

static inline int64_t inside_us(uint64_t w)
{
	return (int64_t)(w & ((UINT64_C(1) << INSIDE_BITS) - 1));
}

struct pulse_process {
	uint64_t inside;
	uint32_t serving;	/* 1: takes requests */
} __attribute__((aligned(64)));

struct pulse_window {
	uint64_t epoch;		/* which ten seconds, monotonic */
	uint32_t failed;
	uint32_t bucket[PULSE_BUCKETS];
};

struct pulse_line {
	uint64_t word;		/* the breaker, see pulse_breaker.c */
	int64_t since_ms;
	uint32_t failures;	/* in a row */
	uint32_t p50_us, p99_us;	/* of the last minute, 0 not known */
	struct pulse_window window[PULSE_WINDOWS] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

struct pulse_file {
	uint64_t layout;
	uint32_t serving;	/* processes that take requests */
	uint32_t high;		/* their places are below this one */
	struct pulse_process process[PULSE_PROCESSES_MAX];
	struct pulse_line shard[SHARDS_MAX];
};

struct pulse {
	struct shared shared;
	struct pulse_file *file;
	int own;
	struct pulse_process *place;	/* NULL: none claimed */
	bool worker;
	int placed;		/* shard + 1 that place->inside tells of */
	int depth[SHARDS_MAX];	/* how often this process is inside */
	bool server[SHARDS_MAX], probing[SHARDS_MAX], bad[SHARDS_MAX];
	int64_t since[SHARDS_MAX];	/* monotonic µs */
};

/* pulse.c */
void pulse_recount(struct pulse *p);
bool pulse_alive(const struct pulse *p, int process);

/* pulse_breaker.c: who had the place that was just claimed tries nothing any
 * more. */
void breaker_claimed(struct pulse *p);
/* Lets the breaker this process pass?  Perhaps as the one that tries. */
bool breaker_enter(struct pulse *p, int shard, bool server, int64_t now_us);
/* What came of it, by p->bad and p->since. */
void breaker_leave(struct pulse *p, int shard, int64_t now_us);
/* Closed, after it was open, and not proven yet. */
bool breaker_on_trial(const struct pulse_line *s);

/* pulse_stats.c: one that was inside for us has left. */
void pulse_count(struct pulse *p, int shard, int64_t us, bool failed,
    int64_t now_us);
int64_t pulse_stuck_us(const struct pulse_line *s);
/* Is it usually quick, so that a full house is a hiccup? */
bool pulse_quick(const struct pulse_line *s);
enum pulse_state pulse_state_of(const struct pulse_line *s);

#endif
