/*
 * http.h - what answers HTTP: the webhook, the probes, the metrics.
 */
#ifndef FAMILYBOT_HANDLERS_HTTP_H
#define FAMILYBOT_HANDLERS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/clock.h"
#include "web/route.h"

struct bot;
struct metrics;

enum { HEALTH_SHARDS_MAX = 256 };

/* A shard as seen now. */
struct shard_health {
	const char *name;
	bool up;
	char why[256];		/* when it is not up; for the log only */
	bool counted;		/* the figures below are there */
	int64_t users, meals, own_foods;
	int64_t jobs_ready, jobs_leased, jobs_dead;
	int64_t oldest_ready_at;	/* UTC ms, 0 none */
	int64_t bytes;			/* -1 unknown */
};

/* What the HTTP handlers work with; wired once in app.c, borrowed here. */
struct http_context {
	struct bot *bot;
	struct metrics *metrics;
	const struct clock *clock;
	const char *webhook_secret;
	/* Looks at every shard (at most max); count: with the figures.
	 * Returns how many there are. */
	size_t (*shards)(void *ctx, bool count, struct shard_health *out,
	    size_t max);
	void *shards_ctx;
};

/* Ends with a row whose path is NULL.  ctx of web_new: struct http_context. */
extern const struct http_route http_routes[];

http_handler webhook_post;
http_handler healthz_get;
http_handler readyz_get;
http_handler metrics_get_page;

#endif
