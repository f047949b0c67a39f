/* app.c - see app.h. */
#include "config.h"

#include "app/app.h"

#include <stdlib.h>

#include "app/answerer.h"
#include "app/guard.h"
#include "api/http.h"
#include "app/metering.h"
#include "app/shards_open.h"
#include "shards/router.h"
#include "utils/clock.h"
#include "utils/xalloc.h"
#include "web/fcgi.h"
#include "web/web.h"

struct app {
	const struct config *conf;
	struct guard guard;
	struct router *router;
	struct answerer *answerer;
	struct metrics *metrics;
	struct web *web;
	struct http_context http;
};

static size_t look_at_shards(void *ctx, bool counted, struct shard_health *out,
    size_t max)
{
	struct app *a = ctx;

	return counted ? shards_counted(a->router, a->metrics, out, max)
	    : shards_look(a->router, out, max);
}

enum rc app_open(const struct config *conf, struct app **out, struct err *e)
{
	struct app *a = xcalloc(1, sizeof(*a));
	enum rc rc;

	a->conf = conf;
	guard_open(conf, false, &a->guard);
	rc = shards_serve(conf, a->guard.pulse, &a->router, e);
	if (rc == RC_OK)
		rc = answerer_open(conf, a->router, a->guard.spool,
		    &clock_system, &a->answerer, e);
	if (rc == RC_OK)
		rc = metering_open(conf, &a->metrics, e);
	if (rc != RC_OK) {
		app_free(a);
		return rc;
	}
	a->http = (struct http_context){
		.bot = answerer_bot(a->answerer),
		.metrics = a->metrics,
		.clock = &clock_system,
		.webhook_secret = conf->webhook_secret,
		.shards = look_at_shards,
		.shards_ctx = a,
		.spool = a->guard.spool,
	};
	a->web = web_new(http_routes, &a->http, a->metrics, &clock_system);
	*out = a;
	return RC_OK;
}

void app_free(struct app *a)
{
	if (a == NULL)
		return;
	web_free(a->web);
	metering_close(a->metrics);
	answerer_free(a->answerer);
	if (a->router != NULL)
		router_free(a->router);
	guard_close(&a->guard);
	free(a);
}

enum rc app_serve(struct app *a, int fd, struct err *e)
{
	return fcgi_serve(fd, a->web, a->conf->body_max, e);
}
