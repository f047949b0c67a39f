/*
 * record.h - any stored record, as bytes: how slots are moved, compared and
 * backed up whatever the backend.
 *
 * The bytes are canonical: two records that mean the same have the same bytes
 * on every backend, so digests of SQLite and MongoDB can be compared.  A pack
 * owns its bytes; a struct record owns nothing.
 */
#ifndef FAMILYBOT_MODELS_RECORD_H
#define FAMILYBOT_MODELS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/food.h"
#include "models/job.h"
#include "models/kind.h"
#include "models/user.h"
#include "utils/buf.h"
#include "utils/err.h"

/* "users", "food_analysis", "own_foods", "jobs" */
const char *collection_name(enum collection c);

struct record {
	enum collection kind;
	union {
		struct user user;
		struct meal meal;
		struct own_food own_food;
		struct job job;
	};
};

/* Of what is no kind: 0, and a slot that there is not. */
int64_t record_user_id(const struct record *r);
int32_t record_slot(const struct record *r);	/* as stored */

enum { RECORD_KEY_SIZE = 256 };

/* The key as a DBA looks for it, user_id apart where there is more:
 * "user_id=12", "day=7 chat_id=1 message_id=2", a text bare.  Two records of
 * one person and kind never have the same. */
void record_key(const struct record *r, char *out, size_t size);

/*
 * One order-free digest of a set of records: the sum modulo 2^128 of a 128-bit
 * hash (XXH3) of each record's bytes.  A sum, not an exclusive or, so that a
 * record that is there twice shows.
 */
struct digest {
	uint64_t lo, hi;
	uint64_t records;
	uint64_t bytes;		/* canonical bytes */
};

struct digests {
	struct digest of[COLLECTION_COUNT];
};

void digests_add(struct digests *sum, const struct digests *d);
void digests_sub(struct digests *sum, const struct digests *d);
bool digests_equal(const struct digests *a, const struct digests *b);
/* For who counts without keeping the bytes.  RC_INVALID: no record. */
MUST_CHECK enum rc digests_add_record(struct digests *sum,
    const struct record *r, struct err *e);

/* Records in a row, each as length and canonical bytes. */
struct record_pack {
	struct buf bytes;
	size_t n;
	struct digests digests;		/* of all that is in it */
};

enum { RECORD_PACK_MAX = 64 << 20 };	/* bytes of one pack */

void record_pack_init(struct record_pack *p);
void record_pack_release(struct record_pack *p);
void record_pack_clear(struct record_pack *p);	/* keeps the memory */
/* RC_TOOBIG past RECORD_PACK_MAX. */
MUST_CHECK enum rc record_pack_add(struct record_pack *p,
    const struct record *r, struct err *e);

/* Walks a pack: *pos begins as 0.  RC_NOTFOUND at the end, RC_CORRUPT when the
 * bytes are none of ours (a damaged file).  Of out only the fields are set that
 * the record has: what follows a text's end, or a meal's last item, is not. */
MUST_CHECK enum rc record_pack_next(const struct record_pack *p, size_t *pos,
    struct record *out, struct err *e);

#endif
