/*
 * spool.h - updates of people whose shard cannot be reached, kept on this
 * host until it can: a small database (SQLite, WAL, synchronous FULL) beside a
 * mapped file that says for each slot how many wait.
 *
 * While anything of a slot waits, newer updates of its people are added behind
 * it, so that each person's updates are applied in the order in which they
 * came.  Applied means: by the same code as a fresh one, whose effects have
 * natural keys; then the row is deleted.  A crash in between repeats the
 * update, which changes nothing.
 */
#ifndef FAMILYBOT_SPOOL_SPOOL_H
#define FAMILYBOT_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

struct spool;

struct spool_conf {
	const char *path;	/* state_dir/data/spool.db; counts beside it */
	int64_t max_bytes;	/* of bodies that wait; more is RC_FULL */
};

MUST_CHECK enum rc spool_open(const struct spool_conf *c, struct spool **out,
    struct err *e);
void spool_free(struct spool *s);	/* takes NULL */

/* Does anything of this slot wait?  One load, no system call. */
bool spool_holds(const struct spool *s, int32_t slot);

/* Durable when it returns RC_OK.  RC_FULL: too much waits already, or the disk
 * is full; nothing is kept then. */
MUST_CHECK enum rc spool_add(struct spool *s, int64_t user_id,
    int64_t update_id, const char *body, size_t len, int64_t now_ms,
    struct err *e);

struct spooled {
	int64_t seq;		/* rises; never used twice */
	int64_t user_id;
	int64_t received_at;	/* UTC ms */
	struct buf body;	/* the caller's, set up by buf_init */
};

/* The first row behind seq after whose slot is not passed over by skip (may be
 * NULL).  RC_NOTFOUND at the end. */
MUST_CHECK enum rc spool_next(struct spool *s, int64_t after,
    bool (*skip)(void *ctx, int32_t slot), void *ctx, struct spooled *out,
    struct err *e);
/* Applied: deletes the row. */
MUST_CHECK enum rc spool_done(struct spool *s, int64_t seq, struct err *e);

struct spool_stats {
	int64_t rows, bytes;
	int64_t oldest_at;	/* UTC ms, 0 none */
};

MUST_CHECK enum rc spool_stats(struct spool *s, struct spool_stats *out,
    struct err *e);

#endif
