/*
 * test_reshard.c - a change of shards from begin to cleanup, its ways back,
 * and what stops it.  Kills and load are test_reshard_kill's.
 */
#include "config.h"

#include "reshard_place.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utils/clock.h"

static const int64_t ids[] = { 2, 3, 4, 5, -4, 5045, 10084, 7, 9 };
enum { IDS = sizeof(ids) / sizeof(ids[0]) };

/* What each person has, wherever that is. */
struct whole {
	struct digests of[IDS];
};

static void people(struct reshard_place *p, struct whole *w)
{
	reshard_place_add(p, 3);
	for (int i = 0; i < IDS; i++)
		reshard_place_person(p, ids[i], 5 + i);
	for (int i = 0; i < IDS; i++)
		w->of[i] = reshard_place_has(p, slot_of(ids[i]) % 2,
		    slot_of(ids[i]));
}

/* Everybody is at their owner, slot mod n, whole; and nowhere else if alone. */
static void assert_at(struct reshard_place *p, const struct whole *w, int n,
    bool alone)
{
	const struct digests none = { { { 0 } } };

	for (int i = 0; i < IDS; i++) {
		int32_t slot = slot_of(ids[i]);

		assert_int_equal(slots_get(p->slots, slot).owner, slot % n);
		assert_int_equal(slots_get(p->slots, slot).state, SLOT_STABLE);
		for (int s = 0; s < 3; s++) {
			struct digests d = reshard_place_has(p, s, slot);

			if (s == slot % n)
				assert_true(digests_equal(&d, &w->of[i]));
			else if (alone)
				assert_true(digests_equal(&d, &none));
			else	/* never leftover jobs */
				assert_int_equal(d.of[COLLECTION_JOBS].records,
				    0);
		}
	}
}

static void begin(struct reshard_place *p, int from, int to,
    const struct reshard_limits *limits)
{
	struct plan before = reshard_place_plan(p, from, PLAN_MODULO);
	struct plan plan = reshard_place_plan(p, to, PLAN_MODULO);
	struct err e = { RC_OK, "" };

	if (reshard_begin(&p->c, &before, &plan, limits, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static void run(struct reshard_place *p, enum reshard_state want)
{
	struct reshard *r = calloc(1, sizeof(*r));
	struct err e = { RC_OK, "" };

	if (reshard_run(&p->c, NULL, NULL, &e) != RC_OK)
		fail_msg("%s", e.text);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->state, want);
	free(r);
}

static void slots_move_whole_and_are_cleaned_up(void **state)
{
	struct reshard_place *p = *state;
	struct reshard *r = calloc(1, sizeof(*r));
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	begin(p, 2, 3, NULL);
	run(p, RESHARD_MOVED);
	assert_at(p, &w, 3, false);
	assert_int_equal(slots_get(p->slots, 5).generation, 1);
	assert_int_equal(slots_get(p->slots, 6).generation, 0);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->users, 8);	/* 7 stays */
	assert_true(r->bytes > 0 && r->busy_us > 0 && r->fence_p99_us > 0);
	assert_true(r->ended_at >= r->started_at && r->started_at >= r->id);
	OK(reshard_cleanup(&p->c, NULL, NULL, &e));
	assert_at(p, &w, 3, true);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->state, RESHARD_NONE);
	assert_int_equal(reshard_run(&p->c, NULL, NULL, &e), RC_NOTFOUND);
	free(r);
}

static void rollback_goes_back(void **state)
{
	struct reshard_place *p = *state;
	struct plan two = reshard_place_plan(p, 2, PLAN_MODULO);
	struct plan three = reshard_place_plan(p, 3, PLAN_MODULO);
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	begin(p, 2, 3, NULL);
	run(p, RESHARD_MOVED);
	assert_int_equal(reshard_begin(&p->c, &two, &three, NULL, &e),
	    RC_CONFLICT);
	OK(reshard_rollback(&p->c, NULL, &e));
	run(p, RESHARD_MOVED);
	assert_at(p, &w, 2, false);
	/* and once more, asked for as a plan, over the copies left there */
	OK(reshard_begin(&p->c, &two, &three, NULL, &e));
	run(p, RESHARD_MOVED);
	OK(reshard_cleanup(&p->c, NULL, NULL, &e));
	assert_at(p, &w, 3, true);
}

