/*
 * spool.h - updates of people whose shard cannot be reached, kept on this
 * host until it can: a small database (SQLite, WAL, synchronous FULL) beside a
 * mapped file that says for each slot how many wait.
 *
 * While anything of a person waits, newer updates of that person are added
 * behind it, so that each person's updates are applied in the order in which
 * they came.  Applied means: by the same code as a fresh one, whose effects
 * have natural keys; then the row is deleted.  A crash in between repeats the
 * update, which changes nothing.
 *
 * The counts never say too little: they are raised before a row is committed
 * and lowered after its deletion is.  A crash may leave them too high, which
 * costs a look into the database; who takes rows out sets them right.
 */
#ifndef FAMILYBOT_SPOOL_SPOOL_H
#define FAMILYBOT_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

enum { SPOOL_BATCH = 32 };

struct spool;

struct spool_conf {
	const char *path;	/* state_dir/data/spool.db; counts beside it */
	int64_t max_bytes;	/* of bodies that wait; more is RC_FULL */
};

/* The database itself is opened when it is needed.  RC_CONFLICT: a process of
 * another version uses the counts. */
MUST_CHECK enum rc spool_open(const struct spool_conf *c, struct spool **out,
    struct err *e);
void spool_free(struct spool *s);	/* takes NULL */

/* Does anything of this slot wait?  One load, no system call. */
bool spool_holds(const struct spool *s, int32_t slot);
/* … of this person?  Asks the database only if the slot holds something. */
MUST_CHECK enum rc spool_holds_user(struct spool *s, int64_t user_id,
    bool *out, struct err *e);

/* Durable when it returns RC_OK; an update that waits already is not added
 * again.  told: the person is told of it; *told_at: when the newest other one
 * came of which that person was told and which waits, too, UTC ms, 0 none.
 * RC_FULL: too much waits already, or the disk is full; nothing is kept
 * then. */
MUST_CHECK enum rc spool_add(struct spool *s, int64_t user_id,
    int64_t update_id, const char *body, size_t len, bool told,
    int64_t now_ms, int64_t *told_at, struct err *e);

/* -- for the one process that takes rows out: the worker -- */

/* The first slot from this one on (0..) that holds something; -1 none. */
int32_t spool_slot(const struct spool *s, int32_t from);

struct spooled {
	int64_t seq;		/* rises; never used twice */
	int64_t user_id;
	int64_t received_at;	/* UTC ms */
	struct buf body;	/* the caller's, set up by buf_init */
};

/* The slot's first row behind seq after (0: the first of all).  RC_NOTFOUND at
 * the end. */
MUST_CHECK enum rc spool_next(struct spool *s, int32_t slot, int64_t after,
    struct spooled *out, struct err *e);
/* Applied: deletes these rows, at most SPOOL_BATCH. */
MUST_CHECK enum rc spool_done(struct spool *s, const int64_t *seqs, size_t n,
    struct err *e);

/* The counts say that something waits, and no slot does: a crash left them too
 * high.  Counts again. */
MUST_CHECK enum rc spool_settle(struct spool *s, struct err *e);

/* -- for who looks -- */

struct spool_stats {
	int64_t rows, bytes;
	int64_t oldest_at;	/* UTC ms, 0 none */
};

/* Counted in the database. */
MUST_CHECK enum rc spool_stats(struct spool *s, struct spool_stats *out,
    struct err *e);
/* The same of one slot. */
MUST_CHECK enum rc spool_stats_slot(struct spool *s, int32_t slot,
    struct spool_stats *out, struct err *e);
/* As the counts say; no system call. */
void spool_glance(const struct spool *s, struct spool_stats *out);

#endif
