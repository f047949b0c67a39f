/*
 * shards.h - shards.conf (inside src/config).
 */
#ifndef FAMILYBOT_CONFIG_SHARDS_H
#define FAMILYBOT_CONFIG_SHARDS_H

#include "config/config.h"
#include "config/report.h"

/* Fills shards, nshards and placement of c from the file at c->shards_file;
 * base: folder of familybot.conf, for uri_file. */
void shards_load(struct config *c, const char *base, struct report *r);
/* One shard from c->mongo_url. */
void shards_from_mongo_url(struct config *c, const char *where,
    struct report *r);

#endif
