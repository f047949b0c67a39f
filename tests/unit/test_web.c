/*
 * test_web.c - routes, the webhook's statuses, probes, headers and the log
 * line, with a bot that does as it is told and without FastCGI.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "utils/log.h"
#include "utils/log_who.h"
#include "web_place.h"

static void unknown_paths_are_404_in_json(void **state)
{
	struct http_request r = web_ask(*state, "GET", "/nowhere");
	const char *out = web_get(*state, &r);

	assert_status(out, "404");
	assert_has(out, "Content-Type: application/json\r\n");
	assert_has(web_body(out), "{\"ok\":false,\"error_code\":404,");
}

static void other_methods_are_405_with_allow(void **state)
{
	struct http_request r = web_ask(*state, "GET", "/api/webhook");
	const char *out = web_get(*state, &r);

	assert_status(out, "405");
	assert_has(out, "\r\nAllow: POST\r\n");
	r = web_ask(*state, "DELETE", "/healthz");
	out = web_get(*state, &r);
	assert_status(out, "405");
	assert_has(out, "\r\nAllow: GET, HEAD\r\n");
}

static void head_answers_get_without_its_body(void **state)
{
	struct http_request r = web_ask(*state, "GET", "/healthz");
	char length[64];

	str_format(length, sizeof(length), "Content-Length: %zu\r\n",
	    strlen(web_body(web_get(*state, &r))));
	r = web_ask(*state, "HEAD", "/healthz");
	const char *out = web_get(*state, &r);
	assert_status(out, "200");
	assert_has(out, length);
	assert_string_equal(web_body(out), "");
}

static void metrics_are_for_this_machine_only(void **state)
{
	static const char *const far[] = { "10.0.0.1", "", "1.127.0.0",
		"::ffff:10.0.0.1", "127.evil", "127.", "127.0.0.1.evil.org",
		"127.0.0.1 ", "::ffff:127.evil", "::1%lo", "::127.0.0.1",
		"fe80::1", "unix:x", "0.0.0.0", "127.0.0.256" };
	static const char *const near[] = { "127.0.0.1", "::1", "unix:",
		"::ffff:127.0.0.1", "127.255.255.254", "::ffff:7f00:1" };

	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		struct http_request r = web_ask(*state, "GET", "/metrics");
		r.remote_addr = far[i];
		assert_status(web_get(*state, &r), "403");
	}
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		struct http_request r = web_ask(*state, "GET", "/metrics");
		r.remote_addr = near[i];
		const char *out = web_get(*state, &r);
		assert_status(out, "200");
		assert_has(out, "Content-Type: text/plain; version=0.0.4");
		assert_has(out, "familybot_shard_up{shard=\"shard2\"} 1\n");
		assert_has(out, "familybot_jobs{shard=\"shard0\","
		    "state=\"ready\"} 3\n");
		assert_has(out, "familybot_shard_counted_timestamp_seconds"
		    "{shard=\"shard1\",what=\"jobs\"} 5\n");
		/* what was never counted is not shown as nought */
		assert_null(strstr(out, "familybot_shard_users{"));
	}
}

static void only_the_whole_secret_opens_the_webhook(void **state)
{
	static const char *const wrong[] = { "", "s", "s3cret-Token_of_the_webhooK",
		"s3cret-Token_of_the_webhoo", SECRET "x", ("x" SECRET) };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct http_request r = web_update(*state, "{}");
		r.secret_token = wrong[i];
		assert_status(web_get(*state, &r), "403");
	}
	assert_int_equal(fake.calls, 0);
	struct http_request r = web_update(*state, "{}");
	assert_status(web_get(*state, &r), "200");
	assert_int_equal(fake.calls, 1);
}

static void an_empty_secret_opens_nothing(void **state)
{
	struct world *w = *state;
	struct http_request r = web_update(w, "{}");

	w->http.webhook_secret = "";
	r.secret_token = "";
	assert_status(web_get(w, &r), "403");
	assert_int_equal(fake.calls, 0);
}

