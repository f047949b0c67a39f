/*
 * reshard_place.h - a state directory with SQLite shards for tests of changes
 * of shards.
 */
#ifndef FAMILYBOT_TESTS_RESHARD_PLACE_H
#define FAMILYBOT_TESTS_RESHARD_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/record.h"
#include "reshard/reshard.h"
#include "shards/slots.h"
#include "utils/buf.h"

enum { PLACE_SHARDS = 6 };

struct reshard_place {
	char dir[400];
	char map[500];
	struct shard_conf shards[PLACE_SHARDS];
	struct slots *slots;
	struct router *router;
	struct reshard_conf c;
	int stop[2];		/* a pipe */
};

/* Its map has two shards, shards.conf six. */
int reshard_place_setup(void **state);
int reshard_place_teardown(void **state);
/* The first n shards are in the map. */
void reshard_place_add(struct reshard_place *p, int n);
/* A plan of the first n shards. */
struct plan reshard_place_plan(const struct reshard_place *p, int n,
    enum plan_placement placement);
/* One person with a profile and meals, at the slot's owner. */
void reshard_place_person(struct reshard_place *p, int64_t id, int meals);
/* All that a shard has of a slot. */
struct digests reshard_place_has(struct reshard_place *p, int shard,
    int32_t slot);

#define OK(call)	assert_int_equal((call), RC_OK)
#define IN_PLACE(f)	cmocka_unit_test_setup_teardown(f, \
	reshard_place_setup, reshard_place_teardown)

#endif
