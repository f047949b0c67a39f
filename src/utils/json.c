/* json.c - see json.h. */
#include "config.h"

#include "utils/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

/*
 * json-c hands an integer too large for 64 bits back as INT64_MAX (or MIN)
 * without a word.  Nothing that we read is legitimately that large, so those
 * two values are refused by the getters.
 */
static bool int_ok(struct json_object *j, int64_t *out)
{
	int64_t v;

	if (!json_object_is_type(j, json_type_int))
		return false;
	v = json_object_get_int64(j);
	if (v == INT64_MAX || v == INT64_MIN)
		return false;
	*out = v;
	return true;
}

/* Length of the valid UTF-8 sequence at s (1..4), 0 if there is none. */
static size_t utf8_seq(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
	    : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
	    : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* json-c's own check lets overlong forms and surrogates pass. */
static bool utf8_valid(const char *s, size_t len, size_t *bad)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0, n; i < len; i += n) {
		n = p[i] < 0x80 ? 1 : utf8_seq(p + i, len - i);
		if (n == 0) {
			*bad = i;
			return false;
		}
	}
	return true;
}

bool json_utf8(const char *s, size_t len)
{
	size_t bad;

	return utf8_valid(s, len, &bad);
}

enum rc json_parse(const char *text, size_t len, struct json_object **out,
    struct err *e)
{
	struct json_tokener *t;
	struct json_object *j;
	enum rc rc = RC_OK;
	size_t bad;

	if (len > INT32_MAX)
		return err_set(e, RC_TOOBIG, "JSON of %zu bytes", len);
	if (!utf8_valid(text, len, &bad))
		return err_set(e, RC_INVALID, "JSON: no UTF-8 at byte %zu", bad);
	t = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (t == NULL)
		return err_set(e, RC_SYSTEM, "no memory for JSON");
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	j = json_tokener_parse_ex(t, text, (int)len);
	/* A bare number is only complete at its end, which json-c is told by
	 * a terminating byte; top-level values of ours are objects. */
	if (j == NULL) {
		enum json_tokener_error je = json_tokener_get_error(t);
		rc = err_set(e, RC_INVALID, "JSON: %s at byte %zu",
		    je == json_tokener_continue ? "ends too early"
		    : json_tokener_error_desc(je), json_tokener_get_parse_end(t));
		goto out;
	}
	for (size_t i = json_tokener_get_parse_end(t); i < len; i++)
		if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0') {
			json_object_put(j);
			rc = err_set(e, RC_INVALID,
			    "JSON: more text after the value at byte %zu", i);
			goto out;
		}
	*out = j;
out:
	json_tokener_free(t);
	return rc;
}

void json_free(struct json_object *j)
{
	json_object_put(j);
}

static struct json_object *typed(struct json_object *j, const char *key,
    enum json_type type)
{
	struct json_object *v;

	if (!json_object_is_type(j, json_type_object) ||
	    !json_object_object_get_ex(j, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

struct json_object *json_obj(struct json_object *j, const char *key)
{
	return typed(j, key, json_type_object);
}

struct json_object *json_arr(struct json_object *j, const char *key)
{
	return typed(j, key, json_type_array);
}

const char *json_str_value(struct json_object *j)
{
	const char *s;

	if (!json_object_is_type(j, json_type_string))
		return NULL;
	s = json_object_get_string(j);
	/* an embedded NUL would cut the text silently */
	return strlen(s) == (size_t)json_object_get_string_len(j) ? s : NULL;
}

const char *json_str(struct json_object *j, const char *key)
{
	return json_str_value(typed(j, key, json_type_string));
}

bool json_i64_value(struct json_object *j, int64_t *out)
{
	return int_ok(j, out);
}

bool json_i64(struct json_object *j, const char *key, int64_t *out)
{
	return int_ok(typed(j, key, json_type_int), out);
}

bool json_flag(struct json_object *j, const char *key, bool *out)
{
	struct json_object *v = typed(j, key, json_type_boolean);

	if (v == NULL)
		return false;
	*out = json_object_get_boolean(v);
	return true;
}

bool json_has(struct json_object *j, const char *key)
{
	return json_object_is_type(j, json_type_object) &&
	    json_object_object_get_ex(j, key, NULL);
}

size_t json_len(struct json_object *arr)
{
	if (!json_object_is_type(arr, json_type_array))
		return 0;
	return json_object_array_length(arr);
}

struct json_object *json_at(struct json_object *arr, size_t i)
{
	return i < json_len(arr) ? json_object_array_get_idx(arr, i) : NULL;
}

void json_put_strn(struct buf *b, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;

	buf_putc(b, '"');
	for (size_t i = 0; i < len;) {
		size_t plain = i;
		while (plain < len && p[plain] >= 0x20 && p[plain] < 0x80 &&
		    p[plain] != '"' && p[plain] != '\\')
			plain++;
		buf_add(b, s + i, plain - i);
		if ((i = plain) >= len)
			break;
		size_t n = p[i] >= 0x80 ? utf8_seq(p + i, len - i) : 0;
		if (n > 0) {
			buf_add(b, s + i, n);
			i += n;
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			buf_printf(b, "\\%c", p[i]);
		else if (p[i] == '\n')
			buf_puts(b, "\\n");
		else if (p[i] < 0x20)
			buf_printf(b, "\\u%04x", p[i]);
		else
			buf_puts(b, "\xef\xbf\xbd");
		i++;
	}
	buf_putc(b, '"');
}

void json_put_str(struct buf *b, const char *s)
{
	json_put_strn(b, s, strlen(s));
}
