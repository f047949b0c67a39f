/*
 * look.h - what there is to know of each shard, asked of all at once.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_LOOK_H
#define FAMILYBOT_TOOLS_SHARDS_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "config/config.h"
#include "reshard/reshard.h"
#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "spool/spool.h"

struct shard_look {
	char name[SLOT_SHARD_NAME_SIZE];
	int index;		/* in the map, -1 not there */
	const struct config_shard *conf;	/* NULL: not in shards.conf */
	uint8_t flags;		/* of the map */
	int32_t slots;		/* owned */
	int32_t coming;		/* being copied to it */
	/* asked of the shard itself */
	bool up, has_jobs, has_info;
	char why[160];		/* why it is not up */
	struct store_stats jobs;
	struct store_info info;
	/* known on this host */
	struct pulse_shard pulse;
	int64_t spool_rows, spool_oldest_at, spool_failed;
	int64_t backup_at;	/* UTC ms, 0 none */
};

/* What the journal and this host's map say of a change. */
struct change_look {
	enum reshard_state state;
	bool mover;		/* is somebody moving? */
	char who[64];
	int64_t started_at, ended_at;	/* UTC ms */
	int shards_before, shards_after;
	int32_t slots_moved, slots;
	int64_t users, bytes, fence_p50_us, fence_p99_us;
	char last_error[256];
};

struct shards_view {
	const struct config *conf;
	const struct slots *slots;
	int64_t now;		/* UTC ms */
	int n;
	struct shard_look of[SHARDS_MAX * 2 + 1];
	struct spool_stats spool;
	char spool_why[160];	/* why the spool cannot be read, "" */
	int nhosts;		/* 0: this is the only one */
	struct cluster_host hosts[CLUSTER_HOSTS_MAX];
	char hosts_why[160];	/* why they cannot be told, "" */
	struct change_look change;
	char change_why[160];	/* why the journal cannot be read, "" */
	int32_t misplaced;	/* slots that are not where placement says;
				 * -1 while it cannot be said */
};

/* j: of this host, or of all.  RC_UNAVAILABLE, RC_CORRUPT. */
MUST_CHECK enum rc change_look(const struct journal *j, const struct slots *m,
    struct change_look *out, struct err *e);
/* By index of the map; NULL for a gap. */
struct shard_look *shards_view_row(struct shards_view *v, int shard);
/* Inside: fills what is of the spool. */
void shards_spool_look(struct shards_view *v);
/* All that needs no shard. */
void shards_view_take(struct shards_view *v, const struct config *conf,
    const struct slots *slots);
/* Asks every shard in a process of its own, all at once; what has not answered
 * after wait_ms is left as it is, and its process ended. */
void shards_view_ask(struct shards_view *v, int wait_ms);

#endif
