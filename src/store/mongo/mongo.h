/*
 * mongo.h - what the files of the MongoDB backend share.
 *
 * Shape of the database (each document carries user_id and slot):
 *
 *   users           _id user_id; the fields of user_columns
 *   food_analysis   _id "<user_id>:<day>"; one document per user and local
 *                   day: date (that day, 00:00 UTC), day, total {meals, cal,
 *                   protein, fat, carb} of what is not deleted, and meals
 *                   [{id "<chat_id>:<message_id>", …, items [{…}]}]
 *   own_foods       _id "<user_id>:<key>"; the fields of own_food_columns
 *   jobs            _id the job's id; the fields of job_columns
 *   dirty           _id user_id; user_id and slot: who was written to while
 *                   the slot moved
 *   agreed          _id the key; version, value: what hosts agree on
 *
 * Every look-up by _id names user_id too, so that a shard which is itself a
 * sharded cluster can be distributed by user_id.
 *
 * A day is one document so that recording an entry, keeping the day's sum
 * and answering it are one command on one document: one round trip, atomic
 * without transactions, and never more than MEALS_PER_DAY_MAX meals large.
 *
 * Only files named mongo*.c may include this, and only they may use libmongoc.
 * Documents are made by libbson's builders, never from text.
 */
#ifndef FAMILYBOT_STORE_MONGO_MONGO_H
#define FAMILYBOT_STORE_MONGO_MONGO_H

#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/column.h"
#include "store/store.h"
#include "utils/clock.h"
#include "utils/err.h"

#define MONGO_USERS	"users"
#define MONGO_DAYS	"food_analysis"
#define MONGO_FOODS	"own_foods"
#define MONGO_JOBS	"jobs"
#define MONGO_DIRTY	"dirty"
#define MONGO_AGREED	"agreed"

enum { MONGO_ID_SIZE = 160, MONGO_CODE_DUPLICATE = 11000,
	MONGO_MS_PER_DAY = 86400000 };

/* The one symbol that the module shows. */
extern const struct store_ops store_mongo_ops
    __attribute__((visibility("default")));

struct mongo_store {
	struct store store;
	mongoc_client_t *client;	/* owned; connects when first used */
	char name[64];			/* of the shard, for messages */
	char db[64];
	int timeout_ms;			/* of one operation */
	int connect_ms;			/* of one connection, hello included */
	int max_time_ms;		/* of one command on the server: less */
	int64_t deadline;		/* clock_mono_us: no word after it */
};

static inline struct mongo_store *mongo_of(struct store *s)
{
	return (struct mongo_store *)s;
}

/* Begins an operation, or the next step of one that has many: all that it says
 * and hears must be done within the time-out from here. */
static inline struct mongo_store *mongo_begin(struct store *s)
{
	struct mongo_store *ms = mongo_of(s);

	ms->deadline = clock_mono_us() + ms->timeout_ms * INT64_C(1000);
	return ms;
}

/* The same for what may take long, as it goes through everything. */
void mongo_begin_long(struct mongo_store *ms);

/* mongo_stream.c: makes the connections of ms keep its deadline. */
void mongo_stream_limit(struct mongo_store *ms);

/* mongo.c: commands */

/* One find; sort may be NULL; at most limit documents, in one answer. */
struct mongo_find {
	const char *collection;
	const bson_t *filter;
	const bson_t *projection;	/* NULL: all fields */
	const bson_t *sort;
	int64_t limit;
};

/*
 * Runs cmd (maxTimeMS is added) and gives the server's answer, which the
 * caller destroys whatever is returned.  RC_CONFLICT: duplicate key.
 */
MUST_CHECK enum rc mongo_read(struct mongo_store *ms, bson_t *cmd,
    bson_t *reply, struct err *e);
MUST_CHECK enum rc mongo_write(struct mongo_store *ms, bson_t *cmd,
    bson_t *reply, struct err *e);
MUST_CHECK enum rc mongo_write_untimed(struct mongo_store *ms,
    const bson_t *cmd, bson_t *reply, struct err *e);

MUST_CHECK enum rc mongo_find(struct mongo_store *ms,
    const struct mongo_find *f, bson_t *reply, struct err *e);

/* Walks the documents of a find's or an aggregate's answer.  doc borrows from
 * reply.  mongo_batch_init: RC_CORRUPT when there is no batch in reply. */
MUST_CHECK enum rc mongo_batch_init(struct mongo_store *ms,
    const bson_t *reply, bson_iter_t *batch, struct err *e);
bool mongo_batch_next(bson_iter_t *batch, bson_t *doc);

MUST_CHECK enum rc mongo_corrupt(struct mongo_store *ms, const char *what,
    struct err *e);
enum rc mongo_fail(struct mongo_store *ms, const bson_error_t *error,
    struct err *e);

/* mongo_cursor.c: answers of any length, a batch after another */

struct mongo_cursor {
	struct mongo_store *ms;
	mongoc_collection_t *collection;	/* owned */
	mongoc_cursor_t *cursor;		/* owned */
};

