/*
 * store.h - the contract of a shard.  A backend is one file that fills
 * struct store_ops and passes tests/unit/test_store_conformance.c.
 *
 * One struct store is one shard seen by one process, used by one thread.
 * Calls block: on SQLite for the disk, on MongoDB at most the shard's
 * time-outs.  Results: RC_UNAVAILABLE server gone or timed out, RC_FULL disk
 * full, RC_CORRUPT unreadable record, RC_BUSY locked too long; words are in e.
 * Each call is atomic and durable when it returns RC_OK.  user_id, slot and
 * the natural keys are in the records; the caller has routed and locked.
 * The slot that is stored is always slot_of(user_id) of models/slot.h.
 */
#ifndef FAMILYBOT_STORE_STORE_H
#define FAMILYBOT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/food.h"
#include "models/job.h"
#include "models/record.h"
#include "models/user.h"
#include "utils/err.h"

enum store_sync { STORE_SYNC_FULL, STORE_SYNC_NORMAL };

struct store_conf {
	const char *name;	/* shard name, for messages */
	const char *uri;	/* "sqlite:/path/file.db" or "mongodb://..." */
	enum store_sync sync;	/* SQLite only */
	int timeout_ms;		/* of one operation; 0: backend's default */
	bool create;		/* create and migrate schema, make indexes */
	bool made;		/* SQLite: its file was here once, so that a
				 * missing one is never made anew */
};

/* Where a page of history goes on: strictly older than this. */
struct meal_cursor {
	int32_t day;
	int64_t at;
	int64_t chat_id;
	int64_t message_id;
};

struct store_stats {
	int64_t users, meals, own_foods, jobs_ready, jobs_leased, jobs_dead;
	int64_t oldest_ready_at;	/* UTC ms of run_at, 0 none */
	int64_t bytes;			/* on disk, -1 unknown */
};

/*
 * What the router tells a store of a slot.  While a slot moves, each write to
 * it marks the user dirty in the same transaction (where there are none: first
 * marks, then writes), so that the mover finds who changed behind its back.
 */
struct store_slots {
	bool (*moving)(void *ctx, int32_t slot);
	void *ctx;
	/* May this host write now?  Asked before each write to a server, so
	 * that none is sent after its lease.  NULL: it may. */
	bool (*serving)(void *ctx);
};

/* Asked for each job that is due, before it is leased; the slot's lock is
 * taken here and kept by the caller until job_lease returned. */
struct job_gate {
	bool (*open)(void *ctx, int32_t slot);
	void *ctx;
};

/* What lies where, whoever owns it: for plan, verify and status. */
struct slot_census {
	uint32_t users;		/* people with a record in users */
	uint32_t records[COLLECTION_COUNT];
};

/* A small named value on which hosts agree; lent, no pointer NULL. */
struct meta_item {
	const char *key;
	const void *value;
	size_t len;
	int64_t version;
};

struct store_info {
	char backend[16];	/* "sqlite", "mongodb" */
	char version[64];	/* of the library or server */
	int schema, schema_known;	/* stored, and what this program makes */
	int64_t records[COLLECTION_COUNT];
	int64_t bytes[COLLECTION_COUNT];	/* with indexes; -1 unknown */
	int64_t disk_free;	/* bytes where the shard lies; -1 unknown */
};

/* A record that is not as it should be. */
enum store_fault_kind {
	STORE_UNREADABLE,	/* cannot be decoded */
	STORE_WRONG_SLOT,	/* slot is not slot_of(user_id) */
	STORE_DRIFT		/* a stored count or sum is not what it counts */
};

struct store_fault {
	enum store_fault_kind kind;
	enum collection collection;
	int64_t user_id;	/* 0 unknown */
	char id[JOB_ID_SIZE];	/* the record's key, as a DBA would look for it */
	char words[160];	/* what is wrong, without a person's data */
	bool repaired;
};

struct store;

struct store_ops {
	const char *scheme;	/* "sqlite", "mongodb" */

	enum rc (*open)(const struct store_conf *c, struct store **out,
	    struct err *e);
	void (*close)(struct store *s);
	/* Cheap liveness check with a round trip. */
	enum rc (*ping)(struct store *s, struct err *e);

	/* RC_NOTFOUND when the user is not stored. */
	enum rc (*user_get)(struct store *s, int64_t user_id, struct user *out,
	    struct err *e);
	/* Compare-and-set on u->rev (0 inserts); stores rev + 1 and sets
	 * u->rev.  RC_CONFLICT when another wrote first. */
	enum rc (*user_put)(struct store *s, struct user *u, struct err *e);
	/* Every collection, every record of the user, tombstones too. */
	enum rc (*erase)(struct store *s, int64_t user_id, struct err *e);

