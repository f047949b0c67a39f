/* xalloc.c - see xalloc.h. */
#include "config.h"

#include "utils/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *check(void *p)
{
	static const char msg[] = "level=error event=out_of_memory\n";

	if (p == NULL) {
		if (write(STDERR_FILENO, msg, sizeof(msg) - 1) < 0)
			_exit(71);
		_exit(71);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return check(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return check(strdup(s));
}
