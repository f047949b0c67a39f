/* webhook.c - familybotctl webhook: where Telegram sends the updates. */
#include "config.h"

#include "tools/webhook.h"

#include <getopt.h>
#include <string.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "utils/buf.h"
#include "utils/json.h"

enum { CALL_MAX = 4096 };

struct webhook_args {
	const char *url;
	bool drop_pending;
	int max_connections;
};

/* Makes one call; prints its result as JSON, or by print. */
static enum rc call(struct ctl *c, const struct buf *text,
    void (*print)(struct ctl *c, struct json_object *answer), struct err *e)
{
	const struct http_conf hc = {
		.user_agent = PACKAGE_NAME "/" PACKAGE_VERSION, .stop_fd = -1 };
	const struct tg_request r = { .call = text->s, .len = text->len };
	struct telegram *t;
	struct http *h = NULL;
	struct tg_answer a;
	struct buf b;
	enum rc rc = http_open(&hc, &h, e);

	if (rc != RC_OK)
		return rc;
	t = telegram_new(h, c->conf->telegram_api, c->conf->telegram_token);
	telegram_do(t, &r, &a);
	if (a.verdict == TG_OK && c->json) {
		buf_init(&b, TG_ANSWER_MAX);
		telegram_json_put(&b, a.json);
		fprintf(c->out, "%s\n", b.s);
		buf_release(&b);
	} else if (a.verdict == TG_OK) {
		print(c, a.json);
	} else if (a.verdict == TG_TOKEN) {
		rc = err_set(e, RC_DENIED, "Telegram does not know this "
		    "TELEGRAM_TOKEN: %s", a.description);
	} else {
		rc = err_set(e, a.verdict == TG_RETRY || a.verdict == TG_WAIT
		    ? RC_UNAVAILABLE : RC_INVALID, "Telegram: %s",
		    a.description);
	}
	tg_answer_release(&a);
	telegram_free(t);
	http_free(h);
	return rc;
}

static void print_done(struct ctl *c, struct json_object *answer)
{
	const char *words = json_str(answer, "description");

	fprintf(c->out, "%s\n", words != NULL ? words : "done");
}

void webhook_url(struct buf *b, const char *url)
{
	size_t n = strlen(url), path = strlen(WEBHOOK_PATH);

	if (n >= path && strcmp(url + n - path, WEBHOOK_PATH) == 0) {
		buf_puts(b, url);
		return;
	}
	while (n > 0 && url[n - 1] == '/')
		n--;
	buf_add(b, url, n);
	buf_puts(b, WEBHOOK_PATH);
}

/* Telegram calls these ports only, by https only. */
static enum rc url_check(const char *url, struct err *e)
{
	static const char *const ports[] = { "443", "80", "88", "8443" };
	const char *host = url + strlen("https://"), *colon;
	size_t n;

	if (url[0] == '\0')
		return err_set(e, RC_INVALID, "Telegram needs an address to "
		    "call: give --url https://..., or set public_url");
	if (strncmp(url, "https://", 8) != 0)
		return err_set(e, RC_INVALID, "%.200s: Telegram calls https:// "
		    "only; without a certificate, use familybot-poll", url);
	if (strlen(url) > 900)
		return err_set(e, RC_INVALID, "the address is too long");
	n = strcspn(host, "/");
	colon = memrchr(host, ':', n);
	if (colon == NULL || host[n - 1] == ']')
		return RC_OK;
	n -= (size_t)(colon + 1 - host);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (strlen(ports[i]) == n &&
		    memcmp(ports[i], colon + 1, n) == 0)
			return RC_OK;
	return err_set(e, RC_INVALID, "port %.*s: Telegram calls the ports "
	    "443, 80, 88 and 8443 only", (int)n, colon + 1);
}

/* What Telegram was told, and what it means. */
static void set_explain(struct ctl *c, const struct webhook_args *a,
    const char *url)
{
	fprintf(c->out,
	    "  %-12s %s\n"
	    "  %-12s is sent with each update, and others are refused (not "
	    "shown here)\n"
	    "  %-12s at most %d at once; what the pool cannot serve yet "
	    "waits in its\n"
	    "  %-12s socket, so about its number of processes will do "
	    "(--max-connections)\n"
	    "  %-12s", "address", url, "secret", "connections",
	    a->max_connections, "", "updates");
	for (size_t i = 0; webhook_kinds[i] != NULL; i++)
		fprintf(c->out, "%s %s", i > 0 ? "," : "", webhook_kinds[i]);
	fprintf(c->out, "\n  %-12s what came before is %s\n"
	    "familybotctl webhook info tells whether they arrive.\n",
	    "waiting", a->drop_pending ? "dropped (--drop-pending)" :
	    "delivered now");
}

