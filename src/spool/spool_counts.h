/*
 * spool_counts.h - what the mapped file beside the spool says, for spool*.c
 * alone.
 *
 * All are changed by who may write to the database, so that counting again
 * cannot cross a change: raised before the commit, lowered in a transaction
 * after it.
 */
#ifndef FAMILYBOT_SPOOL_SPOOL_COUNTS_H
#define FAMILYBOT_SPOOL_SPOOL_COUNTS_H

#include "spool/spool_db.h"

struct spool_counts {
	uint64_t layout;
	/* The row that is being applied, 0 none, and how many times in a row
	 * that was begun: of the worker alone, and true after a restart. */
	int64_t trying_seq, trying_times;
	int64_t totals;		/* goes up when the next three are counted */
	int64_t rows, bytes, oldest_at;
	uint32_t slot[SLOT_COUNT];
};

/* Is something of the slot there?  The counts are mapped. */
bool counts_hold(const struct spool *s, int32_t slot);

/* What a transaction adds (negative: takes) in all. */
struct counts_change {
	struct spool *s;
	int64_t rows, bytes;
	int32_t slot;		/* whose count changes, too; -1 none */
	int64_t at;		/* what is added came then, UTC ms; 0 none is */
};

/* How often rows and bytes were counted: a deletion that was committed before
 * that is known already. */
int64_t counts_totals_seen(const struct spool *s);
void counts_change(const struct counts_change *c);
void counts_undo(void *ctx);	/* struct counts_change */

/* All within a transaction: */

/* rows, bytes and oldest_at as the database has them. */
MUST_CHECK enum rc counts_totals(struct spool *s, struct err *e);
MUST_CHECK enum rc counts_oldest(struct spool *s, struct err *e);
MUST_CHECK enum rc counts_slot(struct spool *s, int32_t slot, struct err *e);

#endif
