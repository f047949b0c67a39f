/*
 * test_telegram.c - the HTTP client and the Bot API client against a real
 * server on loopback: what is sent, what its answers mean, and that neither
 * size nor slowness nor a redirect of the other side gets through.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "http_server.h"
#include "utils/clock.h"
#include "utils/json.h"

#define TOKEN	"123456:AAsecretsecretsecret"

struct telegram_place {
	struct server *server;
	struct http *http;
	struct telegram *telegram;
	int pipe[2];
	char base[64];
	/* what the server does, and what it saw */
	struct server_answer answer;
	struct server_request last;
	int requests;
};

static void on_request(void *ctx, const struct server_request *q,
    struct server_answer *a)
{
	struct telegram_place *p = ctx;

	p->requests++;
	p->last = *q;
	*a = p->answer;
}

static int setup(void **state)
{
	static struct telegram_place p;
	struct http_conf c = { .user_agent = "test" };
	struct err e;

	memset(&p, 0, sizeof(p));
	p.answer.status = 200;
	p.server = server_start(on_request, &p);
	assert_int_equal(pipe(p.pipe), 0);
	c.stop_fd = p.pipe[0];
	assert_int_equal(http_open(&c, &p.http, &e), RC_OK);
	str_format(p.base, sizeof(p.base), "http://127.0.0.1:%d",
	    server_port(p.server));
	p.telegram = telegram_new(p.http, p.base, TOKEN);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct telegram_place *p = *state;

	telegram_free(p->telegram);
	http_free(p->http);
	server_stop(p->server);
	close(p->pipe[0]);
	close(p->pipe[1]);
	return 0;
}

static void says(struct telegram_place *p, int status, const char *body)
{
	server_lock(p->server);
	p->answer.status = status;
	str_copy(p->answer.body, sizeof(p->answer.body), body);
	server_unlock(p->server);
}

static enum tg_verdict ask(struct telegram_place *p, const char *call,
    struct tg_answer *a)
{
	const struct tg_request r = { .call = call, .len = strlen(call) };

	telegram_do(p->telegram, &r, a);
	return a->verdict;
}

static void a_call_is_posted_under_its_method(void **state)
{
	struct telegram_place *p = *state;
	struct tg_answer a;

	says(p, 200, "{\"ok\":true,\"result\":{\"message_id\":7}}");
	assert_int_equal(ask(p, "{\"method\":\"sendMessage\",\"chat_id\":5,"
	    "\"text\":\"a/b \\u043f\"}", &a), TG_OK);
	assert_string_equal(p->last.method, "POST");
	assert_string_equal(p->last.path, "/bot" TOKEN "/sendMessage");
	assert_string_equal(p->last.body,
	    "{\"chat_id\":5,\"text\":\"a/b п\"}");
	assert_non_null(strcasestr(p->last.head,
	    "Content-Type: application/json"));
	assert_null(strcasestr(p->last.head, "Expect:"));
	assert_non_null(json_obj(a.json, "result"));
	tg_answer_release(&a);
}

static void answers_are_told_apart(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum tg_verdict verdict;
	} rows[] = {
#define NO(code, words) "{\"ok\":false,\"error_code\":" #code \
	",\"description\":\"" words "\"}"
		{ 400, NO(400, "Bad Request: message is not modified: specified "
		  "new message content …"), TG_UNCHANGED },
		{ 400, NO(400, "Bad Request: query is too old and response "
		  "timeout expired or query ID is invalid"), TG_STALE },
		{ 400, NO(400, "Bad Request: can't parse entities: Unsupported "
		  "start tag"), TG_PLAIN },
		{ 400, NO(400, "Bad Request: chat not found"), TG_PERMANENT },
		{ 401, NO(401, "Unauthorized"), TG_TOKEN },
		{ 403, NO(403, "Forbidden: bot was blocked by the user"),
		  TG_FORBIDDEN },
		{ 404, NO(404, "Not Found"), TG_TOKEN },
		{ 404, NO(404, "Not Found: method not found"), TG_PERMANENT },
		{ 409, NO(409, "Conflict: terminated by other getUpdates"),
		  TG_CONFLICT },
		{ 413, NO(413, "Request Entity Too Large"), TG_PERMANENT },
		{ 500, NO(500, "Internal Server Error"), TG_RETRY },
		{ 502, "<html>Bad Gateway</html>", TG_RETRY },
		{ 200, "<html>log in to this hotel</html>", TG_RETRY },
		{ 200, "{\"ok\":\"yes\"}", TG_RETRY },
		{ 302, "", TG_RETRY },
#undef NO
	};
	struct telegram_place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_answer a;
		says(p, rows[i].status, rows[i].body);
		if (ask(p, "{\"method\":\"getMe\"}", &a) != rows[i].verdict)
			fail_msg("%s: %s", rows[i].body,
			    tg_verdict_name(a.verdict));
		tg_answer_release(&a);
	}
}

