/*
 * dump.h - MongoDB's own tools, which back up a server shard.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_DUMP_H
#define FAMILYBOT_TOOLS_SHARDS_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/err.h"

/* Finds both tools in PATH and asks them for their versions ("100.9.4").
 * RC_NOTFOUND: one is missing; e says what to install and what to run. */
MUST_CHECK enum rc dump_tools(char *version, size_t size, struct err *e);

/*
 * mongodump into the new file path (an archive, gzip).  The URI goes by a file
 * of mode 0600 in dir, never by the command line, which every user can read.
 */
MUST_CHECK enum rc dump_run(const char *dir, const char *uri,
    const char *path, struct err *e);

#endif
