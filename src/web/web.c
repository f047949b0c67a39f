/* web.c - see web.h. */
#include "config.h"

#include "web/web.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
	struct http_doors doors;
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

void web_doors_set(struct web *w, const struct http_doors *doors)
{
	w->doors = *doors;
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

/* Is a media type the one that the row wants, whatever its parameters? */
static bool type_fits(const char *sent, const char *want)
{
	size_t n = strlen(want);

	return strncasecmp(sent, want, n) == 0 &&
	    (sent[n] == '\0' || sent[n] == ';' || sent[n] == ' ');
}

/* Returns the status to refuse with, 0: may enter. */
static int doors_pass(const struct web *w, const struct http_route *row,
    struct http_request *req, const char **why)
{
	struct err e = { .text = "" };
	enum rc rc;

	if ((row->flags & HTTP_F_LOCAL) && !http_addr_local(req->remote_addr)) {
		*why = "only for this machine";
		return 403;
	}
	if (!(row->flags & (HTTP_F_AUTH | HTTP_F_ADMIN)))
		return 0;
	if (w->doors.who == NULL) {
		*why = "nobody is at this door";
		return 500;
	}
	rc = w->doors.who(w->doors.ctx, req, &req->caller, &e);
	if (rc == RC_UNAVAILABLE) {
		*why = "who asks cannot be told now";
		return 503;
	}
	if (rc != RC_OK || req->caller.user_id == 0) {
		*why = "who asks is not known";
		return 401;
	}
	*why = "only for administrators";
	return (row->flags & HTTP_F_ADMIN) && !req->caller.admin ? 403 : 0;
}

/* The same for how often somebody comes. */
static int limit_pass(const struct web *w, const struct http_route *row,
    const struct http_request *req, int *wait_s, const char **why)
{
	if (row->limit == HTTP_LIMIT_NONE)
		return 0;
	if (w->doors.wait == NULL) {
		*why = "nobody counts at this door";
		return 500;
	}
	*wait_s = w->doors.wait(w->doors.ctx, row->limit, req);
	*why = "too many requests, see Retry-After";
	return *wait_s > 0 ? 429 : 0;
}

/* And for what it brings. */
static int content_pass(const struct web *w, const struct http_route *row,
    struct http_request *req, struct err *e, const char **why)
{
	*why = e->text;
	if (req->too_many) {
		*why = "there are too many headers";
		return 431;
	}
	if (req->too_big || (row->body_max > 0 && req->len > row->body_max)) {
		*why = "the body is too large";
		return 413;
	}
	if (req->cut_short) {
		*why = "the body ended too early";
		return 400;
	}
	if (row->type != NULL && !type_fits(req->content_type, row->type)) {
		err_set(e, RC_INVALID, "the body should be %s", row->type);
		return 415;
	}
	if (http_args_take(row->wants, req, e) != RC_OK)
		return 400;
	return row->check != NULL && row->check(w->ctx, req, e) != RC_OK ?
	    400 : 0;
}

static void dispatch(struct web *w, struct http_request *req)
{
	struct http_response *resp = &w->resp;
	struct err e = { .text = "" };
	const struct http_route *row;
	const char *why = "";
	int i = http_route_find(w->rows, req, resp), wait_s = 0, status;

	w->route = i < 0 ? w->nrows : i;
	if (i < 0)
		return;
	row = &w->rows[i];
	status = doors_pass(w, row, req, &why);
	if (status == 0)
		status = limit_pass(w, row, req, &wait_s, &why);
	if (status == 0)
		status = content_pass(w, row, req, &e, &why);
	if (status == 0)
		row->handle(w->ctx, req, resp);
	else
		http_refuse(resp, row->flags, status, why);
	if (wait_s > 0)
		resp->retry_after = wait_s;
	if (buf_over(&resp->body))
		http_refuse(resp, row->flags, 500,
		    "the answer grew over its limit");
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
	const struct http_route *row = w->route < w->nrows ?
	    &w->rows[w->route] : NULL;
	/* "/users/4711" would tell by the path whom the line is about */
	const char *path = row != NULL && http_route_named(row) ? row->path :
	    req->path;
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
	    row != NULL ? row->name : "other",
	    http_method_name(http_method_of(req->method)), log_q(path),
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
