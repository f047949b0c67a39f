/*
 * route.h - the table of routes: which function answers which path.
 *
 * A new route is one row in api/routes.c.
 */
#ifndef FAMILYBOT_WEB_ROUTE_H
#define FAMILYBOT_WEB_ROUTE_H

#include <stdbool.h>

#include "web/http.h"

enum {
	HTTP_F_LOCAL = 1	/* only for this machine: others get 403 */
};

/* Fills resp, whose status is 200 and body empty before.  ctx: see web_new. */
typedef void http_handler(void *ctx, struct http_request *req,
    struct http_response *resp);

struct http_route {
	const char *method;	/* "GET" answers HEAD too */
	const char *path;
	const char *name;	/* label of the metrics, word of the log */
	http_handler *handle;
	unsigned int flags;	/* HTTP_F_* */
};

/* rows end with path NULL. */
int http_routes_count(const struct http_route *rows);

/*
 * Index of the row for path and method, or -1 with the reason in resp: 404,
 * or 405 with the method that works.
 */
int http_route_find(const struct http_route *rows, const char *path,
    const char *method, struct http_response *resp);

/* 127.0.0.0/8, ::1, the former mapped into IPv6, or nginx's "unix:"? */
bool http_addr_local(const char *addr);

#endif
