/*
 * web.h - one request from route to answer: dispatch, timing, metrics, log.
 *
 * The transport (fcgi.c, or a test) fills a struct http_request, calls
 * web_answer, sends what it made, and calls web_done, which writes the one
 * log line of this request.  Bodies and secrets are never logged.
 */
#ifndef FAMILYBOT_WEB_WEB_H
#define FAMILYBOT_WEB_WEB_H

#include <stdint.h>

#include "utils/clock.h"
#include "web/http.h"
#include "web/route.h"

struct metrics;
struct web;

/* rows, metrics and clock are borrowed; ctx goes to the handlers. */
struct web *web_new(const struct http_route *rows, void *ctx,
    struct metrics *metrics, const struct clock *clock);
void web_free(struct web *w);

/*
 * Who stands at the doors of routes that want to know.  A route that needs one
 * which is not there answers 500: it is shut, not open.
 */
struct http_doors {
	void *ctx;
	/* By the request's headers.  RC_OK fills caller, whose user_id is not
	 * 0; RC_UNAVAILABLE: it cannot be told now, 503; all else: 401. */
	enum rc (*who)(void *ctx, const struct http_request *req,
	    struct http_caller *caller, struct err *e);
	/* Seconds to wait before the next try, 0: it may pass.  req->caller
	 * is known when the row wants that. */
	int (*wait)(void *ctx, enum http_limit limit,
	    const struct http_request *req);
};
void web_doors_set(struct web *w, const struct http_doors *doors);

/* Empties *req and starts its clock; its arena is web's own. */
void web_begin(struct web *w, struct http_request *req);

/* Answers; *out (cleared first) is head and body as CGI wants them. */
void web_answer(struct web *w, struct http_request *req, struct buf *out);

/* After the answer was sent: log line, memory of the request given back. */
void web_done(struct web *w, struct http_request *req);

#endif
