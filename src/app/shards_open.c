/* shards_open.c - see shards_open.h. */
#include "config.h"

#include "app/shards_open.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/http.h"
#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "utils/log.h"
#include "utils/xalloc.h"
#include "web/metrics.h"

enum { TEST_TIMEOUT_MS = 2000, MAP_WAITS = 100, MAP_WAIT_MS = 100 };

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
	to->leaving = from->leaving;
	return str_copy(to->name, sizeof(to->name), from->name) &&
	    str_copy(to->uri, sizeof(to->uri), from->uri);
}

/* conf's shards as the router wants them, for free(). */
static enum rc shards_copy(const struct config *conf, struct shard_conf **out,
    struct err *e)
{
	struct shard_conf *shards = xcalloc((size_t)conf->nshards + 1,
	    sizeof(*shards));

	for (int i = 0; i < conf->nshards; i++) {
		if (shard_copy(&shards[i], &conf->shards[i],
		    conf->store_timeout_ms))
			continue;
		free(shards);
		return err_set(e, RC_TOOBIG, "shard %s: name or URI is "
		    "too long", conf->shards[i].name);
	}
	*out = shards;
	return RC_OK;
}

/* For the router, when the map names a shard that conf does not. */
static enum rc shards_reload(void *ctx, struct shard_conf **out, int *n,
    struct err *e)
{
	const struct config *old = ctx;
	struct config *conf = NULL;
	FILE *nobody = fopen("/dev/null", "w");	/* e has the first mistake */
	enum rc rc;

	if (nobody == NULL)
		return err_set(e, RC_SYSTEM, "/dev/null: %s", strerror(errno));
	rc = config_load(old->path, nobody, &conf, e);
	if (rc == RC_OK) {
		config_secrets_each(conf, log_secret_add);
		rc = shards_copy(conf, out, e);
	}
	if (rc == RC_OK)
		*n = conf->nshards;
	config_free(conf);
	(void)fclose(nobody);
	return rc;
}

/* A host that was one of several and is the only one now needs no lease. */
static void lease_forget(const struct config *conf, const struct router *r)
{
	struct slots *m = NULL;
	struct err e = { .text = "" };

	if (conf->cluster.host != NULL ||
	    !slots_lease_needed(router_slots(r)) ||
	    slots_open(conf->slots_map, NULL, 0, true, &m, &e) != RC_OK)
		return;
	slots_lease_need(m, false);
	slots_free(m);
}

/* On a host of several the agent beside the worker makes the map, from that of
 * the others. */
static enum rc map_wait(const struct config *conf, struct err *e)
{
	const struct timespec pause = { 0, MAP_WAIT_MS * 1000000L };

	for (int i = 0; conf->cluster.host != NULL; i++) {
		if (access(conf->slots_map, F_OK) == 0)
			return RC_OK;
		if (i >= MAP_WAITS)
			return err_set(e, RC_UNAVAILABLE, "this host has no "
			    "slot map yet: the agent of familybot-worker "
			    "fetches it from the meta store, and its log says "
			    "why it cannot");
		(void)nanosleep(&pause, NULL);
	}
	return RC_OK;
}

static enum rc open_with(const struct config *conf, bool create,
    struct pulse *pulse, struct router **out, struct err *e)
{
	struct router_conf rconf = {
		.pulse = pulse,
		.map_path = conf->slots_map,
		.nshards = conf->nshards,
		.sync = sync_of(conf),
		.create = create,
		.fence_wait_ms = (int)conf->fence_wait_ms,
		.leased = conf->cluster.host != NULL,
		.reload = shards_reload,
		.reload_ctx = (void *)(uintptr_t)conf,
	};
	struct shard_conf *shards = NULL;
	enum rc rc = map_wait(conf, e);

	if (rc == RC_OK)
		rc = shards_copy(conf, &shards, e);
	if (rc != RC_OK)
		return rc;
	rconf.shards = shards;
	rc = router_open(&rconf, out, e);
	free(shards);
	if (rc == RC_OK && create)
		lease_forget(conf, *out);
	return rc;
}

enum rc shards_open(const struct config *conf, bool create,
    struct router **out, struct err *e)
{
	return open_with(conf, create, NULL, out, e);
}

enum rc shards_serve(const struct config *conf, struct pulse *pulse,
    struct router **out, struct err *e)
{
	return open_with(conf, true, pulse, out, e);
}

/* Whether its people are served or sent to the spool. */
static void door_look(const struct router *r, int shard,
    struct shard_health *h)
{
	const struct pulse *p = router_pulse(r);
	struct pulse_shard now = { .state = PULSE_CLOSED };

	memset(h, 0, sizeof(*h));
	h->name = router_shard_name(r, shard);
	h->paused = slots_shard_flags(router_slots(r), shard) & SHARD_PAUSED;
	if (p != NULL)
		pulse_read(p, shard, &now);
	h->breaker = now.state;
}

/* A shard that hangs would hold this process, too: it is not asked while its
 * breaker knows of it. */
static void look_at(struct router *r, int i, struct shard_health *h)
{
	struct store *s = NULL;
	struct err e = { .text = "" };
	enum rc rc = RC_UNAVAILABLE;

	door_look(r, i, h);
	if (h->paused)
		str_copy(e.text, sizeof(e.text), "paused by familybotctl");
	else if (h->breaker != PULSE_CLOSED)
		str_copy(e.text, sizeof(e.text), "refused by its breaker, as "
		    "it did not answer lately");
	else
		rc = router_shard(r, i, &s, &e);
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
	size_t n = 0;

	for (int i = 0; i < router_shards(r) && n < max; i++)
		if (router_shard_there(r, i))
			look_at(r, i, &out[n++]);
	return n;
}

static void count_of(const struct router *r, int shard,
    const struct metrics *m, struct shard_health *h)
{
	door_look(r, shard, h);
	for (int what = 0; what < FIGURES_COUNT; what++)
		h->at[what] = metrics_figures_get(m, shard,
		    (enum metrics_figures)what, h->figures[what]);
	h->up = h->at[FIGURES_UP] != 0 && h->figures[FIGURES_UP][0];
}

size_t shards_counted(const struct router *r, const struct metrics *m,
    struct shard_health *out, size_t max)
{
	size_t n = 0;

	for (int i = 0; i < router_shards(r) && n < max &&
	    i < METRICS_SHARDS_MAX; i++)
		if (router_shard_there(r, i))
			count_of(r, i, m, &out[n++]);
	return n;
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
		return "is not there: it is made at the first start; if it "
		    "was there before, mount its disk";
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
