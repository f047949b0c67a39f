/* poller.c - see poller.h. */
#include "config.h"

#include "worker/poller.h"

#include <string.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "utils/json.h"
#include "utils/log.h"
#include "worker/offset.h"
#include "worker/stop.h"

enum { LIMIT = 100, LONG_POLL_S = 50, POST_TIMEOUT_MS = 60000,
	UPDATE_MAX = 1 << 20, ANSWER_MAX = 1 << 20, BATCH_MAX = 32 << 20,
	RETRY_FIRST_MS = 250, RETRY_MAX_MS = 60000, RECHECK_MS = 1000,
	SECRET_LINE = 320 };

/* Of which queue of Telegram's an update is. */
struct line {
	char kind;	/* 'm' chat, 'c' callback of a person */
	int64_t id;
};

struct known {
	int64_t id;
	bool done;
	int tries;
	int64_t next_at;	/* mono ms */
};

struct poller {
	struct poller_conf c;
	char secret[SECRET_LINE];
	int64_t offset;
	int64_t moved_at;	/* UTC ms of the last progress */
	int failures;		/* of getUpdates, in a row */
	struct known known[LIMIT];	/* of what was fetched last */
	size_t nknown;
};

static int64_t mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static int64_t backoff_ms(int tries)
{
	int64_t ms = tries > 8 ? RETRY_MAX_MS
	    : (int64_t)RETRY_FIRST_MS << (tries > 0 ? tries - 1 : 0);

	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static const char *const kinds[] = { "message", "edited_message",
	"callback_query", "my_chat_member" };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const char *update_kind(struct json_object *update)
{
	for (size_t i = 0; i < KINDS; i++)
		if (json_obj(update, kinds[i]) != NULL)
			return kinds[i];
	return "other";
}

static struct line update_line(struct json_object *update)
{
	const char *kind = update_kind(update);
	struct json_object *o = json_obj(update, kind);
	bool tap = strcmp(kind, "callback_query") == 0;
	struct line l = { .kind = tap ? 'c' : 'm', .id = 0 };

	(void)json_i64(json_obj(o, tap ? "from" : "chat"), "id", &l.id);
	return l;
}

/* What the webhook's answer asks for; what comes of it, Telegram would not
 * tell either, but a developer wants to see it. */
static void answer_execute(struct poller *p, const struct buf *body)
{
	const struct tg_request r = { .call = body->s, .len = body->len };
	struct tg_answer a;
	char method[48];

	if (!telegram_method(body->s, body->len, method, sizeof(method)))
		return;
	telegram_do(p->c.telegram, &r, &a);
	if (a.verdict != TG_OK)
		log_warn("answer", "method=%s outcome=%s error=%s", method,
		    tg_verdict_name(a.verdict), log_q(a.description));
	tg_answer_release(&a);
}

static bool post(struct poller *p, const struct buf *text,
    struct http_answer *a)
{
	const char *const headers[] = { "Content-Type: application/json",
		p->secret, NULL };
	const struct http_fetch r = {
		.url = p->c.url, .body = text->s, .body_len = text->len,
		.headers = headers, .timeout_ms = POST_TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
	};

	http_do(p->c.http, &r, a);
	return a->rc == RC_OK && a->status >= 200 && a->status < 300;
}

static bool deliver(struct poller *p, struct json_object *update, int64_t id)
{
	struct http_answer a;
	struct buf text;
	int64_t begin = mono_ms();
	bool ok;

	buf_init(&text, UPDATE_MAX);
	http_answer_init(&a, ANSWER_MAX);
	telegram_json_put(&text, update);
	ok = post(p, &text, &a);
	if (a.rc != RC_BUSY)
		log_line(ok ? LOG_LVL_INFO : LOG_LVL_WARN, "update",
		    "id=%lld kind=%s status=%ld ms=%lld%s%s", (long long)id,
		    update_kind(update), a.status,
		    (long long)(mono_ms() - begin),
		    a.error[0] != '\0' ? " error=" : "",
		    a.error[0] != '\0' ? log_q(a.error)
		    : a.status == 403 ? " hint=\"is it the same "
		    "webhook_secret?\"" : "");
	if (ok)
		answer_execute(p, &a.body);
	buf_release(&text);
	http_answer_release(&a);
	return ok;
}

static struct known *known_of(struct poller *p, int64_t id)
{
	for (size_t i = 0; i < p->nknown; i++)
		if (p->known[i].id == id)
			return &p->known[i];
	return NULL;
}

/* What was fetched now, with what is known of it from before. */
static void known_refresh(struct poller *p, struct json_object *batch)
{
	struct known fresh[LIMIT] = { { .id = 0 } };
	size_t n = 0;

	for (size_t i = 0; i < json_len(batch) && n < LIMIT; i++) {
		struct known *old;
		int64_t id;

		if (!json_i64(json_at(batch, i), "update_id", &id))
			continue;
		old = known_of(p, id);
		fresh[n++] = old != NULL ? *old : (struct known){ .id = id };
	}
	memcpy(p->known, fresh, n * sizeof(fresh[0]));
	p->nknown = n;
}

static bool line_held(const struct line *held, size_t n, struct line l)
{
	for (size_t i = 0; i < n; i++)
		if (held[i].kind == l.kind && held[i].id == l.id)
			return true;
	return false;
}

/* Delivers what may be delivered now, each queue in its order. */
static void batch_deliver(struct poller *p, struct json_object *batch)
{
	struct line held[LIMIT];
	size_t nheld = 0;

	known_refresh(p, batch);
	for (size_t i = 0; i < json_len(batch); i++) {
		struct json_object *u = json_at(batch, i);
		struct line l = update_line(u);
		struct known *k;
		int64_t id;

		if (!json_i64(u, "update_id", &id))
			continue;
		k = known_of(p, id);
		if (k == NULL || k->done || line_held(held, nheld, l))
			continue;
		if (stop_asked(p->c.stop_fd))
			return;
		if (k->next_at <= mono_ms() && deliver(p, u, id)) {
			k->done = true;
			continue;
		}
		if (k->next_at <= mono_ms())
			k->next_at = mono_ms() + backoff_ms(++k->tries);
		held[nheld++] = l;
	}
}

/* The first update that has not arrived, or one past the last. */
static void offset_move(struct poller *p)
{
	int64_t next = p->offset, now = clock_ms(p->c.clock);
	struct err e = { .rc = RC_OK };

	for (size_t i = 0; i < p->nknown; i++) {
		next = p->known[i].done ? p->known[i].id + 1 : p->known[i].id;
		if (!p->known[i].done)
			break;
	}
	if (next == p->offset)
		return;
	p->offset = next;
	p->moved_at = now;
	if (offset_save(p->c.offset_path, next, now, &e) != RC_OK)
		log_error("offset", "error=%s hint=%s", log_q(e.text),
		    log_q("updates may be fetched twice after a restart"));
}

/* ms until something that failed may be tried again, 0 when nothing waits. */
static int64_t waiting_ms(const struct poller *p)
{
	int64_t next = 0, now = mono_ms();

	for (size_t i = 0; i < p->nknown; i++) {
		int64_t left = p->known[i].next_at - now;

		if (p->known[i].done)
			continue;
		if (left < 1)
			left = 1;
		if (next == 0 || left < next)
			next = left;
	}
	return next < RECHECK_MS ? next : RECHECK_MS;
}

static void ask(struct poller *p, struct tg_answer *a)
{
	int64_t now = clock_ms(p->c.clock);
	int timeout = p->c.long_poll_s > 0 ? p->c.long_poll_s : LONG_POLL_S;
	struct tg_request r = { .answer_max = BATCH_MAX };
	struct buf b;

	/* after a quiet week the numbers start anew: see offset.h */
	if (now - p->moved_at > INT64_C(6) * 24 * 3600 * 1000)
		p->offset = 0;
	buf_init(&b, 1024);
	buf_printf(&b, "{\"method\":\"getUpdates\",\"limit\":%d,"
	    "\"timeout\":%d,\"allowed_updates\":[", LIMIT, timeout);
	for (size_t i = 0; i < KINDS; i++)
		buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", kinds[i]);
	buf_puts(&b, "]");
	if (p->offset != 0)
		buf_printf(&b, ",\"offset\":%lld", (long long)p->offset);
	buf_putc(&b, '}');
	r.call = b.s;
	r.len = b.len;
	r.timeout_ms = timeout * 1000L + TG_TIMEOUT_MS;
	telegram_do(p->c.telegram, &r, a);
	buf_release(&b);
}

static void explain_conflict(const struct tg_answer *a)
{
	bool webhook = strcasestr(a->description, "webhook") != NULL;

	log_error("conflict", "error=%s hint=%s", log_q(a->description),
	    log_q(webhook ? "a webhook is set for this bot, so Telegram does "
	    "not hand out updates: run familybotctl webhook delete"
	    : "another program fetches the updates of this bot: stop it"));
}

/* After a failed getUpdates: how long to wait. */
static int64_t ask_failed(struct poller *p, const struct tg_answer *a)
{
	int64_t wait = backoff_ms(++p->failures + 2);

	if (a->verdict == TG_WAIT)
		wait = a->retry_after_s * 1000;
	if (a->verdict == TG_CONFLICT) {
		explain_conflict(a);
	} else if (a->verdict == TG_TOKEN || a->verdict == TG_PERMANENT) {
		wait = RETRY_MAX_MS;
		log_error("get_updates", "outcome=%s error=%s hint=%s",
		    tg_verdict_name(a->verdict), log_q(a->description),
		    log_q("look at TELEGRAM_TOKEN; tried again in a minute"));
	} else {
		log_warn("get_updates", "outcome=%s error=%s wait_ms=%lld",
		    tg_verdict_name(a->verdict), log_q(a->description),
		    (long long)wait);
	}
	return wait;
}

static void poller_turn(struct poller *p)
{
	struct tg_answer a;
	int64_t wait = 0;

	ask(p, &a);
	if (a.verdict == TG_OK) {
		p->failures = 0;
		batch_deliver(p, json_arr(a.json, "result"));
		offset_move(p);
		wait = waiting_ms(p);
	} else if (!stop_asked(p->c.stop_fd)) {
		wait = ask_failed(p, &a);
	}
	tg_answer_release(&a);
	if (wait > 0)
		stop_wait(p->c.stop_fd, (int)wait);
}

enum rc poller_run(const struct poller_conf *c, struct err *e)
{
	struct poller p = { .c = *c };

	if (!http_url_allowed(c->url))
		return err_set(e, RC_INVALID, "--url: only https, or http to "
		    "this machine");
	p.moved_at = clock_ms(c->clock);
	p.offset = offset_load(c->offset_path, p.moved_at);
	str_format(p.secret, sizeof(p.secret),
	    "X-Telegram-Bot-Api-Secret-Token: %s", c->secret);
	while (!stop_asked(c->stop_fd))
		poller_turn(&p);
	return RC_OK;
}
