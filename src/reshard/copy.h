/*
 * copy.h - people of one slot, from one shard to another, compared.
 *
 * What was read at the source and what was read back at the target is
 * remembered person by person, so that whoever changes meanwhile is read
 * again alone, and the sums still are those of the whole slot.
 */
#ifndef FAMILYBOT_RESHARD_COPY_H
#define FAMILYBOT_RESHARD_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/record.h"
#include "store/store.h"
#include "utils/err.h"

enum copy_side { COPY_SOURCE, COPY_TARGET };

struct copier {
	struct store *store[2];		/* by enum copy_side; borrowed */
	struct record_pack pack;
	enum copy_side at;		/* which shard the last failure was of */
	bool loose;			/* something is not durable yet */
};

void copier_init(struct copier *c);
void copier_release(struct copier *c);

struct copy_person {
	int64_t user_id;
	struct digests of[2];		/* by enum copy_side */
};

struct copy {
	int32_t slot;
	struct copy_person *people;	/* ascending by user_id */
	size_t n, size;
	bool was_empty;			/* the target, before anything came */
	struct digests sum[2];
};

void copy_clear(struct copy *s, int32_t slot);	/* keeps the memory */
void copy_release(struct copy *s);

/* While on, nothing that was copied is durable before copier_sync, or off: one
 * sync for many batches is what makes a move fast. */
MUST_CHECK enum rc copier_bulk(struct copier *c, bool on, struct err *e);
MUST_CHECK enum rc copier_sync(struct copier *c, struct err *e);

/* Deletes what an earlier move left at the target. */
MUST_CHECK enum rc copy_target_clear(struct copier *c, struct copy *s,
    struct err *e);

/* These people, in ascending order, as they are now: erased ones too.  fresh:
 * the target has nothing of them yet.
 * RC_CORRUPT: what was read back at the target is something else, or a record
 * cannot be read. */
MUST_CHECK enum rc copy_people(struct copier *c, struct copy *s,
    const int64_t *users, size_t n, bool fresh, struct err *e);

/* Do both sides add up to the same?  RC_CORRUPT when not. */
MUST_CHECK enum rc copy_compare(const struct copy *s, struct err *e);
/* Has the target exactly the people that were copied? */
MUST_CHECK enum rc copy_nobody_else(struct copier *c, const struct copy *s,
    struct err *e);

/* Bytes of this person at the source when last read, 0 unknown. */
uint64_t copy_person_bytes(const struct copy *s, int64_t user_id);

#endif
