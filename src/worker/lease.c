/*
 * lease.c - jobs out of the shards and their outcomes back, in batches.
 *
 * A shard that fails is left alone for a while that grows to 30 s; the others
 * go on.  Jobs of a slot that lives elsewhere by the map, or that is moving,
 * are left to their lease: they are sent by whoever owns the slot then.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>

#include "store/router.h"
#include "store/store.h"
#include "utils/log.h"
#include "utils/xalloc.h"

enum { SHARD_RETRY_MAX_MS = 30000, KEEP_DONE_MS = 48 * 3600 * 1000 };

void shard_failed(struct worker *w, int shard, const struct err *e)
{
	struct shard_watch *s = &w->shards[shard];
	int64_t wait = s->failures < 5 ? 1000L << s->failures
	    : SHARD_RETRY_MAX_MS;

	router_failed(w->c.router, shard, e);
	if (s->failures++ == 0) {
		w->stats.shards_down++;
		log_warn("shard_down", "shard=%s error=%s",
		    router_shard_name(w->c.router, shard), log_q(e->text));
	}
	s->retry_at = mono_ms() + wait;
}

void shard_works(struct worker *w, int shard)
{
	struct shard_watch *s = &w->shards[shard];

	if (s->failures == 0)
		return;
	s->failures = 0;
	w->stats.shards_down--;
	log_info("shard_up", "shard=%s",
	    router_shard_name(w->c.router, shard));
}

static int64_t token_new(void)
{
	int64_t t = (int64_t)(((uint64_t)worker_random() << 32 |
	    worker_random()) >> 2);

	return t != 0 ? t : 1;
}

/* May this shard's job be done now?  See above. */
static bool slot_here(struct worker *w, int shard, const struct job *j)
{
	struct slot_entry s;

	if (j->slot < 0 || j->slot >= SLOT_COUNT)
		return false;
	s = router_slot(w->c.router, j->slot);
	return s.owner == shard && s.state == SLOT_STABLE;
}

static void item_add(struct worker *w, int shard, const struct job *j)
{
	const struct job_type *t = job_type_find(j->kind);
	struct item *it, **at;

	if (!slot_here(w, shard, j)) {
		w->stats.left++;
		return;
	}
	it = xcalloc(1, sizeof(*it));
	it->w = w;
	it->job = *j;
	it->shard = shard;
	buf_init(&it->call, 2 * JOB_PAYLOAD_SIZE);
	buf_puts(&it->call, j->payload);
	for (at = &w->items; *at != NULL; at = &(*at)->next)
		;
	*at = it;
	w->nitems++;
	w->stats.leased++;
	if (t == NULL)
		item_retry(it, "this worker does not know such jobs");
	else
		t->accept(it);
}

/* Leases from one shard; false when nothing more is to be had now. */
static bool lease_batch(struct worker *w, int shard)
{
	size_t room = ITEMS_MAX - w->nitems;
	size_t max = room < BATCH ? room : BATCH, n = 0;	/* 0: no room */
	int64_t now = clock_ms(w->c.clock);
	struct err e = { .rc = RC_OK };
	struct store *s;

	w->more |= max == 0;
	if (max == 0 || w->shards[shard].retry_at > mono_ms())
		return false;
	if (router_shard(w->c.router, shard, &s, &e) != RC_OK ||
	    s->ops->job_lease(s, now, now + w->c.lease_ms, token_new(), max,
	    NULL, w->scratch, &n, &e) != RC_OK) {
		if (e.rc != RC_BUSY)
			shard_failed(w, shard, &e);
		return false;
	}
	shard_works(w, shard);
	for (size_t i = 0; i < n; i++)
		item_add(w, shard, &w->scratch[i]);
	return n == max;
}

void lease_look(struct worker *w)
{
	int n = router_shards(w->c.router);

	/* a random first shard, so that a full house is fair to all */
	for (int i = 0, first = (int)(worker_random() % (unsigned int)n);
	    i < n; i++)
		while (lease_batch(w, (first + i) % n))
			;
}

