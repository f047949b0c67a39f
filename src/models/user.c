/*
 * user.c - what of a user is stored, and to which day something belongs.
 *
 * Owns no memory and reads no clock: the caller says when.
 */
#include "config.h"

#include "models/user.h"

#include "utils/clock.h"

const struct column user_columns[] = {
	COL_I64(user, user_id),
	COL_I32(user, slot),
	COL_I32(user, rev),
	COL_I32(user, lang),
	COL_I32(user, flags),
	COL_I32(user, sex),
	COL_I32(user, birth_year),
	COL_I32(user, height_cm),
	COL_I32(user, weight_g),
	COL_I32(user, activity),
	COL_I32(user, goal),
	COL_I32(user, target_kcal),
	COL_I32(user, own_foods),
	COL_I32(user, day_start_min),
	COL_TEXT(user, zone),
	COL_TEXT(user, zone_before),
	COL_I32(user, day_start_before),
	COL_I64(user, zone_since),
	COL_TEXT(user, name),
	COL_TEXT(user, start_payload),
	COL_TEXT(user, dialogue),
	COL_TEXT(user, draft),
	COL_I64(user, created_at),
	COL_I64(user, updated_at),
	COL_END
};

int32_t user_day(const struct user *u, int64_t at)
{
	const char *zone = u->zone;
	int start = u->day_start_min;

	if (at < u->zone_since) {
		zone = u->zone_before;
		start = u->day_start_before;
	}
	return zone_day(zone[0] ? zone : "UTC", start, at);
}
