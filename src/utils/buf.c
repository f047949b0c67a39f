/* buf.c - see buf.h. */
#include "config.h"

#include "utils/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utils/xalloc.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
	b->max = max;
	b->cap = max + 1 < BUF_FIRST ? max + 1 : BUF_FIRST;
	b->s = xmalloc(b->cap);
	buf_clear(b);
}

void buf_release(struct buf *b)
{
	free(b->s);
	memset(b, 0, sizeof(*b));
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->over = false;
	b->s[0] = '\0';
}

/* Makes room for up to want more bytes; returns how many fit. */
static size_t room(struct buf *b, size_t want)
{
	size_t cap = b->cap;

	if (want > b->max - b->len) {
		want = b->max - b->len;
		b->over = true;
	}
	while (cap < b->len + want + 1)
		cap *= 2;
	if (cap != b->cap) {
		if (cap > b->max + 1)
			cap = b->max + 1;
		b->s = xrealloc(b->s, cap);
		b->cap = cap;
	}
	return want;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	len = room(b, len);
	memcpy(b->s + b->len, data, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	size_t fits = room(b, (size_t)n);
	char *big = xmalloc((size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_add(b, big, fits);
	free(big);
}

bool str_copy_n(char *dst, size_t size, const char *src, size_t len)
{
	bool whole = len < size;

	if (!whole) {
		len = size - 1;
		while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
			len--;
	}
	memmove(dst, src, len);
	dst[len] = '\0';
	return whole;
}

bool str_copy(char *dst, size_t size, const char *src)
{
	return str_copy_n(dst, size, src, strlen(src));
}

bool str_format(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}