static void flood_and_migration_carry_their_figures(void **state)
{
	struct telegram_place *p = *state;
	struct tg_answer a;

	says(p, 429, "{\"ok\":false,\"error_code\":429,\"description\":\"Too "
	    "Many Requests: retry after 17\",\"parameters\":"
	    "{\"retry_after\":17}}");
	assert_int_equal(ask(p, "{\"method\":\"getMe\"}", &a), TG_WAIT);
	assert_int_equal(a.retry_after_s, 17);
	tg_answer_release(&a);
	says(p, 400, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad "
	    "Request: group chat was upgraded to a supergroup chat\","
	    "\"parameters\":{\"migrate_to_chat_id\":-1001234567890}}");
	assert_int_equal(ask(p, "{\"method\":\"getMe\"}", &a), TG_MIGRATED);
	assert_int_equal(a.migrate_to, INT64_C(-1001234567890));
	tg_answer_release(&a);
}

static void a_redirect_is_not_followed(void **state)
{
	struct telegram_place *p = *state;
	struct tg_answer a;

	says(p, 302, "");
	p->answer.head = "Location: /elsewhere\r\n";
	assert_int_equal(ask(p, "{\"method\":\"getMe\"}", &a), TG_RETRY);
	tg_answer_release(&a);
	assert_int_equal(p->requests, 1);
	assert_string_equal(p->last.path, "/bot" TOKEN "/getMe");
}

static enum rc fetch(struct telegram_place *p, long timeout_ms, size_t max)
{
	const struct http_fetch r = { .url = p->base,
		.timeout_ms = timeout_ms, .answer_max = max };
	struct http_answer a;
	enum rc rc;

	http_answer_init(&a, max);
	http_do(p->http, &r, &a);
	rc = a.rc;
	assert_true(a.body.len <= max);
	http_answer_release(&a);
	return rc;
}

static void a_chunked_flood_is_cut_off(void **state)
{
	struct telegram_place *p = *state;

	says(p, 200, "0123456789");
	p->answer.repeat = 100;
	assert_int_equal(fetch(p, 5000, 1000), RC_OK);
	assert_int_equal(fetch(p, 5000, 999), RC_TOOBIG);
}

static void slowness_ends_in_time(void **state)
{
	struct telegram_place *p = *state;
	int64_t begin = clock_mono_us();

	p->answer.delay_ms = 1500;
	assert_int_equal(fetch(p, 200, 100), RC_UNAVAILABLE);
	assert_true(clock_mono_us() - begin < 1200000);
}

static void a_stop_ends_the_wait(void **state)
{
	struct telegram_place *p = *state;
	int64_t begin = clock_mono_us();

	p->answer.delay_ms = 1500;
	assert_int_equal(write(p->pipe[1], "x", 1), 1);
	assert_int_equal(fetch(p, 10000, 100), RC_BUSY);
	assert_true(clock_mono_us() - begin < 1200000);
}

static void count(void *ctx, const struct http_answer *a)
{
	int *n = ctx;

	n[0]++;
	n[1] = (int)a->rc;
}

static void abort_tells_and_cancel_does_not(void **state)
{
	struct telegram_place *p = *state;
	const struct http_fetch r = { .url = p->base, .timeout_ms = 5000,
		.answer_max = 10 };
	struct http_call *call;
	int cancelled[2] = { 0, 0 }, aborted[2] = { 0, 0 };

	p->answer.delay_ms = 300;
	assert_int_equal(http_start(p->http, &r, count, cancelled, &call, NULL),
	    RC_OK);
	assert_int_equal(http_start(p->http, &r, count, aborted, NULL, NULL),
	    RC_OK);
	http_cancel(call);
	assert_int_equal(http_flying(p->http), 1);
	http_abort(p->http);
	assert_int_equal(cancelled[0], 0);
	assert_int_equal(aborted[0], 1);
	assert_int_equal(aborted[1], RC_BUSY);
	assert_int_equal(http_start(p->http, &r, count, aborted, NULL, NULL),
	    RC_BUSY);
}

