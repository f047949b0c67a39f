/*
 * slots.h - the slot map: a file that every process maps.
 *
 * For the router, and for what moves slots.  A struct slots owns its mapping
 * and the lock file's descriptor.  Locks belong to that descriptor: they are
 * shared with a child after fork, so a child opens its own.
 */
#ifndef FAMILYBOT_SHARDS_SLOTS_H
#define FAMILYBOT_SHARDS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shards/router.h"
#include "utils/err.h"

enum { SLOT_SHARD_NAME_SIZE = 64 };

struct slots;

/*
 * Maps the file at path.  When it is missing: RC_NOTFOUND with n 0, else it is
 * made for the n shards named (slot s on shard s mod n).  Which shards it has
 * after that is its own matter: names stay with their index for good.  The
 * lock file lies beside it: slots.map has slots.lock.  RC_INVALID: n does not
 * divide SLOT_COUNT, or the file is of a newer version; RC_CORRUPT: damaged.
 */
MUST_CHECK enum rc slots_open(const char *path, const struct shard_conf *shards,
    int n, bool writable, struct slots **out, struct err *e);
void slots_free(struct slots *m);	/* takes NULL; drops its locks */

struct slot_entry slots_get(const struct slots *m, int32_t slot);
/* One atomic store.  The caller holds the slot's exclusive lock, or makes a
 * change that needs none (COPYING to FENCING and back). */
MUST_CHECK enum rc slots_set(struct slots *m, int32_t slot,
    struct slot_entry entry, struct err *e);
/* Waits until what was set is on the disk.  A new owner is made durable before
 * the exclusive lock is given back: nobody writes where a power loss would
 * forget that they did. */
MUST_CHECK enum rc slots_sync(struct slots *m, struct err *e);

/*
 * The lock of a slot, shared or exclusive; tries again each half millisecond
 * for wait_ms.  RC_BUSY when it stays taken.  Not counted: a second lock of
 * one struct slots on a slot replaces the first.
 */
MUST_CHECK enum rc slots_lock(struct slots *m, int32_t slot, bool exclusive,
    int wait_ms, struct err *e);
void slots_unlock(struct slots *m, int32_t slot);

/*
 * Shared lock, then the entry as it is under the lock; waits while the slot
 * is fenced, wait_ms at most in all.  RC_BUSY when it stays so.  A fence whose
 * mover died (see slots_mover_lock) holds nobody: the entry is returned as it
 * is, FENCING, and is served by its owner as COPYING is.  But where a lease is
 * needed the mover may be on another host: there a fence holds until this
 * host's agent takes it away.
 */
MUST_CHECK enum rc slots_enter(struct slots *m, int32_t slot, int wait_ms,
    struct slot_entry *out, struct err *e);

/* -- shards of the map, by index -- */

int slots_shards(const struct slots *m);	/* indexes in use, gaps too */
const char *slots_shard_name(const struct slots *m, int shard); /* "" gap */
int slots_shard_find(const struct slots *m, const char *name);	/* -1 none */
/* A new name at the end; *shard is its index.  RC_OK, too, when it is there.
 * RC_TOOBIG past SHARDS_MAX. */
MUST_CHECK enum rc slots_shard_add(struct slots *m, const char *name,
    int *shard, struct err *e);
/* The name that a gap has on other hosts. */
MUST_CHECK enum rc slots_shard_restore(struct slots *m, int shard,
    const char *name, struct err *e);
/* Does a slot have it as owner, or as target of a move? */
bool slots_shard_used(const struct slots *m, int shard);
/* Leaves a gap.  RC_CONFLICT while it is used. */
MUST_CHECK enum rc slots_shard_remove(struct slots *m, int shard,
    struct err *e);

enum shard_flag { SHARD_PAUSED = 1 /* its users are spooled */,
	SHARD_DRAINING = 2 /* gets no new slots */ };

uint8_t slots_shard_flags(const struct slots *m, int shard);
MUST_CHECK enum rc slots_shard_flag(struct slots *m, int shard,
    enum shard_flag flag, bool on, struct err *e);
/* Counts up whenever the shard's file was replaced: who has it open opens it
 * again. */
uint32_t slots_shard_epoch(const struct slots *m, int shard);
MUST_CHECK enum rc slots_shard_replaced(struct slots *m, int shard,
    struct err *e);
/* Was the shard's own file seen on this host?  Then nobody makes it again: a
 * file that is missing is one whose disk is away.  Told also of a map that is
 * open for reading; a map that cannot be written is told at the next open. */
bool slots_shard_made(const struct slots *m, int shard);
void slots_shard_made_note(const struct slots *m, int shard);
/* Waits until every request that entered a slot of the shard before now has
 * left it.  RC_BUSY after wait_ms.  A lock that m itself has on such a slot is
 * given back. */
MUST_CHECK enum rc slots_barrier(struct slots *m, int shard, int wait_ms,
    struct err *e);

/* -- who moves -- */

/* One mover a map: held until unlock, free or death.  RC_BUSY: another is at
 * work. */
MUST_CHECK enum rc slots_mover_lock(struct slots *m, struct err *e);
void slots_mover_unlock(struct slots *m);
bool slots_mover_alive(const struct slots *m);
/* Who begins or ends a change of shards, or writes shards.conf for one: some
 * moments, of this host.  RC_BUSY after wait_ms. */
MUST_CHECK enum rc slots_change_lock(struct slots *m, int wait_ms,
    struct err *e);
void slots_change_unlock(struct slots *m);

/* -- several hosts: this host may serve until a moment of its monotonic clock,
 * which its agent puts off again and again.  A dead agent, a cut network or a
 * reboot fences the host by itself.  The moment is one of clock_mono_us(),
 * taken before the renewal was sent. -- */

/* Default: no lease.  A map opened for writing tells all processes of the
 * host, for good; one opened for reading, this process. */
void slots_lease_need(struct slots *m, bool need);
void slots_lease_until(struct slots *m, int64_t mono_us);
bool slots_lease_needed(const struct slots *m);
bool slots_lease_ok(const struct slots *m);	/* true without need */

#endif
