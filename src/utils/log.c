/* log.c - see log.h. */
#include "config.h"

#include "utils/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

enum { SECRET_MIN = 6 };

/* The only writable globals of the program: level, and what to hide. */
static enum log_level log_max = LOG_LVL_INFO;
static char **secrets;
static size_t nsecrets;

void log_level_set(enum log_level level)
{
	log_max = level;
}

bool log_level_is(enum log_level level)
{
	return level <= log_max;
}

void log_secret_add(const char *secret)
{
	if (secret == NULL || strlen(secret) < SECRET_MIN)
		return;
	for (size_t i = 0; i < nsecrets; i++)
		if (strcmp(secrets[i], secret) == 0)
			return;
	secrets = xrealloc(secrets, (nsecrets + 1) * sizeof(*secrets));
	secrets[nsecrets++] = xstrdup(secret);
}

void log_redact(char *line)
{
	for (size_t i = 0; i < nsecrets; i++) {
		size_t n = strlen(secrets[i]);
		for (char *p = line; (p = strstr(p, secrets[i])) != NULL;)
			memset(p, '*', n);
	}
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	char line[2048];
	struct timespec ts;
	struct tm tm;
	va_list ap;
	size_t n;
	int w;

	if (level > log_max)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(line, sizeof(line), "ts=%Y-%m-%dT%H:%M:%S", &tm);
	w = snprintf(line + n, sizeof(line) - n, ".%03ldZ level=%s event=%s%s",
	    ts.tv_nsec / 1000000, names[level], event, *fmt ? " " : "");
	n += (size_t)w;
	va_start(ap, fmt);
	w = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (w > 0)
		n += (size_t)w;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\0';
	log_redact(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;	/* nowhere left to say so */
}

const char *log_q(const char *s)
{
	static char ring[8][256];
	static unsigned int next;
	char *out = ring[next++ % 8];
	size_t n = 0;

	out[n++] = '"';
	for (; *s != '\0' && n < sizeof(ring[0]) - 3; s++) {
		if (*s == '"' || *s == '\\')
			out[n++] = '\\';
		out[n++] = (unsigned char)*s < 0x20 ? ' ' : *s;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}
