/*
 * pulse_place.h - several processes' places held by one process (each struct
 * pulse has locks of its own), and children that are killed.
 */
#ifndef FAMILYBOT_TESTS_PULSE_PLACE_H
#define FAMILYBOT_TESTS_PULSE_PLACE_H

#include <stdbool.h>

#include "shards/pulse.h"

enum { SHARD = 2, OTHER = 1, SHARDS = 3, PLACES = 4 };

struct pulse_place {
	char dir[64], path[128];
	struct pulse *p[PLACES];
};

/* Of a cmocka case: *state is a struct pulse_place. */
int pulse_setup(void **state);
int pulse_teardown(void **state);

void sleep_ms(int ms);
/* A server of several shards. */
enum rc enter(struct pulse *p, int shard);
/* One failure of SHARD; enough of them to open its breaker. */
void fails(struct pulse *p);
void opens(struct pulse_place *t);
enum pulse_state state_now(struct pulse *p);
struct pulse *worker_of(struct pulse_place *t);
/* A child that enters SHARD and is killed there. */
void killed_inside(const char *path, bool worker);

#endif
