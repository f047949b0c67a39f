/* arena.c - see arena.h. */
#include "config.h"

#include "utils/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/xalloc.h"

enum { ARENA_BLOCK = 16384 };

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) char data[];
};

static struct arena_block *block_new(size_t cap)
{
	struct arena_block *b = xmalloc(sizeof(*b) + cap);

	b->next = NULL;
	b->used = 0;
	b->cap = cap;
	return b;
}

void arena_init(struct arena *a)
{
	a->first = a->now = block_new(ARENA_BLOCK);
}

static void free_after(struct arena_block *b)
{
	struct arena_block *next;

	for (b = b->next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

void arena_reset(struct arena *a)
{
	free_after(a->first);
	a->first->next = NULL;
	a->first->used = 0;
	a->now = a->first;
}

void arena_release(struct arena *a)
{
	if (a->first == NULL)
		return;
	free_after(a->first);
	free(a->first);
	a->first = a->now = NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > a->now->cap - a->now->used) {
		a->now->next = block_new(size > ARENA_BLOCK ? size : ARENA_BLOCK);
		a->now = a->now->next;
	}
	void *p = a->now->data + a->now->used;
	a->now->used += size;
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(arena_alloc(a, n), s, n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}
