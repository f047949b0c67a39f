/*
 * commands.h - familybotctl shards: a row per command, and what they share.
 *
 * A command is one file that defines a row, and an entry in commands.c.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_COMMANDS_H
#define FAMILYBOT_TOOLS_SHARDS_COMMANDS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "reshard/reshard.h"
#include "tools/ctl.h"
#include "utils/err.h"

/* For another familybotctl, which is quick. */
enum { CHANGE_WAIT_MS = 5000 };

struct cluster_journal;
struct router;
struct slots;

struct shards_command {
	const char *name;
	const char *usage;	/* lines of "familybotctl shards NAME …" */
	const char *help;	/* one line */
	/* argv[0] is the name. */
	enum rc (*run)(struct ctl *c, int argc, char **argv, struct err *e);
};

extern const struct shards_command shards_drain, shards_hosts, shards_pause,
    shards_plan, shards_reshard, shards_resume, shards_status;

extern const struct shards_command shards_backup, shards_migrate,
    shards_restore, shards_verify;

/* What a command works on. */
struct shards_place {
	struct ctl *ctl;
	char dir[PATH_MAX];	/* state_dir/data */
	char who[96];		/* for the audit trail: name@host */
	struct slots *slots;	/* open for writing */
	struct journal journal;	/* of a change of shards */
	struct cluster_journal *shared;	/* … of several hosts, else NULL */
	struct router *router;	/* NULL until asked for */
};

/* Loads the configuration and opens the slot map. */
MUST_CHECK enum rc shards_place_open(struct ctl *c, struct shards_place *out,
    struct err *e);
/* The shards as they are configured now; create as in shards_open. */
MUST_CHECK enum rc shards_place_router(struct shards_place *p, bool create,
    struct err *e);
void shards_place_release(struct shards_place *p);

/* Answers "yes" on a terminal, or --yes was given; else RC_INVALID, and e says
 * that --yes is missing. */
MUST_CHECK enum rc shards_confirm(struct ctl *c, bool yes, struct err *e);

#endif