/* -- another terminal -- */

struct other {
	struct reshard_place *p;
	enum reshard_state ask;
	int32_t after;		/* slots done */
	int calls;
	bool asked, stop;
	enum reshard_wait seen;
};

static void watch(void *ctx, const struct reshard_progress *p)
{
	struct other *o = ctx;
	struct err e = { RC_OK, "" };

	o->calls++;
	o->seen = p->wait > o->seen ? p->wait : o->seen;
	assert_true(p->slots > 0 && p->slots_done <= p->slots);
	if (o->asked || p->slots_done < o->after)
		return;
	o->asked = true;
	if (o->stop)
		assert_int_equal(write(o->p->stop[1], "x", 1), 1);
	else
		OK(reshard_ask(&o->p->c, o->ask, NULL, &e));
}

static void pause_releases_and_resume_goes_on(void **state)
{
	struct reshard_place *p = *state;
	const struct reshard_limits slow = { 4, 0 };
	struct other o = { .p = p, .ask = RESHARD_PAUSED, .after = 1 };
	struct whole w;
	struct err e = { RC_OK, "" };
	int64_t began = clock_mono_us();
	int moved = 0;

	people(p, &w);
	begin(p, 2, 3, &slow);
	OK(reshard_run(&p->c, watch, &o, &e));
	assert_true(o.asked);
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		assert_int_equal(slots_get(p->slots, s).state, SLOT_STABLE);
		moved += slots_get(p->slots, s).owner == 2;
	}
	assert_in_range(moved, 1, 1679);
	OK(reshard_ask(&p->c, RESHARD_RUNNING, NULL, &e));
	run(p, RESHARD_MOVED);
	/* eight people at four a second */
	assert_true(clock_mono_us() - began > 1200000);
	OK(reshard_cleanup(&p->c, NULL, NULL, &e));
	assert_at(p, &w, 3, true);
}

static void abort_brings_everything_back(void **state)
{
	struct reshard_place *p = *state;
	const struct reshard_limits slow = { 10, 0 };
	struct other o = { .p = p, .ask = RESHARD_ABORTING, .after = 1 };
	struct reshard *r = calloc(1, sizeof(*r));
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	begin(p, 2, 3, &slow);
	OK(reshard_run(&p->c, watch, &o, &e));
	assert_true(o.asked);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->state, RESHARD_NONE);
	assert_at(p, &w, 2, true);
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		assert_int_equal(slots_get(p->slots, s).owner, s % 2);
	free(r);
}

static void shard_that_is_paused_is_waited_for(void **state)
{
	struct reshard_place *p = *state;
	struct other o = { .p = p, .after = 1, .stop = true };
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	begin(p, 2, 3, NULL);
	OK(slots_shard_flag(p->slots, 2, SHARD_PAUSED, true, &e));
	/* the others go on meanwhile: slot 3 from shard 1 to 0 */
	o.after = 1680;
	OK(reshard_run(&p->c, watch, &o, &e));
	assert_int_equal(o.seen, RESHARD_WAIT_SHARD);
	assert_int_equal(slots_get(p->slots, 3).owner, 0);
	assert_int_equal(slots_get(p->slots, 5).owner, 1);
	OK(slots_shard_flag(p->slots, 2, SHARD_PAUSED, false, &e));
	p->c.stop_fd = -1;
	run(p, RESHARD_MOVED);
	assert_at(p, &w, 3, false);
}

static void spoil(struct reshard_place *p, int shard, const char *sql)
{
	sqlite3 *db = NULL;
	char path[500];

	(void)str_format(path, sizeof(path), "%s/s%d.db", p->dir, shard);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void unreadable_record_keeps_its_slot(void **state)
{
	struct reshard_place *p = *state;
	struct reshard *r = calloc(1, sizeof(*r));
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	spoil(p, 1, "UPDATE food_analysis SET items = '[[' WHERE user_id = 5");
	begin(p, 2, 3, NULL);
	assert_int_equal(reshard_run(&p->c, NULL, NULL, &e), RC_CORRUPT);
	assert_int_equal(slots_get(p->slots, 5).owner, 1);
	assert_int_equal(slots_get(p->slots, 5).state, SLOT_STABLE);
	assert_int_equal(slots_get(p->slots, 11).owner, 2);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->state, RESHARD_RUNNING);
	assert_non_null(strstr(r->last_error, "user 5"));
	free(r);
}

