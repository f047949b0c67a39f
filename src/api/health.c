/*
 * health.c - GET /healthz (the process lives), /readyz (so do its shards, but
 * for those that are paused), /metrics, which asks no shard.  Names of shards
 * are told, their addresses are not.
 */
#include "config.h"

#include "api/http.h"

#include <stdlib.h>

#include "spool/spool.h"
#include "utils/json.h"
#include "utils/xalloc.h"
#include "web/metrics.h"

void healthz_get(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	(void)ctx;
	(void)req;
	buf_puts(&resp->body,
	    "{\"status\":\"ok\",\"version\":\"" PACKAGE_VERSION "\"}");
}

static struct shard_health *look(struct http_context *c,
    struct http_request *req, bool counted, size_t *n)
{
	struct shard_health *all = xcalloc(HEALTH_SHARDS_MAX, sizeof(*all));

	timing_stage(&req->timing, STAGE_SHARD);
	*n = c->shards(c->shards_ctx, counted, all, HEALTH_SHARDS_MAX);
	timing_stage(&req->timing, STAGE_HANDLER);
	return all;
}

static const char *state_of(const struct shard_health *s)
{
	if (s->paused)
		return "paused";
	if (s->breaker != 0)
		return "refused";
	return s->up ? "up" : "down";
}

void readyz_get(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	struct err *e = &resp->note.err;
	size_t n, down = 0;
	struct shard_health *all = look(ctx, req, false, &n);

	for (size_t i = 0; i < n; i++) {
		/* paused is how somebody wants it: nothing is wrong */
		if (all[i].up || all[i].paused)
			continue;
		down++;
		err_set(e, RC_UNAVAILABLE, "%s: %.180s", all[i].name,
		    all[i].why);
	}
	resp->status = down == 0 ? 200 : 503;
	resp->retry_after = down == 0 ? 0 : 5;
	buf_printf(&resp->body, "{\"status\":\"%s\",\"shards\":[",
	    down == 0 ? "ready" : "degraded");
	for (size_t i = 0; i < n; i++) {
		buf_puts(&resp->body, i == 0 ? "{\"name\":" : ",{\"name\":");
		json_put_str(&resp->body, all[i].name);
		buf_printf(&resp->body, ",\"up\":%s,\"state\":\"%s\"}",
		    all[i].up ? "true" : "false", state_of(&all[i]));
	}
	buf_puts(&resp->body, "]}");
	free(all);
}

struct shard_gauge {
	enum metric_id id;
	enum metrics_figures what;
	int figure;
	const char *state;	/* label of a second kind, or NULL */
};

/* Rows of one id stand together. */
static const struct shard_gauge gauges[] = {
	{ METRIC_SHARD_UP, FIGURES_UP, 0, NULL },
	{ METRIC_SHARD_USERS, FIGURES_RECORDS, 0, NULL },
	{ METRIC_SHARD_MEALS, FIGURES_RECORDS, 1, NULL },
	{ METRIC_SHARD_FOODS, FIGURES_RECORDS, 2, NULL },
	{ METRIC_SHARD_BYTES, FIGURES_RECORDS, 3, NULL },
	{ METRIC_SHARD_JOBS, FIGURES_JOBS, 0, "ready" },
	{ METRIC_SHARD_JOBS, FIGURES_JOBS, 1, "leased" },
	{ METRIC_SHARD_JOBS, FIGURES_JOBS, 2, "dead" },
	{ METRIC_SHARD_OLDEST, FIGURES_JOBS, 3, NULL },
};

/* The oldest ready job is told by its age, which grows without the worker. */
static int64_t gauge_value(const struct shard_gauge *g,
    const struct shard_health *s, int64_t now_ms)
{
	int64_t v = s->figures[g->what][g->figure];

	if (g->id != METRIC_SHARD_OLDEST)
		return v;
	return v > 0 && v < now_ms ? (now_ms - v) / 1000 : 0;
}

static void gauge_print(struct buf *out, const struct shard_gauge *g,
    const struct shard_health *all, size_t n, int64_t now_ms)
{
	struct buf labels;

	buf_init(&labels, 256);
	for (size_t i = 0; i < n; i++) {
		if (all[i].at[g->what] == 0)
			continue;
		buf_clear(&labels);
		metrics_label(&labels, "shard", all[i].name);
		if (g->state != NULL)
			metrics_label(&labels, "state", g->state);
		metrics_sample(out, g->id, labels.s,
		    gauge_value(g, &all[i], now_ms));
	}
	buf_release(&labels);
}

static void ages_print(struct buf *out, const struct shard_health *all,
    size_t n)
{
	static const char *const whats[FIGURES_COUNT] = {
		[FIGURES_UP] = "up",
		[FIGURES_JOBS] = "jobs",
		[FIGURES_RECORDS] = "records",
	};
	struct buf labels;

	buf_init(&labels, 256);
	metrics_family(out, METRIC_SHARD_COUNTED);
	for (size_t i = 0; i < n * FIGURES_COUNT; i++) {
		const struct shard_health *s = &all[i / FIGURES_COUNT];
		size_t what = i % FIGURES_COUNT;
		if (s->at[what] == 0)
			continue;
		buf_clear(&labels);
		metrics_label(&labels, "shard", s->name);
		metrics_label(&labels, "what", whats[what]);
		metrics_sample(out, METRIC_SHARD_COUNTED, labels.s,
		    s->at[what] / 1000);
	}
	buf_release(&labels);
}

/* What is known without asking anybody. */
static void doors_print(struct buf *out, const struct shard_health *all,
    size_t n)
{
	static const enum metric_id ids[] = { METRIC_SHARD_PAUSED,
		METRIC_SHARD_BREAKER };
	struct buf labels;

	buf_init(&labels, 256);
	for (size_t id = 0; id < 2; id++) {
		metrics_family(out, ids[id]);
		for (size_t i = 0; i < n; i++) {
			buf_clear(&labels);
			metrics_label(&labels, "shard", all[i].name);
			metrics_sample(out, ids[id], labels.s,
			    id == 0 ? all[i].paused : all[i].breaker);
		}
	}
	buf_release(&labels);
}

static void spool_print(struct buf *out, const struct spool *s, int64_t now_ms)
{
	struct spool_stats st;

	spool_glance(s, &st);
	metrics_family(out, METRIC_SPOOL_UPDATES);
	metrics_sample(out, METRIC_SPOOL_UPDATES, "", st.rows);
	metrics_family(out, METRIC_SPOOL_BYTES);
	metrics_sample(out, METRIC_SPOOL_BYTES, "", st.bytes);
	metrics_family(out, METRIC_SPOOL_OLDEST);
	metrics_sample(out, METRIC_SPOOL_OLDEST, "", st.oldest_at > 0 &&
	    st.oldest_at < now_ms ? (now_ms - st.oldest_at) / 1000 : 0);
}

static void shards_print(struct buf *out, const struct shard_health *all,
    size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		if (i == 0 || gauges[i].id != gauges[i - 1].id)
			metrics_family(out, gauges[i].id);
		gauge_print(out, &gauges[i], all, n, now_ms);
	}
	ages_print(out, all, n);
	doors_print(out, all, n);
}

void metrics_get_page(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	struct http_context *c = ctx;
	int64_t now = clock_ms(c->clock);
	size_t n;
	struct shard_health *all = look(c, req, true, &n);

	resp->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_print(c->metrics, now, &resp->body);
	shards_print(&resp->body, all, n, now);
	if (c->spool != NULL)
		spool_print(&resp->body, c->spool, now);
	free(all);
}
