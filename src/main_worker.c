/*
 * main_worker.c - familybot-worker: does durable jobs until SIGTERM.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/applier.h"
#include "bot/text.h"
#include "clients/http.h"
#include "clients/telegram.h"
#include "app/guard.h"
#include "handlers/table.h"
#include "app/hosts_agent.h"
#include "app/metering.h"
#include "app/process.h"
#include "app/program.h"
#include "app/shards_open.h"
#include "shards/router.h"
#include "utils/log.h"
#include "worker/stop.h"
#include "worker/worker.h"

enum { COMMANDS_MAX = 100, PREDECESSOR_WAIT_MS = 500 };

/* Everything of this process, so that one function undoes it. */
struct parts {
	struct config *conf;
	struct guard guard;
	struct router *router;
	struct applier *applier;
	struct http *http;
	struct telegram *telegram;
	struct metrics *metrics;
	struct worker *worker;
	struct hosts_agent agent;
	int stop_fd;
	struct worker_command rows[LANG_COUNT][COMMANDS_MAX];
	struct worker_commands commands[LANG_COUNT];
};

/* The menu of commands per language; English is everyone else's too. */
static void commands_fill(struct parts *p)
{
	for (int lang = 0; lang < LANG_COUNT; lang++) {
		struct worker_commands *c = &p->commands[lang];
		c->lang = lang == LANG_EN ? ""
		    : language_of((enum lang)lang)->code;
		c->rows = p->rows[lang];
		for (size_t i = 0; bot_commands[i] != NULL &&
		    c->nrows < COMMANDS_MAX; i++) {
			if (bot_commands[i]->flags & CMD_HIDDEN)
				continue;
			p->rows[lang][c->nrows++] = (struct worker_command){
				bot_commands[i]->name,
				text_get((enum lang)lang,
				    bot_commands[i]->help) };
		}
	}
}

/* Waits while another worker of this state directory still runs, as one does
 * that is being replaced. */
static enum rc worker_take_over(const struct worker_conf *wc,
    struct worker **out, struct err *e)
{
	enum rc rc = worker_open(wc, out, e);

	if (rc == RC_BUSY)
		log_info("wait", "why=%s", log_q(e->text));
	while (rc == RC_BUSY && !stop_wait(wc->stop_fd, PREDECESSOR_WAIT_MS))
		rc = worker_open(wc, out, e);
	return rc;
}

static enum rc parts_open(struct parts *p, const char *path, struct err *e)
{
	struct http_conf hc = { .user_agent = PACKAGE_NAME "/" PACKAGE_VERSION };
	enum rc rc;

	rc = program_config(path, &p->conf, e);
	if (rc == RC_OK)
		rc = stop_open(&p->stop_fd, e);
	if (rc == RC_OK)
		rc = hosts_agent_start(&p->agent, p->conf, path, e);
	if (rc == RC_OK)
		guard_open(p->conf, true, &p->guard);
	if (rc == RC_OK)
		rc = shards_serve(p->conf, p->guard.pulse, &p->router, e);
	hc.stop_fd = p->stop_fd;
	if (rc == RC_OK)
		rc = http_open(&hc, &p->http, e);
	if (rc == RC_OK)
		rc = metering_open(p->conf, &p->metrics, e);
	if (rc != RC_OK)
		return rc;
	p->telegram = telegram_new(p->http, p->conf->telegram_api,
	    p->conf->telegram_token);
	p->applier = applier_new(p->conf, p->router);
	commands_fill(p);
	return worker_take_over(&(struct worker_conf){
		.router = p->router,
		.http = p->http,
		.telegram = p->telegram,
		.clock = &clock_system,
		.socket_path = p->conf->worker_socket,
		.commands = p->commands,
		.ncommands = LANG_COUNT,
		.username = p->conf->bot_username,
		.metrics = p->metrics,
		.stop_fd = p->stop_fd,
		.beside = hosts_agent_keep,
		.beside_ctx = &p->agent,
		.spool = p->guard.spool,
		.apply = applier_apply,
		.apply_ctx = p->applier,
	}, &p->worker, e);
}

static void parts_release(struct parts *p)
{
	worker_free(p->worker);
	hosts_agent_stop(&p->agent);
	metering_close(p->metrics);
	telegram_free(p->telegram);
	applier_free(p->applier);
	http_free(p->http);
	if (p->router != NULL)
		router_free(p->router);
	guard_close(&p->guard);
	config_free(p->conf);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "familybot-worker",
		.purpose = "Sends what must arrive, and does other slow work, "
		    "until SIGTERM.\n",
	};
	static struct parts p = { .stop_fd = -1 };
	struct err e = { .text = "" };
	const char *path = NULL;
	int code = program_args(&program, argc, argv, &path, NULL);
	enum rc rc;

	if (code >= 0)
		return code;
	if (strcmp(argv[0], HOSTS_AGENT) == 0)
		return hosts_agent_run(path);
	process_harden();
	rc = parts_open(&p, path, &e);
	if (rc == RC_OK) {
		log_info("start", "program=familybot-worker version=%s pid=%ld "
		    "shards=%d", PACKAGE_VERSION, (long)getpid(),
		    p.conf->nshards);
		worker_run(p.worker);
		log_info("stop", "program=familybot-worker pid=%ld",
		    (long)getpid());
	} else if (rc == RC_BUSY && stop_asked(p.stop_fd)) {
		rc = RC_OK;	/* ended while it waited for its turn */
	} else {
		log_error("fatal", "program=familybot-worker rc=%s why=%s",
		    rc_name(rc), log_q(e.text));
	}
	parts_release(&p);
	return process_exit_code(rc);
}
