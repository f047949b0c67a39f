/*
 * shards_open.h - the configured shards: opened as a router, looked at, tested.
 */
#ifndef FAMILYBOT_APP_SHARDS_OPEN_H
#define FAMILYBOT_APP_SHARDS_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/config.h"
#include "utils/err.h"

struct metrics;
struct pulse;
struct router;
struct shard_health;

/* create: make schema, indexes and the slot map where they are missing. */
MUST_CHECK enum rc shards_open(const struct config *conf, bool create,
    struct router **out, struct err *e);

/* The same for who serves people: with breakers, unless pulse is NULL. */
MUST_CHECK enum rc shards_serve(const struct config *conf,
    struct pulse *pulse, struct router **out, struct err *e);

/* Asks every shard whether it is up; see struct http_context. */
size_t shards_look(struct router *r, struct shard_health *out, size_t max);
/* Asks none: what the worker left in the metrics. */
size_t shards_counted(const struct router *r, const struct metrics *m,
    struct shard_health *out, size_t max);

/* Says in report which shards do not answer.  Creates nothing. */
void shards_test(const struct config *conf, FILE *report);

#endif