static enum rc webhook_set(struct ctl *c, const struct webhook_args *a,
    struct err *e)
{
	const char *given = a->url != NULL ? a->url : c->conf->public_url;
	enum rc rc = url_check(given, e);
	struct buf url, b;

	if (rc != RC_OK)
		return rc;
	if (c->conf->webhook_secret[0] == '\0')
		return err_set(e, RC_INVALID, "webhook_secret is not set");
	buf_init(&url, 1024);
	webhook_url(&url, given);
	buf_init(&b, CALL_MAX);
	buf_puts(&b, "{\"method\":\"setWebhook\",\"url\":");
	json_put_str(&b, url.s);
	buf_puts(&b, ",\"secret_token\":");
	json_put_str(&b, c->conf->webhook_secret);
	buf_printf(&b, ",\"max_connections\":%d,\"drop_pending_updates\":%s,"
	    "\"allowed_updates\":[", a->max_connections,
	    a->drop_pending ? "true" : "false");
	for (size_t i = 0; webhook_kinds[i] != NULL; i++)
		buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "",
		    webhook_kinds[i]);
	buf_puts(&b, "]}");
	rc = call(c, &b, print_done, e);
	if (rc == RC_OK && !c->json)
		set_explain(c, a, url.s);
	buf_release(&b);
	buf_release(&url);
	return rc;
}

static enum rc webhook_simple(struct ctl *c, const char *text,
    void (*print)(struct ctl *c, struct json_object *answer), struct err *e)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, CALL_MAX);
	buf_puts(&b, text);
	rc = call(c, &b, print, e);
	buf_release(&b);
	return rc;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct webhook_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "url", required_argument, NULL, 'u' },
		{ "drop-pending", no_argument, NULL, 'd' },
		{ "max-connections", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (o == 'u') {
			a->url = optarg;
		} else if (o == 'd') {
			a->drop_pending = true;
		} else if (o == 'm') {
			a->max_connections = (int)strtol(optarg, &end, 10);
			if (*end != '\0' || a->max_connections < 1 ||
			    a->max_connections > 100)
				return ctl_usage(c, e, "--max-connections: "
				    "1 to 100");
		} else {
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
		}
	}
	if (optind < argc)
		return ctl_usage(c, e, "%s: unknown argument", argv[optind]);
	return RC_OK;
}

static enum rc webhook_run(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct webhook_args a = { .max_connections = 40 };
	const char *what = argc > 1 ? argv[1] : "";
	enum rc rc;

	if (strcmp(what, "set") != 0 && strcmp(what, "info") != 0 &&
	    strcmp(what, "delete") != 0)
		return ctl_usage(c, e, "webhook: set, info or delete?");
	rc = args_read(c, argc - 1, argv + 1, &a, e);
	if (rc == RC_OK)
		rc = ctl_config(c, e);
	if (rc != RC_OK)
		return rc;
	if (c->conf->telegram_token[0] == '\0')
		return err_set(e, RC_INVALID, "telegram_token is not set: "
		    "@BotFather gives one (TELEGRAM_TOKEN, or familybot.conf)");
	if (strcmp(what, "set") == 0)
		return webhook_set(c, &a, e);
	if (strcmp(what, "info") == 0)
		return webhook_simple(c, "{\"method\":\"getWebhookInfo\"}",
		    webhook_info_print, e);
	return webhook_simple(c, a.drop_pending
	    ? "{\"method\":\"deleteWebhook\",\"drop_pending_updates\":true}"
	    : "{\"method\":\"deleteWebhook\"}", print_done, e);
}

const struct subcommand sub_webhook = {
	.name = "webhook",
	.usage =
	    "  familybotctl webhook set [--url URL] [--max-connections N] "
	    "[--drop-pending]\n"
	    "  familybotctl webhook info\n"
	    "  familybotctl webhook delete [--drop-pending]\n",
	.help = "where Telegram sends the updates",
	.run = webhook_run,
};
