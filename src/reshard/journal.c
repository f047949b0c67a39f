/*
 * journal.c - the journal of a single host: a file, replaced in one piece under
 * a lock.
 */
#include "config.h"

#include "reshard/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utils/clock.h"

enum { JOURNAL_PATH_SIZE = 1024 };

enum rc reshard_load(const struct journal *j, struct reshard *out,
    struct err *e)
{
	return j->ops->load(j->ctx, out, e);
}

enum rc reshard_save(const struct journal *j, struct reshard *r,
    struct err *e)
{
	return j->ops->save(j->ctx, r, e);
}

enum rc journal_lost(struct err *e)
{
	return err_set(e, RC_BUSY, "somebody else changed the journal of "
	    "the change at this moment: try again");
}

static enum rc path_of(const char *dir, const char *name, char *out,
    struct err *e)
{
	if (!str_format(out, JOURNAL_PATH_SIZE, "%s/%s", dir, name))
		return err_set(e, RC_INVALID, "%s: path too long", dir);
	return RC_OK;
}

static enum rc file_err(struct err *e, const char *what, const char *path)
{
	int no = errno;

	return err_set(e, no == ENOSPC || no == EDQUOT ? RC_FULL : RC_SYSTEM,
	    "%s: cannot %s: %s", path, what, strerror(no));
}

/* Held while it is compared and replaced; the other is quick. */
static enum rc lock(const char *dir, int *fd, struct err *e)
{
	char path[JOURNAL_PATH_SIZE];
	enum rc rc = path_of(dir, "reshard.lock", path, e);
	int f, r;

	if (rc != RC_OK)
		return rc;
	f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f < 0)
		return file_err(e, "open", path);
	do {
		r = flock(f, LOCK_EX);
	} while (r != 0 && errno == EINTR);
	if (r != 0) {
		rc = file_err(e, "lock", path);
		(void)close(f);
		return rc;
	}
	*fd = f;
	return RC_OK;
}

/* A rename is on the disk when its directory is. */
static enum rc sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0 || fsync(fd) != 0)
		rc = file_err(e, "sync", dir);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static bool write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static enum rc replace(const char *dir, const struct reshard *r,
    struct err *e)
{
	char path[JOURNAL_PATH_SIZE], tmp[JOURNAL_PATH_SIZE];
	enum rc rc = path_of(dir, "reshard.json", path, e);
	struct buf text;
	int fd = -1;

	if (rc == RC_OK)
		rc = path_of(dir, "reshard.json.new", tmp, e);
	if (rc != RC_OK)
		return rc;
	buf_init(&text, JOURNAL_BYTES_MAX);
	journal_encode(r, &text);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, text.s, text.len) || fsync(fd) != 0 ||
	    rename(tmp, path) != 0)
		rc = file_err(e, "write", path);
	if (fd >= 0)
		(void)close(fd);
	buf_release(&text);
	return rc == RC_OK ? sync_dir(dir, e) : rc;
}

static enum rc take_away(const char *dir, struct err *e)
{
	char path[JOURNAL_PATH_SIZE];
	enum rc rc = path_of(dir, "reshard.json", path, e);

	if (rc == RC_OK && unlink(path) != 0 && errno != ENOENT)
		rc = file_err(e, "remove", path);
	return rc == RC_OK ? sync_dir(dir, e) : rc;
}

static uint64_t file_stamp(void *ctx)
{
	char path[JOURNAL_PATH_SIZE];
	struct stat st;

	if (path_of(ctx, "reshard.json", path, NULL) != RC_OK)
		return 0;
	if (stat(path, &st) != 0)
		return errno == ENOENT;
	return ((uint64_t)st.st_ino << 32) ^ (uint64_t)st.st_mtim.tv_nsec ^
	    ((uint64_t)st.st_mtim.tv_sec << 20) ^ 3;
}

static enum rc read_all(int fd, const char *path, struct buf *out,
    struct err *e)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_err(e, "read", path);
		buf_add(out, part, (size_t)n);
	}
	if (buf_over(out))
		return err_set(e, RC_CORRUPT, "%s is too long", path);
	return RC_OK;
}

/* Empty when there is none. */
static enum rc file_text(const char *dir, struct buf *text, struct err *e)
{
	char path[JOURNAL_PATH_SIZE];
	enum rc rc = path_of(dir, "reshard.json", path, e);
	int fd;

	if (rc != RC_OK)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? RC_OK : file_err(e, "open", path);
	rc = read_all(fd, path, text, e);
	(void)close(fd);
	return rc == RC_OK && text->len == 0 ? err_set(e, RC_CORRUPT, "%s is "
	    "empty", path) : rc;
}

static enum rc file_load(void *ctx, struct reshard *out, struct err *e)
{
	struct err words = { RC_OK, "" };
	struct buf text;
	enum rc rc;

	buf_init(&text, JOURNAL_BYTES_MAX);
	rc = file_text(ctx, &text, e);
	if (rc == RC_OK && text.len == 0) {
		*out = (struct reshard){ .state = RESHARD_NONE };
	} else if (rc == RC_OK) {
		rc = journal_decode(text.s, text.len, out, &words);
		if (rc != RC_OK)
			(void)err_set(e, rc, "%.150s/reshard.json: %.80s",
			    (const char *)ctx, words.text);
	}
	buf_release(&text);
	return rc;
}

/* Is it the one that r was read from?  0: there is none. */
static enum rc rev_look(const char *dir, int64_t *rev, struct err *e)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, JOURNAL_BYTES_MAX);
	rc = file_text(dir, &text, e);
	if (rc == RC_OK)
		*rev = text.len > 0 ? journal_rev(text.s, text.len) : 0;
	buf_release(&text);
	return rc;
}

/* A journal begins with the moment, so that no number comes twice. */
static enum rc file_save(void *ctx, struct reshard *r, struct err *e)
{
	int64_t was = r->rev, now = 0;
	int fd = -1;
	enum rc rc = lock(ctx, &fd, e);

	if (rc == RC_OK)
		rc = rev_look(ctx, &now, e);
	if (rc == RC_OK && now != was)
		rc = journal_lost(e);
	if (rc == RC_OK) {
		r->rev = now != 0 ? now + 1 : clock_ms(&clock_system);
		rc = r->state == RESHARD_NONE ? take_away(ctx, e) :
		    replace(ctx, r, e);
	}
	if (rc != RC_OK)
		r->rev = was;
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

const struct journal_ops journal_file = {
	.load = file_load,
	.save = file_save,
	.stamp = file_stamp,
};
