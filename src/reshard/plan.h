/*
 * plan.h - which slots go where, and what that costs.  Pure but for plan_cost,
 * which asks the shards.
 */
#ifndef FAMILYBOT_RESHARD_PLAN_H
#define FAMILYBOT_RESHARD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "shards/router.h"
#include "shards/slots.h"
#include "utils/err.h"

enum plan_placement { PLAN_MODULO, PLAN_MINIMAL };

struct plan {
	int nnames;		/* the shards there shall be, in their order */
	char names[SHARDS_MAX][SLOT_SHARD_NAME_SIZE];
	enum plan_placement placement;
	int32_t only_slot;	/* -1, or the one slot that goes to names[0] */
};

struct plan_moves {
	uint16_t target[SLOT_COUNT];	/* index of the map; owner: stays */
	int32_t moving;			/* slots whose target is not the owner */
};

/*
 * Names are looked up in the map; all must be there (slots_shard_add).  modulo:
 * slot s goes to names[s mod n].  minimal: each shard gets 5040/n slots, one
 * more for the first 5040 mod n; a slot moves only when its shard goes away or
 * has too many, the highest first.  RC_INVALID: n does not divide 5040 with
 * modulo (e names the neighbours that work), a name twice, none at all.
 */
MUST_CHECK enum rc plan_moves(const struct plan *p, const struct slots *m,
    struct plan_moves *out, struct err *e);

struct plan_shard_cost {
	int32_t slots_now, slots_then, slots_in, slots_out;
	int64_t users_in, users_out, records_in, bytes_in, bytes_out;
	int64_t free;		/* disk, -1 unknown */
	bool known;		/* its shard answered */
};

struct plan_cost {
	int32_t slots;
	int64_t users, records, bytes;
	int64_t seconds;	/* at users_per_second; -1 unknown */
	struct plan_shard_cost of[SHARDS_MAX];	/* by index of the map */
};

/* users_per_second: of the last move, or 0 unknown.  A shard that does not
 * answer leaves known false and is no failure. */
MUST_CHECK enum rc plan_cost(const struct plan_moves *moves, struct router *r,
    double users_per_second, struct plan_cost *out, struct err *e);

#endif