/* Nothing is asked before the first mongo_cursor_next.  f's limit 0: all. */
void mongo_cursor_find(struct mongo_cursor *c, struct mongo_store *ms,
    const struct mongo_find *f);
void mongo_cursor_aggregate(struct mongo_cursor *c, struct mongo_store *ms,
    const char *collection, const bson_t *pipeline);
void mongo_cursor_release(struct mongo_cursor *c);
/* RC_NOTFOUND at the end.  *doc is borrowed until the next call.  The time-out
 * is for each batch; patient: as mongo_begin_long. */
MUST_CHECK enum rc mongo_cursor_next(struct mongo_cursor *c, bool patient,
    const bson_t **doc, struct err *e);

/* mongo_slot.c */

/* {slot, user_id: {$in: users}}; users NULL: {slot}.  To be destroyed. */
bson_t *mongo_slot_filter(int32_t slot, const int64_t *users, size_t n);
/* Deletes what matches, some hundred documents a command. */
MUST_CHECK enum rc mongo_delete_batches(struct mongo_store *ms,
    const char *collection, const bson_t *filter, struct err *e);

/* mongo_dirty.c: marks */

/* RC_UNAVAILABLE: this host may not write now, its lease has run out. */
MUST_CHECK enum rc mongo_serves(const struct mongo_store *ms, struct err *e);
/* Marks the user, when the slot moves: before what is then written. */
MUST_CHECK enum rc mongo_mark(struct mongo_store *ms, int64_t user_id,
    struct err *e);
/* The same for many, of which those are marked whose slots move. */
MUST_CHECK enum rc mongo_mark_all(struct mongo_store *ms, const int64_t *users,
    size_t n, struct err *e);
MUST_CHECK enum rc mongo_mark_jobs(struct mongo_store *ms,
    const struct job *jobs, size_t n, struct err *e);

/* mongo_record.c: whole documents */

/* The key of a document, as it is looked for. */
void mongo_doc_key(const bson_t *doc, char *out, size_t size);
/* RC_CORRUPT, with the key of doc. */
MUST_CHECK enum rc mongo_corrupt_doc(struct mongo_store *ms,
    const char *collection, const bson_t *doc, struct err *e);
/* False when it cannot be read. */
MUST_CHECK bool mongo_get_user(const bson_t *doc, struct user *u);
MUST_CHECK bool mongo_get_own_food(const bson_t *doc, struct own_food *f);
MUST_CHECK bool mongo_get_job(const bson_t *doc, struct job *j);
/* Appends the number pos of a list. */
void mongo_list_doc_begin(bson_t *list, uint32_t pos, bson_t *doc);
void mongo_list_i64(bson_t *list, uint32_t pos, int64_t value);

/* mongo_bson.c: between structs and documents */

/* Appends the fields of row; columns in skip (NULL-terminated, may be NULL)
 * are left out.  RC_INVALID when a text is not UTF-8. */
MUST_CHECK enum rc mongo_put_row(bson_t *doc, const struct column *columns,
    const char *const *skip, const void *row, struct err *e);

/* Reads fields by name; unknown ones are passed over, missing ones keep their
 * value.  False when one has another type or does not fit. */
MUST_CHECK bool mongo_get_row(const bson_t *doc, const struct column *columns,
    void *row);

bool mongo_get_i64(const bson_t *doc, const char *dotted, int64_t *out);
bool mongo_get_doc(const bson_t *doc, const char *key, bson_t *out);
bool mongo_iter_i64(const bson_iter_t *it, int64_t *out);
bool mongo_iter_doc(const bson_iter_t *it, bson_t *out);

/* mongo_index.c */

/* Creates the indexes that are missing. */
MUST_CHECK enum rc mongo_index_create(struct mongo_store *ms, struct err *e);

/* mongo_trim.c */

/* Drops clean pages of program text; for after a first command. */
void mongo_trim(void);

/* mongo_meal_doc.c: meals in a day's document */

void mongo_day_id(char id[MONGO_ID_SIZE], int64_t user_id, int32_t day);
void mongo_meal_id(char id[MONGO_ID_SIZE], int64_t chat_id,
    int64_t message_id);
MUST_CHECK enum rc mongo_put_meal(bson_t *doc, const char *key,
    const struct meal *m, struct err *e);
/* day_doc tells user_id, slot and day, el the rest. */
MUST_CHECK bool mongo_get_meal(const bson_t *day_doc, const bson_t *el,
    struct meal *m);
MUST_CHECK bool mongo_get_total(const bson_t *day_doc, int32_t day,
    struct day_sum *out);
/* Adds what a meal counts: nothing when it is deleted. */
void mongo_day_count(struct day_sum *day, const struct meal *m);
/* Appends the field total. */
void mongo_put_total(bson_t *doc, const struct day_sum *day);

/* mongo_check.c, mongo_check_day.c: looking at the documents of a slot */

struct mongo_count_of {
	int64_t user_id;
	int64_t n;
};

struct mongo_checker {
	struct mongo_store *ms;
	int32_t slot;
	bool repair;
	void (*found)(void *ctx, const struct store_fault *f);
	void *ctx;
	struct mongo_count_of *foods;	/* owned; by user_id */
	size_t nfoods;
};

