/*
 * send.c - the job type "send": a call of the Bot API that must arrive.
 *
 * 429 and a wrong token are no fault of the job and count as no try.  A
 * refused formatting is sent again plain, a migrated group under its new id,
 * both at once and once each.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>

#include "shards/router.h"
#include "store/store.h"
#include "utils/log.h"
#include "utils/log_who.h"

enum { MARK_TRIES = 5, TOKEN_PAUSE_MS = 60000 };

static void send_begin(struct item *it);

static void send_accept(struct item *it)
{
	char method[48];

	if (!telegram_method(it->call.s, it->call.len, method, sizeof(method)))
		item_dead(it, "the payload is no call of the Bot API");
	else if (!telegram_chat(it->call.s, it->call.len, &it->chat))
		it->chat = 0;
}

/* Compare-and-set, so that what a handler writes meanwhile stays. */
static enum rc mark_once(struct worker *w, int64_t user_id, struct err *e)
{
	struct route route;
	struct user u;
	enum rc rc;

	rc = router_enter(w->c.router, user_id, &route, e);
	if (rc != RC_OK)
		return rc;
	rc = route.store->ops->user_get(route.store, user_id, &u, e);
	if (rc == RC_OK && !(u.flags & USER_F_UNREACHABLE)) {
		u.flags |= USER_F_UNREACHABLE;
		u.updated_at = clock_ms(w->c.clock);
		rc = route.store->ops->user_put(route.store, &u, e);
	}
	router_leave(&route);
	return rc;
}

static void mark_unreachable(struct worker *w, int64_t user_id)
{
	struct err e = { .rc = RC_OK };
	enum rc rc = RC_CONFLICT;

	for (int i = 0; i < MARK_TRIES && rc == RC_CONFLICT; i++)
		rc = mark_once(w, user_id, &e);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		log_warn("mark_unreachable", "rc=%s error=%s", rc_name(rc),
		    log_who_in(e.text, user_id));
}

void send_token_refused(struct worker *w, const char *why)
{
	rate_pause(w->rate, mono_ms() + TOKEN_PAUSE_MS);
	if (w->token_refused)
		return;
	w->token_refused = true;
	log_error("token_refused", "error=%s hint=%s", log_q(why),
	    log_q("TELEGRAM_TOKEN is not known to Telegram: ask @BotFather; "
	    "jobs wait until then"));
}

/* Sends the same job again at once, changed as rc says it was. */
static void send_changed(struct item *it, enum rc rc, struct buf *changed,
    const char *why)
{
	if (rc != RC_OK) {
		item_dead(it, why);
		return;
	}
	buf_clear(&it->call);
	buf_add(&it->call, changed->s, changed->len);
	it->state = ITEM_WAITING;
	if (!telegram_chat(it->call.s, it->call.len, &it->chat))
		it->chat = 0;
	send_begin(it);
}

static void send_plain(struct item *it, const char *why)
{
	struct buf b;
	enum rc rc = RC_INVALID;

	buf_init(&b, it->call.max);
	if (!it->rewritten)
		rc = telegram_plain(it->call.s, it->call.len, &b, NULL);
	it->rewritten = true;
	send_changed(it, rc, &b, why);
	buf_release(&b);
}

static void send_migrated(struct item *it, int64_t chat, const char *why)
{
	struct buf b;
	enum rc rc = RC_INVALID;

	buf_init(&b, it->call.max);
	if (!it->migrated)
		rc = telegram_to_chat(it->call.s, it->call.len, chat, &b,
		    NULL);
	it->migrated = true;
	send_changed(it, rc, &b, why);
	buf_release(&b);
}

static void send_flooded(struct item *it, const struct tg_answer *a)
{
	struct worker *w = it->w;
	int64_t now = mono_ms(), wait = a->retry_after_s * 1000;

	w->stats.flooded++;
	rate_flooded(w->rate, it->chat, now, now + wait);
	log_warn("flood", "id=%s retry_after=%lld", log_who_in(it->job.id, it->job.user_id),
	    (long long)a->retry_after_s);
	if (wait <= HOLD_MS)
		it->state = ITEM_WAITING;
	else
		item_put_back(it, clock_ms(w->c.clock) +
		    rate_postpone(w->rate, it->chat, now, now + wait) - now,
		    a->description);
}

static void send_forbidden(struct item *it, const char *why)
{
	it->w->stats.unreachable++;
	/* in a group it is the bot that was shown the door */
	if (it->chat == it->job.user_id && it->chat > 0)
		mark_unreachable(it->w, it->job.user_id);
	item_done(it, "unreachable");
	str_copy(it->job.last_error, sizeof(it->job.last_error), why);
}

static void send_ended(void *ctx, const struct tg_answer *a)
{
	struct item *it = ctx;
	struct worker *w = it->w;

	rate_ended(w->rate, it->chat, mono_ms());
	gauges_sent(w, it->started);
	switch (a->verdict) {
	case TG_OK:
	case TG_UNCHANGED:
	case TG_STALE:
		w->token_refused = false;
		item_done(it, tg_verdict_name(a->verdict));
		break;
	case TG_WAIT:
		send_flooded(it, a);
		break;
	case TG_MIGRATED:
		send_migrated(it, a->migrate_to, a->description);
		break;
	case TG_PLAIN:
		send_plain(it, a->description);
		break;
	case TG_FORBIDDEN:
		send_forbidden(it, a->description);
		break;
	case TG_TOKEN:
		send_token_refused(w, a->description);
		item_put_back(it, clock_ms(w->c.clock) + TOKEN_PAUSE_MS,
		    a->description);
		break;
	case TG_RETRY:
	case TG_CONFLICT:
		if (w->stopping)	/* perhaps our own doing */
			item_put_back(it, clock_ms(w->c.clock), a->description);
		else
			item_retry(it, a->description);
		break;
	case TG_PERMANENT:
		item_dead(it, a->description);
		break;
	}
}

static void send_begin(struct item *it)
{
	struct worker *w = it->w;
	const struct tg_request r = { .call = it->call.s,
		.len = it->call.len };
	struct err e = { .rc = RC_OK };
	int64_t now = mono_ms();
	enum rc rc;

	it->started = now;
	rc = telegram_start(w->c.telegram, &r, send_ended, it, &e);
	if (rc != RC_OK) {
		if (rc == RC_INVALID || rc == RC_TOOBIG)
			item_dead(it, e.text);
		else
			item_retry(it, e.text);
		return;
	}
	it->state = ITEM_FLYING;
	rate_sent(w->rate, it->chat, now);
}

const struct job_type job_type_send = {
	.kind = "send",
	.accept = send_accept,
	.begin = send_begin,
};
