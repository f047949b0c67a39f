/*
 * cluster.h - several hosts on the same server shards: they agree in the meta
 * store (a shard, named in shards.conf) on one slot map.
 *
 * Each host has its map file, and one agent, a process beside its worker.  The
 * agent renews the host's lease, takes the steps of a move over into its map
 * and acknowledges them.  The mover, on any host, writes the steps.
 *
 * Documents in the meta store, each changed by compare-and-set alone:
 *   map        owners, states and generations of all slots, names and flags of
 *              the shards, and the number of the last step that is in it
 *   step       the step under way; its number is the document's version
 *   host:NAME  a beat that counts up, the last step acknowledged, the lease
 *   reshard    the journal of a change of shards, see reshard/reshard.h
 *
 * Why no two hosts ever serve a slot from different shards:
 *
 * 1. The truth is the map with the step over it (where the map does not hold
 *    it yet).  A step that changes the truth for good (copying, commit,
 *    release) is put into the map before the next one is written.
 * 2. A commit is one compare-and-set of the document "step", from the fence
 *    that was acknowledged.  Whoever wants to end that fence otherwise (the
 *    mover, another mover, a host that waited too long) must change the same
 *    document: one of them wins, the others see it.  A host never ends a fence
 *    by itself: it holds the exclusive locks, and when its agent dies the
 *    entries stay FENCING, which lets nobody in where a lease is needed.
 * 3. A commit needs, after the fence was written, an answer of each host: the
 *    acknowledgement that nobody is inside, or that it is dead.  Dead is who
 *    was seen with the same beat for longer than its lease, the longest write
 *    and a margin, the last look being after the fence was written, at its own
 *    document and confirmed by a majority.  (The listing of all hosts is not:
 *    it shows who there is and who has answered, and an answer, however it was
 *    read, was given after the step was taken.)  Its lease, counted from
 *    before its last beat was sent, is over then, by its own clock: no clock is
 *    compared with another, only lengths of time are.
 * 4. A host whose lease was over takes a new one in this order: write a beat,
 *    read the step, read the map, make its own map equal, and only then serve.
 *    If the mover held it for dead, its beat came after the mover's last look,
 *    so it reads that fence or what came after it.  A host that joins does the
 *    same, and the mover lists the hosts anew with each look.
 * 5. A lease lies in the map file with the id of the boot, so that neither a
 *    dead agent, a cut network, a sleeping machine nor a reboot leaves a right
 *    to serve behind.
 * 6. Two movers: who begins takes over by a step of its own, waits until all
 *    hosts answered it, and gives way when another host's mover lives.  A step
 *    of somebody who was taken over is refused.
 *
 * The lease is looked at when a slot is entered and again before each write to
 * a server, whose answer is waited for with a deadline: op_timeout_ms.  A write
 * that a cut network delivers later still was acknowledged to nobody; it lies at
 * the former owner, and what comes again is done at the new one.
 */
#ifndef FAMILYBOT_CLUSTER_CLUSTER_H
#define FAMILYBOT_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "reshard/reshard.h"
#include "reshard/step.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/err.h"

enum { CLUSTER_NAME_SIZE = 64, CLUSTER_HOSTS_MAX = 64 };

struct cluster_conf {
	const char *host;	/* this host's name, unique */
	int lease_ms;		/* 5000 */
	int op_timeout_ms;	/* most that a write may take, from the look at
				 * the lease to its answer */
	const char *map_path;	/* slots.map; the agent makes it where missing */
	/* The shard that is the meta store; the agent and the mover have a
	 * connection of their own, with a time-out of a fifth of the lease. */
	const struct shard_conf *meta;
	/* For a map that is to be founded: the shards of shards.conf. */
	const struct shard_conf *shards;
	int nshards;
	/* Does shards.conf, as it is now, say how to reach this name? */
	bool (*knows)(void *ctx, const char *name);
	/* op_timeout_ms by shards.conf as it is now; NULL: it stays. */
	int (*op_timeout)(void *ctx);
	/* Something that an operator should read, once each time it changes. */
	void (*say)(void *ctx, bool bad, const char *words);
	void *ctx;
};

struct cluster_agent;

/*
 * Fetches the map (or founds it from this host's when there is none, or makes
 * this host's file from it), and takes a lease.  RC_UNAVAILABLE, RC_BUSY: try
 * again.  RC_CONFLICT: another host has this name, or this host's map belongs
 * to other shards.
 */
MUST_CHECK enum rc cluster_agent_open(const struct cluster_conf *c,
    struct cluster_agent **out, struct err *e);
/* Gives no lease back: the processes go on for what is left of it, so that
 * another agent may follow. */
void cluster_agent_free(struct cluster_agent *a);	/* takes NULL */
/* One turn; returns in how many ms the next is due: 2 while slots are being
 * moved, else a fifth of the lease at most. */
int cluster_agent_turn(struct cluster_agent *a);

/* For the mover, on any host: ctx of step_cluster.  Takes over from a mover
 * that died.  RC_BUSY: one is at work on another host, or a host does not
 * answer yet; RC_UNAVAILABLE: this host's agent does not run. */
struct cluster_steps;
MUST_CHECK enum rc cluster_steps_open(const struct cluster_conf *c,
    struct slots *slots, struct cluster_steps **out, struct err *e);
void cluster_steps_free(struct cluster_steps *s);	/* takes NULL */
extern const struct step_ops step_cluster;

/*
 * New shards get their place in the map of all, before anything is begun that
 * names them by it; returns when this host's map has them there.  RC_BUSY: its
 * agent does not follow.
 */
MUST_CHECK enum rc cluster_names_add(const struct cluster_conf *c,
    const struct slots *slots, const char *const *names, int n, struct err *e);

/* The journal of all hosts: ctx of journal_cluster.  Connects when it is first
 * asked; RC_UNAVAILABLE: the meta store is down. */
struct cluster_journal;
void cluster_journal_open(const struct cluster_conf *c,
    struct cluster_journal **out);
void cluster_journal_free(struct cluster_journal *j);	/* takes NULL */
extern const struct journal_ops journal_cluster;

struct cluster_host {
	char name[CLUSTER_NAME_SIZE];
	bool live;		/* its beat moved within its lease */
	bool mover;		/* a mover is at work there */
	int64_t step;		/* acknowledged */
	int64_t still_ms;	/* since its beat was last seen to move */
	char words[96];		/* what it complains about; "" */
};

/* Watches for wait_ms to tell the living from the dead. */
MUST_CHECK enum rc cluster_hosts(const struct cluster_conf *c, int wait_ms,
    struct cluster_host *out, int max, int *n, struct err *e);

/*
 * Has nobody wait any more for a host that is gone for good.  Watches it until
 * its lease is over for sure, some seconds.  RC_CONFLICT: it lives; RC_NOTFOUND:
 * there is no such host.  One that comes back after that joins as a new one.
 */
MUST_CHECK enum rc cluster_host_forget(const struct cluster_conf *c,
    const char *name, struct err *e);

#endif
