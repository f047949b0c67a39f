/*
 * slots.h - the slot map: a file that every process maps.
 *
 * For the router, and for what moves slots.  A struct slots owns its mapping
 * and the lock file's descriptor.  Locks belong to that descriptor: they are
 * shared with a child after fork, so a child opens its own.
 */
#ifndef FAMILYBOT_STORE_SLOTS_H
#define FAMILYBOT_STORE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/router.h"
#include "utils/err.h"

enum { SLOT_SHARD_NAME_SIZE = 64 };

struct slots;

/*
 * Maps the file at path, and creates it for the n shards named when it is
 * missing (slot s on shard s mod n).  The lock file lies beside it: slots.map
 * has slots.lock.  RC_INVALID: the map was made for other shards, or n does
 * not divide SLOT_COUNT; RC_CORRUPT: damaged.
 */
MUST_CHECK enum rc slots_open(const char *path, const struct shard_conf *shards,
    int n, bool writable, struct slots **out, struct err *e);
void slots_free(struct slots *m);	/* takes NULL; drops its locks */

struct slot_entry slots_get(const struct slots *m, int32_t slot);
/* One atomic store, then written to the disk.  The caller holds the slot's
 * exclusive lock, or makes a change that needs none (COPYING to FENCING). */
MUST_CHECK enum rc slots_set(struct slots *m, int32_t slot,
    struct slot_entry entry, struct err *e);

/*
 * The lock of a slot, shared or exclusive; tries again each half millisecond
 * for wait_ms.  RC_BUSY when it stays taken.  Not counted: a second lock of
 * one struct slots on a slot replaces the first.
 */
MUST_CHECK enum rc slots_lock(struct slots *m, int32_t slot, bool exclusive,
    int wait_ms, struct err *e);
void slots_unlock(struct slots *m, int32_t slot);

/* Shared lock, then the entry as it is under the lock; waits while the slot
 * is fenced, wait_ms at most in all.  RC_BUSY when it stays so. */
MUST_CHECK enum rc slots_enter(struct slots *m, int32_t slot, int wait_ms,
    struct slot_entry *out, struct err *e);

#endif
