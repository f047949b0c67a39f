/*
 * sqlite.c - a shard in an SQLite file: connection, statements, errors.
 *
 * WAL, so that readers never wait for writers; writers wait for each other by
 * polling finely, because SQLite's own steps of up to 100 ms would be what the
 * slowest requests spend.  May not know anything of slots, shards.conf or
 * Telegram beyond the records' slot field.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store/sqlite/write_queue.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { BUSY_MS_DEFAULT = 5000, ITEMS_MAX = 65536 };

enum rc sqlite_rc(sqlite3 *db, const char *shard, int r, struct err *e)
{
	switch (r & 0xff) {
	case SQLITE_FULL:
		return err_set(e, RC_FULL, "%s: the disk is full: free some "
		    "space, nothing was stored", shard);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, RC_BUSY, "%s: another process holds the "
		    "database locked: try again, and see who has it open",
		    shard);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, RC_CORRUPT, "%s: the database file is damaged"
		    " (%s): restore it from the backup", shard, sqlite3_errstr(r));
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PROTOCOL:
		return err_set(e, RC_UNAVAILABLE, "%s: the database file cannot "
		    "be used (%s): check disk, path and owner", shard,
		    sqlite3_errstr(r));
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(e, RC_DENIED, "%s: not allowed to use the "
		    "database file: check its owner and mode", shard);
	case SQLITE_CONSTRAINT:
		return err_set(e, RC_CONFLICT, "%s: stored already", shard);
	case SQLITE_TOOBIG:
		return err_set(e, RC_TOOBIG, "%s: record too big", shard);
	default:
		return err_set(e, RC_SYSTEM, "%s: SQLite: %s", shard,
		    db ? sqlite3_errmsg(db) : sqlite3_errstr(r));
	}
}

static enum rc rc_of(struct sqlite_store *s, int r, struct err *e)
{
	return sqlite_rc(s->db, s->name, r, e);
}

static void sleep_us(long us)
{
	struct timespec t = { 0, us * 1000 };

	(void)nanosleep(&t, NULL);
}

/* SQLite calls this each time it finds a lock taken; 0 gives up. */
static int busy(void *ctx, int count)
{
	struct sqlite_store *s = ctx;
	int64_t now = clock_mono_us();
	int steps = count < 9 ? count + 1 : 10;

	if (count == 0)
		s->busy_since = now;
	if (now - s->busy_since > (int64_t)s->busy_ms * 1000)
		return 0;
	/* Waiters that came together must not come again together. */
	sleep_us(100 * steps + (long)((now ^ getpid()) & 127));
	return 1;
}

enum rc sqlite_query(struct sqlite_store *s, enum sql_id id, size_t n,
    const int64_t *v, sqlite3_stmt **out, struct err *e)
{
	sqlite3_stmt *q;

	/* of a kind that is none: another's rows must not be taken for it */
	if ((unsigned int)id >= SQL_COUNT)
		return err_set(e, RC_INVALID, "%s: there is no such kind of "
		    "records", s->name);
	q = s->stmt[id];
	if (!q) {
		struct buf sql;

		buf_init(&sql, 4096);
		sqlite_sql(id, &sql);
		int r = sqlite3_prepare_v3(s->db, sql.s, (int)sql.len,
		    SQLITE_PREPARE_PERSISTENT, &q, NULL);
		buf_release(&sql);
		if (r != SQLITE_OK)
			return rc_of(s, r, e);
		s->stmt[id] = q;
	}
	for (size_t i = 0; i < n; i++)
		sqlite_bind_i64(q, (int)i + 1, v[i]);
	*out = q;
	return RC_OK;
}

enum rc sqlite_row(struct sqlite_store *s, sqlite3_stmt *q, bool *row,
    struct err *e)
{
	int r = sqlite3_step(q);

	if (r != SQLITE_ROW && r != SQLITE_DONE)
		return rc_of(s, r, e);
	*row = r == SQLITE_ROW;
	return RC_OK;
}

void sqlite_reset(sqlite3_stmt *q)
{
	(void)sqlite3_reset(q);
}

enum rc sqlite_done(struct sqlite_store *s, sqlite3_stmt *q, struct err *e)
{
	int r = sqlite3_step(q);
	enum rc rc = r == SQLITE_DONE ? RC_OK : rc_of(s, r, e);

