/*
 * verify_impl.h - what the files of verify share.  Not for others.
 */
#ifndef FAMILYBOT_RESHARD_VERIFY_IMPL_H
#define FAMILYBOT_RESHARD_VERIFY_IMPL_H

#include "reshard/reshard.h"
#include "reshard/verify.h"

/* How long to wait for a slot that somebody works in. */
enum { VERIFY_LOCK_MS = 10000 };

struct verify {
	const struct verify_conf *c;
	struct verify_result r;
	struct slot_census *census[SHARDS_MAX];	/* NULL: not read */
	bool lost[SHARDS_MAX];		/* owns slots and did not answer */
	struct reshard change;		/* as last read; NONE: none */
};

/* The finding is counted and told. */
void verify_tell(struct verify *v, enum verify_kind kind, int shard,
    int32_t slot, enum collection collection, int64_t records, bool repaired,
    const char *words);

/*
 * The shard's store.  When it does not answer, *out is NULL and the shard is
 * counted as unread, once.
 */
MUST_CHECK enum rc verify_store(struct verify *v, int shard,
    struct store **out, struct err *e);
/* What an operation ended with: a shard that went away is counted as unread
 * and is no failure. */
MUST_CHECK enum rc verify_failed(struct verify *v, int shard, enum rc rc,
    struct err *e);

/* Reads the journal again: a change may have begun or ended meanwhile. */
MUST_CHECK enum rc verify_journal(struct verify *v, struct err *e);
/* Did the change under way leave or make copies of the slot there? */
bool verify_left(const struct verify *v, int32_t slot, int shard);

/* Records of the slot on a shard that does not own it.  verify_stray.c */
MUST_CHECK enum rc verify_stray(struct verify *v, int32_t slot, int shard,
    struct err *e);
/* The slot at its owner.  verify_owner.c */
MUST_CHECK enum rc verify_owner(struct verify *v, int32_t slot,
    struct err *e);

#endif
