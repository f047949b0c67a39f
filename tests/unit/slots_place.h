/*
 * slots_place.h - a directory with a slot map, for the tests of the map.
 */
#ifndef FAMILYBOT_TESTS_SLOTS_PLACE_H
#define FAMILYBOT_TESTS_SLOTS_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "shards/slots.h"

struct slots_place {
	char dir[400];
	char map[512];
	struct shard_conf shards[24];	/* shard0, shard1, ... */
};

/* Of a cmocka case: *state is a struct slots_place. */
int slots_place_setup(void **state);
int slots_place_teardown(void **state);

/* Open for writing; NULL, and said why, when that fails. */
struct slots *map_open(struct slots_place *p, int n);
/* Overwrites a byte of the file. */
void poke(const struct slots_place *p, off_t at, const char *byte);
/* A child that opens the map, does what act says, and waits to be killed. */
pid_t holder(struct slots_place *p, bool (*act)(struct slots *m));

#endif
