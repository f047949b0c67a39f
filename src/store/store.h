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
 * The slot that is stored is always slot_of(user_id) of store/router.h.
 */
#ifndef FAMILYBOT_STORE_STORE_H
#define FAMILYBOT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/food.h"
#include "models/job.h"
#include "models/user.h"
#include "utils/err.h"

enum store_sync { STORE_SYNC_FULL, STORE_SYNC_NORMAL };

struct store_conf {
	const char *name;	/* shard name, for messages */
	const char *uri;	/* "sqlite:/path/file.db" or "mongodb://..." */
	enum store_sync sync;	/* SQLite only */
	int timeout_ms;		/* of one operation; 0: backend's default */
	bool create;		/* create and migrate schema, make indexes */
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
	 * with lease_until < now, oldest run_at first, in one transaction
	 * where there are such; marks them LEASED with token until `until`. */
	enum rc (*job_lease)(struct store *s, int64_t now, int64_t until,
	    int64_t token, size_t max, struct job *out, size_t *n,
	    struct err *e);
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
};

struct store {		/* every backend's struct begins with this */
	const struct store_ops *ops;
};

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
