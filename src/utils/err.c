/* err.c - see err.h. */
#include "config.h"

#include "utils/err.h"

#include <stdarg.h>
#include <stdio.h>

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return rc;
	e->rc = rc;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	for (char *p = e->text; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	return rc;
}

const char *rc_name(enum rc rc)
{
	static const char *const names[] = {
		"ok", "notfound", "conflict", "invalid", "toobig", "busy",
		"unavailable", "full", "corrupt", "denied", "system",
	};

	return (size_t)rc < sizeof(names) / sizeof(names[0]) ? names[rc] : "?";
}