	/* Idempotent insert; stores rev 1.  When (user, chat, message) is stored already on
	 * m->day: RC_CONFLICT, nothing changed, *m is filled with what is
	 * stored.  RC_TOOBIG past MEALS_PER_DAY_MAX.  day: sum of
	 * that day after the call, also on RC_CONFLICT; may be NULL. */
	enum rc (*meal_add)(struct store *s, struct meal *m,
	    struct day_sum *day, struct err *e);
	enum rc (*meal_get)(struct store *s, int64_t user_id, int32_t day,
	    int64_t chat_id, int64_t message_id, struct meal *out,
	    struct err *e);
	/* Replaces the meal whose rev is m->rev (compare-and-set), stores
	 * rev + 1.  RC_CONFLICT: rev is another; RC_NOTFOUND: no such meal. */
	enum rc (*meal_replace)(struct store *s, struct meal *m,
	    struct day_sum *day, struct err *e);
	/* Not deleted, newest first by (day, at, chat_id, message_id).
	 * from NULL: from the newest.  *n ≤ max are written to out. */
	enum rc (*meal_page)(struct store *s, int64_t user_id,
	    const struct meal_cursor *from, size_t max, struct meal *out,
	    size_t *n, struct err *e);
	/* Meals of one day, oldest first, not deleted. */
	enum rc (*meal_day)(struct store *s, int64_t user_id, int32_t day,
	    size_t max, struct meal *out, size_t *n, struct err *e);
	/* out[0..last-first] = sums of the days first..last (≤ 62 days),
	 * zero where nothing was eaten. */
	enum rc (*day_sums)(struct store *s, int64_t user_id, int32_t first,
	    int32_t last, struct day_sum *out, struct err *e);

	/* Insert or replace by (user_id, key). */
	enum rc (*own_food_put)(struct store *s, const struct own_food *f,
	    struct err *e);
	/* All of a user's foods, most recently updated first. */
	enum rc (*own_food_list)(struct store *s, int64_t user_id, size_t max,
	    struct own_food *out, size_t *n, struct err *e);

	/* Idempotent: an id that exists, in whatever state, is left alone. */
	enum rc (*job_add)(struct store *s, const struct job *jobs, size_t n,
	    struct err *e);
	/* Takes up to max jobs that are READY with run_at ≤ now, or LEASED
	 * with lease_until < now or with this very token (by a call whose
	 * answer was lost: it is made again with its token), oldest run_at
	 * first, in one transaction where there are such; marks them LEASED
	 * with token until `until`.
	 * Jobs whose slot the gate refuses are passed over (NULL: none is);
	 * at least 1024 due jobs are looked at before giving up. */
	enum rc (*job_lease)(struct store *s, int64_t now, int64_t until,
	    int64_t token, size_t max, const struct job_gate *gate,
	    struct job *out, size_t *n, struct err *e);
	/* Writes state, run_at, tries, last_error, done_at of the n jobs whose
	 * lease_token is jobs[i].lease_token (others are left alone), and ends
	 * the lease.  JOB_DONE also empties the payload. */
	enum rc (*job_settle)(struct store *s, const struct job *jobs, size_t n,
	    struct err *e);
	/* By state, newest first. */
	enum rc (*job_list)(struct store *s, enum job_state state, size_t max,
	    struct job *out, size_t *n, struct err *e);
	/* DEAD → READY now with tries 0; or deleted when drop. */
	enum rc (*job_revive)(struct store *s, const char *id, bool drop,
	    int64_t now, struct err *e);
	/* Deletes DONE jobs with done_at < before. */
	enum rc (*job_purge)(struct store *s, int64_t before, struct err *e);

	/* Counts take O(records): seconds on a large shard. */
	enum rc (*stats)(struct store *s, struct store_stats *out,
	    struct err *e);
	/* The figures of jobs alone, the others are left as they are; by
	 * index, O(jobs that are not done). */
	enum rc (*job_stats)(struct store *s, struct store_stats *out,
	    struct err *e);

	/* -- a slot as a whole: for who moves, compares and counts.  These
	 * leave no marks, and go by the slot that is stored. -- */

