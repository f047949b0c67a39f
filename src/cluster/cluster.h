/*
 * cluster.h - several hosts on the same server shards: they agree in the meta
 * store (a shard, named in shards.conf) on one slot map.
 *
 * Each host has its map file, and one agent in its worker.  The agent renews
 * the host's lease, takes the steps of a move over into its map and
 * acknowledges them.  No wall clock is compared: a host counts up a number in
 * its own document; whoever waits for it measures with its own monotonic clock
 * how long that number stands still.  A host serves only while its own lease,
 * by its own monotonic clock from before the last renewal was sent, lasts.
 *
 * Documents in the meta store (see meta_put): "map" the map that holds, with
 * its version; "step" the step under way, with its number; "host:NAME" beat,
 * acknowledged step, map version.
 */
#ifndef FAMILYBOT_CLUSTER_CLUSTER_H
#define FAMILYBOT_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "reshard/step.h"
#include "store/router.h"
#include "store/slots.h"
#include "utils/err.h"

struct cluster_conf {
	const char *host;	/* this host's name, unique */
	int lease_ms;		/* 5000 */
	int op_timeout_ms;	/* most that a request's operation may take */
	struct slots *slots;	/* writable, borrowed */
	struct router *router;	/* borrowed */
	const char *meta;	/* name of the shard that is the meta store */
};

struct cluster_agent;

/* Before anything is served: fetches the map (or founds it from this host's
 * when there is none), then takes a lease.  RC_UNAVAILABLE: try again. */
MUST_CHECK enum rc cluster_agent_open(const struct cluster_conf *c,
    struct cluster_agent **out, struct err *e);
void cluster_agent_free(struct cluster_agent *a);
/* One turn; returns in how many ms the next is due: 2 while a step is under
 * way, else a fifth of the lease at most. */
int cluster_agent_turn(struct cluster_agent *a);

/* For the mover, on any host.  ctx of step_cluster. */
struct cluster_steps;
MUST_CHECK enum rc cluster_steps_open(const struct cluster_conf *c,
    struct cluster_steps **out, struct err *e);
void cluster_steps_free(struct cluster_steps *s);
extern const struct step_ops step_cluster;

struct cluster_host {
	char name[64];
	bool live;		/* its number moved within its lease */
	int64_t step;		/* acknowledged */
	int64_t map_version;
};

/* Watches for wait_ms to tell the living from the dead. */
MUST_CHECK enum rc cluster_hosts(const struct cluster_conf *c, int wait_ms,
    struct cluster_host *out, int max, int *n, struct err *e);

#endif
