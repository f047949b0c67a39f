/* telegram.c - see telegram.h. */
#include "config.h"

#include "clients/telegram.h"

#include <json-c/json.h>
#include <string.h>

#include "utils/json.h"
#include "utils/xalloc.h"

enum { METHOD_SIZE = 48, URL_MAX = 1024, RETRY_AFTER_DEFAULT_S = 5,
	RETRY_AFTER_MAX_S = 3600 };

struct telegram {
	struct http *http;
	char *api;
	char *token;
};

struct tg_call {
	tg_done *done;
	void *ctx;
};

struct telegram *telegram_new(struct http *http, const char *api,
    const char *token)
{
	struct telegram *t = xcalloc(1, sizeof(*t));
	size_t n;

	t->http = http;
	t->api = xstrdup(api);
	for (n = strlen(t->api); n > 0 && t->api[n - 1] == '/'; n--)
		t->api[n - 1] = '\0';
	t->token = xstrdup(token != NULL ? token : "");
	return t;
}

void telegram_free(struct telegram *t)
{
	if (t == NULL)
		return;
	free(t->api);
	free(t->token);
	free(t);
}

bool telegram_has_token(const struct telegram *t)
{
	return t->token[0] != '\0';
}

const char *tg_verdict_name(enum tg_verdict v)
{
	static const char *const names[] = { "ok", "unchanged", "stale",
		"wait", "migrated", "plain", "forbidden", "retry", "conflict",
		"token", "permanent" };

	return names[v];
}

void tg_answer_release(struct tg_answer *a)
{
	json_free(a->json);
	a->json = NULL;
}

static bool says(const struct tg_answer *a, const char *words)
{
	return strcasestr(a->description, words) != NULL;
}

static enum tg_verdict verdict_400(const struct tg_answer *a)
{
	if (says(a, "message is not modified"))
		return TG_UNCHANGED;
	if (says(a, "query is too old"))
		return TG_STALE;
	if (says(a, "can't parse") && says(a, "entit"))
		return TG_PLAIN;
	return TG_PERMANENT;
}

static enum tg_verdict verdict_of(int64_t code, const struct tg_answer *a)
{
	if (a->migrate_to != 0)
		return TG_MIGRATED;
	switch (code) {
	case 400:
		return verdict_400(a);
	case 401:
		return TG_TOKEN;
	case 403:
		return TG_FORBIDDEN;
	case 404:	/* of a method it would be "Not Found: method …" */
		return strcmp(a->description, "Not Found") == 0 ? TG_TOKEN
		    : TG_PERMANENT;
	case 408:
		return TG_RETRY;
	case 409:
		return TG_CONFLICT;
	case 420:
	case 429:
		return TG_WAIT;
	default:
		return code >= 400 && code < 500 ? TG_PERMANENT : TG_RETRY;
	}
}

static void read_parameters(struct tg_answer *a)
{
	struct json_object *p = json_obj(a->json, "parameters");

	if (p == NULL)
		return;
	(void)json_i64(p, "retry_after", &a->retry_after_s);
	(void)json_i64(p, "migrate_to_chat_id", &a->migrate_to);
}

void telegram_classify(const struct http_answer *h, struct tg_answer *out)
{
	struct tg_answer a = { .status = h->status,
		.retry_after_s = h->retry_after_s };
	int64_t code = h->status;
	const char *words;
	bool ok = false;

	if (h->rc != RC_OK) {
		a.verdict = h->rc == RC_INVALID ? TG_PERMANENT : TG_RETRY;
		str_copy(a.description, sizeof(a.description), h->error);
		*out = a;
		return;
	}
	if (json_parse(h->body.s, h->body.len, &a.json, NULL) != RC_OK)
		a.json = NULL;
	if (!json_flag(a.json, "ok", &ok)) {	/* a proxy's page, say */
		str_format(a.description, sizeof(a.description),
		    "status %ld without an answer of the Bot API", h->status);
		a.verdict = code == 429 ? TG_WAIT : TG_RETRY;
	} else if (ok) {
		a.verdict = TG_OK;
	} else {
		words = json_str(a.json, "description");
		str_copy(a.description, sizeof(a.description),
		    words != NULL ? words : "no description");
		(void)json_i64(a.json, "error_code", &code);
		read_parameters(&a);
		a.verdict = verdict_of(code, &a);
	}
	if (a.retry_after_s < 1 || a.retry_after_s > RETRY_AFTER_MAX_S)
		a.retry_after_s = a.retry_after_s < 1 ? RETRY_AFTER_DEFAULT_S
		    : RETRY_AFTER_MAX_S;
	*out = a;
}

