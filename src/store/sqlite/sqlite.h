/*
 * sqlite.h - what the files of the SQLite backend share.  Not for others.
 *
 * A struct sqlite_store owns its connection and every statement, which are
 * prepared at first use and live as long as the connection.
 */
#ifndef FAMILYBOT_STORE_SQLITE_SQLITE_H
#define FAMILYBOT_STORE_SQLITE_SQLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/column.h"
#include "store/store.h"
#include "utils/buf.h"
#include "utils/err.h"

struct sqlite3;
struct sqlite3_stmt;

/* What is done to every kind of record alike; the texts are made from the rows
 * of models/kind.h. */
enum sql_run { SQL_SLOT_READ, SQL_ONE_READ, SQL_ONE_DROP, SQL_EXACT, SQL_CLEAR,
	SQL_CENSUS, SQL_TOTAL, SQL_ERASE, SQL_RUN_COUNT };

enum sql_id {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_PING, SQL_STATS, SQL_JOB_STATS,
	SQL_USER_GET, SQL_USER_INSERT, SQL_USER_UPDATE,
	SQL_MEAL_SCAN, SQL_MEAL_GET, SQL_MEAL_INSERT, SQL_MEAL_UPDATE,
	SQL_MEAL_PAGE, SQL_MEAL_DAY, SQL_DAY_SUMS,
	SQL_OWN_PUT, SQL_OWN_LIST,
	SQL_JOB_ADD, SQL_JOB_DUE_ANY, SQL_JOB_DUE, SQL_JOB_LEASE,
	SQL_JOB_SETTLE, SQL_JOB_OPEN, SQL_JOB_CLOSED, SQL_JOB_REVIVE,
	SQL_JOB_DROP, SQL_JOB_PURGE,
	SQL_SNAPSHOT, SQL_SLOT_USERS, SQL_PAGES, SQL_SCHEMA,
	SQL_OWN_COUNT, SQL_MEND_USER, SQL_MEND_MEAL,
	SQL_MARK, SQL_MARKS, SQL_MARK_DROP, SQL_MARKS_CLEAR,
	SQL_META_GET, SQL_META_INSERT, SQL_META_UPDATE, SQL_META_LIST,
	SQL_META_DELETE,
	SQL_FIXED,	/* how many there are besides those of the runs */
	SQL_COUNT = SQL_FIXED + SQL_RUN_COUNT * COLLECTION_COUNT
};

/* The statement of this run for this kind.  A kind that is none gives
 * SQL_COUNT, which sqlite_query refuses. */
static inline enum sql_id sql_of(enum sql_run run, enum collection kind)
{
	return (unsigned int)kind < COLLECTION_COUNT ?
	    (enum sql_id)(SQL_FIXED + (int)run * COLLECTION_COUNT + (int)kind) :
	    SQL_COUNT;
}

struct sqlite_store {
	struct store base;
	struct sqlite3 *db;
	char name[64];			/* of the shard, for messages */
	int write_queue;			/* see write_queue.h */
	int busy_ms;			/* most to wait for a lock */
	int64_t busy_since;		/* monotonic µs of this wait's start */
	struct sqlite3_stmt *stmt[SQL_COUNT];
	struct buf items;		/* a meal's items being written */
	bool full;			/* opened with STORE_SYNC_FULL */
};

/* Turns SQLite's result r into ours, with words that say what to do. */
enum rc sqlite_rc(struct sqlite3 *db, const char *shard, int r, struct err *e);

/* Adds the SQL of id, built from the models' columns.  sqlite_sql.c */
void sqlite_sql(enum sql_id id, struct buf *out);

/* The statement of id, with n numbers bound to ?1 ... ?n. */
MUST_CHECK enum rc sqlite_query(struct sqlite_store *s, enum sql_id id,
    size_t n, const int64_t *v, struct sqlite3_stmt **out, struct err *e);
/* Steps once: *row says whether there is a row to read. */
MUST_CHECK enum rc sqlite_row(struct sqlite_store *s, struct sqlite3_stmt *q,
    bool *row, struct err *e);
/* Runs to the end and resets, for statements without rows. */
MUST_CHECK enum rc sqlite_done(struct sqlite_store *s, struct sqlite3_stmt *q,
    struct err *e);
MUST_CHECK enum rc sqlite_exec(struct sqlite_store *s, enum sql_id id,
    size_t n, const int64_t *v, struct err *e);
int sqlite_changed(struct sqlite_store *s);	/* rows, by the last one */
void sqlite_reset(struct sqlite3_stmt *q);	/* takes NULL */

/* Begins a transaction that writes; sqlite_end commits it if rc is RC_OK,
 * else rolls back, and returns rc or what went wrong with the commit. */
MUST_CHECK enum rc sqlite_begin(struct sqlite_store *s, struct err *e);
MUST_CHECK enum rc sqlite_end(struct sqlite_store *s, enum rc rc,
    struct err *e);

/* A transaction that only reads, of one moment; ends with sqlite_seen, which
 * returns rc. */
MUST_CHECK enum rc sqlite_look(struct sqlite_store *s, struct err *e);
MUST_CHECK enum rc sqlite_seen(struct sqlite_store *s, enum rc rc,
    struct err *e);

/* Marks the person if the slot moves; within the transaction of the write. */
MUST_CHECK enum rc sqlite_mark(struct sqlite_store *s, int32_t slot,
    int64_t user_id, struct err *e);
/* A write of one statement: a transaction is begun, and the person marked, only
 * if the slot moves.  *open goes to sqlite_write_end, which ends it with rc. */
