/* http.c - see http.h. */
#include "config.h"

#include "clients/http.h"

#include <curl/curl.h>
#include <string.h>

#include "utils/xalloc.h"

enum { CONNECT_TIMEOUT_MS = 10000, CONNECTIONS_DEFAULT = 16, EXTRA_MAX = 8 };

struct http {
	CURLM *multi;
	int stop_fd;
	char *user_agent;
	struct http_call *calls;
	size_t ncalls;
	bool aborted;
};

struct http_call {
	struct http *http;
	struct http_call *next, *prev;
	CURL *easy;
	struct curl_slist *headers;
	http_done *done;
	void *ctx;
	struct http_answer answer;
};

enum rc http_open(const struct http_conf *c, struct http **out, struct err *e)
{
	struct http *h;
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, RC_SYSTEM, "libcurl does not start");
	multi = curl_multi_init();
	if (multi == NULL) {
		curl_global_cleanup();
		return err_set(e, RC_SYSTEM, "libcurl does not start");
	}
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    (long)(c->connections > 0 ? c->connections : CONNECTIONS_DEFAULT));
	h = xcalloc(1, sizeof(*h));
	h->multi = multi;
	h->stop_fd = c->stop_fd;
	h->user_agent = xstrdup(c->user_agent != NULL ? c->user_agent
	    : PACKAGE_NAME);
	*out = h;
	return RC_OK;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	http_abort(h);
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	free(h->user_agent);
	free(h);
}

void http_answer_init(struct http_answer *a, size_t max)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->body, max);
}

void http_answer_release(struct http_answer *a)
{
	buf_release(&a->body);
}

static bool is_loopback(const char *host)
{
	/* libcurl itself resolves "localhost" to loopback, whatever DNS says */
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	/* only digits and dots, so that 127.0.0.1.example.org is not one */
	return strncmp(host, "127.", 4) == 0 &&
	    strspn(host, "0123456789.") == strlen(host);
}

/* loopback is set only for allowed URLs. */
static bool url_check(const char *url, bool *plain, bool *loopback)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	bool ok = false;

	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		goto out;
	if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		goto out;
	*loopback = is_loopback(host);
	*plain = strcmp(scheme, "http") == 0;
	ok = strcmp(scheme, "https") == 0 || (*plain && *loopback);
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return ok;
}

bool http_url_allowed(const char *url)
{
	bool plain, loopback;

	return url_check(url, &plain, &loopback);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *c = arg;

	buf_add(&c->answer.body, data, size * n);
	if (!buf_over(&c->answer.body))
		return size * n;
	c->answer.rc = RC_TOOBIG;
	return 0;	/* ends the transfer */
}

static void call_unlink(struct http_call *c)
{
	struct http *h = c->http;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		h->calls = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	h->ncalls--;
	curl_multi_remove_handle(h->multi, c->easy);
}

static void call_free(struct http_call *c)
{
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	http_answer_release(&c->answer);
	free(c);
}

void http_cancel(struct http_call *c)
{
	if (c == NULL)
		return;
	call_unlink(c);
	call_free(c);
}

static void call_headers(struct http_call *c, const struct http_fetch *r)
{
	struct curl_slist *l;

	/* no "100 Continue" round trip before a body */
	c->headers = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++) {
		l = curl_slist_append(c->headers, r->headers[i]);
		if (l != NULL)
			c->headers = l;
	}
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

