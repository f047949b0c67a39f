/*
 * test_poller.c - getUpdates → webhook, with one real server that plays both
 * the Bot API and the bot.  The test's updates are handed out again until
 * their offset is confirmed, as Telegram does.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "http_server.h"
#include "utils/json.h"
#include "worker/offset.h"
#include "worker/poller.h"

#define TOKEN	"123456:AAsecretsecretsecret"
#define SECRET	"0123456789abcdef"

enum { LOG_MAX = 64 };

struct poller_place {
	struct server *server;
	struct http *http;
	struct telegram *telegram;
	int stop[2];
	char dir[128], offset_path[160], url[128];
	const char *const *updates;	/* JSON, in order of id */
	int first_id, nupdates;
	int confirmed;		/* offset last asked for */
	int stop_at;		/* offset at which the test is over */
	int conflicts;		/* so many 409 first */
	int fail_chat, fails;	/* the webhook refuses so many of that chat */
	char posted[LOG_MAX][256];
	int nposted;
	int sends, secrets, asks;
	char ask[512];
};

static void get_updates(struct poller_place *p, const struct server_request *q,
    struct server_answer *a)
{
	struct json_object *j = NULL;
	int64_t offset = 0;
	struct buf b;

	str_copy(p->ask, sizeof(p->ask), q->body);
	p->asks++;
	if (p->conflicts-- > 0) {
		a->status = 409;
		str_copy(a->body, sizeof(a->body), "{\"ok\":false,"
		    "\"error_code\":409,\"description\":\"Conflict: can't use "
		    "getUpdates method while webhook is active\"}");
		return;
	}
	if (json_parse(q->body, q->len, &j, NULL) == RC_OK)
		(void)json_i64(j, "offset", &offset);
	json_free(j);
	p->confirmed = (int)offset;
	if (p->confirmed >= p->stop_at && write(p->stop[1], "x", 1) < 0)
		abort();
	buf_init(&b, SERVER_BODY_MAX - 1);
	buf_puts(&b, "{\"ok\":true,\"result\":[");
	for (int i = 0, n = 0; i < p->nupdates; i++)
		if (p->first_id + i >= p->confirmed)
			buf_printf(&b, "%s%s", n++ > 0 ? "," : "",
			    p->updates[i]);
	buf_puts(&b, "]}");
	str_copy(a->body, sizeof(a->body), b.s);
	buf_release(&b);
}

static void webhook(struct poller_place *p, const struct server_request *q,
    struct server_answer *a)
{
	char chat[32];

	str_copy(p->posted[p->nposted++ % LOG_MAX], sizeof(p->posted[0]),
	    q->body);
	p->secrets += strstr(q->head, "X-Telegram-Bot-Api-Secret-Token: "
	    SECRET "\r\n") != NULL;
	str_format(chat, sizeof(chat), "\"chat\":{\"id\":%d}", p->fail_chat);
	if (p->fails > 0 && strstr(q->body, chat) != NULL) {
		p->fails--;
		a->status = 503;
		return;
	}
	str_copy(a->body, sizeof(a->body), strstr(q->body, "answer me") != NULL
	    ? "{\"method\":\"sendMessage\",\"chat_id\":1,\"text\":\"hello\"}"
	    : "{}");
}

static void on_request(void *ctx, const struct server_request *q,
    struct server_answer *a)
{
	struct poller_place *p = ctx;

	if (strstr(q->path, "/getUpdates") != NULL) {
		get_updates(p, q, a);
	} else if (strcmp(q->path, "/api/webhook") == 0) {
		webhook(p, q, a);
	} else {
		p->sends += strstr(q->path, "/sendMessage") != NULL &&
		    strcmp(q->body, "{\"chat_id\":1,\"text\":\"hello\"}") == 0;
		str_copy(a->body, sizeof(a->body),
		    "{\"ok\":true,\"result\":{}}");
	}
}

static int setup(void **state)
{
	static struct poller_place p;
	struct http_conf c = { .user_agent = "test" };
	const char *tmp = getenv("TMPDIR");
	char base[64];
	struct err e;

	memset(&p, 0, sizeof(p));
	p.first_id = 100;
	str_format(p.dir, sizeof(p.dir), "%s/pollXXXXXX",
	    tmp != NULL && strlen(tmp) < 60 ? tmp : "/tmp");
	assert_non_null(mkdtemp(p.dir));
	str_format(p.offset_path, sizeof(p.offset_path), "%s/o", p.dir);
	p.server = server_start(on_request, &p);
	assert_int_equal(pipe(p.stop), 0);
	c.stop_fd = p.stop[0];
	assert_int_equal(http_open(&c, &p.http, &e), RC_OK);
	str_format(base, sizeof(base), "http://127.0.0.1:%d",
	    server_port(p.server));
	str_format(p.url, sizeof(p.url), "%s/api/webhook", base);
	p.telegram = telegram_new(p.http, base, TOKEN);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct poller_place *p = *state;

	telegram_free(p->telegram);
	http_free(p->http);
	server_stop(p->server);
	close(p->stop[0]);
	close(p->stop[1]);
	unlink(p->offset_path);
	return rmdir(p->dir);
}

