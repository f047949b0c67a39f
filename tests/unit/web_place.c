/* web_place.c - see web_place.h. */
#include "config.h"

#include "web_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bot/bot.h"

struct fake fake;

enum rc bot_handle(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *t, struct buf *answer,
    struct update_info *info, struct err *e)
{
	(void)bot;
	(void)arena;
	(void)body;
	fake.calls++;
	fake.len = len;
	timing_stage(t, STAGE_SHARD);
	timing_stage(t, STAGE_HANDLER);
	*info = (struct update_info){ .kind = "message", .handler = "food",
		.update_id = 77, .user_id = -42, .shard = 1 };
	buf_puts(answer, fake.answer);
	return fake.rc == RC_OK ? RC_OK : err_set(e, fake.rc, "%s", fake.why);
}

static size_t fake_shards(void *ctx, bool counted, struct shard_health *out,
    size_t max)
{
	static const char *const names[] = { "shard0", "shard1", "shard2" };
	struct world *w = ctx;

	assert_true(max >= w->nshards);
	for (size_t i = 0; i < w->nshards; i++) {
		out[i] = (struct shard_health){ .name = names[i],
			.up = i != w->down,
			.paused = w->paused && i == w->down,
			.breaker = i == w->down ? w->breaker : 0 };
		if (counted) {
			out[i].at[FIGURES_UP] = out[i].at[FIGURES_JOBS] = 5000;
			out[i].figures[FIGURES_UP][0] = i != w->down;
			out[i].figures[FIGURES_JOBS][0] = 3;
			out[i].figures[FIGURES_JOBS][3] = 1000;
		}
		str_copy(out[i].why, sizeof(out[i].why), "mongodb://u:pw@h");
	}
	return w->nshards;
}

int web_setup(void **state)
{
	static struct world w;
	static const char *names[8];
	int n = http_routes_count(http_routes);

	memset(&w, 0, sizeof(w));
	for (int i = 0; i < n; i++)
		names[i] = http_routes[i].name;
	assert_int_equal(metrics_open(NULL, names, n, 1000, &w.metrics, NULL),
	    RC_OK);
	w.http = (struct http_context){ .metrics = w.metrics,
		.clock = &clock_system, .webhook_secret = SECRET,
		.shards = fake_shards, .shards_ctx = &w };
	w.nshards = 3;
	w.down = 99;
	w.web = web_new(http_routes, &w.http, w.metrics, &clock_system);
	buf_init(&w.out, 1 << 20);
	fake.rc = RC_OK;
	fake.answer = "{}";
	fake.why = "as told";
	fake.calls = 0;
	*state = &w;
	return 0;
}

int web_teardown(void **state)
{
	struct world *w = *state;

	web_free(w->web);
	metrics_free(w->metrics);
	buf_release(&w->out);
	return 0;
}

struct http_request web_ask(struct world *w, const char *method,
    const char *path)
{
	struct http_request r;

	web_begin(w->web, &r);
	r.method = method;
	r.path = path;
	r.remote_addr = "127.0.0.1";
	return r;
}

struct http_request web_update(struct world *w, const char *body)
{
	struct http_request r = web_ask(w, "POST", "/api/webhook");

	r.secret_token = SECRET;
	r.content_type = "application/json";
	r.body = body;
	r.len = strlen(body);
	return r;
}

const char *web_get(struct world *w, struct http_request *r)
{
	web_answer(w->web, r, &w->out);
	return w->out.s;
}

const char *web_body(const char *out)
{
	const char *p = strstr(out, "\r\n\r\n");

	assert_non_null(p);
	return p + 4;
}

void web_logged(struct world *w, struct http_request *r, char *text,
    size_t size)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_non_null(log);
	int file = fileno(log);
	assert_true(file >= 0 && saved >= 0);
	dup2(file, STDERR_FILENO);
	web_get(w, r);
	web_done(w->web, r);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = pread(file, text, size - 1, 0);
	fclose(log);
	assert_true(n >= 0);
	text[n] = '\0';
}
