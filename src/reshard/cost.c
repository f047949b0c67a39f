/*
 * cost.c - what a plan costs: people, records and bytes to be moved, by shard.
 *
 * Asks each shard that has a part in it for what lies where.  Bytes are an
 * estimate: records of the slots times the mean size of a record there.
 */
#include "config.h"

#include "reshard/plan.h"

#include <stdlib.h>

#include "utils/xalloc.h"

/* What a record takes, with indexes, where the shard cannot tell. */
enum { RECORD_BYTES_GUESS = 600 };

static void bytes_each(const struct store_info *info, double *each)
{
	for (int k = 0; k < COLLECTION_COUNT; k++)
		each[k] = info->records[k] > 0 && info->bytes[k] >= 0 ?
		    (double)info->bytes[k] / (double)info->records[k] :
		    RECORD_BYTES_GUESS;
}

static void count_slot(struct plan_cost *cost, int from, int to,
    const struct slot_census *c, const double *each)
{
	struct plan_shard_cost *source = &cost->of[from];
	struct plan_shard_cost *target = &cost->of[to];
	double bytes = 0;
	int64_t records = 0;

	for (int k = 0; k < COLLECTION_COUNT; k++) {
		records += c->records[k];
		bytes += each[k] * c->records[k];
	}
	source->users_out += c->users;
	source->bytes_out += (int64_t)bytes;
	target->users_in += c->users;
	target->records_in += records;
	target->bytes_in += (int64_t)bytes;
	cost->users += c->users;
	cost->records += records;
	cost->bytes += (int64_t)bytes;
}

static enum rc shard_ask(struct router *r, int shard,
    struct slot_census *census, struct store_info *info, struct err *e)
{
	struct store *s = NULL;
	enum rc rc = router_shard(r, shard, &s, e);

	if (rc != RC_OK)
		return rc;
	rc = s->ops->info(s, info, e);
	if (rc == RC_OK)
		rc = s->ops->census(s, census, e);
	if (rc != RC_OK)
		router_failed(r, shard, e);
	return rc;
}

static void count_shard(struct plan_cost *cost, struct router *r, int shard,
    const struct plan_moves *moves, struct slot_census *census)
{
	struct plan_shard_cost *of = &cost->of[shard];
	struct store_info info = { .schema = 0 };
	double each[COLLECTION_COUNT];
	struct err words = { RC_OK, "" };

	of->free = -1;
	if (of->slots_in == 0 && of->slots_out == 0)
		return;
	if (shard_ask(r, shard, census, &info, &words) != RC_OK)
		return;
	of->known = true;
	of->free = info.disk_free;
	bytes_each(&info, each);
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		if (router_slot(r, s).owner == shard &&
		    moves->target[s] != shard)
			count_slot(cost, shard, moves->target[s], &census[s],
			    each);
}

enum rc plan_cost(const struct plan_moves *moves, struct router *r,
    double users_per_second, struct plan_cost *out, struct err *e)
{
	struct slot_census *census = xcalloc(SLOT_COUNT, sizeof(*census));
	struct plan_cost *cost = xcalloc(1, sizeof(*cost));
	enum rc rc = RC_OK;

	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		int owner = router_slot(r, s).owner, target = moves->target[s];

		if (target >= SHARDS_MAX) {
			rc = err_set(e, RC_INVALID, "slot %d has no target", s);
			goto out;
		}
		cost->of[owner].slots_now++;
		cost->of[target].slots_then++;
		if (owner == target)
			continue;
		cost->of[owner].slots_out++;
		cost->of[target].slots_in++;
		cost->slots++;
	}
	for (int i = 0; i < router_shards(r); i++)
		count_shard(cost, r, i, moves, census);
	cost->seconds = users_per_second > 0 ?
	    (int64_t)((double)cost->users / users_per_second) + 1 : -1;
	*out = *cost;
out:
	free(cost);
	free(census);
	return rc;
}