/* What is written does not stay as it was written. */
static void difference_keeps_the_slot(void **state)
{
	struct reshard_place *p = *state;
	struct whole w;
	struct err e = { RC_OK, "" };

	people(p, &w);
	(void)reshard_place_has(p, 2, 0);	/* makes the file */
	spoil(p, 2, "CREATE TRIGGER lossy AFTER INSERT ON food_analysis WHEN "
	    "new.user_id = 5 AND new.message_id = 3 BEGIN UPDATE food_analysis "
	    "SET cal = cal + 1 WHERE user_id = 5 AND message_id = 3; END");
	begin(p, 2, 3, NULL);
	assert_int_equal(reshard_run(&p->c, NULL, NULL, &e), RC_CORRUPT);
	assert_non_null(strstr(e.text, "slot 5"));
	assert_int_equal(slots_get(p->slots, 5).owner, 1);
	assert_int_equal(slots_get(p->slots, 5045 % SLOT_COUNT).owner, 1);
	assert_int_equal(slots_get(p->slots, 2).owner, 2);
	spoil(p, 2, "DROP TRIGGER lossy");
	run(p, RESHARD_MOVED);
	assert_at(p, &w, 3, false);
}

static void leftovers_at_the_target_are_cleared_first(void **state)
{
	struct reshard_place *p = *state;
	struct whole w;

	people(p, &w);
	/* as a mover that died and a journal that was lost would leave it */
	OK(slots_set(p->slots, 5, (struct slot_entry){ .owner = 2,
	    .target = 2 }, NULL));
	reshard_place_person(p, 5, 40);
	reshard_place_person(p, 10085, 3);
	OK(slots_set(p->slots, 5, (struct slot_entry){ .owner = 1, .target = 0,
	    .state = SLOT_FENCING }, NULL));
	begin(p, 2, 3, NULL);
	run(p, RESHARD_MOVED);
	assert_at(p, &w, 3, false);
}

static void big_person_goes_in_parts(void **state)
{
	struct reshard_place *p = *state;
	struct digests before, after;
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 3);
	reshard_place_person(p, 5, 3000);
	reshard_place_person(p, 5045, 2);
	reshard_place_person(p, 10085, 2500);
	before = reshard_place_has(p, 1, 5);
	assert_true(before.of[COLLECTION_MEALS].bytes > 4 << 20);
	begin(p, 2, 3, NULL);
	run(p, RESHARD_MOVED);
	OK(reshard_cleanup(&p->c, NULL, NULL, &e));
	after = reshard_place_has(p, 2, 5);
	assert_true(digests_equal(&before, &after));
}

static void only_one_mover_works(void **state)
{
	struct reshard_place *p = *state;
	struct slots *other = NULL;
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 3);
	begin(p, 2, 3, NULL);
	OK(slots_open(p->map, NULL, 0, true, &other, &e));
	OK(slots_mover_lock(other, &e));
	assert_int_equal(reshard_run(&p->c, NULL, NULL, &e), RC_BUSY);
	slots_free(other);
	run(p, RESHARD_MOVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(slots_move_whole_and_are_cleaned_up),
		IN_PLACE(rollback_goes_back),
		IN_PLACE(pause_releases_and_resume_goes_on),
		IN_PLACE(abort_brings_everything_back),
		IN_PLACE(shard_that_is_paused_is_waited_for),
		IN_PLACE(unreadable_record_keeps_its_slot),
		IN_PLACE(difference_keeps_the_slot),
		IN_PLACE(leftovers_at_the_target_are_cleared_first),
		IN_PLACE(big_person_goes_in_parts),
		IN_PLACE(only_one_mover_works),
	};

	return cmocka_run_group_tests_name("reshard", tests, NULL, NULL);
}
