/*
 * restore.h - what the files of familybotctl shards restore share.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_RESTORE_H
#define FAMILYBOT_TOOLS_SHARDS_RESTORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/shards/backups.h"
#include "tools/shards/commands.h"

struct restore {
	struct ctl *c;
	struct shards_place *place;
	int shard;
	const char *name;
	char uri[1024];		/* of the shard */
	bool force;
	char manifest[PATH_MAX], file[PATH_MAX];	/* of the backup */
	struct backup *b;
	/* found by restore_weigh */
	int missing;		/* slots owned now that the backup lacks */
	int64_t missing_people;	/* -1 unknown */
	int foreign;		/* slots in it that are others' now */
	int64_t records_now;	/* -1: the shard cannot be read */
	int64_t records_then;	/* of the slots that stay */
};

/* What will be lost, and what stands against it.  RC_INVALID: no, and why. */
MUST_CHECK enum rc restore_weigh(struct restore *r, struct err *e);
/* Tells a person, or a program, what restore_weigh found. */
void restore_tell(const struct restore *r);

/*
 * The backup, checked and without what is others', takes the place of the
 * shard's file, which is kept as *kept (PATH_MAX; "" when there was none).
 * Nobody may be in the shard.
 */
MUST_CHECK enum rc restore_place(const struct restore *r, char *kept,
    struct err *e);

#endif
