/* program.c - see program.h. */
#include "config.h"

#include "app/program.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/process.h"
#include "utils/log.h"

static void usage(const struct program *p, FILE *f)
{
	fprintf(f, "Usage: %s [-c FILE]", p->name);
	if (p->extra != NULL)
		fprintf(f, " [--%s %s]", p->extra, p->extra_value);
	fprintf(f, "\n%s\n", p->purpose);
	fputs("  -c, --config FILE  configuration (default: $FAMILYBOT_CONF, "
	    "else\n"
	    "                     " SYSCONFDIR "/familybot/familybot.conf)\n",
	    f);
	if (p->extra != NULL)
		fprintf(f, "%s", p->extra_help);
	fputs("  -h, --help         this text\n"
	    "  -V, --version      the version\n", f);
}

int program_args(const struct program *p, int argc, char **argv,
    const char **path, const char **value)
{
	const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ p->extra, required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			*path = optarg;
			break;
		case 'x':
			*value = optarg;
			break;
		case 'h':
			usage(p, stdout);
			return EX_OK;
		case 'V':
			printf("%s %s\n", p->name, PACKAGE_VERSION);
			return EX_OK;
		default:
			usage(p, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		usage(p, stderr);
		return EX_USAGE;
	}
	return -1;
}

enum rc program_config(const char *path, struct config **out, struct err *e)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	struct config *c = NULL;
	enum rc rc = config_load(path, stderr, &c, e);

	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < 4; i++)
		if (strcmp(c->log_level, names[i]) == 0)
			log_level_set((enum log_level)i);
	if (c->debug)
		log_level_set(LOG_LVL_DEBUG);
	process_secrets_hide(c);
	*out = c;
	return RC_OK;
}
