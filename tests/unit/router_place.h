/*
 * router_place.h - a directory with SQLite shards and a slot map, for the tests
 * of the router.
 */
#ifndef FAMILYBOT_TESTS_ROUTER_PLACE_H
#define FAMILYBOT_TESTS_ROUTER_PLACE_H

#include "shards/router.h"

enum { SHARDS = 10 };

struct router_place {
	char dir[400];
	char map[512];
	struct shard_conf shards[SHARDS];	/* shard0, shard1, ... */
};

/* Of a cmocka case: *state is a struct router_place. */
int router_setup(void **state);
int router_teardown(void **state);

/* The directory in which shard i's file is made; without it, it is down. */
void shard_make(const struct router_place *p, int i);
void shard_remove(const struct router_place *p, int i);
/* With the first n shards. */
struct router *router_of(struct router_place *p, int n);

#endif
