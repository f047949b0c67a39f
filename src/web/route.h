/*
 * route.h - the table of routes: which function answers which path, and what
 * is checked before it is called.
 *
 * A new route is one row in api/routes.c.  What a row asks for (who may come,
 * how large, of which type, which parameters) is checked by the dispatcher in
 * the order of the row's fields, so no handler can forget it: a row that wants
 * somebody known answers 401 before its handler sees a byte.
 */
#ifndef FAMILYBOT_WEB_ROUTE_H
#define FAMILYBOT_WEB_ROUTE_H

#include <stdbool.h>

#include "web/http.h"

enum {
	HTTP_F_LOCAL = 1,	/* only for this machine: others get 403 */
	HTTP_F_PROBLEM = 2,	/* errors are application/problem+json (RFC
				 * 9457), not in the form of Telegram */
	HTTP_F_AUTH = 4,	/* somebody known asks, else 401 */
	HTTP_F_ADMIN = 8	/* who is an administrator, else 403 */
};

/* How often somebody may come; what the numbers are is the limiter's. */
enum http_limit { HTTP_LIMIT_NONE, HTTP_LIMIT_READ, HTTP_LIMIT_WRITE,
	HTTP_LIMIT_LOGIN };

enum http_place { HTTP_IN_QUERY, HTTP_IN_HEADER };

/* A parameter that the handler reads by http_arg; others it cannot see. */
struct http_want {
	const char *name;	/* as in the URL, or "If-Match" */
	enum http_place place;
	size_t max;		/* bytes of its value: more is 400 */
	bool required;		/* 400 without */
};

/* Fills resp, whose status is 200 and body empty before.  ctx: see web_new. */
typedef void http_handler(void *ctx, struct http_request *req,
    struct http_response *resp);

/*
 * path: "/a/b", or with names for whole segments, "/users/{id}", which are
 * not empty and read by http_arg; or ending in "/" and "*", all that is below,
 * read as "*".  Of rows that fit, the first one is taken: put the exact ones
 * first.
 */
struct http_route {
	const char *method;	/* "GET" answers HEAD too */
	const char *path;
	const char *name;	/* label of the metrics, word of the log */
	http_handler *handle;	/* NULL: 404, in the form that flags say */
	unsigned int flags;	/* HTTP_F_* */
	enum http_limit limit;	/* 429 with Retry-After */
	size_t body_max;	/* 413 above; 0: what the transport takes */
	const char *type;	/* of the body, else 415; NULL: any */
	const struct http_want *wants;	/* ends with name NULL; or NULL */
	/* Does the body have the shape that the handler takes?  RC_OK, or why
	 * not in e, for the one who asks: 400.  NULL: not looked at. */
	enum rc (*check)(void *ctx, struct http_request *req, struct err *e);
};

/* rows end with path NULL. */
int http_routes_count(const struct http_route *rows);

/*
 * Index of the row for the request's path and method, and its names in
 * req->args; or -1 with the reason in resp: 404, or 405 with all methods that
 * work in Allow.
 */
int http_route_find(const struct http_route *rows, struct http_request *req,
    struct http_response *resp);
/* Has it names in it?  Then a path that fits it may tell of somebody. */
bool http_route_named(const struct http_route *row);

/* The answer becomes this error, in the form of the row. */
void http_refuse(struct http_response *resp, unsigned int flags, int status,
    const char *why);

/* 127.0.0.0/8, ::1, the former mapped into IPv6, or nginx's "unix:"? */
bool http_addr_local(const char *addr);

/* args.c: puts what the row wants into req->args; RC_INVALID with words for
 * the one who asks. */
MUST_CHECK enum rc http_args_take(const struct http_want *wants,
    struct http_request *req, struct err *e);

#endif
