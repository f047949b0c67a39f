/*
 * shards_text.c - writes settings as libconfig reads them, and puts a new
 * shards.conf in the place of the old one.
 */
#include <config.h>

#include "config/shards_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/file.h"
#include "config/shards_write.h"

void shards_text_head(const char *path, struct buf *out)
{
	char line[1024];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		const char *s = line + strspn(line, " \t\r");

		if (strncmp(s, SHARDS_TEXT_MARK,
		    sizeof(SHARDS_TEXT_MARK) - 1) == 0)
			continue;
		if (*s != '#' && *s != '\n' && strncmp(s, "//", 2) != 0)
			break;
		buf_puts(out, line);
	}
	if (f)
		fclose(f);
	while (out->len > 1 && out->s[out->len - 1] == '\n' &&
	    out->s[out->len - 2] == '\n')
		out->s[--out->len] = '\0';
}

static void string_put(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(b, '\\');
		if ((unsigned char)*s < ' ')
			buf_printf(b, "\\x%02x", (unsigned)*s);
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

static void value_put(struct buf *b, const config_setting_t *s);

static void list_put(struct buf *b, const config_setting_t *s, const char *in,
    const char *out)
{
	buf_puts(b, in);
	for (int i = 0; i < config_setting_length(s); i++) {
		buf_puts(b, i > 0 ? ", " : "");
		value_put(b, config_setting_get_elem(s, (unsigned)i));
	}
	buf_puts(b, out);
}

static void value_put(struct buf *b, const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		string_put(b, config_setting_get_string(s));
		break;
	case CONFIG_TYPE_INT:
		buf_printf(b, "%d", config_setting_get_int(s));
		break;
	case CONFIG_TYPE_INT64:
		buf_printf(b, "%lldL", config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_FLOAT:
		buf_printf(b, "%.17e", config_setting_get_float(s));
		break;
	case CONFIG_TYPE_BOOL:
		buf_puts(b, config_setting_get_bool(s) ? "true" : "false");
		break;
	case CONFIG_TYPE_ARRAY:
		list_put(b, s, "[ ", " ]");
		break;
	case CONFIG_TYPE_LIST:
		list_put(b, s, "( ", " )");
		break;
	default:
		shards_text_group(b, s, "");
	}
}

void shards_text_setting(struct buf *b, const config_setting_t *s,
    const char *end)
{
	buf_printf(b, "%s = ", config_setting_name(s));
	value_put(b, s);
	buf_printf(b, ";%s", end);
}

void shards_text_group(struct buf *b, const config_setting_t *g,
    const char *more)
{
	buf_puts(b, "{ ");
	for (int i = 0; i < config_setting_length(g); i++)
		shards_text_setting(b, config_setting_get_elem(g, (unsigned)i),
		    " ");
	buf_printf(b, "%s}", more);
}

/* Is it the same but for comments that this program writes? */
static bool unchanged(const char *path, const struct buf *text)
{
	const char *p = text->s;
	char line[8192];
	FILE *f = fopen(path, "re");
	bool same = f != NULL;

	while (same && fgets(line, sizeof(line), f)) {
		size_t n = strlen(line);

		if (strncmp(line, SHARDS_TEXT_MARK,
		    sizeof(SHARDS_TEXT_MARK) - 1) == 0)
			continue;
		if (strncmp(p, SHARDS_TEXT_MARK,
		    sizeof(SHARDS_TEXT_MARK) - 1) == 0)
			p += strcspn(p, "\n") + 1;
		same = strncmp(p, line, n) == 0;
		p += same ? n : 0;
	}
	if (f)
		fclose(f);
	explicit_bzero(line, sizeof(line));
	return same && *p == '\0';
}

static enum rc file_refused(const char *path, const char *what, struct err *e)
{
	int why = errno;

	return err_set(e, why == EACCES || why == EPERM ? RC_DENIED :
	    why == ENOSPC || why == EDQUOT ? RC_FULL : RC_SYSTEM,
	    "%s cannot be %s: %s", path, what, strerror(why));
}

static enum rc file_make(const char *path, const struct stat *like,
    const struct buf *text, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum rc rc = RC_OK;

	/* Only root may give it away; others own both. */
	if (fd < 0 || (geteuid() == 0 && fchown(fd, like->st_uid,
	    like->st_gid) != 0) || fchmod(fd, like->st_mode & 07777) != 0 ||
	    write(fd, text->s, text->len) != (ssize_t)text->len ||
	    fsync(fd) != 0)
		rc = file_refused(path, "written", e);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && rc != RC_OK)
		unlink(path);
	return rc;
}

static void folder_sync(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd;

	str_copy(dir, sizeof(dir), path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	fd = open(slash && *dir ? dir : "/", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* The old file under another name, which no file has yet. */
static enum rc keep(const char *path, int64_t now_ms, char *kept, size_t size,
    struct err *e)
{
	time_t at = (time_t)(now_ms / 1000);
	char when[32] = "";
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 100; i++) {
		if (!str_format(kept, size, i > 0 ? "%s.%s-%d" : "%s.%s",
		    path, when, i))
			return err_set(e, RC_TOOBIG, "the name of %s is too "
			    "long", path);
		if (link(path, kept) == 0)
			return RC_OK;
		if (errno != EEXIST)
			break;
	}
	return file_refused(path, "kept under another name", e);
}

static bool names_make(const struct config *c, char *real, char *next,
    size_t size)
{
	return realpath(c->shards_file, real) != NULL &&
	    str_format(next, size, "%s.next", real);
}

enum rc shards_text_prepare(const struct config *c, const struct buf *text,
    struct err *e)
{
	char real[PATH_MAX], next[PATH_MAX];
	struct stat st;

	if (!names_make(c, real, next, sizeof(next)) || stat(real, &st) != 0)
		return file_refused(c->shards_file, "read", e);
	if (!unchanged(real, text))
		return file_make(next, &st, text, e);
	shards_text_forget(c);
	return RC_OK;
}

void shards_text_forget(const struct config *c)
{
	char real[PATH_MAX], next[PATH_MAX];

	if (names_make(c, real, next, sizeof(next)))
		unlink(next);
}

enum rc shards_text_install(const struct config *c, int64_t now_ms,
    char *kept, size_t size, struct err *e)
{
	char real[PATH_MAX], next[PATH_MAX];
	enum rc rc;

	if (!names_make(c, real, next, sizeof(next)))
		return file_refused(c->shards_file, "read", e);
	*kept = '\0';
	if (access(next, F_OK) != 0)
		return RC_OK;
	rc = keep(real, now_ms, kept, size, e);
	if (rc == RC_OK && rename(next, real) != 0)
		rc = file_refused(real, "replaced", e);
	folder_sync(real);
	return rc;
}
