/*
 * backup.h - what the files of familybotctl shards backup share.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_BACKUP_H
#define FAMILYBOT_TOOLS_SHARDS_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/shards/commands.h"

struct backup_args {
	const char *to;
	bool all, dry_run;
	char **names;
};

struct backup_run {
	struct ctl *c;
	struct shards_place *place;
	const struct backup_args *args;
	char when[24];		/* part of the names of all files */
	int done;		/* shards told of */
	bool terminal;
};

/* One shard, by its index in the map. */
MUST_CHECK enum rc shard_save(struct backup_run *r, int shard, struct err *e);

#endif
