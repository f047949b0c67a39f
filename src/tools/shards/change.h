/*
 * change.h - a change of shards as it was asked for: which shards there
 * shall be, what shards.conf says then, which slots move, what that costs.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_CHANGE_H
#define FAMILYBOT_TOOLS_SHARDS_CHANGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "config/config.h"
#include "reshard/plan.h"
#include "reshard/reshard.h"
#include "tools/shards/commands.h"
#include "utils/buf.h"

enum { SPEED_GUESS = 500 };	/* people a second, where nothing was measured */

struct change_args {
	const char *add[SHARDS_MAX];		/* NAME=URI */
	int nadd;
	const char *remove[SHARDS_MAX];
	int nremove;
	const char *to;
	const char *placement;
	const char *shard;
	int32_t slot;				/* -1 */
	struct reshard_limits limits;
	bool users_given, p99_given;		/* of limits */
	bool yes, dry_run, detach, force;
};

struct shards_change {
	struct plan before, plan;
	struct buf text;	/* of shards.conf; "" when it stays */
	struct config *after;	/* what that means; NULL when it stays */
	double speed;		/* people a second */
	bool measured;		/* by the last move */
	char dir[PATH_MAX];	/* of a copy of the map, which knows all names */
	struct slots *map;	/* that copy */
	struct plan_moves moves;
	struct plan_cost cost;
	int32_t nnames;		/* of the map when it was copied */
	struct stat conf;	/* shards.conf as it was then */
};

/* The options that select a change, and those of start (all) or of plan. */
MUST_CHECK enum rc change_args_read(struct ctl *c, int argc, char **argv,
    bool all, struct change_args *a, struct err *e);

/* Changes nothing.  The caller releases it. */
MUST_CHECK enum rc change_make(struct shards_place *p,
    const struct change_args *a, struct shards_change **out, struct err *e);
void change_free(struct shards_change *ch);	/* takes NULL */

/* Inside: how fast, and how many people. */
void change_speed(const struct shards_place *p, const struct change_args *a,
    struct shards_change *ch);
void change_people(struct shards_change *ch, struct router *r);
/* For the next plan. */
MUST_CHECK enum rc change_speed_keep(const struct shards_place *p,
    const struct reshard *r, struct err *e);

/* Does shards.conf say so already? */
bool change_conf_same(const struct shards_place *p,
    const struct shards_change *ch);

/* RC_BUSY: since the change was made up, somebody else has changed the map or
 * shards.conf. */
MUST_CHECK enum rc change_still(const struct shards_place *p,
    const struct shards_change *ch, struct err *e);

/* Is there room where slots go to?  RC_FULL says where not. */
MUST_CHECK enum rc change_room(const struct shards_change *ch, struct err *e);

void change_print(struct ctl *c, const struct shards_change *ch);
void change_json(struct ctl *c, const struct shards_change *ch);

/* shards.conf with the shards of plan from d, and as leaving the others that
 * the configuration names: all, or those that are still used. */
struct shards_draft;
MUST_CHECK enum rc conf_text(const struct shards_place *p,
    const struct shards_draft *d, const struct plan *plan, bool all,
    struct buf *out, struct err *e);
/*
 * shards.conf names the shards of plan, and as leaving all others that it
 * named.  With install it is written at once, else made ready for
 * conf_install.  Says what was written.
 */
MUST_CHECK enum rc conf_follow(struct shards_place *p, const struct plan *plan,
    bool install, struct err *e);
/* The same for what another host began, where shards.conf here says something
 * else.  RC_INVALID: it does not name all shards of the plan. */
MUST_CHECK enum rc conf_agree(struct shards_place *p, const struct plan *plan,
    struct err *e);
MUST_CHECK enum rc conf_prepare(struct shards_place *p, const struct buf *text,
    struct err *e);
/* Puts what was made ready in its place, if there is such, and loads the
 * configuration again. */
MUST_CHECK enum rc conf_install(struct shards_place *p, struct err *e);
void conf_forget(struct shards_place *p);
/* Loads the configuration again: another process may have written it. */
MUST_CHECK enum rc conf_reload(struct shards_place *p, struct err *e);
/* Takes shards that are leaving and own nothing out of the map and of
 * shards.conf; *n: how many. */
MUST_CHECK enum rc conf_sweep(struct shards_place *p, int *n, struct err *e);

#endif