static void only_json_is_read(void **state)
{
	static const struct {
		const char *type;
		bool ok;
	} cases[] = {
		{ "application/json", true },
		{ "Application/JSON; charset=utf-8", true },
		{ "application/jsonp", false }, { "text/plain", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request r = web_update(*state, "{}");
		r.content_type = cases[i].type;
		const char *out = web_get(*state, &r);
		assert_memory_equal(out,
		    cases[i].ok ? "Status: 200" : "Status: 415", 11);
	}
}

static void the_bots_answer_is_the_webhooks(void **state)
{
	struct http_request r = web_update(*state, "{\"update_id\":1}");

	fake.answer = "{\"method\":\"sendMessage\",\"text\":\"\xd0\xb4\xd0\xb0\"}";
	const char *out = web_get(*state, &r);
	assert_status(out, "200");
	assert_has(out, "\r\nContent-Length: 38\r\n");
	assert_string_equal(web_body(out), fake.answer);
	assert_int_equal(fake.len, strlen("{\"update_id\":1}"));
	assert_hasnt(out, "Connection:");
}

static void what_can_never_succeed_is_acknowledged(void **state)
{
	static const enum rc never[] = { RC_INVALID, RC_NOTFOUND, RC_TOOBIG };

	fake.answer = "half an answer";
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct http_request r = web_update(*state, "not json");
		fake.rc = never[i];
		const char *out = web_get(*state, &r);
		assert_status(out, "200");
		assert_string_equal(web_body(out), "{}");
	}
}

static void what_may_succeed_later_is_503(void **state)
{
	static const struct {
		enum rc rc;
		const char *header;
	} later[] = {
		{ RC_BUSY, "\r\nRetry-After: 1\r\n" },
		{ RC_CONFLICT, "\r\nRetry-After: 1\r\n" },
		{ RC_UNAVAILABLE, "\r\nRetry-After: 5\r\n" },
		{ RC_SYSTEM, "\r\nRetry-After: 5\r\n" },
		{ RC_FULL, "\r\nRetry-After: 60\r\n" },
		{ RC_DENIED, "\r\nRetry-After: 60\r\n" },
		{ RC_CORRUPT, "\r\nRetry-After: 60\r\n" },
	};

	fake.answer = "half an answer";
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		struct http_request r = web_update(*state, "{}");
		fake.rc = later[i].rc;
		const char *out = web_get(*state, &r);
		assert_status(out, "503");
		assert_has(out, later[i].header);
		assert_hasnt(out, "half an answer");
	}
}

static void bodies_over_the_cap_or_cut_never_reach_the_bot(void **state)
{
	struct http_request r = web_update(*state, "");

	r.too_big = true;
	assert_status(web_get(*state, &r), "413");
	r = web_update(*state, "{\"upd");
	r.cut_short = true;
	assert_status(web_get(*state, &r), "400");
	assert_int_equal(fake.calls, 0);
}

static void an_id_that_is_harmless_is_kept(void **state)
{
	struct http_request r = web_ask(*state, "GET", "/healthz");
	char first[64];

	r.id = "0123456789abcdef0123456789abcdef";
	assert_has(web_get(*state, &r),
	    "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n");
	r = web_ask(*state, "GET", "/healthz");
	r.id = "evil\r\nSet-Cookie: a=b";
	const char *out = web_get(*state, &r);
	assert_hasnt(out, "Set-Cookie");
	assert_has(out, "X-Request-Id: ");
	str_copy_n(first, sizeof(first), strstr(out, "X-Request-Id: "), 30);
	r = web_ask(*state, "GET", "/healthz");
	assert_hasnt(web_get(*state, &r), first);
}

static void stages_are_told_in_server_timing(void **state)
{
	struct http_request r = web_update(*state, "{}");

	r.timing.us[STAGE_SHARD] = 1234567;
	const char *out = web_get(*state, &r);
	const char *header = strstr(out, "Server-Timing: ");
	assert_non_null(header);
	assert_has(header, "shard;dur=1234.");
	assert_has(header, "total;dur=");
}

static void readyz_names_the_shard_that_is_down(void **state)
{
	struct world *w = *state;
	struct http_request r = web_ask(w, "GET", "/readyz");
	const char *out = web_get(w, &r);

	assert_status(out, "200");
	assert_has(out, "{\"status\":\"ready\",\"shards\":["
	    "{\"name\":\"shard0\",\"up\":true,\"state\":\"up\"},");
	w->down = 1;
	r = web_ask(w, "GET", "/readyz");
	out = web_get(w, &r);
	assert_status(out, "503");
	assert_has(out, "{\"name\":\"shard0\",\"up\":true,"
	    "\"state\":\"up\"},{\"name\":\"shard1\",\"up\":false,"
	    "\"state\":\"down\"}");
	assert_hasnt(out, "mongodb");
	w->breaker = 1;
	r = web_ask(w, "GET", "/readyz");
	out = web_get(w, &r);
	assert_has(out, "\"up\":false,\"state\":\"refused\"}");
	r = web_ask(w, "GET", "/metrics");
	out = web_get(w, &r);
	assert_has(out, "familybot_shard_breaker{shard=\"shard0\"} 0\n"
	    "familybot_shard_breaker{shard=\"shard1\"} 1\n");
	w->paused = true;
	r = web_ask(w, "GET", "/readyz");
	out = web_get(w, &r);
	assert_status(out, "200");
	assert_has(out, "\"up\":false,\"state\":\"paused\"}");
}

