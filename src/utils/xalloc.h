/*
 * xalloc.h - small allocations, which end the process when memory is gone
 * (its supervisor restarts it; nothing acknowledged is lost).  What is sized
 * by input must be capped by the caller first.
 */
#ifndef FAMILYBOT_UTILS_XALLOC_H
#define FAMILYBOT_UTILS_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

#endif
