/*
 * reshard_check.c - everything that lies on any shard, against the ledger:
 * nothing lost, nothing twice, nothing older, nothing anywhere but at home.
 */
#include "config.h"

#include "reshard_world.h"

#include <stdlib.h>
#include <string.h>

#include "reshard/verify.h"
#include "shards/slots.h"
#include "store/store.h"

struct look {
	struct world *w;
	int shard, owner;
};

static void look_meal(struct look *l, struct person *p, const struct meal *m)
{
	int64_t n = m->message_id - 1;

	if (n < 0 || n >= p->nmeals || m->rev != p->meals[n].rev ||
	    m->deleted != p->meals[n].deleted ||
	    m->items[0].mg != p->meals[n].mg)
		world_violation(l->w, "meal %lld of user %lld is not what was "
		    "acknowledged", (long long)n + 1, (long long)p->id);
	p->seen_meals++;
}

static void look_food(struct look *l, struct person *p,
    const struct own_food *f)
{
	int n = f->key[4] - '0';

	if (n < 0 || n >= WORLD_FOODS || p->foods[n] != f->per100.cal)
		world_violation(l->w, "own food %s of user %lld is not what "
		    "was acknowledged", f->key, (long long)p->id);
	p->seen_foods++;
}

static enum rc look_record(void *ctx, const struct record *r, struct err *e)
{
	struct look *l = ctx;
	struct person *p = world_find(l->w, record_user_id(r));

	(void)e;
	if (!p || l->shard != l->owner) {
		world_violation(l->w, "%s of user %lld on shard %d, slot %d is "
		    "on %d", collection_name(r->kind),
		    (long long)record_user_id(r), l->shard, record_slot(r),
		    l->owner);
		return RC_OK;
	}
	switch (r->kind) {
	case COLLECTION_USERS:
		if (r->user.rev != p->rev)
			world_violation(l->w, "user %lld has revision %d, told "
			    "%d", (long long)p->id, r->user.rev, p->rev);
		p->seen_user++;
		break;
	case COLLECTION_MEALS:
		look_meal(l, p, &r->meal);
		break;
	case COLLECTION_OWN_FOODS:
		look_food(l, p, &r->own_food);
		break;
	case COLLECTION_JOBS:
	case COLLECTION_COUNT:
		p->seen_jobs++;
		break;
	}
	return RC_OK;
}

static bool somebody(const struct slot_census *c)
{
	bool any = c->users > 0;

	for (int k = 0; k < COLLECTION_COUNT; k++)
		any = any || c->records[k] > 0;
	return any;
}

static void look_shard(struct world *w, struct router *r, int shard)
{
	struct slot_census *census = calloc(SLOT_COUNT, sizeof(*census));
	struct store *s = NULL;
	struct err e = { RC_OK, "" };
	enum rc rc = router_shard(r, shard, &s, &e);

	if (rc == RC_OK)
		rc = s->ops->census(s, census, &e);
	for (int32_t slot = 0; rc == RC_OK && slot < SLOT_COUNT; slot++) {
		struct look l = { w, shard, router_slot(r, slot).owner };

		if (router_slot(r, slot).state != SLOT_STABLE)
			world_violation(w, "slot %d is still moving", slot);
		if (somebody(&census[slot]))
			rc = s->ops->slot_read(s, slot, NULL, 0, look_record,
			    &l, &e);
	}
	if (rc != RC_OK)
		world_violation(w, "shard %d: %s", shard, e.text);
	free(census);
}

static void look_people(struct world *w)
{
	for (int i = 0; i < WORLD_PEOPLE; i++) {
		struct person *p = &w->people[i];
		int foods = 0;

		for (int k = 0; k < WORLD_FOODS; k++)
			foods += p->foods[k] > 0;
		if (p->seen_user != (p->rev > 0) ||
		    p->seen_meals != p->nmeals || p->seen_foods != foods ||
		    p->seen_jobs != p->njobs)
			world_violation(w, "user %lld has %d profile, %d meals, "
			    "%d foods, %d jobs; told %d, %d, %d, %d",
			    (long long)p->id, p->seen_user, p->seen_meals,
			    p->seen_foods, p->seen_jobs, p->rev > 0, p->nmeals,
			    foods, p->njobs);
		for (int k = 0; atomic_load(&w->stop) && k < p->njobs; k++)
			if (atomic_load(&p->sent[k]) != 1)
				world_violation(w, "job %d of user %lld was "
				    "carried out %d times", k, (long long)p->id,
				    atomic_load(&p->sent[k]));
	}
}

static void verify_found(void *ctx, const struct verify_finding *f)
{
	world_violation(ctx, "verify: shard %d, slot %d, %s: %s", f->shard,
	    f->slot, collection_name(f->collection), f->words);
}

/* The operator's own check must agree. */
static void look_verify(struct world *w, struct router *r)
{
	struct slots *m = NULL;
	struct err e = { RC_OK, "" };
	struct verify_conf c = { .router = r, .only_slot = -1,
		.only_shard = -1, .digests = true, .found = verify_found,
		.ctx = w };
	struct verify_result out = { .users = 0 };
	enum rc rc = slots_open(w->map, NULL, 0, true, &m, &e);

	c.slots = m;
	if (rc == RC_OK)
		rc = verify_run(&c, &out, &e);
	if (rc != RC_OK || out.shards_unread > 0)
		world_violation(w, "verify: %s", e.text);
	slots_free(m);
}

void world_check(struct world *w)
{
	struct router *r = world_router(w, WORLD_SHARDS);

	for (int i = 0; i < WORLD_PEOPLE; i++) {
		struct person *p = &w->people[i];

		p->seen_user = p->seen_meals = p->seen_foods = 0;
		p->seen_jobs = 0;
	}
	for (int i = 0; i < router_shards(r); i++)
		if (router_shard_name(r, i)[0])
			look_shard(w, r, i);
	look_people(w);
	look_verify(w, r);
	router_free(r);
}
