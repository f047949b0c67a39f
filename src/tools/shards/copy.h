/*
 * copy.h - a copy of an embedded shard, opened as a shard: what is in
 * it, is it what it should be.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_COPY_H
#define FAMILYBOT_TOOLS_SHARDS_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"
#include "tools/shards/backups.h"
#include "utils/err.h"

struct saved_report {
	int64_t records, faults;
	int differ;		/* slots that are not as live has them */
};

/*
 * Reads every record of the copy at path: digests of each slot to b, faults
 * counted; compared with live (NULL: not).  The copy is a plain file without a
 * log afterwards, as before.
 */
MUST_CHECK enum rc saved_look(const char *path, struct store *live,
    struct backup *b, struct saved_report *out, struct err *e);

/* Does it still have what the manifest says?  RC_CORRUPT names the first slot
 * that differs. */
MUST_CHECK enum rc saved_compare(struct store *s, const struct backup *b,
    struct err *e);

/* Opens the file as a shard that nobody else has open; migrate: brings an
 * older schema up to date. */
MUST_CHECK enum rc saved_open(const char *path, const char *shard,
    bool migrate, struct store **out, struct err *e);
/* Closes it, and removes what SQLite leaves beside it. */
void saved_close(const char *path, struct store *s);

#endif
