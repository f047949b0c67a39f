/*
 * internal.h - what the files of the worker share; nobody else includes it.
 */
#ifndef FAMILYBOT_WORKER_INTERNAL_H
#define FAMILYBOT_WORKER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "models/job.h"
#include "utils/buf.h"
#include "worker/rate.h"
#include "worker/worker.h"

enum { BATCH = 32, ITEMS_MAX = 128, LEASE_MS = 60000, LEASE_MARGIN_MS = 5000,
	HOLD_MS = 5000, SETTLE_DELAY_MS = 50, LOOK_MS = 1000,
	CALLS_MAX = 64, STOP_GRACE_MS = 10000 };

enum item_state { ITEM_WAITING, ITEM_FLYING, ITEM_SETTLING };

/* A job in hand, from its lease to the moment its outcome is stored. */
struct item {
	struct item *next;
	struct worker *w;
	enum item_state state;
	struct job job;
	int shard;		/* leased from */
	struct buf call;	/* payload, as rewritten */
	int64_t chat;		/* 0 none */
	int64_t started;	/* mono ms */
	bool rewritten;		/* plain, or to another chat: only once each */
	bool migrated;
};

struct job_type {
	const char *kind;
	/* Looks at a job that was just leased; may end it at once. */
	void (*accept)(struct item *it);
	/* Begins it; ends in item_end, item_retry or item_again. */
	void (*begin)(struct item *it);
};

struct shard_watch {
	int64_t retry_at;	/* mono ms; not asked before */
	int failures;		/* in a row */
	int64_t token;		/* of a lease whose answer was lost, 0 none */
	int64_t jobs_at, records_at;	/* mono ms of the next count */
};

/* What was told of the worker, and how much counting was done. */
struct gauges {
	struct worker_stats told;
	/* mono us up to which the counting done is paid for: its share of the
	 * worker's time is bounded so */
	int64_t jobs_paid, records_paid;
};

struct drain;

/* A call of the worker's own: commands, webhook watch. */
struct own_call {
	bool flying;
	int64_t next_at;	/* mono ms */
	int tries;
};

struct worker {
	struct worker_conf c;
	struct worker_stats stats;
	struct rate *rate;
	int sock, lock;		/* -1 not open */
	struct item *items;
	size_t nitems;
	size_t nsettling;
	int64_t settle_from;	/* mono ms when the first began to settle */
	int64_t look_at;	/* mono ms of the next look at the shards */
	bool more;		/* the last look left jobs that are due */
	int64_t purge_at;
	int64_t tidy_at;	/* mono ms when erased words leave the logs next */
	struct shard_watch *shards;	/* SHARDS_MAX */
	struct gauges gauges;
	struct drain *drain;	/* NULL: nothing is spooled */
	struct job *scratch;	/* BATCH jobs, for lease and settle */
	bool stopping;
	bool token_refused;	/* said so already */
	size_t ncalls;		/* ephemeral calls under way */
	struct own_call commands, webhook, me;
	bool me_done;
	size_t commands_done;
	int64_t webhook_error_date;
};

static inline int64_t mono_ms(void)
{
	return clock_mono_us() / 1000;
}
uint32_t worker_random(void);

/* item.c: outcomes; each logs one line */
const struct job_type *job_type_find(const char *kind);
void item_done(struct item *it, const char *outcome);
void item_dead(struct item *it, const char *why);
void item_retry(struct item *it, const char *why);	/* counts as a try */
/* Back to READY at run_at (UTC ms), its own to keep its place; not a try. */
void item_put_back(struct item *it, int64_t run_at, const char *why);

/* lease.c */
void lease_look(struct worker *w);
void lease_settle(struct worker *w, bool all);
/* What was erased leaves the files beside the shards and the spool. */
void lease_tidy(struct worker *w);
void lease_purge(struct worker *w);
/* What came of asking a shard for something: it is left alone for a while, or
 * is well again. */
void shard_failed(struct worker *w, int shard, const struct err *e);
void shard_works(struct worker *w, int shard);
/* Is the shard one to be asked now?  No gap, not paused, not left alone. */
bool shard_asked(struct worker *w, int shard);

/* send.c: the job type "send" */
extern const struct job_type job_type_send;
void send_token_refused(struct worker *w, const char *why);

/* inbox.c */
MUST_CHECK enum rc inbox_open(struct worker *w, struct err *e);
void inbox_close(struct worker *w);
bool inbox_drain(struct worker *w);	/* true: somebody woke us */

/* drain.c */
void drain_start(struct worker *w);
void drain_stop(struct worker *w);
void drain_turn(struct worker *w);
int64_t drain_next(const struct worker *w);	/* mono ms of the next turn */

/* gauges.c */
void gauges_start(struct worker *w);
void gauges_turn(struct worker *w);
void gauges_sent(struct worker *w, int64_t started);	/* mono ms */

/* webhook_watch.c */
void webhook_watch_start(struct worker *w);
void webhook_watch_turn(struct worker *w);

#endif
