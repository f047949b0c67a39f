/*
 * router.c - user → slot → shard, for one process.
 *
 * Owns the slot map and one store per shard; how these are opened and closed
 * is in router_shard.c.
 */
#include "config.h"

#include "shards/router.h"

#include <stdlib.h>
#include <string.h>

#include "shards/router_impl.h"
#include "utils/xalloc.h"

/* The map, made for the shards that are to have slots. */
static enum rc map_open(const struct router_conf *c, struct slots **out,
    struct err *e)
{
	struct shard_conf *stay = xcalloc((size_t)c->nshards, sizeof(*stay));
	int n = 0;
	enum rc rc;

	for (int i = 0; i < c->nshards; i++)
		if (!c->shards[i].leaving)
			stay[n++] = c->shards[i];
	rc = slots_open(c->map_path, stay, n, false, out, e);
	free(stay);
	return rc;
}

enum rc router_open(const struct router_conf *c, struct router **out,
    struct err *e)
{
	struct shard_conf *confs;
	struct router *r;
	enum rc rc;

	if (c->nshards < 1 || c->nshards > SHARDS_MAX)
		return err_set(e, RC_INVALID, "shards.conf must name 1 to %d "
		    "shards", SHARDS_MAX);
	r = xcalloc(1, sizeof(*r));
	r->pulse = c->pulse;
	r->sync = c->sync;
	r->create = c->create;
	r->fence_wait_ms = c->fence_wait_ms;
	r->reload = c->reload;
	r->reload_ctx = c->reload_ctx;
	rc = map_open(c, &r->slots, e);
	if (rc == RC_OK) {
		if (c->leased)
			slots_lease_need(r->slots, true);
		confs = xcalloc((size_t)c->nshards, sizeof(*confs));
		memcpy(confs, c->shards, (size_t)c->nshards * sizeof(*confs));
		rc = router_take(r, confs, c->nshards, e);
	}
	if (rc == RC_OK)
		*out = r;
	else
		router_free(r);
	return rc;
}

void router_free(struct router *r)
{
	if (!r)
		return;
	for (int i = 0; i < SHARDS_MAX; i++)
		store_close(r->shards[i].store);
	slots_free(r->slots);
	free(r->confs);
	free(r);
}

enum rc router_leased(const struct router *r, struct err *e)
{
	return slots_lease_ok(r->slots) ? RC_OK : err_set(e, RC_BUSY, "this "
	    "host may not serve now: its lease was not renewed; see the log of "
	    "its familybot-worker");
}

/* May this shard's people be served here and now? */
static enum rc may_serve(const struct router *r, int shard, struct err *e)
{
	enum rc rc = router_leased(r, e);

	if (rc == RC_OK && slots_shard_flags(r->slots, shard) & SHARD_PAUSED)
		return err_set(e, RC_UNAVAILABLE, "shard %s is paused",
		    slots_shard_name(r->slots, shard));
	return rc;
}

/* The shard is open, and its breaker knows of us: once for all routes. */
static enum rc shard_enter(struct router *r, int shard, struct err *e)
{
	struct shard *s = &r->shards[shard];
	bool first = r->pulse && s->users == 0;
	enum rc rc = RC_OK;

	if (first)
		rc = pulse_enter(r->pulse, shard, s->server,
		    slots_shards(r->slots), e);
	if (rc != RC_OK)
		return rc;
	rc = shard_open(r, shard, first, e);
	if (rc == RC_OK) {
		if (s->users++ == 0)
			s->told = RC_OK;
	} else if (first) {
		pulse_leave(r->pulse, shard, rc);
	}
	return rc;
}

static enum rc enter(struct router *r, int32_t slot, int wait_ms,
    struct route *out, struct err *e)
{
	struct slot_entry entry;
	enum rc rc = RC_OK;

	/* A lock of this process on this slot is there already, and nobody
	 * moves the slot meanwhile: fenced or not, the owner is the same. */
	if (r->held[slot] > 0)
		entry = slots_get(r->slots, slot);
	else
		rc = slots_enter(r->slots, slot, wait_ms, &entry, e);
	if (rc != RC_OK)
		return rc;
	rc = may_serve(r, entry.owner, e);
	if (rc == RC_OK)
		rc = shard_enter(r, entry.owner, e);
	if (rc != RC_OK) {
		if (r->held[slot] == 0)
			slots_unlock(r->slots, slot);
		return rc;
	}
	r->held[slot]++;
	*out = (struct route){
		.router = r,
		.store = r->shards[entry.owner].store,
		.slot = slot,
		.shard = entry.owner,
		.generation = entry.generation,
		.state = entry.state,
	};
	return RC_OK;
}

enum rc router_enter(struct router *r, int64_t user_id, struct route *out,
    struct err *e)
{
	return enter(r, slot_of(user_id), r->fence_wait_ms, out, e);
}

enum rc router_try(struct router *r, int32_t slot, struct route *out,
    struct err *e)
{
	if (slot < 0 || slot >= SLOT_COUNT)
		return err_set(e, RC_INVALID, "there is no slot %d", slot);
	return enter(r, slot, 0, out, e);
}

void router_leave(struct route *route)
{
	struct router *r = route->router;
	struct shard *s;

	if (!r)
		return;
	s = &r->shards[route->shard];
	if (--r->held[route->slot] == 0)
		slots_unlock(r->slots, route->slot);
	if (--s->users == 0 && r->pulse)
		pulse_leave(r->pulse, route->shard, s->told);
	shard_settle(s);
	route->router = NULL;
	route->store = NULL;
}

void router_failed(struct router *r, int shard, const struct err *e)
{
	struct shard *s = &r->shards[shard];

	if (e->rc != RC_UNAVAILABLE)
		return;
	s->told = e->rc;
	if (!s->store || s->stale)
		return;
	s->stale = true;
	s->last = *e;
	shard_pause(s);
	shard_settle(s);
}

int router_shards(const struct router *r)
{
	return slots_shards(r->slots);
}

const char *router_shard_name(const struct router *r, int shard)
{
	return slots_shard_name(r->slots, shard);
}

const struct shard_conf *router_shard_conf(const struct router *r, int shard)
{
	return *router_shard_name(r, shard) ? r->shards[shard].conf : NULL;
}

bool router_shard_there(const struct router *r, int shard)
{
	return *router_shard_name(r, shard) && (r->shards[shard].conf ||
	    slots_shard_used(r->slots, shard));
}

enum rc router_shard(struct router *r, int shard, struct store **out,
    struct err *e)
{
	enum rc rc;

	if (shard < 0 || shard >= router_shards(r))
		return err_set(e, RC_INVALID, "there is no shard %d", shard);
	rc = shard_open(r, shard, false, e);
	if (rc == RC_OK)
		*out = r->shards[shard].store;
	return rc;
}

enum rc router_pin(struct router *r, int shard, struct store **out,
    struct err *e)
{
	enum rc rc = router_shard(r, shard, out, e);

	if (rc == RC_OK)
		r->shards[shard].pins++;
	return rc;
}

void router_unpin(struct router *r, int shard)
{
	r->shards[shard].pins--;
	shard_settle(&r->shards[shard]);
}

struct slot_entry router_slot(const struct router *r, int32_t slot)
{
	return slots_get(r->slots, slot);
}

struct pulse *router_pulse(const struct router *r)
{
	return r->pulse;
}

const struct slots *router_slots(const struct router *r)
{
	return r->slots;
}
