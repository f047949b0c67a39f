/* shards_hosts.c - see shards_hosts.h. */
#include "config.h"

#include "tools/shards_hosts.h"

#include "utils/buf.h"

bool shards_hosts_init(struct shards_hosts *h, const struct config *c)
{
	const struct config_shard *meta;

	if (c->cluster.host == NULL)
		return false;
	meta = &c->shards[c->cluster.meta];
	*h = (struct shards_hosts){
		.meta = { .timeout_ms = meta->timeout_ms },
		.conf = {
			.host = c->cluster.host,
			.lease_ms = c->cluster.lease_ms,
			.map_path = c->slots_map,
		},
	};
	str_copy(h->meta.name, sizeof(h->meta.name), meta->name);
	str_copy(h->meta.uri, sizeof(h->meta.uri), meta->uri);
	h->conf.meta = &h->meta;
	return true;
}
