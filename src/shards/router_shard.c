/*
 * router_shard.c - the router's shards: which are configured, which are open.
 *
 * A shard that fails to open is tried again after a pause that doubles to five
 * seconds; until then asking for it costs nothing, and all other shards go on.
 */
#include "config.h"

#include "shards/router_impl.h"

#include <stdlib.h>
#include <string.h>

#include "utils/clock.h"

enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 5000,
	RELOAD_US = 1000 * 1000 };

static const struct shard_conf *conf_find(const struct shard_conf *confs,
    int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(confs[i].name, name) == 0)
			return &confs[i];
	return NULL;
}

/* Where in shards.conf a shard that has slots is missing. */
static enum rc confs_check(const struct slots *m, const struct shard_conf *c,
    int n, struct err *e)
{
	int owns[SHARDS_MAX] = { 0 };

	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = slots_get(m, i);

		owns[s.owner]++;
		if (s.state != SLOT_STABLE)
			owns[s.target]++;
	}
	for (int i = 0; i < SHARDS_MAX; i++)
		if (owns[i] > 0 && !conf_find(c, n, slots_shard_name(m, i)))
			return err_set(e, RC_INVALID, "shard %s has %d slots "
			    "and is not in shards.conf: put it back there; to "
			    "be rid of it, empty it with familybotctl shards "
			    "first", slots_shard_name(m, i), owns[i]);
	return RC_OK;
}

/* Is it reached as before? */
static bool conf_same(const struct shard_conf *a, const struct shard_conf *b)
{
	return a && b && strcmp(a->uri, b->uri) == 0 &&
	    a->timeout_ms == b->timeout_ms;
}

enum rc router_take(struct router *r, struct shard_conf *confs, int n,
    struct err *e)
{
	int known = slots_shards(r->slots);
	enum rc rc = confs_check(r->slots, confs, n, e);

	if (rc != RC_OK) {
		free(confs);
		return rc;
	}
	for (int i = 0; i < known; i++) {
		const char *name = slots_shard_name(r->slots, i);
		struct shard *s = &r->shards[i];
		const struct shard_conf *c = conf_find(confs, n, name);

		if (!conf_same(s->conf, c)) {
			s->stale = s->store != NULL;
			s->pause_ms = 0;
			shard_settle(s);
		}
		s->conf = c;
		s->server = c && strncmp(c->uri, "sqlite:", 7) != 0;
	}
	r->known = known;
	free(r->confs);
	r->confs = confs;
	return RC_OK;
}

/* Reads shards.conf again: at once when the map grew since, else at most once
 * a second. */
static enum rc reload(struct router *r, struct err *e)
{
	struct shard_conf *confs = NULL;
	int64_t now = clock_mono_us();
	int n = 0, known = slots_shards(r->slots);
	enum rc rc;

	if (!r->reload || (known == r->known && now < r->reload_at))
		return RC_OK;
	r->reload_at = now + RELOAD_US;
	r->known = known;
	rc = r->reload(r->reload_ctx, &confs, &n, e);
	return rc == RC_OK ? router_take(r, confs, n, e) : rc;
}

/* Finds out how to reach the shard. */
static enum rc shard_known(struct router *r, int shard, struct err *e)
{
	const char *name = slots_shard_name(r->slots, shard);
	struct err words = { RC_OK, "" };
	enum rc rc;

	if (r->shards[shard].conf && *name)
		return RC_OK;
	if (*name == '\0')
		return err_set(e, RC_NOTFOUND, "the slot map has no shard %d "
		    "any more", shard);
	rc = reload(r, &words);
	if (r->shards[shard].conf)
		return RC_OK;
	if (rc != RC_OK)
		return err_set(e, RC_UNAVAILABLE, "shard %s is new, and "
		    "shards.conf cannot be used: %s", name, words.text);
	return err_set(e, RC_UNAVAILABLE, "shard %s is in the slot map and not "
	    "in shards.conf: put it there", name);
}

void shard_pause(struct shard *s)
{
	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_MIN_MS;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	s->retry_at = clock_mono_us() + (int64_t)s->pause_ms * 1000;
}

void shard_settle(struct shard *s)
{
	if (!s->stale || s->users > 0 || s->pins > 0)
		return;
	store_close(s->store);
	s->store = NULL;
	s->stale = false;
}

static bool moving(void *ctx, int32_t slot)
{
	return slots_get(ctx, slot).state != SLOT_STABLE;
}

static bool serving(void *ctx)
{
	return slots_lease_ok(ctx);
}

static enum rc shard_begin(struct router *r, int shard, uint32_t epoch,
    struct err *e)
{
	struct shard *s = &r->shards[shard];
	struct store_conf c = {
		.name = s->conf->name,
		.uri = s->conf->uri,
		.sync = r->sync,
		.timeout_ms = s->conf->timeout_ms,
		.create = r->create,
		.made = slots_shard_made(r->slots, shard),
	};
	struct err words = { RC_OK, "" };
	enum rc rc = store_open(&c, &s->store, &words);

	if (rc == RC_OK) {
		s->store->slots = (struct store_slots){ .moving = moving,
			.serving = serving, .ctx = r->slots };
		s->epoch = epoch;
		s->pause_ms = 0;
		if (!s->server && !c.made)
			slots_shard_made_note(r->slots, shard);
		return RC_OK;
	}
	s->last = words;
	s->last.rc = rc;
	shard_pause(s);
	return err_set(e, rc, "%s", words.text);
}

/* The file under it was replaced. */
static enum rc shard_replaced(struct router *r, struct shard *s, struct err *e)
{
	struct err words = { RC_OK, "" };

	s->stale = true;
	s->pause_ms = 0;
	shard_settle(s);
	if (s->store)
		return err_set(e, RC_UNAVAILABLE, "shard %s was replaced: try "
		    "again", s->conf->name);
	/* perhaps by one that lies elsewhere; if that cannot be read, what was
	 * read before still holds */
	r->reload_at = 0;
	(void)reload(r, &words);
	return RC_OK;
}

enum rc shard_open(struct router *r, int shard, bool admitted, struct err *e)
{
	struct shard *s = &r->shards[shard];
	uint32_t epoch = slots_shard_epoch(r->slots, shard);
	enum rc rc = RC_OK;

	if (s->store && s->epoch == epoch && !s->stale)
		return RC_OK;
	if (s->store && s->epoch != epoch)
		rc = shard_replaced(r, s, e);
	/* also after that: shards.conf may not name it any more */
	if (rc == RC_OK)
		rc = shard_known(r, shard, e);
	if (rc != RC_OK || s->store)
		return rc;
	if (r->pulse != NULL && pulse_inside(r->pulse, shard))
		admitted = true;
	admitted = admitted && s->last.rc == RC_UNAVAILABLE;
	if (s->pause_ms && !admitted && clock_mono_us() < s->retry_at)
		return err_set(e, s->last.rc, "%s", s->last.text);
	return shard_begin(r, shard, epoch, e);
}
