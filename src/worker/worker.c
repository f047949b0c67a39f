/* worker.c - see worker.h: the loop itself. */
#include "config.h"

#include "worker/worker.h"

#include <poll.h>
#include <string.h>

#include "shards/router.h"
#include "utils/log.h"
#include "utils/xalloc.h"
#include "worker/internal.h"
#include "worker/stop.h"

enum { PURGE_FIRST_MS = 60000, PURGE_EVERY_MS = 600000,
	TIDY_EVERY_MS = 15000, PER_SECOND = 30 };

enum rc worker_open(const struct worker_conf *c, struct worker **out,
    struct err *e)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	enum rc rc;

	w->c = *c;
	w->sock = w->lock = -1;
	if (w->c.lease_ms <= 0)
		w->c.lease_ms = LEASE_MS;
	w->rate = rate_new(c->per_second > 0 ? c->per_second : PER_SECOND);
	w->shards = xcalloc(SHARDS_MAX, sizeof(*w->shards));
	w->scratch = xcalloc(BATCH, sizeof(*w->scratch));
	w->purge_at = mono_ms() + PURGE_FIRST_MS;
	w->tidy_at = mono_ms() + TIDY_EVERY_MS;
	webhook_watch_start(w);
	gauges_start(w);
	drain_start(w);
	rc = inbox_open(w, e);
	if (rc != RC_OK) {
		worker_free(w);
		return rc;
	}
	if (!telegram_has_token(c->telegram))
		log_warn("no_token", "hint=%s", log_q("TELEGRAM_TOKEN is not "
		    "set: jobs are kept until it is"));
	*out = w;
	return RC_OK;
}

void worker_free(struct worker *w)
{
	struct item *it;

	if (w == NULL)
		return;
	http_abort(w->c.http);	/* what is under way points here */
	inbox_close(w);
	while ((it = w->items) != NULL) {
		w->items = it->next;
		buf_release(&it->call);
		free(it);
	}
	drain_stop(w);
	rate_free(w->rate);
	free(w->shards);
	free(w->scratch);
	free(w);
}

const struct worker_stats *worker_stats(const struct worker *w)
{
	return &w->stats;
}

/* Is one before it put back that goes to the same chat?  Then it, too, must be,
 * or it would arrive first. */
static bool behind(const struct worker *w, const struct item *it)
{
	for (const struct item *o = w->items; o != it; o = o->next)
		if (o->chat == it->chat && o->chat != 0 && o->shard == it->shard &&
		    o->state == ITEM_SETTLING && o->job.state == JOB_READY &&
		    o->job.run_at <= it->job.run_at)
			return true;
	return false;
}

/* Begins what is due; returns when the next one is.  By one moment for all: else
 * a chat's second may come while this goes on, for a later one of its items. */
static int64_t pump(struct worker *w)
{
	int64_t next = INT64_MAX, utc = clock_ms(w->c.clock), now = mono_ms();
	/* nothing is begun that its lease would not outlive */
	int64_t lease_min = utc + TG_TIMEOUT_MS + LEASE_MARGIN_MS;

	if (w->c.lease_ms < TG_TIMEOUT_MS + 2 * LEASE_MARGIN_MS)
		lease_min = utc + w->c.lease_ms / 4;
	for (struct item *it = w->items; it != NULL; it = it->next) {
		int64_t due;

		if (it->state != ITEM_WAITING)
			continue;
		due = rate_due(w->rate, it->chat, now);
		if (due - now > HOLD_MS)
			item_put_back(it, utc + rate_postpone(w->rate,
			    it->chat, now, due) - now, "the chat must wait");
		else if (it->job.lease_until < lease_min || behind(w, it))
			item_put_back(it, it->job.run_at, "the lease ends");
		else if (due > now)
			next = due < next ? due : next;
		else
			job_type_find(it->job.kind)->begin(it);
	}
	return next;
}

/* A full house was left behind, and there is room for a batch again. */
static bool go_on(const struct worker *w)
{
	return w->more && !w->stopping && w->nitems + BATCH <= ITEMS_MAX;
}

static int wait_ms(const struct worker *w, int64_t next, int max_wait_ms)
{
	int64_t now = mono_ms(), until = now + max_wait_ms;

	if (w->look_at < until)
		until = w->look_at;
	if (next < until)
		until = next;
	if (drain_next(w) < until)
		until = drain_next(w);
	if (w->nsettling > 0 && w->settle_from + SETTLE_DELAY_MS < until)
		until = w->settle_from + SETTLE_DELAY_MS;
	return until > now && !go_on(w) ? (int)(until - now) : 0;
}

static void look(struct worker *w, bool woken)
{
	int64_t now = mono_ms();

	if (w->stopping || (!woken && now < w->look_at && !go_on(w)))
		return;
	w->look_at = now + LOOK_MS;
	w->more = false;
	if (telegram_has_token(w->c.telegram) && !w->token_refused)
		lease_look(w);
	else if (w->token_refused && rate_due(w->rate, 0, now) <= now)
		lease_look(w);	/* perhaps the token works again */
	if (now >= w->purge_at) {
		w->purge_at = now + PURGE_EVERY_MS;
		lease_purge(w);
	}
	if (now >= w->tidy_at) {
		w->tidy_at = now + TIDY_EVERY_MS;
		lease_tidy(w);
	}
}

void worker_turn(struct worker *w, int max_wait_ms)
{
	struct pollfd fds[2] = {
		{ .fd = w->sock, .events = POLLIN },
		{ .fd = w->c.stop_fd, .events = POLLIN },
	};
	/* a stop that was asked for stays readable: no longer waited for */
	unsigned int nfds = w->stopping || w->c.stop_fd < 0 ? 1 : 2;
	int64_t next;
	bool woken;

	next = pump(w);
	http_wait(w->c.http, fds, nfds, wait_ms(w, next, max_wait_ms));
	woken = inbox_drain(w);
	if (!w->stopping)
		webhook_watch_turn(w);
	lease_settle(w, false);
	look(w, woken);
	drain_turn(w);
	w->stats.waiting = (int64_t)w->nitems;
	gauges_turn(w);
	if (w->c.beside != NULL)
		w->c.beside(w->c.beside_ctx);
}

static void stop_gently(struct worker *w)
{
	int64_t until = mono_ms() + STOP_GRACE_MS;

	w->stopping = true;
	for (struct item *it = w->items; it != NULL; it = it->next)
		if (it->state == ITEM_WAITING)
			item_put_back(it, it->job.run_at, "the worker stops");
	while (mono_ms() < until && http_flying(w->c.http) > 0)
		worker_turn(w, 100);
	http_abort(w->c.http);
	lease_settle(w, true);
	gauges_turn(w);
	if (w->nitems > 0)
		log_warn("stop", "unfinished=%zu", w->nitems);
}

void worker_run(struct worker *w)
{
	while (!stop_asked(w->c.stop_fd))
		worker_turn(w, LOOK_MS);
	stop_gently(w);
}
