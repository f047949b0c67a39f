/* app_test.c - what `familybot -t` tries; see app_test in app.h. */
#include "config.h"

#include "app/app.h"

#include <string.h>
#include <unistd.h>

#include "services/nutrition/nutrition.h"
#include "app/shards_open.h"
#include "shards/router.h"

static enum rc foods_test(const struct config *conf, FILE *report)
{
	struct nutrition *n = NULL;
	struct err e = { .text = "" };
	enum rc rc = nutrition_open(conf->foods_db, &n, &e);

	if (rc == RC_OK)
		nutrition_free(n);
	else
		fprintf(report, "%s: error: %s\n", conf->foods_db, e.text);
	return rc;
}

static enum rc map_test(const struct config *conf, FILE *report)
{
	struct router *r = NULL;
	struct err e = { .text = "" };
	enum rc rc;

	if (access(conf->slots_map, F_OK) != 0) {
		fprintf(report, "%s: warning: is not there yet; it is made at "
		    "the first start\n", conf->slots_map);
		return RC_OK;
	}
	rc = shards_open(conf, false, &r, &e);
	if (rc == RC_OK)
		router_free(r);
	else
		fprintf(report, "%s: error: %s\n", conf->slots_map, e.text);
	return rc;
}

enum rc app_test(const struct config *conf, FILE *report, struct err *e)
{
	bool foods = foods_test(conf, report) == RC_OK;
	bool map = map_test(conf, report) == RC_OK;

	shards_test(conf, report);
	if (!foods || !map)
		return err_set(e, RC_INVALID, "familybot would not start");
	return RC_OK;
}
