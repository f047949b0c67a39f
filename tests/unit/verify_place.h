/*
 * verify_place.h - three embedded shards with people, and what verify hears
 * of them.
 */
#ifndef FAMILYBOT_TESTS_VERIFY_PLACE_H
#define FAMILYBOT_TESTS_VERIFY_PLACE_H

#include "conformance.h"

#include "reshard/verify.h"
#include "shards/router.h"
#include "shards/slots.h"

enum { SHARDS = 3, PEOPLE = 60 };

struct world {
	char dir[400], map[512];
	struct shard_conf shards[SHARDS];
	struct router *router;
	struct slots *slots;
};

struct heard {
	struct world *w;
	int64_t n[VERIFY_KINDS], lines, repaired;
	struct verify_finding last;
	char words[512];
	struct verify_result r;
};

int verify_setup(void **state);
int verify_teardown(void **state);
struct store *world_shard(struct world *w, int shard);
/* A profile, some meals, an own food that the profile counts, a job. */
void person_put(struct store *s, int64_t id);
void people_put(struct world *w);
struct heard world_verify(struct world *w, bool digests, bool repair);
/* Only of these, n of that kind. */
void found_only(const struct heard *h, enum verify_kind kind, int64_t n);
void found_nothing(const struct heard *h);
/* By SQLite itself, past the store. */
void world_sql(struct world *w, int shard, const char *text);

#endif
