/*
 * args.c - what a request says in its path, its query and its headers, by
 * name: see route.h and http_arg in http.h.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "utils/arena.h"
#include "utils/json.h"
#include "web/route.h"

void http_arg_add(struct http_request *req, const char *name, size_t name_len,
    const char *value, size_t len)
{
	struct http_arg *a = arena_alloc(req->arena, sizeof(*a));

	a->name = arena_printf(req->arena, "%.*s", (int)name_len, name);
	a->value = arena_printf(req->arena, "%.*s", (int)len, value);
	a->next = req->args;
	req->args = a;
}

const char *http_arg(const struct http_request *req, const char *name)
{
	for (const struct http_arg *a = req->args; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a->value;
	return NULL;
}

/* CGI's name of a header, character by character: "If-Match" is
 * HTTP_IF_MATCH. */
static bool header_is(const struct http_field *f, const char *name)
{
	static const char prefix[] = "HTTP_";
	size_t n = sizeof(prefix) - 1, len = strlen(name);

	if (f->len != n + len || memcmp(f->name, prefix, n) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i] == '-' ? '_' :
		    (char)toupper((unsigned char)name[i]);
		if (f->name[n + i] != c)
			return false;
	}
	return true;
}

const char *http_header(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->nfields; i++)
		if (header_is(&req->fields[i], name))
			return req->fields[i].value;
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * The len bytes at s as a form writes them ("a%20b", "a+b"), into out, which
 * has room for as many and one.  Returns its length, or -1: a broken escape,
 * or %00, after which the value would be another one for a reader in C.
 */
static long form_decode(const char *s, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i] == '+' ? ' ' : s[i];
		if (c == '%') {
			int high = i + 2 < len ? hex(s[i + 1]) : -1;
			int low = high < 0 ? -1 : hex(s[i + 2]);
			if (low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return (long)n;
}

/* The one value of name in the query: RC_NOTFOUND, or RC_INVALID when it is
 * there twice, of which two readers would take different ones. */
static enum rc query_find(const struct http_request *req,
    const struct http_want *want, const char **out, struct err *e)
{
	const char *s = req->query, *found = NULL;

	while (*s != '\0') {
		size_t len = strcspn(s, "&"), name = strcspn(s, "=&");
		char *text = arena_alloc(req->arena, len + 1);
		long n = form_decode(s, name, text);
		if (n < 0)
			return err_set(e, RC_INVALID, "the query is not "
			    "encoded as it should be");
		if (strcmp(text, want->name) == 0) {
			size_t from = name < len ? name + 1 : name;
			if (found != NULL)
				return err_set(e, RC_INVALID,
				    "%s is given twice", want->name);
			n = form_decode(s + from, len - from, text);
			if (n < 0 || !json_utf8(text, (size_t)n))
				return err_set(e, RC_INVALID, "%s is not "
				    "encoded as it should be", want->name);
			found = text;
		}
		s += len + (s[len] == '&');
	}
	*out = found;
	return found != NULL ? RC_OK : RC_NOTFOUND;
}

static enum rc value_find(const struct http_request *req,
    const struct http_want *want, const char **out, struct err *e)
{
	if (want->place == HTTP_IN_QUERY)
		return query_find(req, want, out, e);
	*out = http_header(req, want->name);
	return *out != NULL ? RC_OK : RC_NOTFOUND;
}

enum rc http_args_take(const struct http_want *wants, struct http_request *req,
    struct err *e)
{
	for (; wants != NULL && wants->name != NULL; wants++) {
		const char *value = NULL;
		enum rc rc = value_find(req, wants, &value, e);
		if (rc == RC_NOTFOUND && !wants->required)
			continue;
		if (rc == RC_NOTFOUND)
			return err_set(e, RC_INVALID, "%s is missing",
			    wants->name);
		if (rc != RC_OK)
			return rc;
		size_t len = strlen(value);
		if (len > wants->max)
			return err_set(e, RC_INVALID, "%s is longer than %zu "
			    "bytes", wants->name, wants->max);
		http_arg_add(req, wants->name, strlen(wants->name), value, len);
	}
	return RC_OK;
}