MUST_CHECK enum rc sqlite_write_begin(struct sqlite_store *s, int32_t slot,
    int64_t user_id, bool *open, struct err *e);
MUST_CHECK enum rc sqlite_write_end(struct sqlite_store *s, bool open,
    enum rc rc, struct err *e);

/* Binds columns of rec to ?1 ...; returns how many.  rec stays unchanged
 * until the statement has run. */
int sqlite_bind(struct sqlite3_stmt *q, const struct column *cols,
    const void *rec);
void sqlite_bind_text(struct sqlite3_stmt *q, int i, const char *s);
void sqlite_bind_i64(struct sqlite3_stmt *q, int i, int64_t v);
/* Reads columns of the row into rec.  RC_CORRUPT: a text is too long. */
MUST_CHECK enum rc sqlite_read(struct sqlite_store *s, struct sqlite3_stmt *q,
    const struct column *cols, void *rec, struct err *e);
int sqlite_columns(const struct column *cols);	/* how many */
/* A meal, whose items follow its columns, in a row and in a statement; was:
 * the revision that it had, 0 for a statement without. */
MUST_CHECK enum rc sqlite_meal_read(struct sqlite_store *s,
    struct sqlite3_stmt *q, struct meal *out, struct err *e);
MUST_CHECK enum rc sqlite_meal_write(struct sqlite_store *s, enum sql_id id,
    const struct meal *m, int32_t was, struct err *e);
/* The row of a collection. */
MUST_CHECK enum rc sqlite_record_read(struct sqlite_store *s,
    struct sqlite3_stmt *q, enum collection kind, struct record *out,
    struct err *e);

/* The operations, by file. */
enum rc sqlite_user_get(struct store *s, int64_t user_id, struct user *out,
    struct err *e);
enum rc sqlite_user_put(struct store *s, struct user *u, struct err *e);
enum rc sqlite_tidy(struct store *st, struct err *e);
enum rc sqlite_erase(struct store *s, int64_t user_id, struct err *e);

enum rc sqlite_meal_add(struct store *s, struct meal *m, struct day_sum *day,
    struct err *e);
enum rc sqlite_meal_get(struct store *s, int64_t user_id, int32_t day,
    int64_t chat_id, int64_t message_id, struct meal *out, struct err *e);
enum rc sqlite_meal_replace(struct store *s, struct meal *m,
    struct day_sum *day, struct err *e);
enum rc sqlite_meal_page(struct store *s, int64_t user_id,
    const struct meal_cursor *from, size_t max, struct meal *out, size_t *n,
    struct err *e);
enum rc sqlite_meal_day(struct store *s, int64_t user_id, int32_t day,
    size_t max, struct meal *out, size_t *n, struct err *e);
enum rc sqlite_day_sums(struct store *s, int64_t user_id, int32_t first,
    int32_t last, struct day_sum *out, struct err *e);
enum rc sqlite_own_food_put(struct store *s, const struct own_food *f,
    struct err *e);
enum rc sqlite_own_food_list(struct store *s, int64_t user_id, size_t max,
    struct own_food *out, size_t *n, struct err *e);

enum rc sqlite_job_add(struct store *s, const struct job *jobs, size_t n,
    struct err *e);
enum rc sqlite_job_lease(struct store *s, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate,
    struct job *out, size_t *n, struct err *e);
enum rc sqlite_job_settle(struct store *s, const struct job *jobs, size_t n,
    struct err *e);
enum rc sqlite_job_list(struct store *s, enum job_state state, size_t max,
    struct job *out, size_t *n, struct err *e);
enum rc sqlite_job_revive(struct store *s, const char *id, bool drop,
    int64_t now, struct err *e);
enum rc sqlite_job_purge(struct store *s, int64_t before, struct err *e);
enum rc sqlite_job_stats(struct store *s, struct store_stats *out,
    struct err *e);

enum rc sqlite_slot_users(struct store *s, int32_t slot, int64_t after,
    size_t max, int64_t *out, size_t *n, struct err *e);
enum rc sqlite_slot_read(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers,
    enum rc (*each)(void *ctx, const struct record *r, struct err *e),
    void *ctx, struct err *e);
enum rc sqlite_slot_write(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, const struct record_pack *records, struct err *e);
enum rc sqlite_slot_clear(struct store *s, int32_t slot, struct err *e);
enum rc sqlite_slot_bulk(struct store *s, bool on, struct err *e);
enum rc sqlite_slot_clear_jobs(struct store *s, int32_t slot, struct err *e);
enum rc sqlite_dirty_list(struct store *s, const int32_t *slots,
    size_t nslots, size_t max,
    int64_t *out, size_t *n, struct err *e);
enum rc sqlite_dirty_clear(struct store *s, int32_t slot,
    const int64_t *users, size_t nusers, struct err *e);

enum rc sqlite_stats(struct store *s, struct store_stats *out, struct err *e);
enum rc sqlite_census(struct store *s, struct slot_census *out, struct err *e);
enum rc sqlite_check(struct store *s, int32_t slot, bool repair,
    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
    struct err *e);
enum rc sqlite_info(struct store *s, struct store_info *out, struct err *e);
enum rc sqlite_backup(struct store *s, const char *path,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e);

enum rc sqlite_meta_get(struct store *s, const char *key, struct buf *value,
    int64_t *version, struct err *e);
enum rc sqlite_meta_put(struct store *s, const char *key, const void *value,
    size_t len, int64_t *version, struct err *e);
enum rc sqlite_meta_list(struct store *s, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e);
enum rc sqlite_meta_delete(struct store *s, const char *key,
    int64_t version, struct err *e);

#endif
