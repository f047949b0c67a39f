/*
 * file.c - reads, scans and parses a libconfig file.
 *
 * The text lives in a buf of this file; what libconfig parsed belongs to the
 * caller's config_t.  Doesn't follow @include: a problem is named by the
 * line of one file.
 */
#include <config.h>

#include "config/file.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"

struct scan {
	const char *path;
	const char *p;
	int line;
	struct report *report;
};

void conf_where(const char *path, const config_setting_t *s, char *out,
    size_t size)
{
	str_format(out, size, "%s:%u", path, config_setting_source_line(s));
}

static bool conf_read(const char *path, struct buf *text, struct report *r)
{
	char chunk[4096];
	size_t n;
	FILE *f;
	bool ok = false;

	f = fopen(path, "re");
	if (!f) {
		report_error(r, path, "cannot be opened: %s; create it or name "
		    "another with -c", strerror(errno));
		return false;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(text, chunk, n);
	if (ferror(f))
		report_error(r, path, "cannot be read: %s; it should be a "
		    "plain file", strerror(errno));
	else if (buf_over(text))
		report_error(r, path, "is larger than 1 MiB; it should be a "
		    "short list of options");
	else if (strlen(text->s) != text->len)
		report_error(r, path, "holds a zero byte; it should be text "
		    "in UTF-8");
	else
		ok = true;
	fclose(f);
	return ok;
}

/* Skips a string; libconfig's escapes are a backslash and one byte. */
static void scan_string(struct scan *s)
{
	for (s->p++; *s->p && *s->p != '"'; s->p++) {
		if (*s->p == '\\' && s->p[1])
			s->p++;
		if (*s->p == '\n')
			s->line++;
	}
	if (*s->p)
		s->p++;
}

static void scan_block_comment(struct scan *s)
{
	for (s->p += 2; *s->p; s->p++) {
		if (*s->p == '\n')
			s->line++;
		if (s->p[0] == '*' && s->p[1] == '/') {
			s->p += 2;
			return;
		}
	}
}

static void scan_integer_check(struct scan *s, const char *token, int base)
{
	char where[WHERE_MAX];
	long long v;
	char *end;
	bool wide;

	errno = 0;
	v = strtoll(token, &end, base);
	wide = *end == 'L';
	str_format(where, sizeof(where), "%s:%d", s->path, s->line);
	if (errno == ERANGE)
		report_error(s->report, where, "integer %s does not fit 64 "
		    "bits; write a smaller one", token);
	else if (!wide && (v > INT_MAX || v < INT_MIN))
		report_error(s->report, where, "integer %s does not fit 32 "
		    "bits and would be read as another number; write %sL",
		    token, token);
}

/* A token of letters, digits and signs: a name, a number, true, false. */
static void scan_word(struct scan *s)
{
	char token[64];
	const char *from = s->p, *digits;
	bool hex;

	while (isalnum((unsigned char)*s->p) || strchr("+-._*", *s->p)) {
		if (!*s->p)
			break;
		s->p++;
	}
	str_copy_n(token, sizeof(token), from, (size_t)(s->p - from));
	digits = token + strspn(token, "+-");
	if (!isdigit((unsigned char)*digits))
		return;
	hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	if (!hex && strpbrk(digits, ".eE"))
		return;
	scan_integer_check(s, token, hex ? 16 : 10);
}

static void scan_include(struct scan *s)
{
	char where[WHERE_MAX];

	str_format(where, sizeof(where), "%s:%d", s->path, s->line);
	report_error(s->report, where, "@include is not read here; put the "
	    "options into this file");
	s->p++;
}

void conf_scan_integers(const char *path, const char *text, struct report *r)
{
	struct scan s = { path, text, 1, r };

	while (*s.p) {
		if (*s.p == '"')
			scan_string(&s);
		else if (*s.p == '#' || (s.p[0] == '/' && s.p[1] == '/'))
			s.p += strcspn(s.p, "\n");
		else if (s.p[0] == '/' && s.p[1] == '*')
			scan_block_comment(&s);
		else if (*s.p == '@')
			scan_include(&s);
		else if (isalnum((unsigned char)*s.p) || strchr("+-_*", *s.p))
			scan_word(&s);
		else if (*s.p++ == '\n')
			s.line++;
	}
}

/* What libconfig says of a syntax error, and what to look for. */
static void report_syntax(const char *path, const config_t *cfg,
    struct report *r)
{
	char where[WHERE_MAX];
	const char *text = config_error_text(cfg);

	str_format(where, sizeof(where), "%s:%d", path, config_error_line(cfg));
	if (text && strcmp(text, "duplicate setting name") == 0)
		report_error(r, where, "the option stands twice; keep one");
	else
		report_error(r, where, "%s; each option is name = value; and "
		    "strings are in double quotes (look at the line before, "
		    "too)", text ? text : "syntax error");
}

bool conf_text_parse(const char *path, const char *text, config_t *cfg,
    struct report *r)
{
	config_init(cfg);
	conf_scan_integers(path, text, r);
	if (config_read_string(cfg, text) == CONFIG_TRUE)
		return true;
	report_syntax(path, cfg, r);
	return false;
}

bool conf_file_parse(const char *path, config_t *cfg, struct report *r)
{
	struct buf text;
	bool ok = false;

	buf_init(&text, CONF_FILE_MAX);
	if (conf_read(path, &text, r))
		ok = conf_text_parse(path, text.s, cfg, r);
	else
		config_init(cfg);
	buf_release(&text);
	return ok;
}
