/* offset.c - see offset.h. */
#include "config.h"

#include "worker/offset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "utils/buf.h"

#define OLD_MS	(INT64_C(6) * 24 * 3600 * 1000)

int64_t offset_load(const char *path, int64_t now_ms)
{
	int64_t offset, at;
	FILE *f = fopen(path, "re");
	int n;

	if (f == NULL)
		return 0;
	n = fscanf(f, "%" SCNd64 " %" SCNd64, &offset, &at);
	fclose(f);
	return n == 2 && offset > 0 && now_ms - at < OLD_MS ? offset : 0;
}

static enum rc write_whole(const char *path, const char *text, struct err *e)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return err_set(e, RC_SYSTEM, "%s: %s", path, strerror(errno));
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (!ok)
		err_set(e, errno == ENOSPC ? RC_FULL : RC_SYSTEM, "%s: %s",
		    path, strerror(errno));
	close(fd);
	return ok ? RC_OK : e != NULL ? e->rc : RC_SYSTEM;
}

/* The name itself must be on disk too. */
static void sync_folder(const char *path)
{
	char dir[512];
	char *slash;
	int fd;

	str_copy(dir, sizeof(dir), path);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

enum rc offset_save(const char *path, int64_t offset, int64_t now_ms,
    struct err *e)
{
	char part[512], text[64];
	enum rc rc;

	if (!str_format(part, sizeof(part), "%s.part", path))
		return err_set(e, RC_INVALID, "%s: too long", path);
	str_format(text, sizeof(text), "%" PRId64 " %" PRId64 "\n", offset,
	    now_ms);
	rc = write_whole(part, text, e);
	if (rc != RC_OK)
		return rc;
	if (rename(part, path) < 0)
		return err_set(e, RC_SYSTEM, "%s: %s", path, strerror(errno));
	sync_folder(path);
	return RC_OK;
}
