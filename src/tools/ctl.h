/*
 * ctl.h - familybotctl: what its subcommands share.  A subcommand is one file
 * that defines a row, and an entry in ctl.c.
 */
#ifndef FAMILYBOT_TOOLS_CTL_H
#define FAMILYBOT_TOOLS_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "utils/err.h"

struct router;

struct ctl {
	const char *conf_path;	/* NULL: the default */
	struct config *conf;	/* see ctl_config */
	bool json;		/* --json: output for programs */
	bool bad_usage;		/* the command line is wrong: show the usage */
	const char *usage;	/* of the command below the subcommand, or NULL */
	FILE *out;
	/* Called once with the configuration, before it is used. */
	void (*conf_loaded)(const struct config *conf);
	/* Whose files are made: of dir's owner (at first state_dir's), or NULL:
	 * of who runs this, for what goes elsewhere.  See process_files_as. */
	void (*files_as)(const char *dir);
	/* The configured shards; the caller frees the router. */
	enum rc (*shards_open)(const struct config *conf, bool create,
	    struct router **out, struct err *e);
};

struct subcommand {
	const char *name;
	const char *usage;	/* lines of "familybotctl NAME …" */
	const char *help;	/* one line */
	/* argv[0] is the name. */
	enum rc (*run)(struct ctl *c, int argc, char **argv, struct err *e);
};

extern const struct subcommand sub_jobs, sub_options, sub_shards, sub_spool,
	sub_webhook, sub_who, sub_food;

/* Every subcommand; ends in NULL. */
extern const struct subcommand *const ctl_table[];
const struct subcommand *ctl_find(const char *name);

/* Loads the configuration once; mistakes in it go to stderr. */
MUST_CHECK enum rc ctl_config(struct ctl *c, struct err *e);
/* "3 min", "2 h 10 min", "5 d" for people. */
void ctl_age(int64_t seconds, char *out, size_t size);
/* RC_INVALID, and the usage is shown. */
enum rc ctl_usage(struct ctl *c, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
