/*
 * backup.c - a copy of a running SQLite shard in a new file.
 *
 * One read transaction is held meanwhile, so the copy is of one moment and
 * nothing is begun again however much is written; writers do not wait for it,
 * their log only grows until it is done.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { STEP_PAGES = 256 };

/* New, and for its owner only: it holds what people ate. */
static enum rc file_new(const struct sqlite_store *s, const char *path,
    struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)close(fd);
		return RC_OK;
	}
	if (errno == EEXIST)
		return err_set(e, RC_CONFLICT, "%s: %s exists: name another "
		    "file, or move it away", s->name, path);
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(e, RC_FULL, "%s: no space for %s", s->name, path);
	return err_set(e, RC_UNAVAILABLE, "%s: cannot create %s: %s", s->name,
	    path, strerror(errno));
}

static enum rc pages_copy(struct sqlite_store *s, sqlite3 *to,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, "main");
	int r = SQLITE_OK;

	if (!b)
		return sqlite_rc(to, s->name, sqlite3_errcode(to), e);
	while (r == SQLITE_OK) {
		r = sqlite3_backup_step(b, STEP_PAGES);
		if (progress && (r == SQLITE_OK || r == SQLITE_DONE))
			progress(ctx, sqlite3_backup_pagecount(b) -
			    sqlite3_backup_remaining(b),
			    sqlite3_backup_pagecount(b));
	}
	(void)sqlite3_backup_finish(b);
	return r == SQLITE_DONE ? RC_OK : sqlite_rc(to, s->name, r, e);
}

/* The one text that sql answers with must be "ok". */
static enum rc says_ok(struct sqlite_store *s, sqlite3 *db, const char *sql,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = RC_OK;
	int r = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(q);
	if (r != SQLITE_ROW)
		rc = sqlite_rc(db, s->name, r, e);
	else if (strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
		rc = err_set(e, RC_CORRUPT, "%s: the copy is damaged, and so is "
		    "the shard (%.100s): restore an older backup", s->name,
		    (const char *)sqlite3_column_text(q, 0));
	(void)sqlite3_finalize(q);
	return rc;
}

/* The copy is one file without a log of its own, and is on the disk. */
static enum rc copy_finish(struct sqlite_store *s, sqlite3 *to,
    struct err *e)
{
	int r = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL,
	    NULL);
	enum rc rc = r == SQLITE_OK ? RC_OK : sqlite_rc(to, s->name, r, e);

	if (rc == RC_OK)
		rc = says_ok(s, to, "PRAGMA quick_check(1)", e);
	if (rc == RC_OK)
		rc = says_ok(s, to, "PRAGMA integrity_check(1)", e);
	return rc;
}

static enum rc disk_sync(const struct sqlite_store *s, const char *path,
    int flags, struct err *e)
{
	int fd = open(path, flags | O_CLOEXEC);
	int r = fd >= 0 ? fsync(fd) : -1;
	int why = errno;

	if (fd >= 0)
		(void)close(fd);
	if (r != 0)
		return err_set(e, RC_SYSTEM, "%s: %s does not reach the disk: "
		    "%s", s->name, path, strerror(why));
	return RC_OK;
}

/* The file, and the name of the file. */
static enum rc copy_sync(const struct sqlite_store *s, const char *path,
    struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[1024];
	enum rc rc;

	rc = disk_sync(s, path, O_RDWR, e);
	if (rc != RC_OK)
		return rc;
	if (!slash)
		return disk_sync(s, ".", O_RDONLY | O_DIRECTORY, e);
	if (!str_copy_n(dir, sizeof(dir), path,
	    slash == path ? 1 : (size_t)(slash - path)))
		return err_set(e, RC_INVALID, "%s: the path is too long",
		    s->name);
	return disk_sync(s, dir, O_RDONLY | O_DIRECTORY, e);
}

static enum rc copy_make(struct sqlite_store *s, sqlite3 *to,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e)
{
	enum rc rc = sqlite_look(s, e);

	if (rc != RC_OK)
		return rc;
	/* The moment of a transaction is that of its first read. */
	rc = s->base.ops->ping(&s->base, e);
	if (rc == RC_OK)
		rc = pages_copy(s, to, progress, ctx, e);
	rc = sqlite_seen(s, rc, e);
	return rc == RC_OK ? copy_finish(s, to, e) : rc;
}

enum rc sqlite_backup(struct store *st, const char *path,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3 *to = NULL;
	enum rc rc;
	int r;

	rc = file_new(s, path, e);
	if (rc != RC_OK)
		return rc;
	r = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL);
	rc = r == SQLITE_OK ? copy_make(s, to, progress, ctx, e) :
	    sqlite_rc(to, s->name, r, e);
	(void)sqlite3_close(to);
	if (rc == RC_OK)
		rc = copy_sync(s, path, e);
	if (rc != RC_OK)
		(void)unlink(path);
	return rc;
}
