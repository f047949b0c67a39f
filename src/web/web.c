/* web.c - see web.h. */
#include "config.h"

#include "web/web.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "utils/arena.h"
#include "utils/log.h"
#include "utils/log_who.h"
#include "utils/xalloc.h"
#include "web/metrics.h"

enum { BODY_KEEP = 65536 };	/* a larger answer's memory is given back */

struct web {
	const struct http_route *rows;
	int nrows;
	void *ctx;
	struct metrics *metrics;
	const struct clock *clock;
	struct arena arena;
	struct http_response resp;
	uint64_t id_key, id_count;	/* for ids of our own */
	char id[HTTP_ID_SIZE];		/* of the request being served */
	int route;			/* its row, or nrows */
	int64_t total_us;
};

struct web *web_new(const struct http_route *rows, void *ctx,
    struct metrics *metrics, const struct clock *clock)
{
	struct web *w = xcalloc(1, sizeof(*w));

	w->rows = rows;
	w->nrows = http_routes_count(rows);
	w->ctx = ctx;
	w->metrics = metrics;
	w->clock = clock;
	arena_init(&w->arena);
	http_response_init(&w->resp);
	if (getrandom(&w->id_key, sizeof(w->id_key), 0) < 0)
		w->id_key = (uint64_t)clock_mono_us();
	return w;
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	http_response_release(&w->resp);
	arena_release(&w->arena);
	free(w);
}

/* Ids of our own: a counter scrambled by the finalizer of splitmix64, unique
 * within the process and unlike those of its neighbours. */
static void own_id(struct web *w)
{
	uint64_t z = w->id_key + ++w->id_count * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	str_format(w->id, sizeof(w->id), "%016" PRIx64, z ^ (z >> 31));
}

/* A given id ends up in a header and the log: only harmless ones are taken. */
static bool id_fits(const char *id)
{
	size_t n = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-");

	return n >= 8 && n < HTTP_ID_SIZE && id[n] == '\0';
}

void web_begin(struct web *w, struct http_request *req)
{
	memset(req, 0, offsetof(struct http_request, timing));
	req->method = req->path = req->content_type = req->secret_token =
	    req->remote_addr = req->id = req->query = req->body = "";
	req->arena = &w->arena;
	timing_start(&req->timing);
}

static void dispatch(struct web *w, struct http_request *req)
{
	struct http_response *resp = &w->resp;
	const struct http_route *row;
	int i = http_route_find(w->rows, req->path, req->method, resp);

	w->route = i < 0 ? w->nrows : i;
	if (i < 0)
		return;
	row = &w->rows[i];
	if ((row->flags & HTTP_F_LOCAL) && !http_addr_local(req->remote_addr))
		http_fail(resp, 403, "only for this machine");
	else if (req->too_many)
		http_fail(resp, 431, "there are too many headers");
	else if (req->too_big)
		http_fail(resp, 413, "the body is too large");
	else if (req->cut_short)
		http_fail(resp, 400, "the body ended too early");
	else
		row->handle(w->ctx, req, resp);
	if (buf_over(&resp->body))
		http_fail(resp, 500, "the answer grew over its limit");
}

static void count(struct web *w, const struct http_request *req,
    enum http_method method)
{
	const struct http_note *note = &w->resp.note;

	metrics_request(w->metrics, w->route, method, w->resp.status,
	    w->total_us);
	if (note->kind == NULL)
		return;
	metrics_stages(w->metrics, &req->timing);
	metrics_update(w->metrics, note->kind, note->handler, note->err.rc);
	if (note->user_id != 0)
		metrics_user(w->metrics, note->user_id, clock_ms(w->clock));
}

void web_answer(struct web *w, struct http_request *req, struct buf *out)
{
	enum http_method method = http_method_of(req->method);

	http_response_clear(&w->resp);
	if (id_fits(req->id))
		str_copy(w->id, sizeof(w->id), req->id);
	else
		own_id(w);
	dispatch(w, req);
	timing_stage(&req->timing, STAGE_REPLY);
	w->total_us = timing_stop(&req->timing);
	buf_clear(out);
	http_print(&w->resp, method, w->id, &req->timing, w->total_us, out);
	count(w, req, method);
}

static void log_request(const struct web *w, const struct http_request *req)
{
	const struct http_note *note = &w->resp.note;
	const int64_t *us = req->timing.us;
	bool bad = w->resp.status >= 500 || note->err.rc != RC_OK;
	char update[192] = "", why[300] = "";

	if (note->kind != NULL)
		str_format(update, sizeof(update), " kind=%s handler=%s"
		    " update=%" PRId64 " user=%s shard=%d", note->kind,
		    note->handler, note->update_id, log_who(note->user_id),
		    note->shard);
	if (note->err.rc != RC_OK)
		str_format(why, sizeof(why), " rc=%s why=%s",
		    rc_name(note->err.rc),
		    log_who_in(note->err.text, note->user_id));
	log_line(bad ? LOG_LVL_WARN : LOG_LVL_INFO, "request",
	    "id=%s route=%s method=%s path=%s status=%d bytes=%zu us=%" PRId64
	    " us_parse=%" PRId64 " us_route=%" PRId64
	    " us_cache=%" PRId64 " us_shard=%" PRId64 " us_handler=%" PRId64
	    " us_reply=%" PRId64 "%s%s", w->id,
	    w->route < w->nrows ? w->rows[w->route].name : "other",
	    http_method_name(http_method_of(req->method)), log_q(req->path),
	    w->resp.status, w->resp.body.len, w->total_us, us[STAGE_PARSE],
	    us[STAGE_ROUTE], us[STAGE_CACHE], us[STAGE_SHARD],
	    us[STAGE_HANDLER], us[STAGE_REPLY], update, why);
}

void web_done(struct web *w, struct http_request *req)
{
	log_request(w, req);
	arena_reset(&w->arena);
	if (w->resp.body.cap > BODY_KEEP) {
		http_response_release(&w->resp);
		http_response_init(&w->resp);
	}
}