/* The slots that one round of settling holds. */
struct held {
	struct route routes[BATCH];
	struct item *items[BATCH];
	int route_of[BATCH];
	int nroutes, nitems;
};

static bool hold(struct worker *w, struct held *h, struct item *it)
{
	struct err e = { .rc = RC_OK };
	int i;

	for (i = 0; i < h->nroutes; i++)
		if (h->routes[i].slot == it->job.slot)
			break;
	if (i == h->nroutes) {
		if (router_enter(w->c.router, it->job.user_id, &h->routes[i],
		    &e) != RC_OK)
			return false;
		h->nroutes++;
	}
	h->route_of[h->nitems] = i;
	h->items[h->nitems++] = it;
	return true;
}

static void item_remove(struct item *it)
{
	struct worker *w = it->w;
	struct item **at = &w->items;

	while (*at != it)
		at = &(*at)->next;
	*at = it->next;
	w->nitems--;
	w->nsettling--;
	buf_release(&it->call);
	free(it);
}

/* Stores those of h whose slot is on this shard now. */
static void settle_shard(struct worker *w, struct held *h, int shard)
{
	struct item *settled[BATCH];
	struct store *s = NULL;
	struct err e = { .rc = RC_OK };
	size_t n = 0;

	for (int i = 0; i < h->nitems; i++) {
		struct route *r = &h->routes[h->route_of[i]];
		if (r->shard != shard)
			continue;
		s = r->store;
		w->scratch[n] = h->items[i]->job;
		settled[n++] = h->items[i];
	}
	if (n == 0)
		return;
	if (s->ops->job_settle(s, w->scratch, n, &e) != RC_OK) {
		shard_failed(w, shard, &e);
		return;
	}
	shard_works(w, shard);
	for (size_t i = 0; i < n; i++)
		item_remove(settled[i]);
}

/* An outcome that cannot be stored is kept while the lease lasts. */
static void drop_expired(struct worker *w)
{
	int64_t now = clock_ms(w->c.clock);
	struct item *next;

	for (struct item *it = w->items; it != NULL; it = next) {
		next = it->next;
		if (it->state != ITEM_SETTLING || it->job.lease_until > now)
			continue;
		w->stats.lost_leases++;
		log_error("job_outcome_lost", "id=%s state=%d",
		    log_q(it->job.id), it->job.state);
		item_remove(it);
	}
}

static bool settle_round(struct worker *w)
{
	struct held h = { .nroutes = 0, .nitems = 0 };
	size_t before = w->nsettling;

	for (struct item *it = w->items; it != NULL && h.nitems < BATCH;
	    it = it->next)
		if (it->state == ITEM_SETTLING &&
		    w->shards[it->shard].retry_at <= mono_ms())
			(void)hold(w, &h, it);
	for (int i = 0; i < router_shards(w->c.router); i++)
		settle_shard(w, &h, i);
	for (int i = 0; i < h.nroutes; i++)
		router_leave(&h.routes[i]);
	return w->nsettling < before;
}

void lease_settle(struct worker *w, bool all)
{
	if (w->nsettling == 0)
		return;
	if (!all && w->nsettling < BATCH &&
	    mono_ms() - w->settle_from < SETTLE_DELAY_MS)
		return;
	while (w->nsettling > 0 && settle_round(w))
		;
	drop_expired(w);
	w->settle_from = mono_ms();
}

void lease_purge(struct worker *w)
{
	int64_t before = clock_ms(w->c.clock) - KEEP_DONE_MS;

	for (int i = 0; i < router_shards(w->c.router); i++) {
		struct err e = { .rc = RC_OK };
		struct store *s;

		if (w->shards[i].retry_at > mono_ms())
			continue;
		if (router_shard(w->c.router, i, &s, &e) != RC_OK ||
		    s->ops->job_purge(s, before, &e) != RC_OK)
			shard_failed(w, i, &e);
	}
}
