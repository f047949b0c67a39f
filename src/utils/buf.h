/*
 * buf.h - a growing string with a cap.
 *
 * All text that the program makes goes through here.  A buf that reached its
 * cap stays valid and terminated, keeps what fitted, and answers true from
 * buf_over(); the caller checks once at the end.
 */
#ifndef FAMILYBOT_UTILS_BUF_H
#define FAMILYBOT_UTILS_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "utils/err.h"

struct buf {
	char *s;	/* always terminated; never NULL after init */
	size_t len;	/* bytes, without the terminator */
	size_t cap;	/* bytes allocated */
	size_t max;	/* most bytes of text that it may hold */
	bool over;	/* something did not fit */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b);	/* empties, keeps the memory */
static inline bool buf_over(const struct buf *b) { return b->over; }

void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Copies src into the fixed array dst of size bytes, cutting at a UTF-8
 * character border.  Returns false if it had to cut.
 */
bool str_copy(char *dst, size_t size, const char *src);
bool str_copy_n(char *dst, size_t size, const char *src, size_t len);

/* printf into a fixed array; returns false if it had to cut. */
bool str_format(char *dst, size_t size, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
