/* http.c - see http.h. */
#include "config.h"

#include "web/http.h"

#include <string.h>

#include "utils/json.h"

static const char *const method_names[HTTP_METHOD_COUNT] = {
	"GET", "HEAD", "POST", "other",
};

static const struct {
	int status;
	const char *text;
} status_texts[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

void http_response_init(struct http_response *r)
{
	buf_init(&r->body, HTTP_ANSWER_MAX);
	http_response_clear(r);
}

void http_response_clear(struct http_response *r)
{
	r->status = 200;
	r->retry_after = 0;
	r->content_type = "application/json";
	r->allow[0] = '\0';
	buf_clear(&r->body);
	memset(&r->note, 0, offsetof(struct http_note, err));
	r->note.shard = -1;
	r->note.err.rc = RC_OK;
	r->note.err.text[0] = '\0';
}

void http_response_release(struct http_response *r)
{
	buf_release(&r->body);
}

enum http_method http_method_of(const char *name)
{
	for (int m = 0; m < HTTP_OTHER; m++)
		if (strcmp(name, method_names[m]) == 0)
			return (enum http_method)m;
	return HTTP_OTHER;
}

const char *http_method_name(enum http_method m)
{
	return method_names[m < HTTP_METHOD_COUNT ? m : HTTP_OTHER];
}

const char *http_status_text(int status)
{
	size_t n = sizeof(status_texts) / sizeof(status_texts[0]);

	for (size_t i = 0; i < n; i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return "Unknown";
}

void http_fail(struct http_response *r, int status, const char *why)
{
	r->status = status;
	r->content_type = "application/json";
	buf_clear(&r->body);
	buf_printf(&r->body, "{\"ok\":false,\"error_code\":%d,\"description\":",
	    status);
	json_put_str(&r->body, why);
	buf_putc(&r->body, '}');
}

void http_problem(struct http_response *r, int status, const char *why)
{
	r->status = status;
	r->content_type = "application/problem+json";
	buf_clear(&r->body);
	buf_puts(&r->body, "{\"type\":\"about:blank\",\"title\":");
	json_put_str(&r->body, http_status_text(status));
	buf_printf(&r->body, ",\"status\":%d,\"detail\":", status);
	json_put_str(&r->body, why);
	buf_putc(&r->body, '}');
}

/* us as milliseconds with three decimals, which is what dur counts in. */
static void put_dur(struct buf *out, const char *name, int64_t us)
{
	buf_printf(out, "%s;dur=%lld.%03d", name, (long long)(us / 1000),
	    (int)(us % 1000));
}

static void put_server_timing(struct buf *out, const struct timing *t,
    int64_t total_us)
{
	buf_puts(out, "Server-Timing: ");
	for (int s = 0; s < STAGE_COUNT; s++) {
		if (t->us[s] == 0)
			continue;
		put_dur(out, stage_name((enum stage)s), t->us[s]);
		buf_puts(out, ", ");
	}
	put_dur(out, "total", total_us);
	buf_puts(out, "\r\n");
}

void http_print(const struct http_response *r, enum http_method method,
    const char *id, const struct timing *t, int64_t total_us, struct buf *out)
{
	buf_printf(out, "Status: %d %s\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\nX-Request-Id: %s\r\n", r->status,
	    http_status_text(r->status), r->content_type, r->body.len, id);
	if (r->retry_after > 0)
		buf_printf(out, "Retry-After: %d\r\n", r->retry_after);
	if (r->allow[0] != '\0')
		buf_printf(out, "Allow: %s\r\n", r->allow);
	if (r->status == 401)	/* RFC 9110 wants it with each 401 */
		buf_puts(out, "WWW-Authenticate: Bearer\r\n");
	put_server_timing(out, t, total_us);
	buf_puts(out, "\r\n");
	if (method != HTTP_HEAD)
		buf_add(out, r->body.s, r->body.len);
}