	(void)sqlite3_reset(q);
	return rc;
}

enum rc sqlite_exec(struct sqlite_store *s, enum sql_id id, size_t n,
    const int64_t *v, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = sqlite_query(s, id, n, v, &q, e);

	return rc == RC_OK ? sqlite_done(s, q, e) : rc;
}

int sqlite_changed(struct sqlite_store *s)
{
	return sqlite3_changes(s->db);
}

enum rc sqlite_begin(struct sqlite_store *s, struct err *e)
{
	enum rc rc;

	write_queue_enter(s->write_queue, s->busy_ms);
	rc = sqlite_exec(s, SQL_BEGIN, 0, NULL, e);
	if (rc != RC_OK)
		write_queue_leave(s->write_queue);
	return rc;
}

enum rc sqlite_end(struct sqlite_store *s, enum rc rc, struct err *e)
{
	if (rc == RC_OK)
		rc = sqlite_exec(s, SQL_COMMIT, 0, NULL, e);
	/* After a full disk SQLite may have rolled back by itself. */
	if (rc != RC_OK && !sqlite3_get_autocommit(s->db) &&
	    sqlite_exec(s, SQL_ROLLBACK, 0, NULL, NULL) != RC_OK)
		rc = err_set(e, RC_SYSTEM, "%s: cannot roll back: %s",
		    s->name, sqlite3_errmsg(s->db));
	write_queue_leave(s->write_queue);
	return rc;
}

enum rc sqlite_look(struct sqlite_store *s, struct err *e)
{
	return sqlite_exec(s, SQL_SNAPSHOT, 0, NULL, e);
}

enum rc sqlite_seen(struct sqlite_store *s, enum rc rc, struct err *e)
{
	enum rc ended = sqlite_exec(s, SQL_ROLLBACK, 0, NULL,
	    rc == RC_OK ? e : NULL);

	return rc == RC_OK ? ended : rc;
}

static void sqlite_close(struct store *st)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	for (int i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(s->stmt[i]);
	(void)sqlite3_close(s->db);
	write_queue_close(s->write_queue);
	buf_release(&s->items);
	free(s);
}

/* SQLite would give a new file the mode of the umask: it holds health data. */
static enum rc file_create(const struct sqlite_store *s, const char *path,
    struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	else if (errno == ENOSPC || errno == EDQUOT)
		return err_set(e, RC_FULL, "%s: the disk is full: free some "
		    "space", s->name);
	else
		return err_set(e, RC_UNAVAILABLE, "%s: cannot create %s: %s",
		    s->name, path, strerror(errno));
	return RC_OK;
}

/* An empty file in the place of one whose disk is away would let its people
 * begin anew, and hide what they had. */
static enum rc file_gone(const struct sqlite_store *s, const char *path,
    struct err *e)
{
	return err_set(e, RC_UNAVAILABLE, "%s: %s was here and is gone: mount "
	    "its disk, or familybotctl shards restore %s", s->name, path,
	    s->name);
}

static int pragma(struct sqlite_store *s, const char *sql)
{
	int r;

	/* Of several processes that turn WAL on, SQLite makes some lose at
	 * once, without asking the busy handler. */
	for (int i = 0; i < 1000; i++) {
		r = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
		if ((r & 0xff) != SQLITE_BUSY)
			break;
		sleep_us(5000);
	}
	return r;
}

/* slot_moves(slot) in SQL, for statements over many slots. */
static void slot_moves(sqlite3_context *sql, int n, sqlite3_value **v)
{
	const struct sqlite_store *s = sqlite3_user_data(sql);

	(void)n;
	sqlite3_result_int(sql, store_marks(&s->base,
	    sqlite3_value_int(v[0])));
}

static enum rc setup(struct sqlite_store *s, const struct store_conf *c,
    struct err *e)
{
	const char *const settings[] = {
		"PRAGMA journal_mode = WAL",
		c->sync == STORE_SYNC_FULL ? "PRAGMA synchronous = FULL" :
		    "PRAGMA synchronous = NORMAL",
		"PRAGMA cache_size = -384",	/* KiB: 6 MB is all a process gets */
		"PRAGMA journal_size_limit = 8388608",
		/* FAST would leave what was deleted in pages that became
		 * free: a taught food that was edited down, then erased, was
		 * found 28 times in the file */
		"PRAGMA secure_delete = ON",
		"PRAGMA temp_store = MEMORY",
		"PRAGMA trusted_schema = OFF",
	};

