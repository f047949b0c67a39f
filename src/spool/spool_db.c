/*
 * spool_db.c - the spool's database: connection, statements, errors.
 *
 * struct spool owns the connection.  May not know what an update is.
 */
#include "config.h"

#include "spool/spool_db.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "store/sqlite/write_queue.h"
#include "utils/clock.h"

enum { APPLICATION_ID = 0x46627370 /* "Fbsp" */, BUSY_MS = 2000,
	OPEN_BUSY_MS = 50, TIDY_BUSY_MS = 5 };

enum rc spool_rc(struct spool *s, int r, struct err *e)
{
	int system = s->db != NULL ? sqlite3_system_errno(s->db) : 0;

	switch (r & 0xff) {
	case SQLITE_FULL:
		return err_set(e, RC_FULL, "spool: the disk is full: free some "
		    "space, nothing was kept");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, RC_BUSY, "spool: another process holds the "
		    "database locked: try again, and see who has it open");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, RC_CORRUPT, "spool: the database file is "
		    "damaged (%s): stop familybot, move it away and keep it: "
		    "updates are in it that were promised to be applied",
		    sqlite3_errstr(r));
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (system == ENOSPC || system == EDQUOT)
			return err_set(e, RC_FULL, "spool: the disk is full: "
			    "free some space, nothing was kept");
		/* fall through */
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_PROTOCOL:
		return err_set(e, RC_UNAVAILABLE, "spool: the database file "
		    "cannot be used (%s): check disk, path and owner",
		    sqlite3_errstr(r));
	case SQLITE_TOOBIG:
		return err_set(e, RC_TOOBIG, "spool: the update is too big");
	default:
		return err_set(e, RC_SYSTEM, "spool: SQLite: %s",
		    s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(r));
	}
}

static enum rc number(struct spool *s, const char *sql, int *out,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	int r = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*out = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return r == SQLITE_ROW ? RC_OK : spool_rc(s, r, e);
}

static enum rc make(struct spool *s, struct err *e)
{
	enum rc rc = RC_OK;
	int r = sqlite3_exec(s->db, spool_schema, NULL, NULL, NULL);

	if (r != SQLITE_OK)
		rc = spool_rc(s, r, e);
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* Is it one of ours, and whole?  Another may make it meanwhile, in one
 * transaction: a version that is seen has its application's id behind it. */
static enum rc look(struct spool *s, struct err *e)
{
	int app = 0, version = 0, whole = 0;
	enum rc rc = number(s, "PRAGMA user_version", &version, e);

	if (rc == RC_OK)
		rc = number(s, "PRAGMA application_id", &app, e);
	if (rc == RC_OK)
		rc = number(s, spool_sql[SPOOL_WHOLE], &whole, e);
	if (rc != RC_OK)
		return rc;
	if ((app != 0 && app != APPLICATION_ID) || (app == 0 && version != 0))
		return err_set(e, RC_UNAVAILABLE, "spool: %s is another "
		    "program's database; name another file", s->path);
	if (version > SPOOL_VERSION)
		return err_set(e, RC_UNAVAILABLE, "spool: %s is of a newer "
		    "familybot; install that one again", s->path);
	return whole ? RC_OK : make(s, e);
}

/* What people wrote is for the bot alone, whatever the umask; the log gets the
 * mode of the file. */
static void file_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);

	if (fd >= 0)
		(void)close(fd);
}

static enum rc open_once(struct spool *s, bool create, struct err *e)
{
	enum rc rc;
	int r;

	if (create)
		file_make(s->path);
	r = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0), NULL);

	if (r == SQLITE_OK)
		r = sqlite3_busy_timeout(s->db, OPEN_BUSY_MS);
	for (const char *const *p = spool_pragmas; r == SQLITE_OK &&
	    *p != NULL; p++)
		r = sqlite3_exec(s->db, *p, NULL, NULL, NULL);
	rc = r == SQLITE_OK ? look(s, e) : spool_rc(s, r, e);
	if (rc == RC_OK)
		(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	else
		spool_db_close(s);
	return rc;
}

