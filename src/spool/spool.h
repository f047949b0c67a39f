/*
 * spool.h - updates of people whose shard cannot be reached, kept on this
 * host until it can: a small database (SQLite, WAL, synchronous FULL) beside a
 * mapped file that says for each slot how many wait.
 *
 * While anything of a person waits, newer updates of that person are added
 * behind it, so that each person's updates are applied in the order in which
 * they came.  Applied means: by the same code as a fresh one, whose effects
 * have natural keys; then the row is deleted.  A crash in between repeats the
 * person's last update, which changes nothing; two that are repeated in turn
 * would, so a row is deleted before the person's next one is applied.
 *
 * The counts of slots never say too little: they are raised before a row is
 * committed and lowered after its deletion is.  A crash may leave them too
 * high, which costs a look into the database; who takes rows out sets them
 * right.  A process that cannot map them asks the database each time, and adds
 * nothing, as others would not see it.
 */
#ifndef FAMILYBOT_SPOOL_SPOOL_H
#define FAMILYBOT_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

enum { SPOOL_BATCH = 32, SPOOL_HOLD_MAX_MS = 3600000, SPOOL_WHY_SIZE = 256 };

struct spool;

struct spool_conf {
	const char *path;	/* state_dir/data/spool.db; counts beside it */
	/* Of bodies that wait; more is RC_FULL.  0: none is added. */
	int64_t max_bytes;
};

/* Counts and database are opened when they are needed, and tried again at the
 * next need when that fails. */
struct spool *spool_new(const struct spool_conf *c);
void spool_free(struct spool *s);	/* takes NULL */

/* Are the counts mapped, at the latest now?  RC_CONFLICT: a process of another
 * version uses them. */
MUST_CHECK enum rc spool_ready(struct spool *s, struct err *e);

/* May anything be added? */
bool spool_keeps(const struct spool *s);
/* Does anything of this person wait?  One load, no system call, unless the
 * slot holds something. */
MUST_CHECK enum rc spool_holds(struct spool *s, int64_t user_id, bool *out,
    struct err *e);

struct spool_update {
	int64_t user_id, update_id;
	const char *body;
	size_t len;
	bool tell;		/* the person is to be told that it waits, … */
	int64_t tell_every_ms;	/* … unless that was said so lately */
};

/* Durable when it returns RC_OK; an update that waits already is not added
 * again.  *told: the person is to be told now; the same for the same update.
 * RC_FULL: too much waits already, in all or of this person, or the disk is
 * full; RC_UNAVAILABLE: it cannot be used now; nothing is kept then. */
MUST_CHECK enum rc spool_add(struct spool *s, const struct spool_update *u,
    int64_t now_ms, bool *told, struct err *e);

/* -- for the one process that applies rows: the worker.  Nothing is there
 * while the counts cannot be mapped. -- */

/* Is there work?  Some loads, no system call. */
bool spool_waits(const struct spool *s);
/* The first slot from this one on (0..) that holds something; -1 none. */
int32_t spool_slot(const struct spool *s, int32_t from);

struct spooled {
	int64_t seq;		/* rises; never used twice */
	int64_t user_id;
	int64_t received_at;	/* UTC ms */
	int32_t tries;		/* that failed, see spool_failed */
	struct buf body;	/* the caller's, set up by buf_init */
};

/* The slot's first row behind seq after (0: the first of all) of a person who
 * is not held now.  RC_NOTFOUND at the end. */
MUST_CHECK enum rc spool_next(struct spool *s, int32_t slot, int64_t after,
    int64_t now_ms, struct spooled *out, struct err *e);

/* Before a row is applied: how many times in a row the process died of it.
 * Known to a process that is started anew. */
int spool_trying(struct spool *s, int64_t seq);
void spool_tried(struct spool *s);	/* applied or not, it lives */

/* Applied, or to be forgotten: deletes these rows, at most SPOOL_BATCH; *n
 * (may be NULL): how many there were.  Anybody may call it. */
MUST_CHECK enum rc spool_done(struct spool *s, const int64_t *seqs, size_t n,
    size_t *gone, struct err *e);
/* It could not be applied: adds tries and says why.  Until that moment, UTC ms
 * and at most SPOOL_HOLD_MAX_MS away, the person is held: neither it nor what
 * came after it is next. */
MUST_CHECK enum rc spool_failed(struct spool *s, const struct spooled *row,
    int tries, int64_t until_ms, const char *why, struct err *e);
/* How many people are held now? */
MUST_CHECK enum rc spool_held(struct spool *s, int64_t now_ms, int64_t *out,
    struct err *e);

/* There is work, and no slot holds any: a crash left the counts wrong.  Counts
 * again. */
MUST_CHECK enum rc spool_settle(struct spool *s, struct err *e);

/* -- for who looks -- */

struct spool_stats {
	int64_t rows, bytes;
	int64_t oldest_at;	/* UTC ms, 0 none */
	int64_t failed;		/* of the rows: could not be applied */
};

/* Counted in the database. */
MUST_CHECK enum rc spool_stats(struct spool *s, struct spool_stats *out,
    struct err *e);
/* The same of one slot. */
MUST_CHECK enum rc spool_stats_slot(struct spool *s, int32_t slot,
    struct spool_stats *out, struct err *e);
/* Now and then, by the worker: what was applied or dropped leaves the log beside
 * the database.  Waits for nobody. */
void spool_tidy(struct spool *s);

/* As the counts say, but for failed; no system call. */
void spool_glance(const struct spool *s, struct spool_stats *out);

struct spool_entry {
	int64_t seq, received_at;
	int32_t slot, tries;
	char why[SPOOL_WHY_SIZE];	/* of the last try, "" */
};

/* Up to max rows behind seq after, in order: all, or those that could not be
 * applied.  What people wrote is not among it. */
MUST_CHECK enum rc spool_list(struct spool *s, bool all, int64_t after,
    size_t max, struct spool_entry *out, size_t *n, struct err *e);
/* Its person is not held for it any more.  RC_NOTFOUND: it did not fail. */
MUST_CHECK enum rc spool_retry(struct spool *s, int64_t seq, struct err *e);

#endif
