/*
 * backups.h - what is known of a backup: its manifest, which lies beside the
 * copy, and state_dir/data/backups.json, which names each shard's last one.
 *
 * A manifest is FILE.json beside FILE.  It says what the copy held when it was
 * checked, so that a restore can tell whether it still does.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_BACKUPS_H
#define FAMILYBOT_TOOLS_SHARDS_BACKUPS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/record.h"
#include "shards/router.h"
#include "utils/err.h"

enum { SHA256_TEXT_SIZE = 65 };

/* The last good backup of a shard, as data/backups.json has it:
 * {"shard0":{"at":UTC ms,"file":"/path","bytes":n}, ...} */
struct backup_last {
	int64_t at;		/* UTC ms */
	int64_t bytes;
	char file[PATH_MAX];
};

/* RC_NOTFOUND: none is known. */
MUST_CHECK enum rc backup_last_get(const char *dir, const char *shard,
    struct backup_last *out, struct err *e);
/* Those of the map's other shards stay. */
MUST_CHECK enum rc backup_last_put(const char *dir, const struct slots *m,
    const char *shard, const struct backup_last *b, struct err *e);

struct slots;

struct backup_slot {
	bool owned;		/* by the shard, when the copy was begun */
	uint16_t generation;
	struct digests digests;	/* of what the copy has of it, owned or not */
};

struct backup {
	char shard[64];
	char backend[16];
	char program[32];	/* version */
	char file[NAME_MAX + 1];	/* beside the manifest */
	char sha256[SHA256_TEXT_SIZE];
	int64_t bytes;
	int64_t at;		/* UTC ms, when the copy was begun */
	int schema;
	bool digests_known;	/* false for a server's own dump */
	struct backup_slot slot[SLOT_COUNT];
};

/* A struct backup is big: allocate it.  RC_CORRUPT: no manifest of ours. */
MUST_CHECK enum rc backup_read(const char *manifest, struct backup *out,
    struct err *e);
/* Never overwrites. */
MUST_CHECK enum rc backup_write(const char *manifest, const struct backup *b,
    struct err *e);

/* What a restore and a backup compare: the records of each slot. */
struct store;
MUST_CHECK enum rc backup_digests(struct store *s, int32_t slot,
    struct digests *out, struct err *e);

#endif
