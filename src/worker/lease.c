/*
 * lease.c - jobs out of the shards and their outcomes back, in batches.
 *
 * A shard that fails is left alone for a while that grows to 30 s; the others
 * go on.  A job is leased under the lock of its slot, from the slot's owner
 * alone, and not behind a fence: else one that was moved could be sent twice.
 * A job in hand may move with its slot; its outcome goes where the slot is
 * then.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>

#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "spool/spool.h"
#include "store/store.h"
#include "utils/log.h"
#include "utils/log_who.h"
#include "utils/xalloc.h"

enum { SHARD_RETRY_MAX_MS = 30000, KEEP_DONE_MS = 48 * 3600 * 1000 };

void shard_failed(struct worker *w, int shard, const struct err *e)
{
	struct shard_watch *s = &w->shards[shard];
	bool breaker = router_pulse(w->c.router) != NULL &&
	    e->rc == RC_UNAVAILABLE;	/* which knows when to try again */
	int64_t wait = breaker ? 1000L : s->failures < 5 ? 1000L << s->failures
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

static bool is_paused(const struct worker *w, int shard)
{
	return slots_shard_flags(router_slots(w->c.router), shard) &
	    SHARD_PAUSED;
}

bool shard_asked(struct worker *w, int shard)
{
	struct shard_watch *s = &w->shards[shard];

	const struct pulse *p = router_pulse(w->c.router);

	if (router_shard_there(w->c.router, shard) && !is_paused(w, shard))
		return s->retry_at <= mono_ms() &&
		    (p == NULL || pulse_ready(p, shard));
	if (s->failures > 0)	/* nobody waits for it any more */
		w->stats.shards_down--;
	s->failures = 0;
	s->retry_at = 0;
	return false;
}

static int64_t token_new(void)
{
	int64_t t = (int64_t)(((uint64_t)worker_random() << 32 |
	    worker_random()) >> 2);

	return t != 0 ? t : 1;
}

static void item_add(struct worker *w, int shard, const struct job *j)
{
	const struct job_type *t = job_type_find(j->kind);
	struct item *it, **at;

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

/* The slots whose jobs are being leased. */
struct gate {
	struct worker *w;
	int shard;
	int n;
	struct route routes[4 * BATCH];
};

static bool gate_enter(struct gate *g, int32_t slot)
{
	struct router *r = g->w->c.router;
	struct route *route = &g->routes[g->n];
	struct err e = { .rc = RC_OK };

	for (int i = 0; i < g->n; i++)
		if (g->routes[i].slot == slot)
			return true;
	if (g->n == 4 * BATCH || slot < 0 || slot >= SLOT_COUNT ||
	    router_slot(r, slot).owner != g->shard ||
	    router_try(r, slot, route, &e) != RC_OK)
		return false;
	if (route->shard != g->shard) {		/* it moved this moment */
		router_leave(route);
		return false;
	}
	g->n++;
	return true;
}

static bool gate_open(void *ctx, int32_t slot)
{
	struct gate *g = ctx;
	bool open = gate_enter(g, slot);

	if (!open)
		g->w->stats.left++;
	return open;
}

/* A call that failed may have taken jobs all the same: it is made again with
 * the same token. */
static int64_t token_of(struct worker *w, int shard)
{
	struct shard_watch *s = &w->shards[shard];

	if (s->token == 0)
		s->token = token_new();
	return s->token;
}

/* Leases up to max jobs of the shard into w->scratch. */
static bool lease_jobs(struct worker *w, int shard, size_t max, size_t *n)
{
	struct gate g = { .w = w, .shard = shard };
	const struct job_gate gate = { .open = gate_open, .ctx = &g };
	int64_t now = clock_ms(w->c.clock);
	struct err e = { .rc = RC_OK };
	struct pulse *p = router_pulse(w->c.router);
	struct store *s;
	enum rc rc = RC_OK;
	bool pinned;

	/* So the worker, too, tells of a shard that fails, and tries it. */
	if (p != NULL && pulse_enter(p, shard, false, 0, &e) != RC_OK)
		return false;
	rc = router_pin(w->c.router, shard, &s, &e);
	pinned = rc == RC_OK;
	if (pinned)
		rc = s->ops->job_lease(s, now, now + w->c.lease_ms,
		    token_of(w, shard), max, &gate, w->scratch, n, &e);
	if (rc == RC_OK)
		w->shards[shard].token = 0;
	if (rc == RC_OK)
		shard_works(w, shard);
	else if (rc != RC_BUSY)
		shard_failed(w, shard, &e);
	for (int i = 0; i < g.n; i++)
		router_leave(&g.routes[i]);
	if (pinned)
		router_unpin(w->c.router, shard);
	if (p != NULL)
		pulse_leave(p, shard, rc);
	return rc == RC_OK;
}

/* Leases from one shard; false when nothing more is to be had now. */
static bool lease_batch(struct worker *w, int shard)
{
	size_t room = ITEMS_MAX - w->nitems;
	size_t max = room < BATCH ? room : BATCH, n = 0;	/* 0: no room */

	w->more |= max == 0;
	if (max == 0 || !shard_asked(w, shard) ||
	    !lease_jobs(w, shard, max, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		item_add(w, shard, &w->scratch[i]);
	return n == max;
}

void lease_look(struct worker *w)
{
	int n = router_shards(w->c.router);

	if (!slots_lease_ok(router_slots(w->c.router)))
		return;		/* another host sends them */
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

/* An outcome that cannot be stored is kept while the lease lasts, and while
 * the shard is paused: nobody leases there meanwhile. */
static void drop_expired(struct worker *w)
{
	int64_t now = clock_ms(w->c.clock);
	struct item *next;

	for (struct item *it = w->items; it != NULL; it = next) {
		next = it->next;
		if (it->state != ITEM_SETTLING || it->job.lease_until > now ||
		    is_paused(w, router_slot(w->c.router,
		    it->job.slot).owner))
			continue;
		w->stats.lost_leases++;
		log_error("job_outcome_lost", "id=%s state=%d",
		    log_who_in(it->job.id, it->job.user_id), it->job.state);
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

		if (!shard_asked(w, i))
			continue;
		if (router_shard(w->c.router, i, &s, &e) != RC_OK ||
		    s->ops->job_purge(s, before, &e) != RC_OK)
			shard_failed(w, i, &e);
	}
}

/* Every page that changed waits in a log as it was, words that were erased since
 * among them, until the log is cut.  A shard that is read just then is cut the
 * next time; one that is gone has its own words for that. */
void lease_tidy(struct worker *w)
{
	for (int i = 0; i < router_shards(w->c.router); i++) {
		struct err e = { .rc = RC_OK };
		struct store *s;

		if (shard_asked(w, i) &&
		    router_shard(w->c.router, i, &s, &e) == RC_OK &&
		    s->ops->tidy != NULL)
			(void)s->ops->tidy(s, &e);
	}
	if (w->c.spool != NULL)
		spool_tidy(w->c.spool);
}
