/*
 * conformance.h - one list of cases that every backend of store.h passes.
 *
 * Each case gets a store that is new and empty (its own file, or a database
 * of its own on the server).  Expectations are store.h's words and nothing
 * else: no case may know which backend it runs on.
 */
#ifndef FAMILYBOT_TESTS_CONFORMANCE_H
#define FAMILYBOT_TESTS_CONFORMANCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

struct store_place {			/* where a case's store is */
	char uri[1100];
	char dir[512];		/* to remove afterwards; "" none */
	struct store *s;
};

/* base: "sqlite:" (a temporary file), "sqlite:/prefix" or "mongodb://...". */
void store_place_base_set(const char *base);
const char *store_place_base(void);
int store_place_setup(void **state);
int store_place_teardown(void **state);
/* Another connection, as another process would have it; NULL on failure. */
struct store *store_place_connect(const struct store_place *p);

/* Runs fn in n processes at once, each with its own i; code[i] is what it
 * returned, 200 when it crashed. */
void processes_run(int n, int (*fn)(int i, void *ctx), void *ctx, int *code);

void assert_same(const struct column *cols, const void *a, const void *b);

/* A meal of one food; message tells it from others. */
struct meal meal_of(int64_t user_id, int32_t day, int64_t message);
void meal_items_fill(struct meal *m, int n, const char *name);
struct user user_of(int64_t user_id);
struct job job_of(const char *id, int64_t user_id, int64_t run_at);

/* One record of everything: largest texts, a tombstone, jobs of each state, whose
 * ids begin with tag.  conformance_slot.c */
void person_fill(struct store *s, int64_t who, const char *tag);
/* What these people have in the slot (users NULL: all); out, if not NULL, is
 * initialised and keeps the records. */
struct digests slot_pack(struct store *s, int32_t slot, const int64_t *users,
    size_t n, struct record_pack *out);

#define OK(call)	assert_int_equal((call), RC_OK)

extern const struct CMUnitTest conformance_user[];
extern const size_t conformance_user_n;
extern const struct CMUnitTest conformance_food[];
extern const size_t conformance_food_n;
extern const struct CMUnitTest conformance_days[];
extern const size_t conformance_days_n;
extern const struct CMUnitTest conformance_job[];
extern const size_t conformance_job_n;
extern const struct CMUnitTest conformance_slot[];
extern const size_t conformance_slot_n;
extern const struct CMUnitTest conformance_move[];
extern const size_t conformance_move_n;
extern const struct CMUnitTest conformance_meta[];
extern const size_t conformance_meta_n;

#define CASE(f)	{ #f, f, store_place_setup, store_place_teardown, NULL }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
