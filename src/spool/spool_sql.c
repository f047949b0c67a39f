/* spool_sql.c - the spool's tables and statements. */
#include "config.h"

#include "spool/spool_db.h"

const char *const spool_pragmas[] = {
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA cache_size = -128",
	"PRAGMA journal_size_limit = 4194304",
	"PRAGMA secure_delete = ON",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA trusted_schema = OFF",
	NULL
};

/* What was added since the first version is of no concern to a process that
 * does not know it, so the version stays: see SPOOL_WHOLE. */
const char spool_schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS spool ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" slot INTEGER NOT NULL, user_id INTEGER NOT NULL,"
	" update_id INTEGER NOT NULL, received_at INTEGER NOT NULL,"
	" told INTEGER NOT NULL,"
	" body BLOB NOT NULL) STRICT;"
	"DROP INDEX IF EXISTS spool_slot;"
	"CREATE INDEX IF NOT EXISTS spool_order ON spool (slot, seq, user_id);"
	"CREATE UNIQUE INDEX IF NOT EXISTS spool_update"
	" ON spool (user_id, update_id);"
	"CREATE INDEX IF NOT EXISTS spool_told ON spool (user_id, seq)"
	" WHERE told;"
	/* rows that could not be applied */
	"CREATE TABLE IF NOT EXISTS spool_failed ("
	" seq INTEGER PRIMARY KEY,"
	" slot INTEGER NOT NULL, user_id INTEGER NOT NULL,"
	" tries INTEGER NOT NULL, until INTEGER NOT NULL,"
	" why TEXT NOT NULL) STRICT;"
	"PRAGMA application_id = 1180857200;"
	"PRAGMA user_version = 1;"
	"COMMIT";

/* Whose next update is held at ?n.  A moment that is too far away is one of a
 * clock that was wrong. */
#define HELD_AT(n) "until > ?" #n " AND until <= ?" #n " + 3600000"
_Static_assert(SPOOL_HOLD_MAX_MS == 3600000, "HELD_AT says the same");

#define TOTALS(where) "SELECT count(*), ifnull(sum(length(body)), 0)," \
	" ifnull(min(received_at), 0)," \
	" (SELECT count(*) FROM spool_failed" where ") FROM spool" where

const char *const spool_sql[SPOOL_SQL_COUNT] = {
	[SPOOL_WHOLE] = "SELECT count(*) = 3 FROM sqlite_schema WHERE name IN"
	    " ('spool_order', 'spool_told', 'spool_failed')",
	[SPOOL_BEGIN] = "BEGIN IMMEDIATE",
	[SPOOL_COMMIT] = "COMMIT",
	[SPOOL_ROLLBACK] = "ROLLBACK",
	[SPOOL_INSERT] = "INSERT INTO spool"
	    " (slot, user_id, update_id, received_at, told, body)"
	    " VALUES (?, ?, ?, ?, ?, ?)",
	[SPOOL_TOLD] = "SELECT told FROM spool"
	    " WHERE user_id = ? AND update_id = ?",
	[SPOOL_LAST_TOLD] = "SELECT received_at FROM spool"
	    " WHERE user_id = ? AND told ORDER BY seq DESC LIMIT 1",
	[SPOOL_HAS] = "SELECT 1 FROM spool WHERE user_id = ? LIMIT 1",
	[SPOOL_NEXT] = "SELECT s.seq, s.user_id, s.received_at,"
	    " ifnull(f.tries, 0), s.body"
	    " FROM spool s LEFT JOIN spool_failed f ON f.seq = s.seq"
	    " WHERE s.slot = ?1 AND s.seq > ?2 AND s.user_id NOT IN"
	    " (SELECT user_id FROM spool_failed WHERE " HELD_AT(3) ")"
	    " ORDER BY s.seq LIMIT 1",
	[SPOOL_FIND] = "SELECT slot, length(body) FROM spool WHERE seq = ?",
	[SPOOL_DELETE] = "DELETE FROM spool WHERE seq = ?",
	[SPOOL_FAILED] = "INSERT INTO spool_failed"
	    " (seq, slot, user_id, tries, until, why)"
	    " SELECT seq, slot, user_id, ?2, ?3, ?4 FROM spool WHERE seq = ?1"
	    " ON CONFLICT (seq) DO UPDATE SET tries = tries + excluded.tries,"
	    " until = excluded.until, why = excluded.why",
	[SPOOL_FORGET] = "DELETE FROM spool_failed WHERE seq = ?",
	[SPOOL_RETRY] = "UPDATE spool_failed SET until = 0 WHERE seq = ?",
	[SPOOL_HELD] = "SELECT count(DISTINCT user_id) FROM spool_failed"
	    " WHERE " HELD_AT(1),
	[SPOOL_ANY] = "SELECT 1 FROM spool WHERE slot = ? LIMIT 1",
	[SPOOL_COUNT_SLOT] = "SELECT count(*) FROM spool WHERE slot = ?",
	[SPOOL_COUNT_SLOTS] = "SELECT slot, count(*) FROM spool GROUP BY slot",
	[SPOOL_TOTAL] = TOTALS(""),
	[SPOOL_TOTAL_SLOT] = TOTALS(" WHERE slot = ?1"),
	[SPOOL_BYTES_OF] = "SELECT ifnull(sum(length(body)), 0) FROM spool"
	    " WHERE user_id = ?",
	[SPOOL_OLDEST] = "SELECT received_at FROM spool ORDER BY seq LIMIT 1",
	[SPOOL_LIST] = "SELECT s.seq, s.received_at, s.slot,"
	    " ifnull(f.tries, 0), f.why"
	    " FROM spool s LEFT JOIN spool_failed f ON f.seq = s.seq"
	    " WHERE s.seq > ? ORDER BY s.seq LIMIT ?",
	[SPOOL_LIST_FAILED] = "SELECT s.seq, s.received_at, s.slot,"
	    " f.tries, f.why"
	    " FROM spool_failed f JOIN spool s ON s.seq = f.seq"
	    " WHERE f.seq > ? ORDER BY f.seq LIMIT ?",
};
