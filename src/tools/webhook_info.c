/*
 * webhook_info.c - familybotctl webhook info: Telegram's view of the webhook,
 * for somebody who was woken up.  Only reads; owns nothing.
 */
#include "config.h"

#include "tools/webhook.h"

#include <string.h>
#include <time.h>

#include "utils/clock.h"
#include "utils/json.h"

enum { PENDING_MANY = 100, ERROR_FRESH_S = 900 };

const char *const webhook_kinds[] = { "message", "edited_message",
	"callback_query", "my_chat_member", NULL };

/* Telegram's words for a delivery that failed, and where to look then. */
static const struct {
	const char *words;
	const char *look;
} remedies[] = {
	{ "refused", "nothing listens there: is nginx running? systemctl "
	    "status nginx" },
	{ "timed out", "nothing answers there: firewall, address, or a shard "
	    "that hangs (GET /readyz on the server)" },
	{ "timeout", "nothing answers there: firewall, address, or a shard "
	    "that hangs (GET /readyz on the server)" },
	{ "resolve", "the name has no address: look at its DNS record" },
	{ "certificate", "TLS: has the certificate run out, does nginx send "
	    "the whole chain (fullchain.pem)?" },
	{ "SSL", "TLS: has the certificate run out, does nginx send the whole "
	    "chain (fullchain.pem)?" },
	{ "401", "the secret is another: familybotctl webhook set" },
	{ "403", "the secret is another: familybotctl webhook set" },
	{ "404", "nginx does not know the path: it should end in "
	    WEBHOOK_PATH },
	{ "502", "nginx runs, the pool does not: systemctl status familybot, "
	    "or ./quickstart status" },
	{ "503", "a shard does not answer: GET /readyz on the server names "
	    "it" },
	{ "504", "the pool does not answer in time: GET /readyz on the server "
	    "names a shard that hangs" },
	{ "500", "the bot failed: its log has the request" },
};

static const char *remedy_of(const char *words)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strcasestr(words, remedies[i].words) != NULL)
			return remedies[i].look;
	return NULL;
}

static void line(struct ctl *c, const char *name, const char *value)
{
	fprintf(c->out, "  %-13s %s\n", name, value);
}

static bool kind_listed(struct json_object *kinds, const char *name)
{
	for (size_t i = 0; i < json_len(kinds); i++) {
		const char *kind = json_str_value(json_at(kinds, i));
		if (kind != NULL && strcmp(kind, name) == 0)
			return true;
	}
	return false;
}

/* Kinds that the bot reads and Telegram was told to leave out.  A list that
 * is not there is Telegram's usual one, which has them all. */
static void kinds_lacking(struct json_object *kinds, struct buf *out)
{
	for (size_t i = 0; webhook_kinds[i] != NULL; i++)
		if (json_len(kinds) > 0 &&
		    !kind_listed(kinds, webhook_kinds[i]))
			buf_printf(out, "%s%s", out->len > 0 ? ", " : "",
			    webhook_kinds[i]);
}

static void kinds_print(struct ctl *c, struct json_object *kinds)
{
	struct buf b;

	buf_init(&b, 2048);
	for (size_t i = 0; i < json_len(kinds); i++) {
		const char *kind = json_str_value(json_at(kinds, i));
		buf_printf(&b, "%s%s", i > 0 ? ", " : "",
		    kind != NULL ? kind : "?");
	}
	line(c, "updates", b.len > 0 ? b.s : "Telegram's usual ones");
	buf_release(&b);
}

static void error_print(struct ctl *c, const char *words, int64_t at,
    int64_t now)
{
	time_t t = (time_t)at;
	struct tm tm;
	char when[40], age[32];

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	ctl_age(now - at, age, sizeof(age));
	fprintf(c->out, "  %-13s %s ago (%s): %s\n", "last failure", age, when,
	    words);
	if (remedy_of(words) != NULL)
		line(c, "look at", remedy_of(words));
}

struct state {
	const char *url, *error;	/* NULL: none */
	int64_t pending, error_at, now;
	struct buf lacking;
};

/* One line that says how it stands. */
static const char *verdict(const struct state *s)
{
	bool failing = s->error != NULL && s->now - s->error_at < ERROR_FRESH_S;

	if (s->url == NULL)
		return "No webhook is set: updates wait at Telegram for "
		    "familybot-poll,\nor for familybotctl webhook set.";
	if (failing && s->pending > 0)
		return "PROBLEM: Telegram cannot deliver updates.";
	if (s->lacking.len > 0)
		return "PROBLEM: Telegram was told to leave out updates that "
		    "the bot needs.";
	if (s->pending > PENDING_MANY)
		return "PROBLEM: updates arrive more slowly than people write.";
	if (failing)
		return "Updates arrive again after a failure.";
	return "The webhook is well.";
}

static void address_print(struct ctl *c, const struct state *s)
{
	struct buf own;

	buf_init(&own, 2048);
	line(c, "address", s->url);
	if (c->conf->public_url[0] != '\0')
		webhook_url(&own, c->conf->public_url);
	if (own.len > 0 && strcmp(own.s, s->url) != 0)
		fprintf(c->out, "  %-13s %s (public_url); familybotctl "
		    "webhook set\n", "SHOULD BE", own.s);
	buf_release(&own);
}

void webhook_info_print(struct ctl *c, struct json_object *answer)
{
	struct json_object *info = json_obj(answer, "result");
	struct json_object *kinds = json_arr(info, "allowed_updates");
	struct state s = {
		.url = json_str(info, "url"),
		.error = json_str(info, "last_error_message"),
		.now = clock_ms(&clock_system) / 1000,
	};
	int64_t n;

	if (s.url != NULL && s.url[0] == '\0')
		s.url = NULL;
	(void)json_i64(info, "pending_update_count", &s.pending);
	(void)json_i64(info, "last_error_date", &s.error_at);
	buf_init(&s.lacking, 2048);
	kinds_lacking(kinds, &s.lacking);
	fprintf(c->out, "%s\n", verdict(&s));
	if (s.url != NULL)
		address_print(c, &s);
	fprintf(c->out, "  %-13s %lld %s\n", "waiting", (long long)s.pending,
	    s.pending == 1 ? "update" : "updates");
	if (s.error != NULL)
		error_print(c, s.error, s.error_at, s.now);
	if (s.url != NULL && json_i64(info, "max_connections", &n))
		fprintf(c->out, "  %-13s at most %lld at once\n",
		    "connections", (long long)n);
	if (s.url != NULL)
		kinds_print(c, kinds);
	if (s.lacking.len > 0)
		fprintf(c->out, "  %-13s %s; familybotctl webhook set\n",
		    "MISSING", s.lacking.s);
	buf_release(&s.lacking);
}