/* Several make it at once: going over to WAL fails then without asking the
 * busy handler, and who waits long to make what others made and write to
 * already would better look again. */
enum rc spool_db_open(struct spool *s, bool create, struct err *e)
{
	const struct timespec pause = { 0, 5000000 };
	int64_t end = clock_mono_us() + BUSY_MS * 1000;
	enum rc rc;

	if (s->db != NULL)
		return RC_OK;
	if (!create && access(s->path, F_OK) != 0 && errno == ENOENT)
		return err_set(e, RC_NOTFOUND, "spool: there is none");
	while ((rc = open_once(s, create, e)) == RC_BUSY &&
	    clock_mono_us() < end)
		(void)nanosleep(&pause, NULL);
	if (rc == RC_OK)
		s->write_queue = write_queue_open(s->path);
	return rc;
}

void spool_db_close(struct spool *s)
{
	for (int i = 0; i < SPOOL_SQL_COUNT; i++) {
		(void)sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
	(void)sqlite3_close(s->db);
	s->db = NULL;
	write_queue_close(s->write_queue);
	s->write_queue = -1;
}

enum rc spool_query(struct spool *s, enum spool_sql id, size_t n,
    const int64_t *v, sqlite3_stmt **out, struct err *e)
{
	sqlite3_stmt *q = s->stmt[id];

	if (q == NULL) {
		int r = sqlite3_prepare_v3(s->db, spool_sql[id], -1,
		    SQLITE_PREPARE_PERSISTENT, &q, NULL);
		if (r != SQLITE_OK)
			return spool_rc(s, r, e);
		s->stmt[id] = q;
	}
	for (size_t i = 0; i < n; i++)
		(void)sqlite3_bind_int64(q, (int)i + 1, v[i]);
	*out = q;
	return RC_OK;
}

enum rc spool_exec(struct spool *s, enum spool_sql id, size_t n,
    const int64_t *v, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = spool_query(s, id, n, v, &q, e);
	int r;

	if (rc != RC_OK)
		return rc;
	r = sqlite3_step(q);
	if (r != SQLITE_DONE)
		rc = spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	return rc;
}

enum rc spool_row(struct spool *s, enum spool_sql id, size_t nv,
    const int64_t *v, size_t n, int64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = spool_query(s, id, nv, v, &q, e);
	int r;

	if (rc != RC_OK)
		return rc;
	r = sqlite3_step(q);
	for (size_t i = 0; r == SQLITE_ROW && i < n; i++)
		out[i] = sqlite3_column_int64(q, (int)i);
	if (r == SQLITE_DONE)
		rc = RC_NOTFOUND;
	else if (r != SQLITE_ROW)
		rc = spool_rc(s, r, e);
	(void)sqlite3_reset(q);
	return rc;
}

enum rc spool_begin(struct spool *s, struct err *e)
{
	enum rc rc;

	write_queue_enter(s->write_queue, BUSY_MS);
	rc = spool_exec(s, SPOOL_BEGIN, 0, NULL, e);
	if (rc != RC_OK)
		write_queue_leave(s->write_queue);
	return rc;
}

enum rc spool_end(struct spool *s, enum rc rc, void (*undo)(void *ctx),
    void *ctx, struct err *e)
{
	if (rc == RC_OK)
		rc = spool_exec(s, SPOOL_COMMIT, 0, NULL, e);
	/* After a full disk SQLite may have rolled back by itself. */
	if (rc != RC_OK && !sqlite3_get_autocommit(s->db)) {
		if (undo != NULL)
			undo(ctx);
		if (spool_exec(s, SPOOL_ROLLBACK, 0, NULL, NULL) != RC_OK)
			spool_db_close(s);
	}
	write_queue_leave(s->write_queue);
	return rc;
}

void spool_tidy(struct spool *s)
{
	struct err e = { .rc = RC_OK };

	if (spool_db_open(s, false, &e) != RC_OK)
		return;	/* nothing is kept, or somebody else says why not */
	(void)sqlite3_busy_timeout(s->db, TIDY_BUSY_MS);
	(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
}