static void one_line_tells_the_request_and_no_secret(void **state)
{
	struct http_request r = web_update(*state, "{\"text\":\"my diary\"}");
	char text[4096], end[128];

	r.id = "abcdef0123456789";
	web_logged(*state, &r, text, sizeof(text));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_has(text, "event=request id=abcdef0123456789 route=webhook "
	    "method=POST path=\"/api/webhook\" status=200 ");
	assert_has(text, " us_shard=");
	str_format(end, sizeof(end), " kind=message handler=food update=77 "
	    "user=%s shard=1\n", log_who_name(-42));
	assert_has(text, end);
	assert_hasnt(text, "user=-42");
	assert_hasnt(text, SECRET);
	assert_hasnt(text, "my diary");
	r = web_update(*state, "[[[");
	fake.rc = RC_INVALID;
	web_logged(*state, &r, text, sizeof(text));
	assert_has(text, " rc=invalid why=\"as told\"\n");
	r = web_update(*state, "[[[");
	fake.why = "user -42 is not stored";
	web_logged(*state, &r, text, sizeof(text));
	str_format(end, sizeof(end), " why=\"user %s is not stored\"\n",
	    log_who_name(-42));
	assert_has(text, end);
}

static void who_asks_is_told_by_id_in_a_debug_log_alone(void **state)
{
	struct http_request r = web_update(*state, "{}");
	char text[4096];

	log_level_set(LOG_LVL_DEBUG);
	web_logged(*state, &r, text, sizeof(text));
	log_level_set(LOG_LVL_INFO);
	assert_has(text, " user=-42 shard=1\n");
}

static void a_path_cannot_break_the_log_line(void **state)
{
	struct http_request r = web_ask(*state, "GET", "/x\nlevel=error y=\"");
	char text[4096];

	web_logged(*state, &r, text, sizeof(text));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_has(text, "path=\"/x level=error y=\\\"\" status=404");
}

static void requests_are_counted_by_route_and_status(void **state)
{
	struct http_request r = web_update(*state, "{}");

	web_get(*state, &r);
	r = web_update(*state, "{}");
	fake.rc = RC_BUSY;
	web_get(*state, &r);
	r = web_ask(*state, "PATCH", "/nowhere");
	web_get(*state, &r);
	r = web_ask(*state, "GET", "/metrics");
	const char *out = web_get(*state, &r);
	assert_has(out, "http_requests_total{route=\"webhook\",method=\"POST\","
	    "status=\"200\"} 1\n");
	assert_has(out, "http_requests_total{route=\"webhook\",method=\"POST\","
	    "status=\"503\"} 1\n");
	assert_has(out, "http_requests_total{route=\"other\",method=\"other\","
	    "status=\"404\"} 1\n");
	assert_has(out, "familybot_updates_total{kind=\"message\","
	    "handler=\"food\"} 2\n");
	assert_has(out, "familybot_update_results_total{result=\"busy\"} 1\n");
	assert_has(out, "\nactive_users_total 1\n");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, web_setup, web_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unknown_paths_are_404_in_json),
		T(other_methods_are_405_with_allow),
		T(head_answers_get_without_its_body),
		T(metrics_are_for_this_machine_only),
		T(only_the_whole_secret_opens_the_webhook),
		T(an_empty_secret_opens_nothing),
		T(only_json_is_read),
		T(the_bots_answer_is_the_webhooks),
		T(what_can_never_succeed_is_acknowledged),
		T(what_may_succeed_later_is_503),
		T(bodies_over_the_cap_or_cut_never_reach_the_bot),
		T(an_id_that_is_harmless_is_kept),
		T(stages_are_told_in_server_timing),
		T(readyz_names_the_shard_that_is_down),
		T(one_line_tells_the_request_and_no_secret),
		T(who_asks_is_told_by_id_in_a_debug_log_alone),
		T(a_path_cannot_break_the_log_line),
		T(requests_are_counted_by_route_and_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