static bool chars_ok(const char *s, const char *more)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr(more, *s) != NULL))
			return false;
	return true;
}

static enum rc call_parse(const char *call, size_t len,
    struct json_object **out, struct err *e)
{
	struct json_object *j;
	enum rc rc = json_parse(call, len, &j, e);

	if (rc != RC_OK)
		return rc;
	if (!json_object_is_type(j, json_type_object)) {
		json_free(j);
		return err_set(e, RC_INVALID, "the call is not a JSON object");
	}
	*out = j;
	return RC_OK;
}

void telegram_json_put(struct buf *b, struct json_object *j)
{
	buf_puts(b, json_object_to_json_string_ext(j,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

bool telegram_method(const char *call, size_t len, char *out, size_t size)
{
	struct json_object *j;
	const char *m;
	bool ok;

	if (call_parse(call, len, &j, NULL) != RC_OK)
		return false;
	m = json_str(j, "method");
	ok = m != NULL && strlen(m) < METHOD_SIZE && chars_ok(m, "") &&
	    str_copy(out, size, m);
	json_free(j);
	return ok;
}

/* url and body out of a call: the method goes from the one to the other. */
static enum rc request_build(struct telegram *t, const struct tg_request *r,
    struct buf *url, struct buf *body, struct err *e)
{
	struct json_object *j = NULL;
	char method[METHOD_SIZE];
	enum rc rc;

	if (!chars_ok(t->token, ":_-"))
		return err_set(e, RC_INVALID,
		    "TELEGRAM_TOKEN is empty or holds strange characters");
	if (!telegram_method(r->call, r->len, method, sizeof(method)))
		return err_set(e, RC_INVALID, "the call names no method");
	rc = call_parse(r->call, r->len, &j, e);
	if (rc != RC_OK)
		return rc;
	json_object_object_del(j, "method");
	telegram_json_put(body, j);
	json_free(j);
	buf_printf(url, "%s/bot%s/%s", t->api, t->token, method);
	if (buf_over(url) || buf_over(body))
		return err_set(e, RC_TOOBIG, "the call is too large");
	return RC_OK;
}

static void on_answer(void *ctx, const struct http_answer *h)
{
	struct tg_call *c = ctx;
	struct tg_answer a;

	telegram_classify(h, &a);
	c->done(c->ctx, &a);
	tg_answer_release(&a);
	free(c);
}

static const char *const json_headers[] = { "Content-Type: application/json",
	NULL };

static struct http_fetch http_fetch_of(const struct tg_request *r,
    const struct buf *url, const struct buf *body)
{
	return (struct http_fetch){
		.url = url->s, .body = body->s, .body_len = body->len,
		.headers = json_headers,
		.timeout_ms = r->timeout_ms > 0 ? r->timeout_ms
		    : TG_TIMEOUT_MS,
		.answer_max = r->answer_max > 0 ? r->answer_max
		    : TG_ANSWER_MAX,
	};
}

enum rc telegram_start(struct telegram *t, const struct tg_request *r,
    tg_done *done, void *ctx, struct err *e)
{
	struct tg_call *c = NULL;
	struct http_fetch q;
	struct buf url, body;
	enum rc rc;

	buf_init(&url, URL_MAX);
	buf_init(&body, 2 * r->len + 64);	/* \u escapes of controls */
	rc = request_build(t, r, &url, &body, e);
	if (rc != RC_OK)
		goto out;
	q = http_fetch_of(r, &url, &body);
	c = xcalloc(1, sizeof(*c));
	c->done = done;
	c->ctx = ctx;
	rc = http_start(t->http, &q, on_answer, c, NULL, e);
	if (rc != RC_OK)
		free(c);
out:
	buf_release(&url);
	buf_release(&body);
	return rc;
}

void telegram_do(struct telegram *t, const struct tg_request *r,
    struct tg_answer *a)
{
	struct http_answer h;
	struct http_fetch q;
	struct buf url, body;
	struct err e;

	memset(a, 0, sizeof(*a));
	buf_init(&url, URL_MAX);
	buf_init(&body, 2 * r->len + 64);
	if (request_build(t, r, &url, &body, &e) != RC_OK) {
		a->verdict = TG_PERMANENT;
		str_copy(a->description, sizeof(a->description), e.text);
		goto out;
	}
	q = http_fetch_of(r, &url, &body);
	http_answer_init(&h, q.answer_max);
	http_do(t->http, &q, &h);
	telegram_classify(&h, a);
	http_answer_release(&h);
out:
	buf_release(&url);
	buf_release(&body);
}

bool telegram_chat(const char *call, size_t len, int64_t *chat)
{
	struct json_object *j;
	const char *s;
	char *end;
	bool ok;

	if (call_parse(call, len, &j, NULL) != RC_OK)
		return false;
	ok = json_i64(j, "chat_id", chat);
	s = json_str(j, "chat_id");
	if (!ok && s != NULL && chars_ok(s, "-")) {
		long long v = strtoll(s, &end, 10);
		ok = *end == '\0' && v != 0;
		if (ok)
			*chat = v;
	}
	json_free(j);
	return ok;
}

static enum rc call_put(struct json_object *j, struct buf *out, struct err *e)
{
	telegram_json_put(out, j);
	return buf_over(out) ? err_set(e, RC_TOOBIG, "the call is too large")
	    : RC_OK;
}

enum rc telegram_to_chat(const char *call, size_t len, int64_t chat,
    struct buf *out, struct err *e)
{
	struct json_object *j;
	enum rc rc = call_parse(call, len, &j, e);

	if (rc != RC_OK)
		return rc;
	json_object_object_add(j, "chat_id", json_object_new_int64(chat));
	rc = call_put(j, out, e);
	json_free(j);
	return rc;
}

/* Decodes the entity at s (after '&') into out; returns what it took of s. */
static size_t entity_plain(const char *s, struct buf *out)
{
	static const struct { const char *name, *text; } known[] = {
		{ "lt;", "<" }, { "gt;", ">" }, { "amp;", "&" },
		{ "quot;", "\"" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].name);
		if (strncmp(s, known[i].name, n) == 0) {
			buf_puts(out, known[i].text);
			return n;
		}
	}
	buf_putc(out, '&');
	return 0;
}

/* Length of the tag at s ("<b>", "</a>"), 0 when this '<' begins none. */
static size_t tag_length(const char *s)
{
	size_t n;

	if (s[1] != '/' && !((s[1] | 0x20) >= 'a' && (s[1] | 0x20) <= 'z'))
		return 0;
	n = strcspn(s + 1, "<>");
	return s[1 + n] == '>' ? n + 2 : 0;
}

static void html_plain(const char *s, struct buf *out)
{
	size_t n;

	while (*s != '\0') {
		if (*s == '&') {
			s++;
			s += entity_plain(s, out);
		} else if (*s == '<' && (n = tag_length(s)) > 0) {
			s += n;
		} else {
			buf_putc(out, *s++);
		}
	}
}

/* One object with text or caption: the message, a medium of an album. */
static void object_plain(struct json_object *j, size_t max)
{
	static const char *const texts[] = { "text", "caption", "question" };
	static const char *const drop[] = { "parse_mode", "entities",
		"caption_entities", "question_parse_mode",
		"question_entities" };
	const char *mode = json_str(j, "parse_mode");
	bool html = mode != NULL && strcasecmp(mode, "HTML") == 0;
	struct buf b;

	buf_init(&b, max);
	for (size_t i = 0; html && i < sizeof(texts) / sizeof(*texts); i++) {
		const char *s = json_str(j, texts[i]);
		if (s == NULL)
			continue;
		buf_clear(&b);
		html_plain(s, &b);
		json_object_object_add(j, texts[i],
		    json_object_new_string_len(b.s, (int)b.len));
	}
	for (size_t i = 0; i < sizeof(drop) / sizeof(*drop); i++)
		json_object_object_del(j, drop[i]);
	buf_release(&b);
}

enum rc telegram_plain(const char *call, size_t len, struct buf *out,
    struct err *e)
{
	struct json_object *j, *media;
	enum rc rc = call_parse(call, len, &j, e);

	if (rc != RC_OK)
		return rc;
	object_plain(j, len);
	media = json_arr(j, "media");
	for (size_t i = 0; i < json_len(media); i++)
		object_plain(json_at(media, i), len);
	if (json_obj(j, "media") != NULL)
		object_plain(json_obj(j, "media"), len);
	rc = call_put(j, out, e);
	json_free(j);
	return rc;
}
