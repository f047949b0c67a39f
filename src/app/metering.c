/* metering.c - see metering.h. */
#include "config.h"

#include "app/metering.h"

#include "api/http.h"
#include "utils/clock.h"
#include "utils/log.h"
#include "web/metrics.h"

enum rc metering_open(const struct config *conf, struct metrics **out,
    struct err *e)
{
	const char *routes[METRICS_ROUTES_MAX];
	int n = http_routes_count(http_routes);
	int64_t now = clock_ms(&clock_system);
	enum rc rc;

	for (int i = 0; i < n && i < METRICS_ROUTES_MAX; i++)
		routes[i] = http_routes[i].name;
	rc = metrics_open(conf->metrics_file, routes, n, now, out, e);
	if (rc == RC_OK || rc == RC_TOOBIG)
		return rc;
	log_warn("metrics_alone", "why=%s", log_q(e->text));
	return metrics_open(NULL, routes, n, now, out, e);
}

void metering_close(struct metrics *m)
{
	metrics_free(m);
}
