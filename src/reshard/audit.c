/*
 * audit.c - who changed what and when: lines that are only ever added.
 */
#include "config.h"

#include "reshard/reshard.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "utils/buf.h"

enum { LINE_MAX_BYTES = 1024 };

static void put_time(struct buf *b, int64_t ms)
{
	time_t at = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	if (!gmtime_r(&at, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	buf_printf(b, "time=%s.%03dZ", text, (int)(ms % 1000));
}

/* Nothing in a name can begin a new line or a new pair. */
static void put_who(struct buf *b, const char *who)
{
	buf_puts(b, " who=\"");
	for (; *who; who++)
		buf_putc(b, (unsigned char)*who < ' ' || *who == '"' ||
		    *who == '\\' ? '_' : *who);
	buf_putc(b, '"');
}

enum rc audit_add(const char *dir, const char *who, const char *what,
    struct err *e)
{
	struct buf line, path;
	enum rc rc = RC_OK;
	ssize_t n;
	int fd;

	buf_init(&line, LINE_MAX_BYTES);
	buf_init(&path, LINE_MAX_BYTES);
	buf_printf(&path, "%s/audit.log", dir);
	put_time(&line, clock_ms(&clock_system));
	put_who(&line, who ? who : "");
	buf_printf(&line, " pid=%d ", (int)getpid());
	for (; *what; what++)
		buf_putc(&line, (unsigned char)*what < ' ' ? ' ' : *what);
	if (line.len == LINE_MAX_BYTES)
		line.len--;
	fd = open(path.s, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	line.over = false;
	buf_putc(&line, '\n');
	n = fd < 0 ? -1 : write(fd, line.s, line.len);
	if (n != (ssize_t)line.len || fsync(fd) != 0)
		rc = err_set(e, n < 0 && errno != ENOSPC ? RC_SYSTEM : RC_FULL,
		    "%s: cannot write: %s", path.s, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	buf_release(&line);
	buf_release(&path);
	return rc;
}
