/*
 * slot.h - the slot of a person: which of SLOT_COUNT parts of all people holds
 * what they store.  Which shard holds a slot is the slot map's to say.
 */
#ifndef FAMILYBOT_MODELS_SLOT_H
#define FAMILYBOT_MODELS_SLOT_H

#include <stdint.h>

/* 5040 divides by 1-10, 12, 14, 15, 16 ...: with that many shards, slot s lies
 * on shard s mod N, which is then user_id mod N. */
enum { SLOT_COUNT = 5040 };

/* floor_mod(user_id, SLOT_COUNT): 0..5039 also for negative ids, which are
 * groups at Telegram. */
static inline int32_t slot_of(int64_t user_id)
{
	int32_t r = (int32_t)(user_id % SLOT_COUNT);

	return r < 0 ? r + SLOT_COUNT : r;
}

#endif
