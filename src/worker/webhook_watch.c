/*
 * webhook_watch.c - what the worker does of itself: the menu of commands and a look at
 * the bot's name once after the start, and at the webhook's state every five
 * minutes.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>
#include <strings.h>

#include "queue/queue.h"
#include "utils/json.h"
#include "utils/log.h"

enum { WEBHOOK_EVERY_MS = 300000, WEBHOOK_FIRST_MS = 5000,
	PENDING_WARN = 100, COMMANDS_MAX_BYTES = 65536 };

void webhook_watch_start(struct worker *w)
{
	w->webhook.next_at = mono_ms() + WEBHOOK_FIRST_MS;
	w->stats.updates_pending = -1;
}

static void own_failed(struct worker *w, struct own_call *c, const char *what,
    const struct tg_answer *a)
{
	if (a->verdict == TG_TOKEN)
		send_token_refused(w, a->description);
	else
		log_warn(what, "outcome=%s error=%s",
		    tg_verdict_name(a->verdict), log_q(a->description));
	c->tries++;
	c->next_at = mono_ms() + (a->verdict == TG_WAIT
	    ? a->retry_after_s * 1000
	    : queue_backoff_ms(c->tries + 4, worker_random()));
}

static void own_start(struct worker *w, struct own_call *c, const char *call,
    tg_done *done)
{
	const struct tg_request r = { .call = call, .len = strlen(call) };
	struct err e = { .rc = RC_OK };

	if (telegram_start(w->c.telegram, &r, done, w, &e) == RC_OK) {
		c->flying = true;
		return;
	}
	log_error("own_call", "error=%s", log_q(e.text));
	c->next_at = mono_ms() + WEBHOOK_EVERY_MS;
}

static void commands_ended(void *ctx, const struct tg_answer *a)
{
	struct worker *w = ctx;

	w->commands.flying = false;
	if (a->verdict != TG_OK) {
		own_failed(w, &w->commands, "commands", a);
		return;
	}
	w->commands.tries = 0;
	w->commands_done++;
	if (w->commands_done == w->c.ncommands)
		log_info("commands", "languages=%zu", w->c.ncommands);
}

static void commands_send(struct worker *w)
{
	const struct worker_commands *c = &w->c.commands[w->commands_done];
	struct buf b;

	buf_init(&b, COMMANDS_MAX_BYTES);
	buf_puts(&b, "{\"method\":\"setMyCommands\",\"commands\":[");
	for (size_t i = 0; i < c->nrows; i++) {
		buf_puts(&b, i > 0 ? ",{\"command\":" : "{\"command\":");
		json_put_str(&b, c->rows[i].name);
		buf_puts(&b, ",\"description\":");
		json_put_str(&b, c->rows[i].description);
		buf_putc(&b, '}');
	}
	buf_puts(&b, "]");
	if (c->lang[0] != '\0') {
		buf_puts(&b, ",\"language_code\":");
		json_put_str(&b, c->lang);
	}
	buf_putc(&b, '}');
	own_start(w, &w->commands, b.s, commands_ended);
	buf_release(&b);
}

/* A wrong name does not stop the bot; it makes it deaf in groups. */
static void me_ended(void *ctx, const struct tg_answer *a)
{
	struct worker *w = ctx;
	const char *name;

	w->me.flying = false;
	if (a->verdict != TG_OK) {
		own_failed(w, &w->me, "me", a);
		return;
	}
	w->me_done = true;
	name = json_str(json_obj(a->json, "result"), "username");
	if (name == NULL)
		return;
	if (strcasecmp(name, w->c.username) == 0)
		log_info("me", "username=%s", log_q(name));
	else
		log_warn("me", "username=%s bot_username=%s why=%s",
		    log_q(name), log_q(w->c.username), log_q("mentions in "
		    "groups are missed: set bot_username to the first"));
}

static void webhook_ended(void *ctx, const struct tg_answer *a)
{
	struct worker *w = ctx;
	struct json_object *info;
	const char *url, *words;
	int64_t pending = 0, error_date = 0;
	bool worse;

	w->webhook.flying = false;
	if (a->verdict != TG_OK) {
		own_failed(w, &w->webhook, "webhook", a);
		return;
	}
	w->webhook.tries = 0;
	w->webhook.next_at = mono_ms() + WEBHOOK_EVERY_MS;
	info = json_obj(a->json, "result");
	url = json_str(info, "url");
	words = json_str(info, "last_error_message");
	(void)json_i64(info, "pending_update_count", &pending);
	(void)json_i64(info, "last_error_date", &error_date);
	worse = pending > PENDING_WARN && pending >= w->stats.updates_pending;
	if (error_date != w->webhook_error_date || worse)
		log_warn("webhook", "pending=%lld last_error_date=%lld "
		    "last_error=%s", (long long)pending,
		    (long long)error_date, log_q(words != NULL ? words : ""));
	else if (pending != w->stats.updates_pending)
		log_info("webhook", "set=%s pending=%lld",
		    url != NULL && url[0] != '\0' ? "yes" : "no",
		    (long long)pending);
	w->webhook_error_date = error_date;
	w->stats.updates_pending = pending;
}

static bool own_due(const struct own_call *c)
{
	return !c->flying && c->next_at <= mono_ms();
}

void webhook_watch_turn(struct worker *w)
{
	if (!telegram_has_token(w->c.telegram))
		return;
	if (w->commands_done < w->c.ncommands && own_due(&w->commands))
		commands_send(w);
	if (w->c.username != NULL && !w->me_done && own_due(&w->me))
		own_start(w, &w->me, "{\"method\":\"getMe\"}", me_ended);
	if (own_due(&w->webhook))
		own_start(w, &w->webhook, "{\"method\":\"getWebhookInfo\"}",
		    webhook_ended);
}
