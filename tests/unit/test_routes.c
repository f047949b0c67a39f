/*
 * test_routes.c - what a row of the table of routes asks for is checked before
 * its handler is called, with rows, doors and handlers of this test alone.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "utils/clock.h"
#include "web_place.h"

enum { NROWS = 40, RETRY_S = 7 };

/* What the doors of this test say, and how often they were asked. */
static struct {
	enum rc who;
	struct http_caller caller;
	int wait, asked, waited, checked;
	enum http_limit limit;
	int64_t limited;	/* who was, as the limiter saw it */
} door;

static enum rc who(void *ctx, const struct http_request *req,
    struct http_caller *caller, struct err *e)
{
	const char *token = http_header(req, "Authorization");

	(void)ctx;
	door.asked++;
	if (door.who != RC_OK)
		return err_set(e, door.who, "as told");
	if (token == NULL || strcmp(token, "Bearer right") != 0)
		return err_set(e, RC_DENIED, "secret words of the door");
	*caller = door.caller;
	return RC_OK;
}

static int wait_s(void *ctx, enum http_limit limit,
    const struct http_request *req)
{
	(void)ctx;
	door.waited++;
	door.limit = limit;
	door.limited = req->caller.user_id;
	return door.wait;
}

static const char *arg(const struct http_request *req, const char *name)
{
	const char *value = http_arg(req, name);

	return value != NULL ? value : "none";
}

static void tell(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	(void)ctx;
	buf_printf(&resp->body, "id=%s day=%s q=%s etag=%s rest=%s who=%lld "
	    "len=%zu", arg(req, "id"), arg(req, "day"), arg(req, "q"),
	    arg(req, "If-Match"), arg(req, "*"),
	    (long long)req->caller.user_id, req->len);
}

static void me(void *ctx, struct http_request *req, struct http_response *resp)
{
	(void)ctx;
	(void)req;
	buf_puts(&resp->body, "me");
}

static enum rc braces(void *ctx, struct http_request *req, struct err *e)
{
	(void)ctx;
	door.checked++;
	return req->len > 0 && req->body[0] == '{' ? RC_OK :
	    err_set(e, RC_INVALID, "the body is no object");
}

static const struct http_want wants[] = {
	{ "q", HTTP_IN_QUERY, 5, true },
	{ "day", HTTP_IN_QUERY, 10, false },
	{ "If-Match", HTTP_IN_HEADER, 8, false },
	{ .name = NULL },
};

#define ROW(m, p, ...)	{ .method = m, .path = p, .name = "row", \
	.handle = tell, .flags = HTTP_F_PROBLEM, ##__VA_ARGS__ }
#define FLAGS(f)	.flags = HTTP_F_PROBLEM | (f)

/* More rows than there was ever room for, the last ones behind them all. */
static struct http_route rows[NROWS + 1];
static const struct http_route some[] = {
	{ .method = "GET", .path = "/users/me", .name = "row", .handle = me },
	ROW("GET", "/users/{id}"),
	ROW("PUT", "/users/{id}"),
	ROW("GET", "/users/{id}/days/{day}"),
	ROW("GET", "/search", .wants = wants),
	ROW("GET", "/files/*"),
	ROW("POST", "/meals", .body_max = 10, .type = "application/json",
	    .check = braces),
	{ .method = "GET", .path = "/mine", .name = "row", .handle = tell,
	    FLAGS(HTTP_F_AUTH), .limit = HTTP_LIMIT_READ },
	{ .method = "GET", .path = "/admin", .name = "row", .handle = tell,
	    FLAGS(HTTP_F_ADMIN) },
	ROW("POST", "/login", .limit = HTTP_LIMIT_LOGIN, .type = "text/x"),
	{ .path = "/api/*", .name = "row", .flags = HTTP_F_PROBLEM },
};
enum { NSOME = sizeof(some) / sizeof(some[0]) };

static int setup(void **state)
{
	static const struct http_doors doors = { NULL, who, wait_s };
	static const char *names[NROWS];
	static struct world w;
	size_t first = NROWS - NSOME;

	memset(&w, 0, sizeof(w));
	memset(&door, 0, sizeof(door));
	door.caller.user_id = 4711;
	for (size_t i = 0; i < NROWS; i++) {
		rows[i] = (struct http_route){ .method = "GET",
			.path = "/other", .name = "row", .handle = tell };
		if (i >= first)
			rows[i] = some[i - first];
		names[i] = rows[i].name;
	}
	assert_int_equal(metrics_open(NULL, names, NROWS, 1000, &w.metrics,
	    NULL), RC_OK);
	w.web = web_new(rows, NULL, w.metrics, &clock_system);
	web_doors_set(w.web, &doors);
	buf_init(&w.out, 1 << 20);
	*state = &w;
	return 0;
}

