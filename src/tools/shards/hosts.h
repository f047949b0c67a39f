/*
 * hosts.h - what changes when the configuration names a cluster: other
 * hosts must take part in each step of a move, and are looked at.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_HOSTS_H
#define FAMILYBOT_TOOLS_SHARDS_HOSTS_H

#include <stdbool.h>

#include "cluster/cluster.h"
#include "config/config.h"
#include "utils/err.h"

struct shards_hosts {	/* as src/cluster wants it; points into itself */
	struct cluster_conf conf;
	struct shard_conf meta;
};

/* False: this is the only host. */
bool shards_hosts_init(struct shards_hosts *h, const struct config *c);

#endif
