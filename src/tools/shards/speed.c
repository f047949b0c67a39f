/*
 * speed.c - how many people a change moves, and how fast that goes: as
 * fast as the last one, which left its speed in data/reshard.speed.
 */
#include "config.h"

#include "tools/shards/change.h"

#include <stdlib.h>

#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "tools/files.h"

enum { SAMPLE_SLOTS = 64, SPEED_MAX_BYTES = 64 };

static bool speed_path(const struct shards_place *p, char *out, size_t size)
{
	return str_format(out, size, "%s/reshard.speed", p->dir);
}

void change_speed(const struct shards_place *p, const struct change_args *a,
    struct shards_change *ch)
{
	double limit = (double)a->limits.users_per_second, speed;
	char path[PATH_MAX];
	struct buf text;
	struct err e;

	ch->speed = SPEED_GUESS;
	buf_init(&text, SPEED_MAX_BYTES);
	if (speed_path(p, path, sizeof(path)) &&
	    file_read(path, &text, &e) == RC_OK) {
		speed = strtod(text.s, NULL);
		ch->measured = speed > 0;
		ch->speed = speed > 0 ? speed : SPEED_GUESS;
	}
	buf_release(&text);
	if (limit > 0 && ch->speed > limit)
		ch->speed = limit;
}

enum rc change_speed_keep(const struct shards_place *p,
    const struct reshard *r, struct err *e)
{
	char path[PATH_MAX];
	struct buf text;
	enum rc rc = RC_OK;

	if (r->state != RESHARD_MOVED || r->users == 0 || r->busy_us <= 0 ||
	    !speed_path(p, path, sizeof(path)))
		return RC_OK;
	buf_init(&text, SPEED_MAX_BYTES);
	buf_printf(&text, "%.1f people/s\n", (double)r->users * 1e6 /
	    (double)r->busy_us);
	rc = file_write(path, text.s, text.len, true, e);
	buf_release(&text);
	return rc;
}

/* People of one slot; -1 when its shard does not say. */
static int64_t people_of(struct store *s, int32_t slot)
{
	int64_t ids[256], after = INT64_MIN, all = 0;
	size_t n = 0;
	struct err e;

	do {
		if (s->ops->slot_users(s, slot, after, 256, ids, &n, &e) !=
		    RC_OK)
			return -1;
		all += (int64_t)n;
		after = n > 0 ? ids[n - 1] : after;
	} while (n == 256);
	return all;
}

/* Not everybody who wrote has a profile, so people are counted in some of the
 * slots that leave the shard, and the others are taken to be like these. */
static double people_per_slot(const struct shards_change *ch,
    struct store *s, int shard)
{
	int32_t leaving = ch->cost.of[shard].slots_out, seen = 0, asked = 0;
	int32_t stride = (leaving + SAMPLE_SLOTS - 1) / SAMPLE_SLOTS;
	int64_t people = 0, n;

	for (int32_t slot = 0; slot < SLOT_COUNT; slot++) {
		if (slots_get(ch->map, slot).owner != shard ||
		    ch->moves.target[slot] == shard || seen++ % stride != 0)
			continue;
		n = people_of(s, slot);
		if (n < 0)
			break;
		people += n;
		asked++;
	}
	return asked > 0 ? (double)people / asked : 0;
}

void change_people(struct shards_change *ch, struct router *r)
{
	struct plan_cost *cost = &ch->cost;
	struct store *s = NULL;
	double each[SHARDS_MAX] = { 0 }, in[SHARDS_MAX] = { 0 }, all = 0;
	struct err e;

	for (int i = 0; i < slots_shards(ch->map); i++) {
		if (cost->of[i].slots_out == 0 || !cost->of[i].known ||
		    router_shard(r, i, &s, &e) != RC_OK)
			continue;
		each[i] = people_per_slot(ch, s, i);
		cost->of[i].users_out = (int64_t)(each[i] *
		    cost->of[i].slots_out + 0.5);
		all += each[i] * cost->of[i].slots_out;
	}
	for (int32_t slot = 0; slot < SLOT_COUNT; slot++)
		if (ch->moves.target[slot] != slots_get(ch->map, slot).owner)
			in[ch->moves.target[slot]] +=
			    each[slots_get(ch->map, slot).owner];
	for (int i = 0; i < slots_shards(ch->map); i++)
		cost->of[i].users_in = (int64_t)(in[i] + 0.5);
	cost->users = (int64_t)(all + 0.5);
	cost->seconds = (int64_t)(all / ch->speed) + 1;
}