	s->full = c->sync == STORE_SYNC_FULL;
	(void)sqlite3_busy_handler(s->db, busy, s);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 512, 64);
	(void)sqlite3_create_function(s->db, "slot_moves", 1, SQLITE_UTF8 |
	    SQLITE_DIRECTONLY, s, slot_moves, NULL, NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int r = pragma(s, settings[i]);

		if (r != SQLITE_OK)
			return rc_of(s, r, e);
	}
	return migrate_sqlite(s->db, s->name, c->create, e);
}

static enum rc sqlite_open(const struct store_conf *c, struct store **out,
    struct err *e)
{
	static const char scheme[] = "sqlite:";
	const char *path = c->uri + sizeof(scheme) - 1;
	struct sqlite_store *s;
	enum rc rc = RC_OK;
	int r;

	if (strncmp(c->uri, scheme, sizeof(scheme) - 1) != 0 || !path[0])
		return err_set(e, RC_INVALID, "%s: the URI must be "
		    "sqlite:/path/to/file", c->name);
	s = xcalloc(1, sizeof(*s));
	s->base.ops = &store_sqlite_ops;
	s->busy_ms = c->timeout_ms > 0 ? c->timeout_ms : BUSY_MS_DEFAULT;
	(void)str_copy(s->name, sizeof(s->name), c->name);
	s->write_queue = -1;
	buf_init(&s->items, ITEMS_MAX);
	if (c->made && access(path, F_OK) != 0 && errno == ENOENT)
		rc = file_gone(s, path, e);
	else if (c->create && !c->made)
		rc = file_create(s, path, e);
	if (rc != RC_OK)
		goto out;
	r = sqlite3_open_v2(path, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_CANTOPEN && access(path, F_OK) != 0)
		rc = err_set(e, RC_UNAVAILABLE, "%s: there is no file %s: check "
		    "shards.conf, or mount its disk", s->name, path);
	else if (r != SQLITE_OK)
		rc = rc_of(s, r, e);
	else
		rc = setup(s, c, e);
	if (rc == RC_OK)
		s->write_queue = write_queue_open(path);
out:
	if (rc != RC_OK)
		sqlite_close(&s->base);
	else
		*out = &s->base;
	return rc;
}

static enum rc sqlite_ping(struct store *st, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_PING, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	sqlite_reset(q);
	return rc;
}

const struct store_ops store_sqlite_ops = {
	.scheme = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.ping = sqlite_ping,
	.user_get = sqlite_user_get,
	.user_put = sqlite_user_put,
	.erase = sqlite_erase,
	.meal_add = sqlite_meal_add,
	.meal_get = sqlite_meal_get,
	.meal_replace = sqlite_meal_replace,
	.meal_page = sqlite_meal_page,
	.meal_day = sqlite_meal_day,
	.day_sums = sqlite_day_sums,
	.own_food_put = sqlite_own_food_put,
	.own_food_list = sqlite_own_food_list,
	.job_add = sqlite_job_add,
	.job_lease = sqlite_job_lease,
	.job_settle = sqlite_job_settle,
	.job_list = sqlite_job_list,
	.job_revive = sqlite_job_revive,
	.job_purge = sqlite_job_purge,
	.stats = sqlite_stats,
	.job_stats = sqlite_job_stats,
	.slot_users = sqlite_slot_users,
	.slot_read = sqlite_slot_read,
	.slot_write = sqlite_slot_write,
	.slot_clear = sqlite_slot_clear,
	.slot_bulk = sqlite_slot_bulk,
	.slot_clear_jobs = sqlite_slot_clear_jobs,
	.dirty_list = sqlite_dirty_list,
	.dirty_clear = sqlite_dirty_clear,
	.census = sqlite_census,
	.check = sqlite_check,
	.info = sqlite_info,
	.backup = sqlite_backup,
	.tidy = sqlite_tidy,
	.meta_get = sqlite_meta_get,
	.meta_put = sqlite_meta_put,
	.meta_list = sqlite_meta_list,
	.meta_delete = sqlite_meta_delete,
};
