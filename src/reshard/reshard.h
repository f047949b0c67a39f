/*
 * reshard.h - a change of shards under way: its journal, its mover, its end.
 *
 * The journal says what was asked for; the slot map says how far it is; nothing
 * else is remembered, so a mover may die anywhere and the next goes on, with
 * several hosts on any of them.  Who did what and when is added to
 * state_dir/data/audit.log of their host, one logfmt line each, synced.
 *
 *   begin → RUNNING → (mover) → MOVED → cleanup → none
 *              | pause, resume            | rollback: a new change, back
 *              ` abort → every slot that has not moved is released; those that
 *                have are moved back; then none
 */
#ifndef FAMILYBOT_RESHARD_RESHARD_H
#define FAMILYBOT_RESHARD_RESHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "reshard/plan.h"
#include "reshard/step.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/clock.h"
#include "utils/err.h"

enum reshard_state { RESHARD_NONE, RESHARD_RUNNING, RESHARD_PAUSED,
	RESHARD_ABORTING, RESHARD_MOVED };

struct reshard_limits {
	int64_t users_per_second;	/* 0: none */
	int64_t pause_if_p99_over_ms;	/* 0: never */
};

enum { RESHARD_FENCE_BUCKETS = 160 };

struct reshard {		/* what the journal says */
	enum reshard_state state;
	int64_t rev;		/* of the journal, 0: there is none */
	int64_t id;		/* UTC ms of begin */
	char who[64];		/* who began it */
	struct plan before;	/* names and placement: what rollback goes to */
	uint16_t owner_before[SLOT_COUNT];	/* index of the map */
	struct plan plan;
	uint16_t target[SLOT_COUNT];	/* index of the map */
	struct reshard_limits limits;
	int64_t started_at, ended_at;	/* UTC ms, 0 not yet */
	int64_t users, bytes, busy_us;	/* moved so far, and in what time: the
					 * speed that the next plan counts with */
	int64_t fence_p50_us, fence_p99_us, fence_max_us;
	/* how many fences took how long, see reshard/pace.h */
	uint32_t fences[RESHARD_FENCE_BUCKETS];
	char last_error[256];	/* why the mover stopped, "" */
	/* 1: a mover is at work, or ended while what it had sent to a server
	 * might still run there */
	int64_t unsettled;
};

/*
 * Where the journal lies.  The terminal that asks and the mover that works
 * both change it, each by compare-and-set from what it read.
 */
struct journal_ops {
	/* RC_OK with state NONE when there is none; RC_CORRUPT: unreadable. */
	enum rc (*load)(void *ctx, struct reshard *out, struct err *e);
	/* RC_BUSY: it is not the one with r->rev any more; read it again.
	 * r->rev becomes the new one.  State NONE takes it away. */
	enum rc (*save)(void *ctx, struct reshard *r, struct err *e);
	/* Another number whenever it was saved; 0: not known now. */
	uint64_t (*stamp)(void *ctx);
};

struct journal {
	const struct journal_ops *ops;
	void *ctx;
};

/* reshard.json of the folder that ctx (a char *) names, replaced in one piece.
 * Several hosts have theirs in the meta store, see cluster/cluster.h. */
extern const struct journal_ops journal_file;

struct reshard_conf {
	const char *dir;		/* state_dir/data: the audit trail */
	struct journal journal;
	struct slots *slots;		/* writable, borrowed */
	struct router *router;		/* borrowed; opens the shards */
	const struct step_ops *step;
	void *step_ctx;
	const struct clock *clock;
	const char *who;		/* for the audit trail */
	int settle_ms;			/* how long a command may run on a server
					 * that has begun to answer again */
	/* p99 of the last minute in ms over the shards, -1 unknown; may be NULL */
	int64_t (*p99_ms)(void *ctx);
	void *p99_ctx;
	int stop_fd;			/* readable: stop at once; -1 none */
};

/* RC_OK with state NONE when there is no journal; RC_CORRUPT when unreadable. */
MUST_CHECK enum rc reshard_load(const struct journal *j, struct reshard *out,
    struct err *e);
/* Writes the journal.  RC_CONFLICT: another change is not finished (e says
 * which command ends it); one that is MOVED may be followed by its way back. */
MUST_CHECK enum rc reshard_begin(const struct reshard_conf *c,
    const struct plan *before, const struct plan *plan,
    const struct reshard_limits *limits, struct err *e);
/* The change that puts every slot back to where it was before the one that is
 * MOVED, whatever the plan of then says.  RC_CONFLICT in another state. */
MUST_CHECK enum rc reshard_rollback(const struct reshard_conf *c,
    const struct reshard_limits *limits, struct err *e);
/* Asks a running or later mover to be in that state.  Limits may be NULL:
 * unchanged. */
MUST_CHECK enum rc reshard_ask(const struct reshard_conf *c,
    enum reshard_state state, const struct reshard_limits *limits,
    struct err *e);

enum reshard_wait { RESHARD_WORKING, RESHARD_WAIT_RATE, RESHARD_WAIT_P99,
	RESHARD_WAIT_SHARD /* one is down */, RESHARD_WAIT_HOST };

struct reshard_progress {
	enum reshard_wait wait;
	int32_t slots_done, slots;	/* of those that move */
	int64_t users, bytes;		/* in this run */
	int64_t elapsed_us;
	double users_per_second;	/* lately */
	int64_t remaining_s;		/* -1 unknown */
	int64_t fence_p99_us;
	const char *words;		/* what it waits for; "" */
};

/*
 * The mover: returns when all is MOVED, aborted (state NONE), PAUSED by
 * somebody, or stopped.  A shard that is down is waited for.  RC_BUSY: another
 * mover is at work.  RC_CORRUPT: a digest differed three times, or a record is
 * unreadable; the slot stays where it was.  progress (may be NULL) about each
 * 100 ms.
 */
MUST_CHECK enum rc reshard_run(const struct reshard_conf *c,
    void (*progress)(void *ctx, const struct reshard_progress *p), void *ctx,
    struct err *e);

/* Deletes what moved slots left at their former owners, then the journal.
 * RC_CONFLICT before the state is MOVED. */
MUST_CHECK enum rc reshard_cleanup(const struct reshard_conf *c,
    void (*progress)(void *ctx, const struct reshard_progress *p), void *ctx,
    struct err *e);

/* One line to the audit trail: who, when, what (logfmt pairs). */
MUST_CHECK enum rc audit_add(const char *dir, const char *who,
    const char *what, struct err *e);

#endif