static const struct http_field authorized[] = {
	{ "HTTP_ACCEPTxyz", 11, "*", 1 },
	{ "HTTP_AUTHORIZATION", 18, "Bearer right", 12 },
	{ "HTTP_IF_MATCH", 13, "v17", 3 },
};

static struct http_request ask(struct world *w, const char *method,
    const char *path, const char *query)
{
	struct http_request r = web_ask(w, method, path);

	r.query = query;
	r.fields = authorized;
	r.nfields = sizeof(authorized) / sizeof(authorized[0]);
	return r;
}

/* Asserts the status and, from the body, the words. */
static void expect(struct world *w, struct http_request *r, int status,
    const char *words)
{
	const char *out = web_get(w, r);
	char head[32];

	str_format(head, sizeof(head), "Status: %d ", status);
	assert_memory_equal(out, head, strlen(head));
	assert_has(web_body(out), words);
	if (status != 200) {
		assert_has(out, "Content-Type: application/problem+json\r\n");
		assert_has(out, "{\"type\":\"about:blank\",\"title\":\"");
		str_format(head, sizeof(head), "\"status\":%d,", status);
		assert_has(web_body(out), head);
	}
	web_done(w->web, r);
}

static void get(struct world *w, const char *path, const char *query,
    int status, const char *words)
{
	struct http_request r = ask(w, "GET", path, query);

	expect(w, &r, status, words);
}

static void names_in_paths_are_whole_segments(void **state)
{
	get(*state, "/users/4711", "", 200, "id=4711 day=none");
	get(*state, "/users/a b", "", 200, "id=a b ");
	get(*state, "/users/me", "", 200, "me");
	get(*state, "/users/mean", "", 200, "id=mean ");
	get(*state, "/users/7/days/2026-11-27", "", 200, "id=7 day=2026-11-27 ");
	get(*state, "/files/a/b.txt", "", 200, "rest=a/b.txt ");
	get(*state, "/files/", "", 200, "rest= ");
}

static void what_fits_no_row_is_404_and_leaves_no_names(void **state)
{
	static const char *const none[] = { "/users/", "/users", "/users/7/",
		"/users/7/days", "/users/7/days/", "/users//days/1", "/file",
		"", "/", "/users/7/days/1/2" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct http_request r = ask(*state, "GET", none[i], "");
		assert_status(web_get(*state, &r), "404");
		assert_null(r.args);
	}
	get(*state, "/api/v1/nothing", "", 404, "there is no such path");
}

static void a_405_allows_all_methods_of_the_path(void **state)
{
	struct http_request r = ask(*state, "DELETE", "/users/7", "");

	assert_has(web_get(*state, &r), "\r\nAllow: GET, HEAD, PUT\r\n");
	expect(*state, &r, 405, "see Allow");
	r = ask(*state, "PUT", "/users/me", "");	/* of {id} */
	expect(*state, &r, 200, "id=me ");
	r = ask(*state, "HEAD", "/users/7", "");
	assert_status(web_get(*state, &r), "200");
}

static void the_query_is_decoded_named_and_capped(void **state)
{
	get(*state, "/search", "q=rice", 200, "day=none q=rice etag=v17");
	get(*state, "/search", "x=1&q=%D1%80%2b+&day=", 200, "day= q=р+  ");
	get(*state, "/search", "q=&y", 200, "q= etag");
	get(*state, "/search", "%71=a%26b", 200, "q=a&b ");
	get(*state, "/search", "", 400, "q is missing");
	get(*state, "/search", "Q=1", 400, "q is missing");
	get(*state, "/search", "q=123456", 400, "q is longer than 5 bytes");
	get(*state, "/search", "q=1&q=2", 400, "q is given twice");
	get(*state, "/search", "q=%", 400, "encoded");
	get(*state, "/search", "q=%4", 400, "encoded");
	get(*state, "/search", "q=%4&day=1", 400, "encoded");
	get(*state, "/search", "q=%zz", 400, "encoded");
	get(*state, "/search", "q=a%00b", 400, "encoded");
	get(*state, "/search", "q=%ff", 400, "encoded");
	get(*state, "/search", "q=1&%0", 400, "encoded");
}

static void a_header_over_its_cap_is_400(void **state)
{
	static const struct http_field large = { "HTTP_IF_MATCH", 13,
		"123456789", 9 };
	struct http_request r = ask(*state, "GET", "/search", "q=1");

	r.fields = &large;
	r.nfields = 1;
	expect(*state, &r, 400, "If-Match is longer than 8 bytes");
	r = ask(*state, "GET", "/search", "q=1");
	r.nfields = 0;
	expect(*state, &r, 200, "etag=none");
	r = ask(*state, "GET", "/search", "q=1");
	r.too_many = true;
	expect(*state, &r, 431, "too many headers");
}

