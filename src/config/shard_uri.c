/*
 * shard_uri.c - where a shard lives, checked as far as that goes without
 * asking it.
 *
 * A URI may hold a password and is only reported through config_uri_redact().
 */
#include <config.h>

#include "config/shards_conf.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/secret.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { URI_MOST = 1023 };

/* The file's folder must be there; the file itself is made at start. */
static void sqlite_check(const char *file, const char *where,
    struct report *r)
{
	char *dir = xstrdup(file);
	char *slash = strrchr(dir, '/');
	struct stat st;

	if (slash && slash != dir)
		*slash = '\0';
	if (stat(dir, &st) != 0)
		report_error(r, where, "directory %s: %s; mkdir -p %s", dir,
		    strerror(errno), dir);
	else if (!S_ISDIR(st.st_mode))
		report_error(r, where, "%s is no directory; name a file in a "
		    "directory", dir);
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode))
		report_error(r, where, "%s is no file; name a file that "
		    "SQLite may make", file);
	free(dir);
}

/* The file's path with its folder resolved, so that the same file named in
 * two ways is seen as the same. */
static char *sqlite_path(const char *state_dir, const char *path)
{
	char real[PATH_MAX];
	char *full = path_under(state_dir, path);
	char *slash = strrchr(full, '/');
	struct buf b;
	char *s;

	buf_init(&b, 2 * PATH_MAX);
	*slash = '\0';
	buf_printf(&b, "sqlite:%s/%s", realpath(*full ? full : "/", real) ?
	    real : full, slash + 1);
	s = xstrdup(b.s);
	buf_release(&b);
	free(full);
	return s;
}

static void mongo_check(const char *uri, const char *where, struct report *r)
{
	const char *host = strstr(uri, "://") + 3;
	const char *at = strrchr(host, '@');

	if (at)
		host = at + 1;
	if (*host == '\0' || *host == '/' || *host == ':' ||
	    strpbrk(uri, " \t\r\n\""))
		report_error(r, where, "the URI has no host or holds a space; "
		    "it should look like mongodb://host:27017/familybot");
}

char *shard_uri_take(const struct config *c, const char *uri,
    const char *where, struct report *r)
{
	char shown[URI_MOST + 1];
	char *full;

	if (strlen(uri) > URI_MOST) {
		report_error(r, where, "the URI has more than %d bytes; "
		    "shorten it", URI_MOST);
		return NULL;
	}
	if (strncmp(uri, "sqlite:", 7) == 0 && uri[7]) {
		full = sqlite_path(c->state_dir, uri + 7);
		sqlite_check(full + 7, where, r);
		if (strlen(full) <= URI_MOST)
			return full;
		report_error(r, where, "the path has more than %d bytes; "
		    "shorten it", URI_MOST);
		free(full);
		return NULL;
	}
	if (strncmp(uri, "mongodb://", 10) == 0 ||
	    strncmp(uri, "mongodb+srv://", 14) == 0) {
		mongo_check(uri, where, r);
		return xstrdup(uri);
	}
	config_uri_redact(uri, shown, sizeof(shown));
	report_error(r, where, "\"%s\" is no shard; it should be "
	    "sqlite:data/name.db or mongodb://host:27017/name", shown);
	return NULL;
}
