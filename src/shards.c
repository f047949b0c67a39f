/* shards.c - see shards.h. */
#include "config.h"

#include "shards.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers/http.h"
#include "store/router.h"
#include "store/store.h"
#include "utils/xalloc.h"
#include "web/metrics.h"

enum { TEST_TIMEOUT_MS = 2000 };

static enum store_sync sync_of(const struct config *conf)
{
	return strcmp(conf->sqlite_sync, "normal") == 0 ? STORE_SYNC_NORMAL :
	    STORE_SYNC_FULL;
}

static bool shard_copy(struct shard_conf *to, const struct config_shard *from,
    int64_t default_timeout)
{
	to->timeout_ms = from->timeout_ms > 0 ? from->timeout_ms :
	    (int)default_timeout;
	return str_copy(to->name, sizeof(to->name), from->name) &&
	    str_copy(to->uri, sizeof(to->uri), from->uri);
}

enum rc shards_open(const struct config *conf, bool create,
    struct router **out, struct err *e)
{
	struct shard_conf *shards = xcalloc((size_t)conf->nshards + 1,
	    sizeof(*shards));
	const struct router_conf rconf = {
		.map_path = conf->slots_map,
		.shards = shards,
		.nshards = conf->nshards,
		.sync = sync_of(conf),
		.create = create,
		.fence_wait_ms = (int)conf->fence_wait_ms,
	};
	enum rc rc = RC_OK;

	for (int i = 0; i < conf->nshards && rc == RC_OK; i++)
		if (!shard_copy(&shards[i], &conf->shards[i],
		    conf->store_timeout_ms))
			rc = err_set(e, RC_TOOBIG, "shard %s: name or URI is "
			    "too long", conf->shards[i].name);
	if (rc == RC_OK)
		rc = router_open(&rconf, out, e);
	free(shards);
	return rc;
}

static void look_at(struct router *r, int i, struct shard_health *h)
{
	struct store *s = NULL;
	struct err e = { .text = "" };
	enum rc rc = router_shard(r, i, &s, &e);

	memset(h, 0, sizeof(*h));
	h->name = router_shard_name(r, i);
	if (rc == RC_OK)
		rc = s->ops->ping(s, &e);
	h->up = rc == RC_OK;
	if (rc == RC_OK)
		return;
	str_copy(h->why, sizeof(h->why), e.text);
	e.rc = rc;
	router_failed(r, i, &e);
}

size_t shards_look(struct router *r, struct shard_health *out, size_t max)
{
	size_t n = (size_t)router_shards(r);

	for (size_t i = 0; i < n && i < max; i++)
		look_at(r, (int)i, &out[i]);
	return n < max ? n : max;
}

size_t shards_counted(const struct router *r, const struct metrics *m,
    struct shard_health *out, size_t max)
{
	size_t n = (size_t)router_shards(r);

	for (size_t i = 0; i < n && i < max && i < METRICS_SHARDS_MAX; i++) {
		struct shard_health *h = &out[i];
		memset(h, 0, sizeof(*h));
		h->name = router_shard_name(r, (int)i);
		for (int what = 0; what < FIGURES_COUNT; what++)
			h->at[what] = metrics_figures_get(m, (int)i,
			    (enum metrics_figures)what, h->figures[what]);
		h->up = h->at[FIGURES_UP] != 0 && h->figures[FIGURES_UP][0];
	}
	return n < max ? n : max;
}

/* NULL when the shard answers or its file will be made, else why not. */
static const char *shard_test(const struct config_shard *c, struct err *e)
{
	static const char sqlite[] = "sqlite:";
	const struct store_conf conf = {
		.name = c->name,
		.uri = c->uri,
		.sync = STORE_SYNC_FULL,
		.timeout_ms = TEST_TIMEOUT_MS,
		.create = false,
	};
	struct store *s = NULL;
	enum rc rc;

	if (strncmp(c->uri, sqlite, sizeof(sqlite) - 1) == 0 &&
	    access(c->uri + sizeof(sqlite) - 1, F_OK) != 0)
		return "is not there yet; it is made at the first start";
	rc = store_open(&conf, &s, e);
	if (rc == RC_OK)
		rc = s->ops->ping(s, e);
	store_close(s);
	return rc == RC_OK ? NULL : e->text;
}

void shards_test(const struct config *conf, FILE *report)
{
	for (int i = 0; i < conf->nshards; i++) {
		const struct config_shard *c = &conf->shards[i];
		struct err e = { .text = "" };
		char uri[512];
		const char *why = shard_test(c, &e);
		if (why == NULL)
			continue;
		config_uri_redact(c->uri, uri, sizeof(uri));
		fprintf(report, "%s:%d: warning: shard %s (%s): %s\n",
		    c->line > 0 ? conf->shards_file : "MONGO_URL", c->line,
		    c->name, uri, why);
	}
}
