/*
 * main_ctl.c - familybotctl: for operators and DBAs.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "app/process.h"
#include "app/shards_open.h"
#include "tools/ctl.h"

static void usage(FILE *f)
{
	fputs("Usage: familybotctl [-c FILE] [--json] COMMAND ...\n\n", f);
	for (size_t i = 0; ctl_table[i] != NULL; i++)
		fprintf(f, "%s: %s\n%s\n", ctl_table[i]->name,
		    ctl_table[i]->help, ctl_table[i]->usage);
	fputs("  -c, --config FILE  configuration (default: $FAMILYBOT_CONF, "
	    "else\n"
	    "                     " SYSCONFDIR "/familybot/familybot.conf)\n"
	    "      --json         answers for programs\n"
	    "  -h, --help         this text\n"
	    "  -V, --version      the version\n", f);
}

static void conf_loaded(const struct config *conf)
{
	process_secrets_hide(conf);
	process_files_as(conf->state_dir);
}

static int run(struct ctl *c, int argc, char **argv)
{
	const struct subcommand *s = ctl_find(argv[0]);
	struct err e = { .text = "" };
	enum rc rc;

	if (s == NULL) {
		fprintf(stderr, "familybotctl: %s: unknown command\n\n",
		    argv[0]);
		usage(stderr);
		return EX_USAGE;
	}
	rc = s->run(c, argc, argv, &e);
	config_free(c->conf);
	if (rc == RC_OK)
		return EX_OK;
	process_complain("familybotctl", &e);
	if (c->bad_usage) {
		fprintf(stderr, "\n%s", c->usage != NULL ? c->usage :
		    s->usage);
		return EX_USAGE;
	}
	return rc == RC_NOTFOUND ? EX_NOINPUT : rc == RC_CONFLICT ?
	    EX_UNAVAILABLE : process_exit_code(rc);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl c = {
		.out = stdout,
		.shards_open = shards_open,
		.conf_loaded = conf_loaded,
		.files_as = process_files_as,
	};
	int o;

	process_harden();
	/* What was said is there, too, when a long command is killed. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((o = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			c.conf_path = optarg;
			break;
		case 'j':
			c.json = true;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			puts("familybotctl " PACKAGE_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind >= argc) {
		usage(stderr);
		return EX_USAGE;
	}
	return run(&c, argc - optind, argv + optind);
}