	/* People with any record in the slot, in any collection, ascending,
	 * greater than after (INT64_MIN: from the first). */
	enum rc (*slot_users)(struct store *s, int32_t slot, int64_t after,
	    size_t max, int64_t *out, size_t *n, struct err *e);
	/* Calls each for every record of these people in the slot (users NULL:
	 * of everybody), person by person where users are given; meals of one
	 * person's day one after another.  Tombstones too.  Ends with what
	 * each returns.  RC_CORRUPT at an unreadable record, which e names. */
	enum rc (*slot_read)(struct store *s, int32_t slot,
	    const int64_t *users, size_t nusers,
	    enum rc (*each)(void *ctx, const struct record *r, struct err *e),
	    void *ctx, struct err *e);
	/* Deletes all that these people have in the slot, then inserts what is
	 * in the pack, exactly as it is (rev, lease, state); in one transaction
	 * where there are such.  With nusers 0 it only inserts, which goes on
	 * with a person too big for one pack; all meals of one person's day
	 * are in one pack.  Done twice it gives the same. */
	enum rc (*slot_write)(struct store *s, int32_t slot,
	    const int64_t *users, size_t nusers,
	    const struct record_pack *records, struct err *e);
	/* While on, slot_write need not be durable when it returns; it is when
	 * slot_bulk(off) returned, however the shard was opened.  NULL where
	 * it always is. */
	enum rc (*slot_bulk)(struct store *s, bool on, struct err *e);
	/* Deletes everything in the slot, marks too, some hundred records a
	 * transaction, so that nobody waits long for it. */
	enum rc (*slot_clear)(struct store *s, int32_t slot, struct err *e);
	/* The same for the collection jobs alone. */
	enum rc (*slot_clear_jobs)(struct store *s, int32_t slot,
	    struct err *e);

	/* Who was marked in these slots, in no order; *n == max: perhaps
	 * more. */
	enum rc (*dirty_list)(struct store *s, const int32_t *slots,
	    size_t nslots, size_t max, int64_t *out, size_t *n,
	    struct err *e);
	/* Forgets the marks of these people.  Only while nobody writes to the
	 * slot (exclusive lock on every host), or a mark could be lost. */
	enum rc (*dirty_clear)(struct store *s, int32_t slot,
	    const int64_t *users, size_t nusers, struct err *e);

	/* out: SLOT_COUNT entries, set.  O(records), by index where possible;
	 * has no time-out. */
	enum rc (*census)(struct store *s, struct slot_census *out,
	    struct err *e);
	/* Looks at every record of the slot and goes on after faults, which
	 * found is told of.  repair: mends STORE_DRIFT, which can be computed
	 * from what is stored. */
	enum rc (*check)(struct store *s, int32_t slot, bool repair,
	    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
	    struct err *e);
	enum rc (*info)(struct store *s, struct store_info *out,
	    struct err *e);
	/* A copy of the running shard in the new file path, then checked as a
	 * database.  progress (may be NULL) hears of pages.  RC_INVALID where
	 * the server's own tools must do it. */
	enum rc (*backup)(struct store *s, const char *path,
	    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
	    struct err *e);

	/* Now and then, by one process: what was deleted leaves the files that
	 * lie beside the database (SQLite's log keeps pages as they were).
	 * Waits for nobody.  RC_BUSY: somebody reads, it must be tried again.
	 * NULL where the server sees to that. */
	enum rc (*tidy)(struct store *s, struct err *e);

	/* -- small named values with a version, on which hosts agree -- */

	/* RC_NOTFOUND.  Reads what the last acknowledged put wrote.  value
	 * NULL: only the version is fetched. */
	enum rc (*meta_get)(struct store *s, const char *key,
	    struct buf *value, int64_t *version, struct err *e);
	/* Compare-and-set: *version is what was read (0 inserts) and becomes
	 * the new one.  RC_CONFLICT: another was first.  value: ≤ 1 MiB. */
	enum rc (*meta_put)(struct store *s, const char *key,
	    const void *value, size_t len, int64_t *version, struct err *e);
	/* All whose key has this beginning (ASCII), by key, in one round trip.
	 * each does not use the store.  A primary that was deposed and does
	 * not know it yet may answer with what was true before. */
	enum rc (*meta_list)(struct store *s, const char *prefix,
	    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
	    struct err *e);
	/* RC_CONFLICT: version is not the one that is stored. */
	enum rc (*meta_delete)(struct store *s, const char *key,
	    int64_t version, struct err *e);
};

struct store {		/* every backend's struct begins with this */
	const struct store_ops *ops;
	struct store_slots slots;	/* zeros: no slot moves */
};

static inline bool store_serves(const struct store *s)
{
	return s->slots.serving == NULL || s->slots.serving(s->slots.ctx);
}

/* Must a write to this slot leave a mark? */
static inline bool store_marks(const struct store *s, int32_t slot)
{
#ifdef TEST_FAULT_DIRTY_MARK	/* a build that must be caught losing data */
	(void)s, (void)slot;
	return false;
#else
	return s->slots.moving != NULL && s->slots.moving(s->slots.ctx, slot);
#endif
}

extern const struct store_ops store_sqlite_ops;

/*
 * Opens by the URI's scheme.  MongoDB is a module (familybot-mongo.so,
 * symbol store_mongo_ops) loaded when first needed, because libmongoc alone
 * costs more memory than a whole process on SQLite.  Looked for in the
 * directory FAMILYBOT_MODULES, else PKGLIBDIR.
 */
MUST_CHECK enum rc store_open(const struct store_conf *c, struct store **out,
    struct err *e);
void store_close(struct store *s);	/* takes NULL */

#endif
