/*
 * shards_text.h - settings as text, one shard a line (inside src/config).
 */
#ifndef FAMILYBOT_CONFIG_SHARDS_TEXT_H
#define FAMILYBOT_CONFIG_SHARDS_TEXT_H

#include <libconfig.h>

#include "utils/buf.h"

/* Begins the line that says who wrote the file; it is written anew. */
#define SHARDS_TEXT_MARK "# Written by familybotctl"

/* The comment and the empty lines that the file begins with. */
void shards_text_head(const char *path, struct buf *out);
/* name = value; and then end. */
void shards_text_setting(struct buf *b, const config_setting_t *s,
    const char *end);
/* { name = value; more} */
void shards_text_group(struct buf *b, const config_setting_t *g,
    const char *more);

#endif
