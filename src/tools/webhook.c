/* webhook.c - familybotctl webhook: where Telegram sends the updates. */
#include "config.h"

#include "tools/ctl.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "utils/buf.h"
#include "utils/json.h"

#define WEBHOOK_PATH	"/api/webhook"

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

static void print_time(struct ctl *c, const char *name, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(c->out, "%s: %s\n", name, text);
}

static void print_info(struct ctl *c, struct json_object *answer)
{
	struct json_object *info = json_obj(answer, "result");
	struct json_object *kinds = json_arr(info, "allowed_updates");
	const char *url = json_str(info, "url");
	const char *words = json_str(info, "last_error_message");
	int64_t n;

	fprintf(c->out, "url: %s\n", url != NULL && *url != '\0' ? url
	    : "(none: updates wait for getUpdates)");
	if (json_i64(info, "pending_update_count", &n))
		fprintf(c->out, "pending: %lld\n", (long long)n);
	if (json_i64(info, "max_connections", &n))
		fprintf(c->out, "max connections: %lld\n", (long long)n);
	if (json_len(kinds) > 0)
		fputs("allowed updates:", c->out);
	for (size_t i = 0; i < json_len(kinds); i++) {
		const char *kind = json_str_value(json_at(kinds, i));
		fprintf(c->out, " %s", kind != NULL ? kind : "?");
	}
	if (json_len(kinds) > 0)
		fputc('\n', c->out);
	if (json_i64(info, "last_error_date", &n))
		print_time(c, "last error at", n);
	if (words != NULL)
		fprintf(c->out, "last error: %s\n", words);
}

/* The whole URL: with the path, unless it was given with one. */
static void url_put(struct buf *b, const char *url)
{
	char whole[1024];
	size_t n = strlen(url), path = strlen(WEBHOOK_PATH);

	if (n >= path && strcmp(url + n - path, WEBHOOK_PATH) == 0) {
		json_put_str(b, url);
		return;
	}
	while (n > 0 && url[n - 1] == '/')
		n--;
	str_format(whole, sizeof(whole), "%.*s" WEBHOOK_PATH, (int)n, url);
	json_put_str(b, whole);
}

static enum rc webhook_set(struct ctl *c, const struct webhook_args *a,
    struct err *e)
{
	const char *url = a->url != NULL ? a->url : c->conf->public_url;
	struct buf b;
	enum rc rc;

	if (strncmp(url, "https://", 8) != 0 || strlen(url) > 900)
		return err_set(e, RC_INVALID, "Telegram needs an https "
		    "address: give --url, or set public_url");
	if (c->conf->webhook_secret[0] == '\0')
		return err_set(e, RC_INVALID, "webhook_secret is not set");
	buf_init(&b, CALL_MAX);
	buf_puts(&b, "{\"method\":\"setWebhook\",\"url\":");
	url_put(&b, url);
	buf_puts(&b, ",\"secret_token\":");
	json_put_str(&b, c->conf->webhook_secret);
	buf_printf(&b, ",\"max_connections\":%d,\"drop_pending_updates\":%s,"
	    "\"allowed_updates\":[\"message\",\"edited_message\","
	    "\"callback_query\",\"my_chat_member\"]}", a->max_connections,
	    a->drop_pending ? "true" : "false");
	rc = call(c, &b, print_done, e);
	buf_release(&b);
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
		return err_set(e, RC_INVALID, "TELEGRAM_TOKEN is not set");
	if (strcmp(what, "set") == 0)
		return webhook_set(c, &a, e);
	if (strcmp(what, "info") == 0)
		return webhook_simple(c, "{\"method\":\"getWebhookInfo\"}",
		    print_info, e);
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
