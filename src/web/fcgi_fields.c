/*
 * fcgi_fields.c - see fcgi_parse.h: names and values, as FastCGI packs them
 * and as a request shows them.
 */
#include "config.h"

#include "web/fcgi_parse.h"

#include <stdint.h>
#include <string.h>

/* A length of one byte, or of four when the first one's high bit is set.
 * Returns false when it is not whole. */
static bool length_take(const unsigned char **at, const unsigned char *end,
    size_t *out)
{
	const unsigned char *s = *at;

	if (s == end)
		return false;
	if (!(*s & 0x80)) {
		*out = *s;
		*at = s + 1;
		return true;
	}
	if (end - s < 4)
		return false;
	*out = (size_t)(s[0] & 0x7f) << 24 | (size_t)s[1] << 16 |
	    (size_t)s[2] << 8 | s[3];
	*at = s + 4;
	return true;
}

/*
 * Lengths are compared with what is left one after the
 * other: the sum of two lengths of 0x7ffffffe would wrap where size_t has 32
 * bits, and the value would be read from outside of the memory.
 */
bool fcgi_pair_take(const unsigned char **at, const unsigned char *end,
    struct http_field *f)
{
	const unsigned char *s = *at;
	size_t value;

	if (s == end || !length_take(&s, end, &f->len) ||
	    !length_take(&s, end, &value) || f->len > (size_t)(end - s) ||
	    value > (size_t)(end - s) - f->len)
		return false;
	f->name = (const char *)s;
	f->value = (const char *)s + f->len;
	f->value_len = value;
	*at = s + f->len + value;
	return true;
}

/*
 * Cuts params into strings where they lie: a value ends where the length of
 * the next name stands, so that byte becomes the terminator, once it was read.
 */
bool fcgi_fields_cut(struct fcgi_in *p)
{
	const unsigned char *at = (const unsigned char *)p->params.s;
	const unsigned char *end = at + p->params.len;
	struct http_field f;
	char *last = NULL;

	while (fcgi_pair_take(&at, end, &f)) {
		if (last != NULL)
			*last = '\0';
		last = p->params.s + (f.value + f.value_len - p->params.s);
		/* a value would end for us where it goes on for nginx */
		if (memchr(f.value, '\0', f.value_len) != NULL)
			return false;
		if (p->nfields < FCGI_FIELDS_MAX)
			p->fields[p->nfields++] = f;
		else
			p->too_many = true;
	}
	return at == end;
}

bool fcgi_field_is(const struct http_field *f, const char *name, size_t len)
{
	return f->len == len && memcmp(f->name, name, len) == 0;
}

bool fcgi_number_read(const struct http_field *f, size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < f->value_len; i++) {
		char c = f->value[i];
		if (c < '0' || c > '9')
			return false;
		if (n > (SIZE_MAX - 9) / 10)
			n = (SIZE_MAX - 9) / 10;	/* too big anyway */
		n = n * 10 + (size_t)(c - '0');
	}
	*out = n;
	return true;
}

/* Which parameters of nginx fill which field. */
static const struct {
	const char *name;
	size_t len;
	size_t field;
} words[] = {
#define WORD(name, field) \
	{ name, sizeof(name) - 1, offsetof(struct http_request, field) }
	WORD("REQUEST_METHOD", method),
	WORD("DOCUMENT_URI", path),
	WORD("QUERY_STRING", query),
	WORD("CONTENT_TYPE", content_type),
	WORD("HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN", secret_token),
	WORD("REMOTE_ADDR", remote_addr),
	WORD("REQUEST_ID", id),
#undef WORD
};

static void word_take(struct http_request *r, const struct http_field *f)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!fcgi_field_is(f, words[i].name, words[i].len))
			continue;
		const char **to =
		    (const char **)(void *)((char *)r + words[i].field);
		*to = f->value;
		return;
	}
}

void fcgi_request(const struct fcgi_in *p, struct http_request *r)
{
	for (size_t i = 0; i < p->nfields; i++)
		word_take(r, &p->fields[i]);
	r->fields = p->fields;
	r->nfields = p->nfields;
	r->too_many = p->too_many;
	r->too_big = p->too_big;
	r->cut_short = !p->too_big && p->body.len < p->want;
	r->body = p->body.s;
	r->len = p->too_big ? 0 : p->body.len;
}
