/*
 * main_poll.c - familybot-poll: getUpdates → the local webhook, until SIGTERM.
 */
#include "config.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "app/process.h"
#include "app/program.h"
#include "utils/buf.h"
#include "utils/log.h"
#include "worker/poller.h"
#include "worker/stop.h"

#define URL_DEFAULT	"http://127.0.0.1:8080/api/webhook"

/* Each bot has its own numbers; what is before ':' in a token is its id. */
static enum rc offset_path(const struct config *c, char *out, size_t size,
    struct err *e)
{
	const char *t = c->telegram_token;
	int n = 0;

	while (t[n] >= '0' && t[n] <= '9' && n < 20)
		n++;
	if (n == 0 || t[n] != ':')
		return err_set(e, RC_INVALID, "TELEGRAM_TOKEN is not set, or "
		    "is no token: @BotFather gives one like 123456:ABC…");
	if (!str_format(out, size, "%s/data/poll-%.*s.offset", c->state_dir,
	    n, t))
		return err_set(e, RC_INVALID, "state_dir is too long");
	return RC_OK;
}

static enum rc run(struct config *conf, const char *url, int stop_fd,
    struct err *e)
{
	const struct http_conf hc = {
		.user_agent = PACKAGE_NAME "/" PACKAGE_VERSION,
		.stop_fd = stop_fd,
	};
	struct telegram *telegram = NULL;
	struct http *http = NULL;
	char path[480];
	enum rc rc;

	rc = offset_path(conf, path, sizeof(path), e);
	if (rc == RC_OK)
		rc = http_open(&hc, &http, e);
	if (rc != RC_OK)
		return rc;
	telegram = telegram_new(http, conf->telegram_api,
	    conf->telegram_token);
	log_info("start", "program=familybot-poll version=%s pid=%ld url=%s",
	    PACKAGE_VERSION, (long)getpid(), log_q(url));
	rc = poller_run(&(struct poller_conf){
		.http = http,
		.telegram = telegram,
		.clock = &clock_system,
		.url = url,
		.secret = conf->webhook_secret,
		.offset_path = path,
		.stop_fd = stop_fd,
	}, e);
	telegram_free(telegram);
	http_free(http);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "familybot-poll",
		.purpose = "Fetches updates by getUpdates and hands them to "
		    "the local webhook,\nfor a machine without a public "
		    "address.\n",
		.extra = "url",
		.extra_value = "URL",
		.extra_help = "      --url URL      the webhook (default: "
		    URL_DEFAULT ")\n",
	};
	const char *path = NULL, *url = URL_DEFAULT;
	struct config *conf = NULL;
	struct err e = { .text = "" };
	int code = program_args(&program, argc, argv, &path, &url);
	int stop_fd = -1;
	enum rc rc;

	if (code >= 0)
		return code;
	process_harden();
	rc = program_config(path, &conf, &e);
	if (rc == RC_OK)
		rc = stop_open(&stop_fd, &e);
	if (rc == RC_OK)
		rc = run(conf, url, stop_fd, &e);
	if (rc == RC_OK)
		log_info("stop", "program=familybot-poll pid=%ld",
		    (long)getpid());
	else
		log_error("fatal", "program=familybot-poll rc=%s why=%s",
		    rc_name(rc), log_q(e.text));
	config_free(conf);
	if (stop_fd >= 0)
		close(stop_fd);
	return process_exit_code(rc);
}
