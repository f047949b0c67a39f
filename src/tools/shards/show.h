/*
 * show.h - what is known of the shards, for people and for programs.
 */
#ifndef FAMILYBOT_TOOLS_SHARDS_SHOW_H
#define FAMILYBOT_TOOLS_SHARDS_SHOW_H

#include <stdint.h>
#include <stdio.h>

#include "tools/shards/look.h"
#include "utils/buf.h"

enum { FIGURE_SIZE = 24 };

/* "1.2 GB"; "-" when negative.  out: FIGURE_SIZE bytes, of all of these. */
const char *figure_bytes(int64_t bytes, char *out);
/* "12 s", "5 min", "3 h", "2 d" since at; "-" when at is 0. */
const char *figure_since(int64_t at, int64_t now, char *out);
/* "3.2 ms"; "-" when 0. */
const char *figure_us(int64_t us, char *out);
/* "1 person", "12 people"; "1 record", "12 records". */
const char *figure_people(int64_t n, char *out);
const char *figure_records(int64_t n, char *out);

const char *shard_state_word(const struct shard_look *l);
const char *reshard_state_word(enum reshard_state s);

void shards_table_print(FILE *f, const struct shards_view *v, bool more);
void shards_json_put(struct buf *b, const struct shards_view *v);

/* Calls each with what needs doing, the most urgent first. */
void shards_words_each(const struct shards_view *v,
    void (*each)(void *ctx, const char *words), void *ctx);

#endif
