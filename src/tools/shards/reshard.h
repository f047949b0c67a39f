/*
 * reshard.h - what familybotctl shards reshard is asked for.  Each opens
 * the place that its caller releases.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_RESHARD_H
#define FAMILYBOT_TOOLS_SHARDS_RESHARD_H

#include "tools/shards/commands.h"
#include "tools/shards/change.h"

MUST_CHECK enum rc change_start(struct shards_place *p,
    const struct change_args *a, struct err *e);

MUST_CHECK enum rc reshard_pause_run(struct shards_place *p, int argc,
    char **argv, struct err *e);
MUST_CHECK enum rc reshard_resume_run(struct shards_place *p, int argc,
    char **argv, struct err *e);
MUST_CHECK enum rc reshard_abort_run(struct shards_place *p, int argc,
    char **argv, struct err *e);
MUST_CHECK enum rc reshard_rollback_run(struct shards_place *p, int argc,
    char **argv, struct err *e);
MUST_CHECK enum rc reshard_cleanup_run(struct shards_place *p, int argc,
    char **argv, struct err *e);
MUST_CHECK enum rc reshard_watch_run(struct shards_place *p, int argc,
    char **argv, struct err *e);

#endif
