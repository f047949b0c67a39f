/*
 * http.h - HTTP requests to others, many at once; the only user of libcurl.
 *
 * Only https, except to a loopback address (a Bot API server of one's own, a
 * double in a test).  No redirects, no credentials in URLs, a time-out over
 * the whole exchange, and a cap on the answer that holds for chunked answers
 * too.  One struct http belongs to one thread.  Nothing here logs, and no URL
 * appears in an error text, because URLs carry secrets.
 */
#ifndef FAMILYBOT_CLIENTS_HTTP_H
#define FAMILYBOT_CLIENTS_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

struct http;
struct http_call;

struct http_conf {
	const char *user_agent;
	int stop_fd;		/* http_do gives up when readable; -1: none */
	int connections;	/* most at once; 0: 16 */
};

/* What to ask of whom; struct http_call is one that is under way. */
struct http_fetch {
	const char *url;
	const char *body;		/* NULL: GET, else POST; copied */
	size_t body_len;
	const char *const *headers;	/* "Name: value", NULL ends; or NULL */
	long timeout_ms;		/* of the whole exchange, > 0 */
	size_t answer_max;		/* bytes of body */
};

struct http_answer {
	/* RC_OK: an answer of any status arrived whole.  RC_UNAVAILABLE: no
	 * answer or a time-out.  RC_TOOBIG: past answer_max.  RC_BUSY:
	 * stop_fd became readable. */
	enum rc rc;
	long status;
	int64_t retry_after_s;	/* of the Retry-After header, 0 none */
	struct buf body;
	char error[128];	/* words for rc other than RC_OK */
};

/* a is only lent for the time of the call; more may be started in it. */
typedef void http_done(void *ctx, const struct http_answer *a);

MUST_CHECK enum rc http_open(const struct http_conf *c, struct http **out,
    struct err *e);
void http_free(struct http *h);	/* aborts first; takes NULL */
/* Ends all that is under way: done is called with RC_BUSY.  Nothing more can
 * be started. */
void http_abort(struct http *h);

/* May we speak to this URL (https, or http to a loopback host)? */
bool http_url_allowed(const char *url);

/*
 * Starts a request; done is called once from http_wait, unless cancelled.
 * RC_INVALID: the URL is not allowed.  *call may be NULL; it is valid until
 * done is called.
 */
MUST_CHECK enum rc http_start(struct http *h, const struct http_fetch *r,
    http_done *done, void *ctx, struct http_call **call, struct err *e);
void http_cancel(struct http_call *call);	/* done is not called */
size_t http_flying(const struct http *h);

/* Waits up to timeout_ms for traffic or one of extra (revents is set), then
 * calls done of what has ended. */
void http_wait(struct http *h, struct pollfd *extra, unsigned int nextra,
    int timeout_ms);

/* One request, waited for.  The caller gives an answer that is initialised by
 * http_answer_init, and releases it. */
void http_do(struct http *h, const struct http_fetch *r,
    struct http_answer *a);
void http_answer_init(struct http_answer *a, size_t max);
void http_answer_release(struct http_answer *a);

#endif
