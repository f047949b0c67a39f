/*
 * shard_files.h - where this host keeps what is about its shards.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_SHARD_FILES_H
#define FAMILYBOT_TOOLS_SHARDS_SHARD_FILES_H

#include <stddef.h>

#include "config/config.h"

void shards_pulse_path(const struct config *c, char *out, size_t size);
void shards_spool_path(const struct config *c, char *out, size_t size);

#endif