static void only_https_and_loopback_are_spoken_to(void **state)
{
	static const char *const good[] = { "https://api.telegram.org",
		"http://127.0.0.1:8081/x", "http://localhost/",
		"http://[::1]:80/" };
	static const char *const bad[] = { "http://api.telegram.org/",
		"http://127.0.0.1.example.org/", "http://10.0.0.1/",
		"file:///etc/passwd", "ftp://127.0.0.1/", "",
		"https://user:word@example.org/", "http://a@127.0.0.1/" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!http_url_allowed(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_url_allowed(bad[i]))
			fail_msg("allowed: %s", bad[i]);
}

static void no_error_text_holds_the_token(void **state)
{
	struct telegram_place *p = *state;
	struct telegram *t = telegram_new(p->http, "http://127.0.0.1:1",
	    TOKEN);
	const struct tg_request r = { .call = "{\"method\":\"getMe\"}",
		.len = 18 };
	struct tg_answer a;

	telegram_do(t, &r, &a);
	assert_int_equal(a.verdict, TG_RETRY);
	assert_true(a.description[0] != '\0');
	assert_null(strstr(a.description, "secret"));
	tg_answer_release(&a);
	telegram_free(t);
	t = telegram_new(p->http, p->base, "12/../../x");
	telegram_do(t, &r, &a);
	assert_int_equal(a.verdict, TG_PERMANENT);
	assert_null(strstr(a.description, "/../"));
	telegram_free(t);
	assert_int_equal(p->requests, 0);
}

static void what_is_no_call_is_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "{}", "{\"method\":5}",
		"{\"method\":\"a/b\"}", "{\"method\":\"\"}", "{\"method\":" };
	struct telegram_place *p = *state;
	struct tg_answer a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask(p, bad[i], &a), TG_PERMANENT);
		tg_answer_release(&a);
	}
	assert_int_equal(p->requests, 0);
}

static void plain(const char *call, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(telegram_plain(call, strlen(call), &b, NULL), RC_OK);
	assert_string_equal(b.s, expected);
	buf_release(&b);
}

static void formatting_is_taken_out(void **state)
{
	(void)state;
	plain("{\"method\":\"sendMessage\",\"chat_id\":1,\"parse_mode\":\"HTML\","
	    "\"text\":\"<b>1 < 2</b> &amp; <a href=\\\"u\\\">x</a> &lt;3 &\"}",
	    "{\"method\":\"sendMessage\",\"chat_id\":1,"
	    "\"text\":\"1 < 2 & x <3 &\"}");
	plain("{\"text\":\"<b>\",\"entities\":[{\"type\":\"bold\"}]}",
	    "{\"text\":\"<b>\"}");
	plain("{\"media\":[{\"caption\":\"<i>c</i>\",\"parse_mode\":\"HTML\"}]}",
	    "{\"media\":[{\"caption\":\"c\"}]}");
}

static void a_call_goes_to_another_chat(void **state)
{
	const char call[] = "{\"chat_id\":-5,\"text\":\"t\"}";
	struct buf b;
	int64_t chat = 0;

	(void)state;
	assert_true(telegram_chat(call, strlen(call), &chat));
	assert_int_equal(chat, -5);
	assert_true(telegram_chat("{\"chat_id\":\"77\"}", 16, &chat));
	assert_int_equal(chat, 77);
	assert_false(telegram_chat("{\"chat_id\":\"@a\"}", 16, &chat));
	buf_init(&b, 4096);
	assert_int_equal(telegram_to_chat(call, strlen(call),
	    INT64_C(-1009), &b, NULL), RC_OK);
	assert_string_equal(b.s, "{\"chat_id\":-1009,\"text\":\"t\"}");
	buf_release(&b);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_call_is_posted_under_its_method),
		T(answers_are_told_apart),
		T(flood_and_migration_carry_their_figures),
		T(a_redirect_is_not_followed),
		T(a_chunked_flood_is_cut_off),
		T(slowness_ends_in_time),
		T(a_stop_ends_the_wait),
		T(abort_tells_and_cancel_does_not),
		T(no_error_text_holds_the_token),
		T(what_is_no_call_is_refused),
		cmocka_unit_test(only_https_and_loopback_are_spoken_to),
		cmocka_unit_test(formatting_is_taken_out),
		cmocka_unit_test(a_call_goes_to_another_chat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
