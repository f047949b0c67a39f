/* routes.c - the table of HTTP routes. */
#include "config.h"

#include "api/http.h"

const struct http_route http_routes[] = {
	{ .method = "POST", .path = "/api/webhook", .name = "webhook",
	    .handle = webhook_post },
	{ .method = "GET", .path = "/healthz", .name = "healthz",
	    .handle = healthz_get },
	{ .method = "GET", .path = "/readyz", .name = "readyz",
	    .handle = readyz_get },
	{ .method = "GET", .path = "/metrics", .name = "metrics",
	    .handle = metrics_get_page, .flags = HTTP_F_LOCAL },
	{ .path = NULL },
};
