/*
 * arena.h - memory for one update, given back all at once after the answer.
 */
#ifndef FAMILYBOT_UTILS_ARENA_H
#define FAMILYBOT_UTILS_ARENA_H

#include <stddef.h>

#include "utils/err.h"

struct arena {
	struct arena_block *first;
	struct arena_block *now;
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
void arena_reset(struct arena *a);	/* keeps the first block */
/* Aligned, not initialised: what is large here is filled by its user. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
