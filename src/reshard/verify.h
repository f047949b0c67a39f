/*
 * verify.h - are all records where they belong, once, and whole?
 *
 * Reads every shard while it serves.  A difference that a write or a move may
 * have made meanwhile is looked at again under the slot's exclusive lock
 * before it is told.
 */
#ifndef FAMILYBOT_RESHARD_VERIFY_H
#define FAMILYBOT_RESHARD_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/record.h"
#include "store/router.h"
#include "store/slots.h"
#include "utils/err.h"

enum verify_kind {
	VERIFY_MISPLACED,	/* records on a shard that neither owns the slot
				 * nor is its target, and the owner lacks them */
	VERIFY_DUPLICATE,	/* the owner has the same record as well */
	VERIFY_ORPHANED,	/* records of somebody without a profile, or left
				 * behind by a move: the owner has newer ones */
	VERIFY_UNREADABLE,	/* STORE_UNREADABLE, STORE_WRONG_SLOT */
	VERIFY_DRIFT,		/* STORE_DRIFT */
	VERIFY_KINDS
};

struct verify_finding {
	enum verify_kind kind;
	int shard;
	int32_t slot;
	enum collection collection;
	int64_t records;
	const char *words;
	bool repaired;
};

struct verify_conf {
	struct router *router;
	struct slots *slots;	/* writable: for the locks and repair */
	bool digests;		/* read everything; else counts alone */
	/* Only: duplicates that equal the owner's byte for byte and lie where
	 * no move goes on are deleted; drift is counted again. */
	bool repair;
	void (*found)(void *ctx, const struct verify_finding *f);
	/* digests of what the owner has of a slot; may be NULL */
	void (*slot)(void *ctx, int32_t slot, int shard,
	    const struct digests *d);
	void (*progress)(void *ctx, int32_t slots_done);
	void *ctx;
};

struct verify_result {
	int64_t found[VERIFY_KINDS];
	int64_t repaired;
	int64_t users, records;
	int shards_unread;	/* did not answer: nothing is known of them */
	struct digests all;
};

MUST_CHECK enum rc verify_run(const struct verify_conf *c,
    struct verify_result *out, struct err *e);

#endif
