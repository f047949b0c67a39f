/*
 * secret.c - reads a secret from its file.
 *
 * What is read is wiped from the stack and never given to the report.
 */
#include <config.h>

#include "config/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

enum { SECRET_MAX = 4096 };

char *path_under(const char *base, const char *path)
{
	struct buf b;
	char *s;

	buf_init(&b, 8192);
	if (path[0] != '/')
		buf_printf(&b, "%s/", base);
	buf_puts(&b, path);
	s = xstrdup(b.s);
	buf_release(&b);
	return s;
}

static char *secret_line(FILE *f, const char *path, const char *where,
    struct report *r)
{
	char line[SECRET_MAX + 2];
	char *s = NULL;
	size_t len;

	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	len = strcspn(line, "\r\n");
	if (len > SECRET_MAX)
		report_error(r, where, "%s: the first line is longer than "
		    "%d bytes; it should hold one secret", path, SECRET_MAX);
	else if (len == 0)
		report_error(r, where, "%s: the first line is empty; it "
		    "should hold one secret", path);
	else {
		line[len] = '\0';
		s = xstrdup(line);
	}
	explicit_bzero(line, sizeof(line));
	return s;
}

char *secret_read(const char *path, const char *where, struct report *r)
{
	struct stat st;
	char *s;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		report_error(r, where, "%s: %s; it should be a file that only "
		    "this user can read", path, strerror(errno));
		return NULL;
	}
	if (fstat(fileno(f), &st) == 0 && (st.st_mode & 0007))
		report_warning(r, where, "%s can be read by everybody; "
		    "chmod 600 %s", path, path);
	s = secret_line(f, path, where, r);
	fclose(f);
	return s;
}