/* words go into f; f's id, when empty, is the key of doc. */
void mongo_check_tell(const struct mongo_checker *c, struct store_fault *f,
    const bson_t *doc, const char *words);
void mongo_check_unreadable(const struct mongo_checker *c,
    enum collection kind, const bson_t *doc);
/* Tells of a record that is not where its user belongs. */
void mongo_check_slot(const struct mongo_checker *c, enum collection kind,
    const bson_t *doc, int64_t user_id);
/* Sets fields of what still is as query says; was there such? */
bool mongo_check_mend(const struct mongo_checker *c, const char *collection,
    const bson_t *query, const bson_t *set);
void mongo_check_day(struct mongo_checker *c, const bson_t *doc);

/* The operations, by file */

enum rc mongo_user_get(struct store *s, int64_t user_id, struct user *out,
    struct err *e);
enum rc mongo_user_put(struct store *s, struct user *u, struct err *e);
enum rc mongo_erase(struct store *s, int64_t user_id, struct err *e);
enum rc mongo_own_food_put(struct store *s, const struct own_food *f,
    struct err *e);
enum rc mongo_own_food_list(struct store *s, int64_t user_id, size_t max,
    struct own_food *out, size_t *n, struct err *e);

enum rc mongo_meal_add(struct store *s, struct meal *m, struct day_sum *day,
    struct err *e);
enum rc mongo_meal_get(struct store *s, int64_t user_id, int32_t day,
    int64_t chat_id, int64_t message_id, struct meal *out, struct err *e);
enum rc mongo_meal_replace(struct store *s, struct meal *m,
    struct day_sum *day, struct err *e);

enum rc mongo_meal_page(struct store *s, int64_t user_id,
    const struct meal_cursor *from, size_t max, struct meal *out, size_t *n,
    struct err *e);
enum rc mongo_meal_day(struct store *s, int64_t user_id, int32_t day,
    size_t max, struct meal *out, size_t *n, struct err *e);
enum rc mongo_day_sums(struct store *s, int64_t user_id, int32_t first,
    int32_t last, struct day_sum *out, struct err *e);

enum rc mongo_job_add(struct store *s, const struct job *jobs, size_t n,
    struct err *e);
enum rc mongo_job_lease(struct store *s, int64_t now, int64_t until,
    int64_t token, size_t max, const struct job_gate *gate,
    struct job *out, size_t *n, struct err *e);
enum rc mongo_job_settle(struct store *s, const struct job *jobs, size_t n,
    struct err *e);
enum rc mongo_job_list(struct store *s, enum job_state state, size_t max,
    struct job *out, size_t *n, struct err *e);
enum rc mongo_job_revive(struct store *s, const char *id, bool drop,
    int64_t now, struct err *e);
enum rc mongo_job_purge(struct store *s, int64_t before, struct err *e);

/* Up to f->limit jobs into out. */
MUST_CHECK enum rc mongo_read_jobs(struct mongo_store *ms,
    const struct mongo_find *f, struct job *out, size_t *n, struct err *e);

enum rc mongo_stats(struct store *s, struct store_stats *out, struct err *e);
enum rc mongo_job_stats(struct store *s, struct store_stats *out,
    struct err *e);
MUST_CHECK enum rc mongo_count(struct mongo_store *ms, const char *collection,
    const bson_t *query, int64_t *out, struct err *e);

enum rc mongo_slot_users(struct store *s, int32_t slot, int64_t after,
    size_t max, int64_t *out, size_t *n, struct err *e);
enum rc mongo_slot_read(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, enum rc (*each)(void *ctx, const struct record *r,
	struct err *e), void *ctx, struct err *e);
enum rc mongo_slot_write(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, const struct record_pack *records, struct err *e);
enum rc mongo_slot_clear(struct store *s, int32_t slot, struct err *e);
enum rc mongo_slot_clear_jobs(struct store *s, int32_t slot, struct err *e);
enum rc mongo_dirty_list(struct store *s, const int32_t *slots,
    size_t nslots, size_t max,
    int64_t *out, size_t *n, struct err *e);
enum rc mongo_dirty_clear(struct store *s, int32_t slot, const int64_t *users,
    size_t nusers, struct err *e);

enum rc mongo_census(struct store *s, struct slot_census *out, struct err *e);
enum rc mongo_check(struct store *s, int32_t slot, bool repair,
    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
    struct err *e);
enum rc mongo_info(struct store *s, struct store_info *out, struct err *e);
enum rc mongo_backup(struct store *s, const char *path,
    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
    struct err *e);

enum rc mongo_meta_get(struct store *s, const char *key, struct buf *value,
    int64_t *version, struct err *e);
enum rc mongo_meta_put(struct store *s, const char *key, const void *value,
    size_t len, int64_t *version, struct err *e);
enum rc mongo_meta_list(struct store *s, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e);
enum rc mongo_meta_delete(struct store *s, const char *key, int64_t version,
    struct err *e);

#endif
