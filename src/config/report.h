/*
 * report.h - the list of problems that `familybot -t` prints: one line each,
 * "where: error: what is wrong; what would be right".
 *
 * A struct report borrows its FILE.  No text given to it may hold a secret.
 */
#ifndef FAMILYBOT_CONFIG_REPORT_H
#define FAMILYBOT_CONFIG_REPORT_H

#include <stdio.h>

#include "utils/err.h"

struct report {
	FILE *f;		/* NULL: only counts */
	int errors;
	int warnings;
	char first[256];	/* the first error, for struct err */
};

/* where: "file:line", "file" or "environment NAME". */
void report_error(struct report *r, const char *where, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void report_warning(struct report *r, const char *where, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
