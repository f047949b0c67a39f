/*
 * findings.h - how familybotctl shards verify tells what it finds.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_FINDINGS_H
#define FAMILYBOT_TOOLS_SHARDS_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "reshard/verify.h"
#include "tools/shards/commands.h"
#include "utils/buf.h"

struct verify_args {
	int32_t slot;
	const char *shard;
	bool digests, repair;
};

struct findings {
	struct ctl *c;
	struct shards_place *place;
	const struct verify_args *args;
	int64_t lines;			/* findings told, and not told */
	int64_t left_slots[SHARDS_MAX], left_records[SHARDS_MAX];
	struct buf slots;	/* --json: digests of each slot */
	bool terminal;
};

/* Callbacks of struct verify_conf; ctx is a struct findings. */
void findings_found(void *ctx, const struct verify_finding *f);
void findings_leftover(void *ctx, int32_t slot, int shard, int64_t records);
void findings_unread(void *ctx, int shard, const struct err *e);
void findings_progress(void *ctx, int32_t done);
void findings_slot(void *ctx, int32_t slot, int shard,
    const struct digests *d);

/* The list is over; v NULL: it ended in the middle. */
void findings_end(struct findings *r, const struct verify_result *v);
int64_t findings_sum(const struct verify_result *v);

#endif