static void call_setup(struct http_call *c, const struct http_fetch *r,
    bool plain, bool loopback)
{
	CURL *x = c->easy;
	long connect = r->timeout_ms < CONNECT_TIMEOUT_MS ? r->timeout_ms
	    : CONNECT_TIMEOUT_MS;

	curl_easy_setopt(x, CURLOPT_PRIVATE, c);
	curl_easy_setopt(x, CURLOPT_URL, r->url);
	curl_easy_setopt(x, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(x, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(x, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x, CURLOPT_TIMEOUT_MS, r->timeout_ms);
	curl_easy_setopt(x, CURLOPT_CONNECTTIMEOUT_MS, connect);
	curl_easy_setopt(x, CURLOPT_USERAGENT, c->http->user_agent);
	curl_easy_setopt(x, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(x, CURLOPT_WRITEDATA, c);
	if (loopback)
		curl_easy_setopt(x, CURLOPT_NOPROXY, "*");
	if (r->body != NULL) {
		curl_easy_setopt(x, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body_len);
		curl_easy_setopt(x, CURLOPT_COPYPOSTFIELDS, r->body);
	}
	call_headers(c, r);
}

enum rc http_start(struct http *h, const struct http_fetch *r,
    http_done *done, void *ctx, struct http_call **call, struct err *e)
{
	struct http_call *c;
	bool plain, loopback;
	CURL *easy;

	if (h->aborted)
		return err_set(e, RC_BUSY, "stopped");
	if (!url_check(r->url, &plain, &loopback))
		return err_set(e, RC_INVALID, "only https is spoken to others, "
		    "and plain http to a loopback address");
	easy = curl_easy_init();
	if (easy == NULL)
		return err_set(e, RC_SYSTEM, "libcurl has no memory");
	c = xcalloc(1, sizeof(*c));
	c->http = h;
	c->easy = easy;
	c->done = done;
	c->ctx = ctx;
	http_answer_init(&c->answer, r->answer_max);
	call_setup(c, r, plain, loopback);
	if (curl_multi_add_handle(h->multi, easy) != CURLM_OK) {
		call_free(c);
		return err_set(e, RC_SYSTEM, "libcurl refuses the request");
	}
	c->next = h->calls;
	if (h->calls != NULL)
		h->calls->prev = c;
	h->calls = c;
	h->ncalls++;
	if (call != NULL)
		*call = c;
	return RC_OK;
}

size_t http_flying(const struct http *h)
{
	return h->ncalls;
}

static void call_ended(struct http_call *c, CURLcode code)
{
	struct http_answer *a = &c->answer;
	curl_off_t wait = 0;

	if (code == CURLE_OK) {
		curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &a->status);
		curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &wait);
		a->retry_after_s = wait;
	} else if (a->rc == RC_TOOBIG) {
		str_format(a->error, sizeof(a->error),
		    "the answer is larger than %zu bytes", a->body.max);
	} else {
		a->rc = RC_UNAVAILABLE;
		str_copy(a->error, sizeof(a->error), curl_easy_strerror(code));
	}
	call_unlink(c);
	c->done(c->ctx, a);
	call_free(c);
}

void http_abort(struct http *h)
{
	h->aborted = true;
	while (h->calls != NULL) {
		struct http_call *c = h->calls;
		c->answer.rc = RC_BUSY;
		str_copy(c->answer.error, sizeof(c->answer.error), "stopped");
		call_unlink(c);
		c->done(c->ctx, &c->answer);
		call_free(c);
	}
}

void http_wait(struct http *h, struct pollfd *extra, unsigned int nextra,
    int timeout_ms)
{
	struct curl_waitfd fds[EXTRA_MAX];
	unsigned int n = nextra < EXTRA_MAX ? nextra : EXTRA_MAX;
	CURLMsg *m;
	int left, running;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct curl_waitfd){ .fd = extra[i].fd,
			.events = CURL_WAIT_POLLIN };
	curl_multi_perform(h->multi, &running);
	if ((size_t)running < h->ncalls)
		timeout_ms = 0;	/* something has ended already */
	curl_multi_poll(h->multi, fds, n, timeout_ms, NULL);
	for (unsigned int i = 0; i < n; i++)
		extra[i].revents = fds[i].revents != 0 ? POLLIN : 0;
	curl_multi_perform(h->multi, &running);
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct http_call *c = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE,
		    (char **)&c);
		call_ended(c, code);
	}
}

struct waited {
	struct http_answer *answer;
	bool done;
};

static void on_waited(void *ctx, const struct http_answer *a)
{
	struct waited *w = ctx;

	w->answer->rc = a->rc;
	w->answer->status = a->status;
	w->answer->retry_after_s = a->retry_after_s;
	buf_clear(&w->answer->body);
	buf_add(&w->answer->body, a->body.s, a->body.len);
	str_copy(w->answer->error, sizeof(w->answer->error), a->error);
	w->done = true;
}

void http_do(struct http *h, const struct http_fetch *r,
    struct http_answer *a)
{
	struct waited w = { .answer = a };
	struct http_call *call = NULL;
	struct pollfd stop = { .fd = h->stop_fd, .events = POLLIN };
	struct err e = { .rc = RC_OK };

	a->rc = http_start(h, r, on_waited, &w, &call, &e);
	if (a->rc != RC_OK) {
		str_copy(a->error, sizeof(a->error), e.text);
		return;
	}
	while (!w.done) {
		http_wait(h, &stop, h->stop_fd >= 0 ? 1 : 0, 1000);
		if (!w.done && stop.revents != 0) {
			http_cancel(call);
			a->rc = RC_BUSY;
			str_copy(a->error, sizeof(a->error), "stopped");
			return;
		}
	}
}
