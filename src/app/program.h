/*
 * program.h - what the long-running programs share at their start: command
 * line, configuration, log.
 */
#ifndef FAMILYBOT_APP_PROGRAM_H
#define FAMILYBOT_APP_PROGRAM_H

#include "config/config.h"
#include "utils/err.h"

struct program {
	const char *name;
	const char *purpose;	/* for --help, whole lines */
	/* One more option with an argument, or NULL. */
	const char *extra;
	const char *extra_value;	/* what --help calls the argument */
	const char *extra_help;
};

/* -1: go on; else the code to leave with.  path: of -c; value: of the extra
 * option; both borrowed from argv, untouched when not given. */
int program_args(const struct program *p, int argc, char **argv,
    const char **path, const char **value);

/* Loads the configuration and sets the log's level and secrets; reports on
 * stderr. */
MUST_CHECK enum rc program_config(const char *path, struct config **out,
    struct err *e);

#endif
