/*
 * migrate.c - brings an embedded shard's schema to the one of this program.
 *
 * The number of the last migration is SQLite's user_version, and
 * application_id marks the file as familybot's; both change in the same
 * transaction as the tables.  Borrows the connection, owns nothing.
 */
#include "config.h"

#include "store/migrate.h"

#include <sqlite3.h>

#include "store/sqlite/sqlite.h"
#include "utils/buf.h"

enum { APPLICATION_ID = 0x46626f74 /* "Fbot" */ };

int migrate_latest(void)
{
	int i = 0;

	while (migrations[i].sql)
		i++;
	return i;
}

static enum rc number_get(sqlite3 *db, const char *shard, const char *sql,
    int *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = RC_OK;

	int r = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*out = sqlite3_column_int(q, 0);
	else
		rc = sqlite_rc(db, shard, r, e);
	(void)sqlite3_finalize(q);
	return rc;
}

static enum rc exec(sqlite3 *db, const char *shard, const char *sql,
    struct err *e)
{
	int r = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return r == SQLITE_OK ? RC_OK : sqlite_rc(db, shard, r, e);
}

/* How far the file is; refuses what this program must not touch. */
static enum rc version_get(sqlite3 *db, const char *shard, int *version,
    struct err *e)
{
	int app = 0, tables = 0, v = 0;
	enum rc rc;

	rc = number_get(db, shard, "PRAGMA user_version", &v, e);
	if (rc == RC_OK)
		rc = number_get(db, shard, "PRAGMA application_id", &app, e);
	if (rc == RC_OK && app != APPLICATION_ID)
		rc = number_get(db, shard, "SELECT count(*) FROM sqlite_master",
		    &tables, e);
	if (rc != RC_OK)
		return rc;
	if (app != APPLICATION_ID && (tables || app || v))
		return err_set(e, RC_INVALID, "%s: the file is a database of "
		    "another program: name another path in shards.conf", shard);
	if (v > migrate_latest())
		return err_set(e, RC_INVALID, "%s: schema %d is newer than %d, "
		    "the newest this program knows: run the newer familybot, or "
		    "restore the backup from before it", shard, v,
		    migrate_latest());
	*version = v;
	return RC_OK;
}

static enum rc migrate_locked(sqlite3 *db, const char *shard, struct err *e)
{
	char sql[96];
	int v = 0;
	enum rc rc;

	/* Another process may have done it while this one waited. */
	rc = version_get(db, shard, &v, e);
	for (int i = v; rc == RC_OK && migrations[i].sql; i++) {
		rc = exec(db, shard, migrations[i].sql, e);
		(void)str_format(sql, sizeof(sql), "PRAGMA user_version = %d; "
		    "PRAGMA application_id = %d", i + 1, APPLICATION_ID);
		if (rc == RC_OK)
			rc = exec(db, shard, sql, e);
	}
	return rc;
}

/* In one transaction: another process may be making the tables just now, and
 * half of its work would look like the file of a stranger. */
static enum rc version_look(sqlite3 *db, const char *shard, int *version,
    struct err *e)
{
	enum rc rc = exec(db, shard, "BEGIN", e);

	if (rc != RC_OK)
		return rc;
	rc = version_get(db, shard, version, e);
	(void)exec(db, shard, "ROLLBACK", NULL);
	return rc;
}

enum rc migrate_sqlite(sqlite3 *db, const char *shard, bool create,
    struct err *e)
{
	int v = 0;
	enum rc rc;

	rc = version_look(db, shard, &v, e);
	if (rc != RC_OK || v == migrate_latest())
		return rc;
	if (!create)
		return err_set(e, RC_INVALID, "%s: schema %d is older than %d: "
		    "start familybot once so that it is migrated", shard, v,
		    migrate_latest());
	rc = exec(db, shard, "BEGIN IMMEDIATE", e);
	if (rc != RC_OK)
		return rc;
	rc = migrate_locked(db, shard, e);
	if (rc == RC_OK)
		rc = exec(db, shard, "COMMIT", e);
	if (rc != RC_OK)
		(void)exec(db, shard, "ROLLBACK", NULL);
	return rc;
}
