/*
 * move.h - the mover in this process, how it is shown, and how it ends.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_MOVE_H
#define FAMILYBOT_TOOLS_SHARDS_MOVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "reshard/reshard.h"
#include "tools/shards/commands.h"
#include "tools/shards/hosts.h"

/* Shows a change as it goes: a bar on a terminal, else a line each 5 s. */
struct progress {
	FILE *f;
	bool terminal;
	bool shown;		/* the bar is there */
	int64_t last_us;
};

void progress_init(struct progress *p, const struct ctl *c);
void progress_show(void *ctx, const struct reshard_progress *r);
void progress_end(struct progress *p);	/* leaves the bar's line */

/* What familybotctl shards reshard needs to call src/reshard. */
struct move_setup {
	struct reshard_conf conf;
	struct pulse *pulse;
	int nshards;
	struct shards_hosts hosts;
	struct cluster_steps *steps;	/* of several hosts; NULL: of one */
};

/* Opens the shards of p, and where there are several hosts, what makes them take
 * part.  m stays where it is until release.  stops: SIGINT, SIGTERM and SIGHUP stop it cleanly. */
MUST_CHECK enum rc move_setup_init(struct move_setup *m, struct shards_place *p,
    bool stops, struct err *e);
void move_setup_release(struct move_setup *m);

/* Moves until there is nothing to do, and says how it ended. */
MUST_CHECK enum rc shards_move(struct shards_place *p, struct err *e);
/* Another process moves: shows what it does until it ends. */
/* Shards that nobody needs any more go from the map and from shards.conf, unless
 * somebody begins a change at this moment.  r is read anew. */
MUST_CHECK enum rc shards_sweep(struct shards_place *p, struct reshard *r,
    int *gone, struct err *e);
MUST_CHECK enum rc shards_follow(struct shards_place *p, struct err *e);
/* Does somebody move?  A mover of another host shows in the journal, which it
 * writes each second: rev is the journal's as it was read.  Takes up to 3 s
 * where there are several hosts. */
bool shards_mover_alive(struct shards_place *p, int64_t rev);
/* Moves in a process of its own, which outlives the terminal. */
MUST_CHECK enum rc shards_move_detached(struct shards_place *p, struct err *e);
/* The state, as the journal and the map tell it. */
MUST_CHECK enum rc shards_move_tell(struct shards_place *p, struct err *e);

/* Slots of the change that are where they shall be, and all of it. */
void shards_moved_count(const struct shards_place *p, const struct reshard *r,
    int32_t *moved, int32_t *all);

/* Shards that are emptied get nothing new; those that stay do. */
MUST_CHECK enum rc shards_draining_settle(struct shards_place *p,
    const struct reshard *r, struct err *e);

#endif
