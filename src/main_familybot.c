/*
 * main_familybot.c - the web process: FastCGI on descriptor 0, or -t.
 */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/app.h"
#include "config/config.h"
#include "app/process.h"
#include "app/program.h"
#include "utils/log.h"

static void usage(FILE *f)
{
	fputs("Usage: familybot [-t] [-c FILE]\n"
	    "Serves the bot's webhook over FastCGI on descriptor 0; start it "
	    "by spawn-fcgi.\n\n"
	    "  -c, --config FILE  configuration (default: $FAMILYBOT_CONF, "
	    "else\n"
	    "                     " SYSCONFDIR "/familybot/familybot.conf)\n"
	    "  -t, --test         test the configuration and leave\n"
	    "  -h, --help         this text\n"
	    "  -V, --version      the version\n", f);
}

static int test(const char *path)
{
	struct config *conf = NULL;
	struct err e = { .text = "" };
	enum rc rc = config_load(path, stderr, &conf, &e);

	if (rc == RC_OK) {
		process_secrets_hide(conf);
		rc = app_test(conf, stderr, &e);
	}
	config_free(conf);
	if (rc != RC_OK) {
		process_complain("familybot", &e);
		return process_exit_code(rc);
	}
	fputs("familybot: configuration ok\n", stderr);
	return EX_OK;
}

static int serve(const char *path)
{
	struct config *conf = NULL;
	struct app *app = NULL;
	struct err e = { .text = "" };
	enum rc rc = program_config(path, &conf, &e);

	if (rc == RC_OK)
		rc = app_open(conf, &app, &e);
	if (rc == RC_OK) {
		log_info("start", "program=familybot version=%s pid=%ld "
		    "shards=%d", PACKAGE_VERSION, (long)getpid(),
		    conf->nshards);
		rc = app_serve(app, STDIN_FILENO, &e);
	}
	if (rc == RC_OK)
		log_info("stop", "program=familybot pid=%ld", (long)getpid());
	else
		log_error("fatal", "program=familybot rc=%s why=%s",
		    rc_name(rc), log_q(e.text));
	app_free(app);
	config_free(conf);
	return process_exit_code(rc);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	bool testing = false;
	int c;

	process_harden();
	while ((c = getopt_long(argc, argv, "c:thV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 't':
			testing = true;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			puts("familybot " PACKAGE_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EX_USAGE;
	}
	return testing ? test(path) : serve(path);
}