static void bodies_have_their_size_type_and_shape(void **state)
{
	static const struct {
		const char *type, *body;
		int status, checked;
		const char *words;
	} cases[] = {
		{ "application/json", "{}", 200, 1, "len=2" },
		{ "Application/JSON; charset=utf-8", "{}", 200, 1, "len=2" },
		{ "application/jsonx", "{}", 415, 0,
		    "should be application/json" },
		{ "", "{}", 415, 0, "should be application/json" },
		{ "application/json", "[]", 400, 1, "is no object" },
		{ "application/json", "{345678901", 413, 0, "too large" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request r = ask(*state, "POST", "/meals", "");
		r.content_type = cases[i].type;
		r.body = cases[i].body;
		r.len = strlen(r.body) + (cases[i].status == 413);
		door.checked = 0;
		expect(*state, &r, cases[i].status, cases[i].words);
		assert_int_equal(door.checked, cases[i].checked);
	}
	struct http_request r = ask(*state, "POST", "/meals", "");
	r.too_big = true;
	expect(*state, &r, 413, "too large");
}

static void who_is_not_known_never_reaches_the_handler(void **state)
{
	struct http_request r = ask(*state, "GET", "/mine", "");

	expect(*state, &r, 200, "who=4711 ");
	r = ask(*state, "GET", "/mine", "");
	r.nfields = 0;
	assert_has(web_get(*state, &r), "\r\nWWW-Authenticate: Bearer\r\n");
	assert_hasnt(web_get(*state, &r), "secret words");
	expect(*state, &r, 401, "is not known");
	assert_int_equal(door.waited, 1);	/* the first one alone */
	door.caller.user_id = 0;
	get(*state, "/mine", "", 401, "is not known");
	door.who = RC_UNAVAILABLE;
	get(*state, "/mine", "", 503, "cannot be told now");
	/* a row that does not ask does not pay */
	door.asked = 0;
	get(*state, "/users/7", "", 200, "who=0 ");
	assert_int_equal(door.asked, 0);
}

static void only_administrators_pass_an_admins_row(void **state)
{
	get(*state, "/admin", "", 403, "only for administrators");
	door.caller.admin = true;
	get(*state, "/admin", "", 200, "who=4711");
	door.who = RC_DENIED;
	get(*state, "/admin", "", 401, "is not known");
}

static void who_comes_too_often_waits(void **state)
{
	struct http_request r;

	door.wait = RETRY_S;
	r = ask(*state, "GET", "/mine", "");
	assert_has(web_get(*state, &r), "\r\nRetry-After: 7\r\n");
	expect(*state, &r, 429, "too many requests");
	assert_int_equal(door.limit, HTTP_LIMIT_READ);
	assert_int_equal(door.limited, 4711);
	/* counted before what it brings is looked at */
	r = ask(*state, "POST", "/login", "");
	expect(*state, &r, 429, "too many requests");
	assert_int_equal(door.limit, HTTP_LIMIT_LOGIN);
	assert_int_equal(door.limited, 0);
	door.wait = 0;
	r = ask(*state, "POST", "/login", "");
	r.content_type = "text/x";
	expect(*state, &r, 200, "len=0");
}

static void a_row_without_its_door_is_shut(void **state)
{
	static const struct http_doors none = { NULL, NULL, NULL };
	struct world *w = *state;
	struct http_request r;

	web_doors_set(w->web, &none);
	get(w, "/mine", "", 500, "nobody is at this door");
	get(w, "/admin", "", 500, "nobody is at this door");
	r = ask(w, "POST", "/login", "");
	expect(w, &r, 500, "nobody counts");
	get(w, "/users/7", "", 200, "id=7");
}

static void the_log_tells_the_row_and_not_whom_the_path_names(void **state)
{
	struct http_request r = ask(*state, "GET", "/users/4711", "q=secret");
	char text[4096];

	web_logged(*state, &r, text, sizeof(text));
	assert_has(text, " path=\"/users/{id}\" status=200 ");
	assert_hasnt(text, "4711");
	assert_hasnt(text, "secret");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, web_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_in_paths_are_whole_segments),
		T(what_fits_no_row_is_404_and_leaves_no_names),
		T(a_405_allows_all_methods_of_the_path),
		T(the_query_is_decoded_named_and_capped),
		T(a_header_over_its_cap_is_400),
		T(bodies_have_their_size_type_and_shape),
		T(who_is_not_known_never_reaches_the_handler),
		T(only_administrators_pass_an_admins_row),
		T(who_comes_too_often_waits),
		T(a_row_without_its_door_is_shut),
		T(the_log_tells_the_row_and_not_whom_the_path_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
