/*
 * router.h - user → slot → shard.  See the README on slots and shards.
 *
 * The slot map is a file of 5040 entries of 8 bytes that every process maps;
 * one atomic store moves a slot.  A request holds a shared lock on its slot's
 * byte while it works (open-file-description lock, so the kernel drops it if
 * the process dies), and reads the entry under the lock: a route is never
 * stale.
 */
#ifndef FAMILYBOT_SHARDS_ROUTER_H
#define FAMILYBOT_SHARDS_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/slot.h"
#include "store/store.h"
#include "utils/err.h"

enum { SHARDS_MAX = 256 };

enum slot_state { SLOT_STABLE, SLOT_COPYING, SLOT_FENCING };

struct slot_entry {	/* exactly 8 bytes, stored and loaded atomically */
	uint16_t owner;		/* index of the shard in the map, see slots.h */
	uint16_t target;
	uint8_t state;		/* enum slot_state */
	uint8_t pad;
	uint16_t generation;
};

/* May n shards be used with placement "modulo"?  Then slot mod n is
 * user_id mod n.  below/above: the nearest numbers that work. */
bool slots_divide(int n, int *below, int *above);

struct shard_conf {
	char name[64];
	char uri[1024];
	int timeout_ms;
	bool leaving;		/* a new map gives it no slots */
};

struct router;
struct slots;
struct pulse;

struct router_conf {
	const char *map_path;	/* created for shards 0..n-1 when missing */
	const struct shard_conf *shards;
	int nshards;
	enum store_sync sync;
	bool create;		/* stores: create schema and indexes at open */
	int fence_wait_ms;	/* how long to wait for a fenced slot: 500 */
	/* Reads shards.conf again, when the map names a shard that shards does
	 * not: one that was added while this process ran.  *shards is freed by
	 * the router.  NULL: never. */
	enum rc (*reload)(void *ctx, struct shard_conf **shards, int *n,
	    struct err *e);
	void *reload_ctx;
	struct pulse *pulse;	/* borrowed; NULL: no breaker */
	bool leased;		/* serve nobody without slots_lease_until, from
				 * the first request on */
};

/*
 * Maps the slot map.  Shards are opened lazily, one connection each, and
 * again after RC_UNAVAILABLE with back-off, so that one dead shard stops
 * nobody.  The map says where slots live and shards.conf how to reach a name:
 * the order in shards.conf is free, and a name that is not in the map yet owns
 * nothing.  RC_INVALID when a shard that owns slots is not in shards.conf, or
 * when a new map is needed and nshards does not divide 5040.
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
 * stays fenced or this host may not serve now, RC_UNAVAILABLE when its shard is
 * down, paused, or refused by its breaker.  While the route is held, the
 * store's writes to a slot that moves leave marks (see store.h). */
MUST_CHECK enum rc router_enter(struct router *r, int64_t user_id,
    struct route *out, struct err *e);
/* The same without waiting for a fence, and by slot. */
MUST_CHECK enum rc router_try(struct router *r, int32_t slot,
    struct route *out, struct err *e);
void router_leave(struct route *route);
/* RC_BUSY: this host needs a lease to serve anybody, and has none. */
MUST_CHECK enum rc router_leased(const struct router *r, struct err *e);

/*
 * Tells the router what an operation on the shard failed with: after
 * RC_UNAVAILABLE it closes the shard as soon as no route holds it, and opens
 * it again after a pause; other results change nothing.
 */
void router_failed(struct router *r, int shard, const struct err *e);

/* Indexes of the map; a gap has the name "".  New shards of shards.conf that
 * the map does not know are not among them. */
int router_shards(const struct router *r);
const char *router_shard_name(const struct router *r, int shard);
/* How to reach it; NULL for a gap, or when shards.conf does not name it.
 * Borrowed until the next call with this router that may fail. */
const struct shard_conf *router_shard_conf(const struct router *r, int shard);
/* Is it one to be asked?  No gap, and in shards.conf or with slots. */
bool router_shard_there(const struct router *r, int shard);
/* The shard itself, for work over all users (worker, status), paused or not.
 * Borrowed until the next call with this router that may fail. */
MUST_CHECK enum rc router_shard(struct router *r, int shard,
    struct store **out, struct err *e);
/* The same, and it stays open until router_unpin, whatever is asked of the
 * router meanwhile: a gate of job_lease enters slots of the shard. */
MUST_CHECK enum rc router_pin(struct router *r, int shard,
    struct store **out, struct err *e);
void router_unpin(struct router *r, int shard);
struct slot_entry router_slot(const struct router *r, int32_t slot);
/* How shards do; NULL: there is no breaker.  Borrowed. */
struct pulse *router_pulse(const struct router *r);
/* The map itself, borrowed, open for reading. */
const struct slots *router_slots(const struct router *r);

#endif
