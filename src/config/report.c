/*
 * report.c - prints and counts the problems of a configuration.
 *
 * Owns nothing.  Doesn't log: the FILE is the caller's.
 */
#include <config.h>

#include "config/report.h"

#include <stdarg.h>

#include "utils/buf.h"

enum { LINE_MAX_BYTES = 4096 };

static void report_line(struct report *r, const char *where, const char *kind,
    const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	FILE *mem;

	text[0] = '\0';
	mem = fmemopen(text, sizeof(text), "w");
	if (mem) {
		vfprintf(mem, fmt, ap);
		fclose(mem);
		text[sizeof(text) - 1] = '\0';
	}
	if (r->f)
		fprintf(r->f, "%s: %s: %s\n", where, kind, text);
	if (kind[0] == 'e' && r->errors == 0)
		str_format(r->first, sizeof(r->first), "%s: %s", where, text);
}

void report_error(struct report *r, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_line(r, where, "error", fmt, ap);
	va_end(ap);
	r->errors++;
}

void report_warning(struct report *r, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_line(r, where, "warning", fmt, ap);
	va_end(ap);
	r->warnings++;
}
