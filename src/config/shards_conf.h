/*
 * shards_conf.h - shards.conf (inside src/config).
 */
#ifndef FAMILYBOT_CONFIG_SHARDS_CONF_H
#define FAMILYBOT_CONFIG_SHARDS_CONF_H

#include <libconfig.h>

#include "config/config.h"
#include "config/report.h"

/* Fills shards, nshards and placement of c from the file at c->shards_file;
 * base: folder of familybot.conf, for uri_file. */
void shards_load(struct config *c, const char *base, struct report *r);
/* The same from text that may be written there. */
void shards_load_text(struct config *c, const char *text, const char *base,
    struct report *r);
/* One shard from c->mongo_url. */
void shards_from_mongo_url(struct config *c, const char *where,
    struct report *r);

/* The group cluster of the file at path, when the shards are known. */
void shards_cluster_take(struct config *c, const char *path,
    config_setting_t *s, struct report *r);

/* The URI as it is kept, malloc'ed; NULL when it was refused. */
char *shard_uri_take(const struct config *c, const char *uri,
    const char *where, struct report *r);

#endif
