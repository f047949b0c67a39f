/*
 * http.h - what answers HTTP: the webhook, the probes, the metrics.
 */
#ifndef FAMILYBOT_API_HTTP_H
#define FAMILYBOT_API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/clock.h"
#include "web/metrics.h"
#include "web/route.h"

struct bot;
struct spool;

enum { HEALTH_SHARDS_MAX = 256 };

/* A shard as seen now. */
struct shard_health {
	const char *name;
	bool up;
	bool paused;
	int breaker;		/* enum pulse_state: 0 requests pass, 1 they are
				 * refused, 2 one of them tries */
	char why[256];		/* when it is not up; for the log only */
	/* Counted by the worker a while ago: when (UTC ms, 0 never), and the
	 * figures in the order of enum metrics_figures. */
	int64_t at[FIGURES_COUNT];
	int64_t figures[FIGURES_COUNT][METRICS_FIGURES];
};

/* What the HTTP handlers work with; wired once in app.c, borrowed here. */
struct http_context {
	struct bot *bot;
	struct metrics *metrics;
	const struct clock *clock;
	const char *webhook_secret;
	/* Asks every shard (at most max) whether it is up; counted: asks none
	 * and tells what the worker counted.  Returns how many there are. */
	size_t (*shards)(void *ctx, bool counted, struct shard_health *out,
	    size_t max);
	void *shards_ctx;
	struct spool *spool;	/* NULL: there is none */
};

/* Ends with a row whose path is NULL.  ctx of web_new: struct http_context. */
extern const struct http_route http_routes[];

http_handler webhook_post;
http_handler healthz_get;
http_handler readyz_get;
http_handler metrics_get_page;

#endif