/* Runs until everything is confirmed. */
static void poll_all(struct poller_place *p, const char *const *updates, int n)
{
	struct poller_conf c = { .http = p->http, .telegram = p->telegram,
		.clock = &clock_system, .url = p->url, .secret = SECRET,
		.offset_path = p->offset_path, .stop_fd = p->stop[0] };
	struct err e;

	p->updates = updates;
	p->nupdates = n;
	p->stop_at = p->first_id + n;
	assert_int_equal(poller_run(&c, &e), RC_OK);
}

#define MESSAGE(id, chat, text) "{\"update_id\":" #id ",\"message\":{" \
	"\"chat\":{\"id\":" #chat "},\"text\":\"" text "\"}}"

static void updates_arrive_as_telegram_sends_them(void **state)
{
	static const char *const updates[] = {
		MESSAGE(100, 1, "10.5 / п"),
		"{\"update_id\":101,\"callback_query\":{\"id\":\"9\","
		"\"from\":{\"id\":1}}}",
	};
	struct poller_place *p = *state;

	poll_all(p, updates, 2);
	assert_int_equal(p->nposted, 2);
	assert_int_equal(p->secrets, 2);
	assert_string_equal(p->posted[0], updates[0]);
	assert_string_equal(p->posted[1], updates[1]);
	assert_int_equal(offset_load(p->offset_path,
	    clock_ms(&clock_system)), 102);
	assert_non_null(strstr(p->ask, "\"allowed_updates\":[\"message\","
	    "\"edited_message\",\"callback_query\",\"my_chat_member\"]"));
}

static void a_method_in_the_answer_is_executed(void **state)
{
	static const char *const updates[] = { MESSAGE(100, 1, "answer me"),
		MESSAGE(101, 1, "say nothing") };
	struct poller_place *p = *state;

	poll_all(p, updates, 2);
	assert_int_equal(p->sends, 1);
}

static void a_refused_update_holds_up_only_its_chat(void **state)
{
	static const char *const updates[] = { MESSAGE(100, 1, "a"),
		MESSAGE(101, 1, "b"), MESSAGE(102, 2, "c") };
	struct poller_place *p = *state;

	p->fail_chat = 1;
	p->fails = 2;
	poll_all(p, updates, 3);
	/* a (refused) c a (refused) a b */
	assert_int_equal(p->nposted, 5);
	assert_string_equal(p->posted[0], updates[0]);
	assert_string_equal(p->posted[1], updates[2]);
	assert_string_equal(p->posted[2], updates[0]);
	assert_string_equal(p->posted[3], updates[0]);
	assert_string_equal(p->posted[4], updates[1]);
}

static void a_conflict_is_waited_out(void **state)
{
	static const char *const updates[] = { MESSAGE(100, 1, "a") };
	struct poller_place *p = *state;

	p->conflicts = 1;
	poll_all(p, updates, 1);
	assert_int_equal(p->nposted, 1);
	assert_true(p->asks >= 3);
}

static void a_restart_goes_on_where_it_was(void **state)
{
	static const char *const updates[] = { MESSAGE(100, 1, "a"),
		MESSAGE(101, 1, "b") };
	struct poller_place *p = *state;
	struct err e;

	assert_int_equal(offset_save(p->offset_path, 101,
	    clock_ms(&clock_system), &e), RC_OK);
	poll_all(p, updates, 2);
	assert_int_equal(p->nposted, 1);
	assert_string_equal(p->posted[0], updates[1]);
}

static void an_old_offset_is_forgotten(void **state)
{
	struct poller_place *p = *state;
	int64_t now = clock_ms(&clock_system);
	struct err e;

	assert_int_equal(offset_load(p->offset_path, now), 0);
	assert_int_equal(offset_save(p->offset_path, 7, now, &e), RC_OK);
	assert_int_equal(offset_load(p->offset_path, now), 7);
	assert_int_equal(offset_load(p->offset_path,
	    now + INT64_C(7) * 24 * 3600 * 1000), 0);
}

static void a_foreign_webhook_must_be_https(void **state)
{
	struct poller_place *p = *state;
	struct poller_conf c = { .http = p->http, .telegram = p->telegram,
		.clock = &clock_system, .url = "http://example.org/",
		.secret = SECRET, .offset_path = p->offset_path,
		.stop_fd = p->stop[0] };
	struct err e;

	assert_int_equal(poller_run(&c, &e), RC_INVALID);
	assert_int_equal(p->asks, 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(updates_arrive_as_telegram_sends_them),
		T(a_method_in_the_answer_is_executed),
		T(a_refused_update_holds_up_only_its_chat),
		T(a_conflict_is_waited_out),
		T(a_restart_goes_on_where_it_was),
		T(an_old_offset_is_forgotten),
		T(a_foreign_webhook_must_be_https),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
