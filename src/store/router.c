/*
 * router.c - user → slot → shard, for one process.
 *
 * Owns the slot map and one store per shard.  A shard that fails to open is
 * tried again after a pause that doubles to five seconds; until then asking
 * for it costs nothing, and all other shards go on.
 */
#include "config.h"

#include "store/router.h"

#include <stdlib.h>

#include "store/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 5000 };

struct shard {
	struct shard_conf conf;
	struct store *store;	/* NULL: not open */
	int users;		/* routes that hold the store */
	bool failed;		/* close it when nobody holds it */
	int pause_ms;		/* after the last failure, 0: none */
	int64_t retry_at;	/* monotonic µs */
	struct err last;	/* what that failure said */
};

struct router {
	struct slots *slots;
	enum store_sync sync;
	bool create;
	int fence_wait_ms;
	uint8_t held[SLOT_COUNT];	/* routes that hold the slot's lock */
	int nshards;
	struct shard shards[];
};

enum rc router_open(const struct router_conf *c, struct router **out,
    struct err *e)
{
	struct router *r;
	enum rc rc;

	if (c->nshards < 1 || c->nshards > SHARDS_MAX)
		return err_set(e, RC_INVALID, "shards.conf must name 1 to %d "
		    "shards", SHARDS_MAX);
	r = xcalloc(1, sizeof(*r) + (size_t)c->nshards * sizeof(r->shards[0]));
	r->sync = c->sync;
	r->create = c->create;
	r->fence_wait_ms = c->fence_wait_ms;
	r->nshards = c->nshards;
	for (int i = 0; i < c->nshards; i++)
		r->shards[i].conf = c->shards[i];
	rc = slots_open(c->map_path, c->shards, c->nshards, false, &r->slots, e);
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
	for (int i = 0; i < r->nshards; i++)
		store_close(r->shards[i].store);
	slots_free(r->slots);
	free(r);
}

static void shard_pause(struct shard *s)
{
	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_MIN_MS;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	s->retry_at = clock_mono_us() + (int64_t)s->pause_ms * 1000;
}

static enum rc shard_open(struct router *r, struct shard *s, struct err *e)
{
	struct store_conf c = {
		.name = s->conf.name,
		.uri = s->conf.uri,
		.sync = r->sync,
		.timeout_ms = s->conf.timeout_ms,
		.create = r->create,
	};
	struct err words = { RC_OK, "" };
	enum rc rc;

	if (s->store)
		return RC_OK;
	if (s->pause_ms && clock_mono_us() < s->retry_at)
		return err_set(e, s->last.rc, "%s", s->last.text);
	rc = store_open(&c, &s->store, &words);
	if (rc == RC_OK) {
		s->pause_ms = 0;
		return RC_OK;
	}
	s->last = words;
	shard_pause(s);
	return err_set(e, rc, "%s", words.text);
}

enum rc router_enter(struct router *r, int64_t user_id, struct route *out,
    struct err *e)
{
	int32_t slot = slot_of(user_id);
	struct slot_entry entry;
	enum rc rc = RC_OK;

	/* A lock of this process on this slot is there already, and nobody
	 * moves the slot meanwhile: fenced or not, the owner is the same. */
	if (r->held[slot] > 0)
		entry = slots_get(r->slots, slot);
	else
		rc = slots_enter(r->slots, slot, r->fence_wait_ms, &entry, e);
	if (rc != RC_OK)
		return rc;
	if (entry.owner >= r->nshards)
		rc = err_set(e, RC_CORRUPT, "slot %d is on shard %d, which this "
		    "process does not know: restart it", slot, entry.owner);
	else
		rc = shard_open(r, &r->shards[entry.owner], e);
	if (rc != RC_OK) {
		if (r->held[slot] == 0)
			slots_unlock(r->slots, slot);
		return rc;
	}
	r->held[slot]++;
	r->shards[entry.owner].users++;
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

static void shard_close_failed(struct shard *s)
{
	if (!s->failed || s->users > 0)
		return;
	store_close(s->store);
	s->store = NULL;
	s->failed = false;
}

void router_leave(struct route *route)
{
	struct router *r = route->router;

	if (!r)
		return;
	if (--r->held[route->slot] == 0)
		slots_unlock(r->slots, route->slot);
	r->shards[route->shard].users--;
	shard_close_failed(&r->shards[route->shard]);
	route->router = NULL;
	route->store = NULL;
}

void router_failed(struct router *r, int shard, const struct err *e)
{
	struct shard *s = &r->shards[shard];

	if (!s->store || s->failed || e->rc != RC_UNAVAILABLE)
		return;
	s->failed = true;
	s->last = *e;
	shard_pause(s);
	shard_close_failed(s);
}

int router_shards(const struct router *r)
{
	return r->nshards;
}

const char *router_shard_name(const struct router *r, int shard)
{
	return r->shards[shard].conf.name;
}

enum rc router_shard(struct router *r, int shard, struct store **out,
    struct err *e)
{
	enum rc rc;

	if (shard < 0 || shard >= r->nshards)
		return err_set(e, RC_INVALID, "there is no shard %d", shard);
	rc = shard_open(r, &r->shards[shard], e);
	if (rc == RC_OK)
		*out = r->shards[shard].store;
	return rc;
}

struct slot_entry router_slot(const struct router *r, int32_t slot)
{
	return slots_get(r->slots, slot);
}
