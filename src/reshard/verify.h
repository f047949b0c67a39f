/*
 * verify.h - are all records where they belong, once, and whole?
 *
 * Reads every shard while it serves.  A difference that a write or a move may
 * have made meanwhile is looked at again under the slot's exclusive lock
 * before it is told.  Meals and jobs of somebody without a profile are no
 * fault: who only writes what they ate has none, and an erased person still
 * gets the last answer.  Nothing may be known of a shard that does not answer,
 * so nothing is told of it.
 */
#ifndef FAMILYBOT_RESHARD_VERIFY_H
#define FAMILYBOT_RESHARD_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/record.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/err.h"

enum verify_kind {
	VERIFY_MISPLACED,	/* records on a shard that neither owns the slot
				 * nor is its target, and the owner lacks them */
	VERIFY_DUPLICATE,	/* the owner has the same record as well */
	VERIFY_ORPHANED,	/* the owner has another version of the record,
				 * or it belongs to a profile that is not there */
	VERIFY_UNREADABLE,	/* STORE_UNREADABLE, STORE_WRONG_SLOT */
	VERIFY_DRIFT,		/* STORE_DRIFT */
	VERIFY_KINDS
};

/* "misplaced", "duplicate", "orphaned", "unreadable", "drift" */
const char *verify_kind_name(enum verify_kind k);

struct verify_finding {
	enum verify_kind kind;
	int shard;
	int32_t slot;
	enum collection collection;
	int64_t records;
	const char *words;	/* what it means and what to do */
	bool repaired;
};

struct journal;

struct verify_conf {
	struct router *router;
	struct slots *slots;	/* writable: for the locks and repair */
	const struct journal *journal;	/* of a change, whose leftovers are no
				 * findings; NULL: none */
	int32_t only_slot;	/* -1: all */
	int only_shard;		/* -1: all */
	bool digests;		/* read everything; else counts alone */
	/* Only: duplicates that equal the owner's byte for byte and lie where
	 * no move goes on are deleted, people who have nothing else there;
	 * drift of slots that stay is counted again. */
	bool repair;
	void (*found)(void *ctx, const struct verify_finding *f);
	/* digests of what the owner has of a slot; may be NULL */
	void (*slot)(void *ctx, int32_t slot, int shard,
	    const struct digests *d);
	/* copies that a change under way still needs or cleanup removes; may
	 * be NULL */
	void (*leftover)(void *ctx, int32_t slot, int shard, int64_t records);
	void (*unread)(void *ctx, int shard, const struct err *e); /* or NULL */
	void (*progress)(void *ctx, int32_t slots_done);	/* or NULL */
	void *ctx;
};

struct verify_result {
	int64_t found[VERIFY_KINDS];	/* records */
	int64_t repaired;		/* of these */
	int64_t users, records;		/* at their owners, when each was read */
	int64_t leftovers;
	int shards_unread;	/* own slots and did not answer: nothing is
				 * known of them */
	struct digests all;
};

/* RC_OK whatever was found. */
MUST_CHECK enum rc verify_run(const struct verify_conf *c,
    struct verify_result *out, struct err *e);

#endif
