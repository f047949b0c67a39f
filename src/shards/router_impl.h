/*
 * router_impl.h - what router.c and router_shard.c share; nobody else includes
 * it.
 *
 * The list of shards is indexed like the map.  A shard's conf points into
 * confs, which are shards.conf as it was read last, in its order.
 */
#ifndef FAMILYBOT_SHARDS_ROUTER_IMPL_H
#define FAMILYBOT_SHARDS_ROUTER_IMPL_H

#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"

struct shard {
	const struct shard_conf *conf;	/* NULL: not in shards.conf */
	struct store *store;	/* NULL: not open */
	uint32_t epoch;		/* of the map, when it was opened */
	int users;		/* routes that hold the store */
	int pins;		/* others who do */
	bool stale;		/* close it when nobody holds it */
	bool server;		/* reached by a network */
	enum rc told;		/* what the routes' work came to */
	int pause_ms;		/* after the last failure, 0: none */
	int64_t retry_at;	/* monotonic us */
	struct err last;	/* what that failure said */
};

struct router {
	struct slots *slots;
	struct pulse *pulse;
	enum store_sync sync;
	bool create;
	int fence_wait_ms;
	enum rc (*reload)(void *ctx, struct shard_conf **shards, int *n,
	    struct err *e);
	void *reload_ctx;
	int64_t reload_at;	/* monotonic us; not sooner for the same map */
	int known;		/* shards of the map when it was looked at last */
	struct shard_conf *confs;
	uint8_t held[SLOT_COUNT];	/* routes that hold the slot's lock */
	struct shard shards[SHARDS_MAX];
};

/* Takes over confs, which are freed when RC_OK is not returned: RC_INVALID
 * when a shard that has slots is not among them. */
MUST_CHECK enum rc router_take(struct router *r, struct shard_conf *confs,
    int n, struct err *e);
/* Open, and what it was replaced by, if it was.  admitted: the breaker lets
 * this one try, so that no pause is waited for. */
MUST_CHECK enum rc shard_open(struct router *r, int shard, bool admitted,
    struct err *e);
/* Closes what is stale, unless somebody holds it. */
void shard_settle(struct shard *s);
void shard_pause(struct shard *s);

#endif
