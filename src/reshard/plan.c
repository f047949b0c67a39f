/*
 * plan.c - which slot goes where.  Pure: reads the map, asks no shard.
 */
#include "config.h"

#include "reshard/plan.h"

#include <string.h>

/* Indexes of the plan's names in the map, each once. */
static enum rc names_find(const struct plan *p, const struct slots *m,
    int *index, struct err *e)
{
	if (p->nnames < 1 || p->nnames > SHARDS_MAX)
		return err_set(e, RC_INVALID, "name 1 to %d shards that there "
		    "shall be", SHARDS_MAX);
	for (int i = 0; i < p->nnames; i++) {
		index[i] = p->names[i][0] ? slots_shard_find(m, p->names[i]) :
		    -1;
		if (index[i] < 0)
			return err_set(e, RC_NOTFOUND, "the slot map has no "
			    "shard named \"%s\": put it into shards.conf first",
			    p->names[i]);
		for (int k = 0; k < i; k++)
			if (index[k] == index[i])
				return err_set(e, RC_INVALID, "shard %s is "
				    "named twice", p->names[i]);
	}
	return RC_OK;
}

static enum rc place_modulo(const struct plan *p, const int *index,
    struct plan_moves *out, struct err *e)
{
	int below, above;

	if (!slots_divide(p->nnames, &below, &above))
		return err_set(e, RC_INVALID, "%d shards do not divide the %d "
		    "slots: use %d or %d shards, or placement \"minimal\"",
		    p->nnames, SLOT_COUNT, below, above);
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		out->target[s] = (uint16_t)index[s % p->nnames];
	return RC_OK;
}

/* Who has too many gives the highest; who has too few gets them in order. */
static void place_minimal(const struct plan *p, const struct slots *m,
    const int *index, struct plan_moves *out)
{
	int32_t room[SHARDS_MAX] = { 0 };
	int next = 0;

	for (int i = 0; i < p->nnames; i++)
		room[index[i]] = SLOT_COUNT / p->nnames +
		    (i < SLOT_COUNT % p->nnames);
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		uint16_t owner = slots_get(m, s).owner;

		out->target[s] = owner;
		if (room[owner] > 0)
			room[owner]--;
		else
			out->target[s] = UINT16_MAX;
	}
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		if (out->target[s] != UINT16_MAX)
			continue;
		while (room[index[next]] == 0)
			next++;
		out->target[s] = (uint16_t)index[next];
		room[index[next]]--;
	}
}

static enum rc place_one(const struct plan *p, const struct slots *m,
    const int *index, struct plan_moves *out, struct err *e)
{
	if (p->only_slot >= SLOT_COUNT)
		return err_set(e, RC_INVALID, "there is no slot %d: the last "
		    "is %d", p->only_slot, SLOT_COUNT - 1);
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		out->target[s] = slots_get(m, s).owner;
	out->target[p->only_slot] = (uint16_t)index[0];
	return RC_OK;
}

static enum rc draining_refuse(const struct slots *m,
    const struct plan_moves *moves, struct err *e)
{
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		int t = moves->target[s];

		if (t != slots_get(m, s).owner &&
		    (slots_shard_flags(m, t) & SHARD_DRAINING) != 0)
			return err_set(e, RC_CONFLICT, "shard %s is drained "
			    "and gets no slots: resume it, or leave it out",
			    slots_shard_name(m, t));
	}
	return RC_OK;
}

enum rc plan_moves(const struct plan *p, const struct slots *m,
    struct plan_moves *out, struct err *e)
{
	struct plan_moves moves = { .moving = 0 };
	int index[SHARDS_MAX];
	enum rc rc = names_find(p, m, index, e);

	if (rc != RC_OK)
		return rc;
	if (p->only_slot >= 0)
		rc = place_one(p, m, index, &moves, e);
	else if (p->placement == PLAN_MODULO)
		rc = place_modulo(p, index, &moves, e);
	else
		place_minimal(p, m, index, &moves);
	if (rc == RC_OK)
		rc = draining_refuse(m, &moves, e);
	if (rc != RC_OK)
		return rc;
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		moves.moving += moves.target[s] != slots_get(m, s).owner;
	*out = moves;
	return RC_OK;
}
