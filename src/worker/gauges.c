/*
 * gauges.c - what operators see of the worker and of the shards.
 *
 * The worker alone counts what lies in the shards, and leaves it in the shared
 * file of metrics: looking there costs no shard anything.  Counting records
 * takes a time that grows with them, so both kinds of counting are held to
 * 1/200 of the worker's time each: a large shard is counted less often.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>

#include "shards/router.h"
#include "store/store.h"
#include "utils/log.h"
#include "web/metrics_worker.h"

enum { JOBS_EVERY_MS = 3000, RECORDS_EVERY_MS = 30000, SHARE = 200,
	CREDIT_US = 30 * 1000 * 1000 };

static const struct event_row {
	enum metrics_event event;
	size_t field;
} events[] = {
	{ EVENT_LEASED, offsetof(struct worker_stats, leased) },
	{ EVENT_DONE, offsetof(struct worker_stats, done) },
	{ EVENT_RETRIED, offsetof(struct worker_stats, retried) },
	{ EVENT_DEAD, offsetof(struct worker_stats, dead) },
	{ EVENT_PUT_BACK, offsetof(struct worker_stats, put_back) },
	{ EVENT_LEFT, offsetof(struct worker_stats, left) },
	{ EVENT_LOST, offsetof(struct worker_stats, lost_leases) },
	{ EVENT_FLOODED, offsetof(struct worker_stats, flooded) },
	{ EVENT_UNREACHABLE, offsetof(struct worker_stats, unreachable) },
	{ EVENT_CALLS, offsetof(struct worker_stats, calls) },
	{ EVENT_CALLS_FAILED, offsetof(struct worker_stats, calls_failed) },
	{ EVENT_SPOOL_APPLIED, offsetof(struct worker_stats, spool_applied) },
	{ EVENT_SPOOL_INVALID, offsetof(struct worker_stats, spool_invalid) },
};

void gauges_start(struct worker *w)
{
	w->gauges.jobs_paid = w->gauges.records_paid =
	    clock_mono_us() - CREDIT_US;
	if (w->c.metrics != NULL)
		metrics_is_worker(w->c.metrics);
}

void gauges_sent(struct worker *w, int64_t started)
{
	if (w->c.metrics != NULL)
		metrics_send(w->c.metrics, (mono_ms() - started) * 1000);
}

static uint64_t field_of(const struct worker_stats *st, size_t field)
{
	uint64_t v;

	memcpy(&v, (const char *)st + field, sizeof(v));
	return v;
}

static void tell_events(struct worker *w)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		metrics_event(w->c.metrics, events[i].event,
		    field_of(&w->stats, events[i].field) -
		    field_of(&w->gauges.told, events[i].field));
	w->gauges.told = w->stats;
	metrics_worker_now(w->c.metrics, (int64_t)w->nitems,
	    w->stats.updates_pending);
	metrics_stuck(w->c.metrics, w->stats.spool_stuck);
}

static void tell_up(struct worker *w, int shard, bool up)
{
	metrics_figures_put(w->c.metrics, shard, FIGURES_UP,
	    clock_ms(w->c.clock), (const int64_t[METRICS_FIGURES]){ up });
}

/* Time used is paid for with time that passes; some of it in advance. */
static void pay(int64_t *paid, int64_t began)
{
	int64_t now = clock_mono_us();

	if (*paid < now - CREDIT_US)
		*paid = now - CREDIT_US;
	*paid += (now - began) * SHARE;
}

static void count_jobs(struct worker *w, int shard)
{
	struct store_stats st = { 0 };
	struct err e = { .rc = RC_OK };
	int64_t began = clock_mono_us();
	struct store *s;

	w->shards[shard].jobs_at = began / 1000 + JOBS_EVERY_MS;
	if (router_shard(w->c.router, shard, &s, &e) != RC_OK ||
	    s->ops->job_stats(s, &st, &e) != RC_OK) {
		tell_up(w, shard, false);
		shard_failed(w, shard, &e);	/* which makes it wait */
		return;
	}
	pay(&w->gauges.jobs_paid, began);
	shard_works(w, shard);
	tell_up(w, shard, true);
	metrics_figures_put(w->c.metrics, shard, FIGURES_JOBS,
	    clock_ms(w->c.clock), (const int64_t[METRICS_FIGURES]){
	    st.jobs_ready, st.jobs_leased, st.jobs_dead, st.oldest_ready_at });
}

/* That a count takes too long for the shard's time-out is no failure of the
 * shard. */
static void count_records(struct worker *w, int shard)
{
	struct store_stats st = { 0 };
	struct err e = { .rc = RC_OK };
	int64_t began = clock_mono_us();
	struct store *s;
	enum rc rc;

	w->shards[shard].records_at = began / 1000 + RECORDS_EVERY_MS;
	rc = router_shard(w->c.router, shard, &s, &e);
	if (rc == RC_OK)
		rc = s->ops->stats(s, &st, &e);
	pay(&w->gauges.records_paid, began);
	if (rc != RC_OK) {
		log_warn("count", "shard=%s error=%s",
		    router_shard_name(w->c.router, shard), log_q(e.text));
		return;
	}
	metrics_figures_put(w->c.metrics, shard, FIGURES_RECORDS,
	    clock_ms(w->c.clock), (const int64_t[METRICS_FIGURES]){
	    st.users, st.meals, st.own_foods, st.bytes });
}

void gauges_turn(struct worker *w)
{
	bool counted = false;	/* records of one shard a turn */
	int n = router_shards(w->c.router);

	if (w->c.metrics == NULL)
		return;
	tell_events(w);
	for (int i = 0; i < n && i < METRICS_SHARDS_MAX && !w->stopping; i++) {
		struct shard_watch *s = &w->shards[i];
		int64_t now = clock_mono_us();

		if (!shard_asked(w, i)) {
			if (s->failures > 0 && s->jobs_at <= now / 1000) {
				s->jobs_at = now / 1000 + JOBS_EVERY_MS;
				tell_up(w, i, false);
			}
			continue;
		}
		if (s->jobs_at <= now / 1000 && w->gauges.jobs_paid <= now)
			count_jobs(w, i);
		if (!counted && s->failures == 0 &&
		    s->records_at <= now / 1000 &&
		    w->gauges.records_paid <= now) {
			count_records(w, i);
			counted = true;
		}
	}
}
