/*
 * fuzz_query.c - what stands behind the '?' of a request: http_args_take.
 */
#include "config.h"

#include "fuzz.h"

#include "utils/arena.h"
#include "utils/json.h"
#include "web/route.h"

enum { Q_MAX = 20, DAY_MAX = 10 };

static const struct http_want wants[] = {
	{ "q", HTTP_IN_QUERY, Q_MAX, true },
	{ "day", HTTP_IN_QUERY, DAY_MAX, false },
	{ "If-Match", HTTP_IN_HEADER, 8, false },
	{ .name = NULL },
};

static void fits(const struct http_request *r, const char *name, size_t max)
{
	const char *value = http_arg(r, name);

	if (value == NULL)
		return;
	MUST(strlen(value) <= max && strlen(value) <= strlen(r->query));
	MUST(json_utf8(value, strlen(value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct http_request r = { .query = text };
	struct err e = { .text = "" };
	struct arena arena;
	enum rc rc;

	arena_init(&arena);
	r.arena = &arena;
	rc = http_args_take(wants, &r, &e);
	MUST(rc == RC_OK || (rc == RC_INVALID && *e.text != '\0'));
	MUST(rc != RC_OK || http_arg(&r, "q") != NULL);
	MUST(http_arg(&r, "If-Match") == NULL);
	fits(&r, "q", Q_MAX);
	fits(&r, "day", DAY_MAX);
	arena_release(&arena);
	free(text);
	return 0;
}
