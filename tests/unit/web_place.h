/*
 * web_place.h - the web part as it is in a process, with a bot and shards that
 * do as they are told and without FastCGI.
 */
#ifndef FAMILYBOT_TESTS_WEB_PLACE_H
#define FAMILYBOT_TESTS_WEB_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/http.h"
#include "web/metrics.h"
#include "web/web.h"

#define SECRET "s3cret-Token_of_the_webhook"

/* What the bot of this test answers next, and what it was given. */
struct fake {
	enum rc rc;
	const char *answer, *why;
	int calls;
	size_t len;
};
extern struct fake fake;

struct world {
	struct web *web;
	struct metrics *metrics;
	struct http_context http;
	struct buf out;
	size_t nshards, down;	/* down: index of the shard that is, or 99 */
	bool paused;		/* so is that one */
	int breaker;		/* its */
};

int web_setup(void **state);	/* of a test: *state is a struct world */
int web_teardown(void **state);

/* A request of this machine, and one of Telegram with the right secret. */
struct http_request web_ask(struct world *w, const char *method,
    const char *path);
struct http_request web_update(struct world *w, const char *body);
/* The whole answer, and what of it follows the head. */
const char *web_get(struct world *w, struct http_request *r);
const char *web_body(const char *out);
/* Runs one request with stderr in a file; returns what was logged. */
void web_logged(struct world *w, struct http_request *r, char *text,
    size_t size);

#define assert_has(out, part)	assert_non_null(strstr(out, part))
#define assert_hasnt(out, part)	assert_null(strstr(out, part))
#define assert_status(out, code) \
	assert_memory_equal(out, "Status: " code " ", sizeof("Status: " code))

#endif
