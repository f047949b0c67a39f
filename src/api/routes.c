/* routes.c - the table of HTTP routes. */
#include "config.h"

#include "api/http.h"

const struct http_route http_routes[] = {
	{ "POST", "/api/webhook", "webhook", webhook_post, 0 },
	{ "GET", "/healthz", "healthz", healthz_get, 0 },
	{ "GET", "/readyz", "readyz", readyz_get, 0 },
	{ "GET", "/metrics", "metrics", metrics_get_page, HTTP_F_LOCAL },
	{ NULL, NULL, NULL, NULL, 0 },
};
