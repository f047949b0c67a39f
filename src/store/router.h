/*
 * router.h - user → slot → shard.  See the README on slots and shards.
 *
 * The slot map is a file of 5040 entries of 8 bytes that every process maps;
 * one atomic store moves a slot.  A request holds a shared lock on its slot's
 * byte while it works (open-file-description lock, so the kernel drops it if
 * the process dies), and reads the entry under the lock: a route is never
 * stale.
 */
#ifndef FAMILYBOT_STORE_ROUTER_H
#define FAMILYBOT_STORE_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"
#include "utils/err.h"

enum { SLOT_COUNT = 5040, SHARDS_MAX = 256 };

enum slot_state { SLOT_STABLE, SLOT_COPYING, SLOT_FENCING };

struct slot_entry {	/* exactly 8 bytes, stored and loaded atomically */
	uint16_t owner;		/* index of the shard in shards.conf */
	uint16_t target;
	uint8_t state;		/* enum slot_state */
	uint8_t pad;
	uint16_t generation;
};

/* floor_mod(user_id, SLOT_COUNT): 0..5039 also for negative ids. */
int32_t slot_of(int64_t user_id);

/* May n shards be used with placement "modulo"?  Then slot mod n is
 * user_id mod n.  below/above: the nearest numbers that work. */
bool slots_divide(int n, int *below, int *above);

struct shard_conf {
	char name[64];
	char uri[1024];
	int timeout_ms;
};

struct router;

struct router_conf {
	const char *map_path;	/* created for shards 0..n-1 when missing */
	const struct shard_conf *shards;
	int nshards;
	enum store_sync sync;
	bool create;		/* stores: create schema and indexes at open */
	int fence_wait_ms;	/* how long to wait for a fenced slot: 500 */
};

/*
 * Maps the slot map.  Shards are opened lazily, one connection each, and
 * again after RC_UNAVAILABLE with back-off, so that one dead shard stops
 * nobody.  RC_INVALID when the map was made for other shards (number, names
 * or order), or when a new one is needed and nshards does not divide 5040.
 */
MUST_CHECK enum rc router_open(const struct router_conf *c,
    struct router **out, struct err *e);
void router_free(struct router *r);

struct route {
	struct router *router;
	struct store *store;
	int32_t slot;
	int shard;
	uint16_t generation;
	enum slot_state state;
};

/* Locks the user's slot (shared) and opens its shard.  RC_BUSY when the slot
 * stays fenced, RC_UNAVAILABLE when its shard is down. */
MUST_CHECK enum rc router_enter(struct router *r, int64_t user_id,
    struct route *out, struct err *e);
void router_leave(struct route *route);

/*
 * Tells the router what an operation on the shard failed with: after
 * RC_UNAVAILABLE it closes the shard as soon as no route holds it, and opens
 * it again after a pause; other results change nothing.
 */
void router_failed(struct router *r, int shard, const struct err *e);

int router_shards(const struct router *r);
const char *router_shard_name(const struct router *r, int shard);
/* The shard itself, for work over all users (worker, status).  Borrowed until
 * the next router_failed of that shard. */
MUST_CHECK enum rc router_shard(struct router *r, int shard,
    struct store **out, struct err *e);
struct slot_entry router_slot(const struct router *r, int32_t slot);

#endif
