/*
 * test_drain.c - what was spooled is applied in order, by whom the test says,
 * whatever comes of single updates.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spool/spool.h"
#include "store/slots.h"
#include "worker_place.h"

enum { ANNA = 77, BORIS = 78, FAR = 77 + SLOT_COUNT, TOLD_MAX = 2000 };

static struct {
	struct place *place;
	struct spool *spool;
	struct slots *map;
	char told[TOLD_MAX];	/* bodies in the order in which they came */
	char bad[32];		/* this body's result is rc */
	enum rc rc;
	int64_t ids;
} t;

static enum rc apply(void *ctx, const char *body, size_t len,
    int64_t received_at, struct err *e)
{
	size_t n = strlen(t.told);

	assert_ptr_equal(ctx, &t);
	assert_in_range(received_at, 1001, 1000 + t.ids);
	assert_int_equal(len, strlen(body));
	str_format(t.told + n, sizeof(t.told) - n, "%s ", body);
	if (strcmp(body, t.bad) == 0)
		return err_set(e, t.rc, "as told");
	return RC_OK;
}

static int setup(void **state)
{
	struct spool_conf c = { .max_bytes = 1 << 20 };
	char path[400];
	struct err e = { .text = "" };
	int r = place_setup(state);

	memset(&t, 0, sizeof(t));
	t.place = *state;
	str_format(path, sizeof(path), "%s/spool.db", t.place->dir);
	c.path = path;
	t.spool = spool_new(&c);
	assert_int_equal(slots_open(t.place->map, NULL, 0, true, &t.map, &e),
	    RC_OK);
	t.place->conf.spool = t.spool;
	t.place->conf.apply = apply;
	t.place->conf.apply_ctx = &t;
	return r;
}

static int teardown(void **state)
{
	int r = place_teardown(state);

	slots_free(t.map);
	spool_free(t.spool);
	return r;
}

static void keep(int64_t user, const char *body)
{
	const struct spool_update u = { .user_id = user, .update_id = ++t.ids,
		.body = body, .len = strlen(body) };
	bool told;

	assert_int_equal(spool_add(t.spool, &u, 1000 + t.ids, &told, NULL),
	    RC_OK);
}

static int64_t left(void)
{
	struct spool_stats st;

	assert_int_equal(spool_stats(t.spool, &st, NULL), RC_OK);
	return st.rows;
}

static void pause_shard(int64_t user, bool on)
{
	int shard = slots_get(t.map, slot_of(user)).owner;

	assert_int_equal(slots_shard_flag(t.map, shard, SHARD_PAUSED, on,
	    NULL), RC_OK);
}

static void each_persons_are_applied_in_order(void **state)
{
	struct place *p = *state;

	keep(ANNA, "a1");
	keep(BORIS, "b1");
	keep(ANNA, "a2");
	keep(FAR, "f1");
	keep(ANNA, "a3");
	place_start(p);
	place_turns(p, 300);
	assert_string_equal(t.told, "a1 a2 f1 a3 b1 ");
	assert_int_equal(left(), 0);
	assert_int_equal(worker_stats(p->worker)->spool_applied, 5);
	keep(ANNA, "a4");
	place_turns(p, 600);
	assert_string_equal(t.told, "a1 a2 f1 a3 b1 a4 ");
}

static void a_paused_shards_wait(void **state)
{
	struct place *p = *state;

	keep(ANNA, "a1");
	keep(BORIS, "b1");
	pause_shard(ANNA, true);
	place_start(p);
	place_turns(p, 500);
	assert_string_equal(t.told, "b1 ");
	assert_int_equal(left(), 1);
	pause_shard(ANNA, false);
	place_turns(p, 500);
	assert_string_equal(t.told, "b1 a1 ");
}

static void what_cannot_ever_succeed_is_done_with(void **state)
{
	struct place *p = *state;

	keep(ANNA, "a1");
	keep(ANNA, "a2");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_INVALID;
	place_start(p);
	place_turns(p, 300);
	assert_string_equal(t.told, "a1 a2 ");
	assert_int_equal(left(), 0);
	assert_int_equal(worker_stats(p->worker)->spool_invalid, 1);
}

static void what_may_succeed_later_is_tried_again(void **state)
{
	struct place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	keep(BORIS, "b1");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_UNAVAILABLE;
	place_start(p);
	place_turns(p, 100);
	/* nobody of that slot overtakes, others go on */
	assert_memory_equal(t.told, "a1 b1 ", 6);
	assert_null(strstr(t.told, "f1"));
	t.bad[0] = t.told[0] = '\0';
	place_turns(p, 600);
	assert_string_equal(t.told, "a1 f1 ");
	assert_int_equal(left(), 0);
}

static void an_unreadable_persons_stay_and_hold_nobody(void **state)
{
	struct place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	keep(ANNA, "a2");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_CORRUPT;
	place_start(p);
	place_turns(p, 900);
	assert_string_equal(t.told, "a1 f1 ");
	assert_int_equal(left(), 2);
	assert_int_equal(worker_stats(p->worker)->spool_stuck, 1);
}

/* More than one turn and one batch holds. */
static void many_are_applied_once_each(void **state)
{
	struct place *p = *state;
	char body[32], want[TOLD_MAX] = "";

	for (int i = 0; i < 150; i++) {
		size_t n = strlen(want);
		str_format(body, sizeof(body), "%d", i);
		keep(ANNA, body);
		str_format(want + n, sizeof(want) - n, "%s ", body);
	}
	place_start(p);
	for (int i = 0; i < 50 && left() > 0; i++)
		place_turns(p, 100);
	assert_string_equal(t.told, want);
	assert_int_equal(left(), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_persons_are_applied_in_order),
		CASE(a_paused_shards_wait),
		CASE(what_cannot_ever_succeed_is_done_with),
		CASE(what_may_succeed_later_is_tried_again),
		CASE(an_unreadable_persons_stay_and_hold_nobody),
		CASE(many_are_applied_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
