/*
 * reshard_world.h - people who write while their slots move, and a ledger of
 * every write that was acknowledged to them, in memory shared by all processes
 * of the test.
 *
 * Each person is written to by one process only, so that what must be stored
 * is known exactly; their neighbours in the slot are written to by others.
 */
#ifndef FAMILYBOT_TESTS_RESHARD_WORLD_H
#define FAMILYBOT_TESTS_RESHARD_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shards/router.h"

enum { WORLD_SLOTS = 500, WORLD_PEOPLE = 3 * WORLD_SLOTS, WORLD_SHARDS = 6,
	WORLD_FIRST = 4, WORLD_WRITERS = 4, WORLD_MEALS = 40, WORLD_FOODS = 4,
	WORLD_JOBS = 16 };

struct ledger_meal {
	int32_t rev;
	int32_t deleted;
	int64_t mg;
};

struct person {
	int64_t id;
	int32_t rev;			/* of the profile, 0 not stored */
	int32_t nmeals, njobs;
	struct ledger_meal meals[WORLD_MEALS];
	int64_t foods[WORLD_FOODS];	/* calories last stored, 0 none */
	atomic_int sent[WORLD_JOBS];	/* how often the job was carried out */
	/* of the check */
	int seen_user, seen_meals, seen_foods, seen_jobs;
};

struct world {
	char dir[400];
	char map[500];
	struct shard_conf shards[WORLD_SHARDS];
	atomic_bool stop, pause;
	atomic_bool idle[WORLD_WRITERS + 1];
	atomic_long writes, failed, leased, violations;
	atomic_flag worded;
	char words[300];		/* of the first violation */
	struct person people[WORLD_PEOPLE];
};

/* kind: "sqlite", "mixed" (new shards are MongoDB) or "mongo". */
struct world *world_new(const char *kind);
void world_free(struct world *w);
struct person *world_find(struct world *w, int64_t id);	/* NULL: nobody */
/* Knowing the first n shards, and the others when the map names them. */
struct router *world_router(struct world *w, int n);

void world_violation(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What processes do until w->stop. */
int world_writer(struct world *w, int n);
int world_worker(struct world *w);	/* carries out jobs; at the end all */

/* Everything on all shards against the ledger, while nobody writes. */
void world_check(struct world *w);

#endif
