/*
 * uri.c - passwords in URIs: finds them, and hides them from people.
 *
 * Copies of passwords are wiped before they are released.
 */
#include <config.h>

#include "config/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "utils/buf.h"

enum { PASSWORD_MAX = 1024 };

static const char PASSWORD[] = "password=";

/* The password between ':' and '@' of user:password@host; NULL when there is
 * none.  The last @ counts: a password may hold one that should be %40. */
static const char *password_find(const char *uri, size_t *len)
{
	const char *host = strstr(uri, "://");
	const char *at, *colon;

	host = host ? host + 3 : uri;
	at = strrchr(host, '@');
	colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
	if (!colon)
		return NULL;
	*len = (size_t)(at - colon - 1);
	return colon + 1;
}

/* Copies s, with *** for what follows "password=" up to '&'. */
static void redact_query(struct buf *b, const char *s)
{
	const char *p;

	while ((p = strcasestr(s, PASSWORD)) != NULL) {
		p += strlen(PASSWORD);
		buf_add(b, s, (size_t)(p - s));
		buf_puts(b, "***");
		s = p + strcspn(p, "&");
	}
	buf_puts(b, s);
}

void config_uri_redact(const char *uri, char *out, size_t size)
{
	size_t len;
	const char *password = password_find(uri, &len);
	struct buf b;

	buf_init(&b, 4096);
	if (password) {
		buf_add(&b, uri, (size_t)(password - uri));
		buf_puts(&b, "***");
		redact_query(&b, password + len);
	} else {
		redact_query(&b, uri);
	}
	str_copy(out, size, b.s);
	buf_release(&b);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX in place. */
static void percent_decode(char *s)
{
	char *out = s;
	int high, low;

	for (; *s; s++) {
		high = *s == '%' ? hex_value(s[1]) : -1;
		low = high >= 0 ? hex_value(s[2]) : -1;
		if (low > 0 || (low == 0 && high > 0)) {
			*out++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* As it is written, and as a server's client knows it. */
static void password_tell(const char *s, size_t len,
    void (*found)(const char *secret))
{
	char password[PASSWORD_MAX];

	if (!str_copy_n(password, sizeof(password), s, len))
		return;
	found(password);
	if (memchr(s, '%', len)) {
		percent_decode(password);
		found(password);
	}
	explicit_bzero(password, sizeof(password));
}

static void uri_passwords(const char *uri, void (*found)(const char *secret))
{
	size_t len;
	const char *p = password_find(uri, &len);

	if (p)
		password_tell(p, len, found);
	for (p = uri; (p = strcasestr(p, PASSWORD)) != NULL;) {
		p += strlen(PASSWORD);
		password_tell(p, strcspn(p, "&"), found);
	}
}

void config_secrets_each(const struct config *c,
    void (*found)(const char *secret))
{
	for (int i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const char *s;

		if (o->kind != OPTION_SECRET)
			continue;
		s = *(char *const *)((const char *)c + o->offset);
		if (strstr(s, "://") || strstr(s, "unix:") == s)
			uri_passwords(s, found);
		else if (*s)
			found(s);
	}
	for (int i = 0; i < c->nshards; i++)
		uri_passwords(c->shards[i].uri, found);
}
