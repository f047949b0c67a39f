/*
 * health.c - GET /healthz (the process lives), /readyz (so do its shards),
 * /metrics.  Names of shards are told, their addresses are not.
 */
#include "config.h"

#include "handlers/http.h"

#include <stdlib.h>

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
    struct http_request *req, bool figures, size_t *n)
{
	struct shard_health *all = xcalloc(HEALTH_SHARDS_MAX, sizeof(*all));

	timing_stage(&req->timing, STAGE_SHARD);
	*n = c->shards(c->shards_ctx, figures, all, HEALTH_SHARDS_MAX);
	timing_stage(&req->timing, STAGE_HANDLER);
	return all;
}

void readyz_get(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	struct err *e = &resp->note.err;
	size_t n, down = 0;
	struct shard_health *all = look(ctx, req, false, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].up)
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
		buf_printf(&resp->body, ",\"up\":%s}",
		    all[i].up ? "true" : "false");
	}
	buf_puts(&resp->body, "]}");
	free(all);
}

/* A gauge with one sample a shard that was counted, from the field at off. */
static void shard_gauge(struct buf *out, enum metric_id id,
    const struct shard_health *all, size_t n, size_t off)
{
	struct buf labels;

	buf_init(&labels, 256);
	metrics_family(out, id);
	for (size_t i = 0; i < n; i++) {
		const char *base = (const char *)&all[i];
		if (!all[i].counted)
			continue;
		buf_clear(&labels);
		metrics_label(&labels, "shard", all[i].name);
		metrics_sample(out, id, labels.s,
		    *(const int64_t *)(const void *)(base + off));
	}
	buf_release(&labels);
}

static void shard_jobs(struct buf *out, const struct shard_health *all,
    size_t n)
{
	static const char *const states[] = { "ready", "leased", "dead" };
	struct buf labels;

	buf_init(&labels, 256);
	metrics_family(out, METRIC_SHARD_JOBS);
	for (size_t i = 0; i < n; i++) {
		const int64_t figures[] = { all[i].jobs_ready,
			all[i].jobs_leased, all[i].jobs_dead };
		for (size_t k = 0; all[i].counted && k < 3; k++) {
			buf_clear(&labels);
			metrics_label(&labels, "shard", all[i].name);
			metrics_label(&labels, "state", states[k]);
			metrics_sample(out, METRIC_SHARD_JOBS, labels.s,
			    figures[k]);
		}
	}
	buf_release(&labels);
}

static void shards_print(struct buf *out, struct shard_health *all, size_t n,
    int64_t now_ms)
{
	struct buf labels;

	buf_init(&labels, 256);
	metrics_family(out, METRIC_SHARD_UP);
	for (size_t i = 0; i < n; i++) {
		int64_t at = all[i].oldest_ready_at;
		buf_clear(&labels);
		metrics_label(&labels, "shard", all[i].name);
		metrics_sample(out, METRIC_SHARD_UP, labels.s, all[i].up);
		/* from here on: seconds overdue */
		all[i].oldest_ready_at = at > 0 && at < now_ms ?
		    (now_ms - at) / 1000 : 0;
	}
	buf_release(&labels);
#define GAUGE(id, field) \
	shard_gauge(out, id, all, n, offsetof(struct shard_health, field))
	GAUGE(METRIC_SHARD_USERS, users);
	GAUGE(METRIC_SHARD_MEALS, meals);
	GAUGE(METRIC_SHARD_FOODS, own_foods);
	GAUGE(METRIC_SHARD_OLDEST, oldest_ready_at);
	GAUGE(METRIC_SHARD_BYTES, bytes);
#undef GAUGE
	shard_jobs(out, all, n);
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
	free(all);
}
