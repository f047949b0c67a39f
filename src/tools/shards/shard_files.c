/* shard_files.c - see shards_files.h. */
#include "config.h"

#include "tools/shards/shard_files.h"

#include "utils/buf.h"

void shards_pulse_path(const struct config *c, char *out, size_t size)
{
	str_copy(out, size, c->pulse_file);
}

void shards_spool_path(const struct config *c, char *out, size_t size)
{
	str_copy(out, size, c->spool_db);
}
