/* files.c - see files.h. */
#include "config.h"

#include "tools/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "utils/xalloc.h"

enum { CHUNK = 1 << 18 };

static enum rc failed(const char *what, const char *path, struct err *e)
{
	int no = errno;

	return err_set(e, no == ENOENT ? RC_NOTFOUND : no == EEXIST ?
	    RC_CONFLICT : no == ENOSPC || no == EDQUOT ? RC_FULL :
	    no == EACCES || no == EPERM || no == EROFS ? RC_DENIED : RC_SYSTEM,
	    "cannot %s %s: %s", what, path, strerror(no));
}

static void shut(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Calls each with the file's bytes, some at a time. */
static enum rc file_each(const char *path, enum rc (*each)(void *ctx,
    const char *data, size_t len, struct err *e), void *ctx, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc = RC_OK;
	ssize_t n = 1;
	char *data;

	if (fd < 0)
		return failed("open", path, e);
	data = xmalloc(CHUNK);
	while (rc == RC_OK && n != 0) {
		n = read(fd, data, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = failed("read", path, e);
		else if (n > 0)
			rc = each(ctx, data, (size_t)n, e);
	}
	free(data);
	shut(fd);
	return rc;
}

static enum rc buf_chunk(void *ctx, const char *data, size_t len,
    struct err *e)
{
	struct buf *b = ctx;

	buf_add(b, data, len);
	return buf_over(b) ? err_set(e, RC_TOOBIG, "too long") : RC_OK;
}

enum rc file_read(const char *path, struct buf *out, struct err *e)
{
	enum rc rc = file_each(path, buf_chunk, out, e);

	return rc == RC_TOOBIG ? err_set(e, rc, "%s is too long to be what it "
	    "should be", path) : rc;
}

enum rc file_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0 || fsync(fd) != 0)
		rc = failed("sync", path, e);
	shut(fd);
	return rc;
}

enum rc file_sync_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (slash == NULL)
		return file_sync(".", e);
	if (!str_copy_n(folder, sizeof(folder), path, slash == path ? 1 :
	    (size_t)(slash - path)))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	return file_sync(folder, e);
}

/* A name is given without taking it from a file that has it: link, not
 * rename. */
static enum rc name_give(const char *part, const char *path, bool replace,
    struct err *e)
{
	if (replace ? rename(part, path) != 0 : link(part, path) != 0)
		return failed("write", path, e);
	if (!replace)
		(void)unlink(part);
	return file_sync_folder(path, e);
}

enum rc file_write(const char *path, const char *text, size_t len,
    bool replace, struct err *e)
{
	char part[PATH_MAX];
	enum rc rc = RC_OK;
	int fd;

	if (!str_format(part, sizeof(part), "%s.part-%d", path, (int)getpid()))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, text, len) || fsync(fd) != 0)
		rc = failed("write", part, e);
	shut(fd);
	if (rc == RC_OK)
		rc = name_give(part, path, replace, e);
	if (rc != RC_OK)
		(void)unlink(part);
	return rc;
}

struct copying {
	int fd;
	const char *to;
};

static enum rc copy_chunk(void *ctx, const char *data, size_t len,
    struct err *e)
{
	const struct copying *c = ctx;

	return write_all(c->fd, data, len) ? RC_OK : failed("write", c->to, e);
}

enum rc file_copy(const char *from, const char *to, struct err *e)
{
	struct copying c = { .to = to };
	enum rc rc;

	c.fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c.fd < 0)
		return failed("make", to, e);
	rc = file_each(from, copy_chunk, &c, e);
	if (rc == RC_OK && fsync(c.fd) != 0)
		rc = failed("sync", to, e);
	shut(c.fd);
	if (rc == RC_OK)
		rc = file_sync_folder(to, e);
	if (rc != RC_OK)
		(void)unlink(to);
	return rc;
}

struct hashing {
	EVP_MD_CTX *md;
	int64_t bytes;
};

static enum rc hash_chunk(void *ctx, const char *data, size_t len,
    struct err *e)
{
	struct hashing *h = ctx;

	h->bytes += (int64_t)len;
	return EVP_DigestUpdate(h->md, data, len) == 1 ? RC_OK :
	    err_set(e, RC_SYSTEM, "SHA-256 does not work");
}

enum rc file_sha256(const char *path, char out[65], int64_t *bytes,
    struct err *e)
{
	struct hashing h = { .md = EVP_MD_CTX_new() };
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	enum rc rc = RC_OK;

	if (h.md == NULL || EVP_DigestInit_ex(h.md, EVP_sha256(), NULL) != 1)
		rc = err_set(e, RC_SYSTEM, "SHA-256 does not work");
	if (rc == RC_OK)
		rc = file_each(path, hash_chunk, &h, e);
	if (rc == RC_OK && EVP_DigestFinal_ex(h.md, sum, &len) != 1)
		rc = err_set(e, RC_SYSTEM, "SHA-256 does not work");
	EVP_MD_CTX_free(h.md);
	if (rc != RC_OK)
		return rc;
	for (unsigned int i = 0; i < len && i < 32; i++)
		(void)str_format(out + 2 * i, 3, "%02x", sum[i]);
	*bytes = h.bytes;
	return RC_OK;
}

int64_t folder_free(const char *folder)
{
	struct statvfs v;

	if (statvfs(folder, &v) != 0)
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

enum rc file_rename_if_there(const char *from, const char *to, struct err *e)
{
	if (rename(from, to) != 0 && errno != ENOENT)
		return failed("rename", from, e);
	return RC_OK;
}

static void time_put(int64_t ms, const char *format, char *out, size_t size)
{
	time_t at = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(out, size, format, &tm) == 0)
		(void)str_copy(out, size, "?");
}

void time_name(int64_t ms, char *out, size_t size)
{
	time_put(ms, "%Y%m%dT%H%M%SZ", out, size);
}

void time_words(int64_t ms, char *out, size_t size)
{
	time_put(ms, "%Y-%m-%d %H:%M:%S UTC", out, size);
}

void bytes_words(int64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t i = 0;

	if (bytes < 0) {
		(void)str_copy(out, size, "unknown");
		return;
	}
	for (; v >= 1000 && i < 4; i++)
		v /= 1000;
	(void)str_format(out, size, i > 0 && v < 10 ? "%.1f %s" : "%.0f %s", v,
	    units[i]);
}
