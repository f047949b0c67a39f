/*
 * spool_db.h - the spool's database, for spool*.c alone.
 */
#ifndef FAMILYBOT_SPOOL_SPOOL_DB_H
#define FAMILYBOT_SPOOL_SPOOL_DB_H

#include <sqlite3.h>

#include "spool/spool.h"
#include "shards/router.h"
#include "shards/shared.h"

enum { SPOOL_VERSION = 1 };

enum spool_sql { SPOOL_WHOLE, SPOOL_BEGIN, SPOOL_COMMIT, SPOOL_ROLLBACK, SPOOL_INSERT,
	SPOOL_TOLD, SPOOL_LAST_TOLD, SPOOL_HAS, SPOOL_NEXT, SPOOL_FIND,
	SPOOL_DELETE, SPOOL_FAILED, SPOOL_FORGET, SPOOL_RETRY, SPOOL_HELD,
	SPOOL_ANY, SPOOL_COUNT_SLOT, SPOOL_COUNT_SLOTS, SPOOL_TOTAL,
	SPOOL_TOTAL_SLOT, SPOOL_BYTES_OF, SPOOL_OLDEST, SPOOL_LIST,
	SPOOL_LIST_FAILED, SPOOL_SQL_COUNT };

/* spool_sql.c */
extern const char *const spool_sql[SPOOL_SQL_COUNT];
extern const char *const spool_pragmas[];	/* of each connection; ends in NULL */
extern const char spool_schema[];	/* makes what is not there */

struct spool_counts;

struct spool {
	char *path;
	int64_t max_bytes;
	struct shared shared;
	struct spool_counts *counts;	/* NULL: not mapped yet */
	int64_t counted_at;	/* mono ms of the last exact count of bytes */
	sqlite3 *db;		/* NULL: not open yet */
	int write_queue;
	sqlite3_stmt *stmt[SPOOL_SQL_COUNT];
};

/* Opens it when it is not open; create: makes it.  RC_NOTFOUND: there is none
 * and create is false.  Never RC_INVALID: a database of a newer version is
 * RC_UNAVAILABLE, as what it holds is not the fault of an update. */
MUST_CHECK enum rc spool_db_open(struct spool *s, bool create, struct err *e);
void spool_db_close(struct spool *s);

/* What SQLite said, in words. */
MUST_CHECK enum rc spool_rc(struct spool *s, int r, struct err *e);
/* A statement with its numbers bound, ready to step; reset by the caller. */
MUST_CHECK enum rc spool_query(struct spool *s, enum spool_sql id, size_t n,
    const int64_t *v, sqlite3_stmt **out, struct err *e);
/* Steps a statement that gives no row. */
MUST_CHECK enum rc spool_exec(struct spool *s, enum spool_sql id, size_t n,
    const int64_t *v, struct err *e);
/* Up to n numbers of the first row; RC_NOTFOUND when there is none. */
MUST_CHECK enum rc spool_row(struct spool *s, enum spool_sql id, size_t nv,
    const int64_t *v, size_t n, int64_t *out, struct err *e);

MUST_CHECK enum rc spool_begin(struct spool *s, struct err *e);
/* Commits when rc is RC_OK, else rolls back; *undo (may be NULL) is called
 * after a failure, while nobody else can write, if that can be known. */
MUST_CHECK enum rc spool_end(struct spool *s, enum rc rc,
    void (*undo)(void *ctx), void *ctx, struct err *e);

#endif
