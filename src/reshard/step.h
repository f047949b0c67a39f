/*
 * step.h - the few things that must happen on every host at once while slots
 * move.  step_local does them on the one map of a single host; the cluster has
 * an agent on each host do them.
 *
 *   STABLE --copying--> COPYING --fence--> FENCING --commit--> STABLE, new owner
 *      ^                   ^  `---release--.   |
 *      `-------------------+---------------'   |
 *                          `-----unfence-------'
 *
 * Every call is idempotent: a mover that starts again repeats it.
 *
 * With several hosts a step may have to wait: begin, copying, fence and release
 * then answer RC_BUSY (somebody does not answer yet: e says who, call again) or
 * RC_UNAVAILABLE (the meta store or this host's agent is down, call again).
 * RC_CONFLICT of unfence or commit: the fence was taken away meanwhile, as a
 * host heard nothing of its end for too long.  The slots are COPYING, nothing
 * is committed, and marks that were cleared inside may be missing: begin these
 * slots again with copying, which waits until all who were inside have left.
 * RC_DENIED: another mover has taken over; stop.
 */
#ifndef FAMILYBOT_RESHARD_STEP_H
#define FAMILYBOT_RESHARD_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "shards/slots.h"
#include "utils/err.h"

struct step_ops {
	size_t fence_max;	/* most slots that one fence takes */
	/* Nobody else moves, on any host, until the mover's lock is given back:
	 * before anything is written or deleted that no step stands for. */
	enum rc (*begin)(void *ctx, struct err *e);
	/* From now on every write to these slots leaves a mark; who did not
	 * know that has left. */
	enum rc (*copying)(void *ctx, const int32_t *slots,
	    const uint16_t *targets, size_t n, struct err *e);
	/* Nobody is inside any of the slots, and who comes waits.  RC_BUSY:
	 * somebody would not leave; all of them are COPYING again.  *since:
	 * when people began to wait (monotonic µs), also when it then fails;
	 * untouched when nobody did. */
	enum rc (*fence)(void *ctx, const int32_t *slots, size_t n,
	    int64_t *since, struct err *e);
	enum rc (*unfence)(void *ctx, const int32_t *slots, size_t n,
	    struct err *e);
	/* The one point of no return: owner is target, generation one more,
	 * durable; then who waits goes on there. */
	enum rc (*commit)(void *ctx, const int32_t *slots, size_t n,
	    struct err *e);
	/* The longest that anybody may have waited, µs, on any host, for the
	 * fence that ended last, with an answer of RC_OK or not; since is what
	 * fence() told. */
	int64_t (*waited)(void *ctx, int64_t since);
	/* Back to STABLE at the owner, who always was right. */
	enum rc (*release)(void *ctx, const int32_t *slots, size_t n,
	    struct err *e);
};

extern const struct step_ops step_local;	/* ctx: struct slots */

#endif
