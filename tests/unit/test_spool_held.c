/*
 * test_spool_held.c - an update that cannot be applied holds its person and
 * nobody else; who looks sees which it is, and not what it says.
 */
#include "config.h"

#include "spool_place.h"

#include <string.h>

#include "utils/buf.h"

static const int64_t now_ms = NOW * INT64_C(1000);

static void failed(struct spool_place *t, int64_t until_ms)
{
	assert_int_equal(spool_failed(t->s, &t->row, 1, until_ms, "as told",
	    NULL), RC_OK);
}

static int64_t held(struct spool_place *t, int64_t at_ms)
{
	int64_t n = -1;

	assert_int_equal(spool_held(t->s, at_ms, &n, NULL), RC_OK);
	return n;
}

static bool next_at(struct spool_place *t, int64_t at_ms, const char *body)
{
	return spool_next(t->s, slot_of(ANNA), 0, at_ms, &t->row, NULL) ==
	    RC_OK && strcmp(t->row.body.s, body) == 0;
}

static void only_its_person_waits(void **state)
{
	struct spool_place *t = *state;

	add(t, ANNA, "a1");
	add(t, ANNA, "a2");
	add(t, FAR, "f1");
	next_is(t, ANNA, "a1");
	assert_int_equal(t->row.tries, 0);
	failed(t, 0);			/* is tried again soon */
	next_is(t, ANNA, "a1");
	assert_int_equal(t->row.tries, 1);
	assert_int_equal(held(t, now_ms), 0);
	failed(t, now_ms + 60000);
	next_is(t, FAR, "f1");
	assert_int_equal(held(t, now_ms), 1);
	done(t);
	assert_int_equal(next(t, ANNA, 0), RC_NOTFOUND);
	assert_true(slot_holds(t->s, ANNA));
	assert_true(next_at(t, now_ms + 60000, "a1"));
	assert_int_equal(t->row.tries, 2);
	done(t);
	next_is(t, ANNA, "a2");
	assert_int_equal(held(t, now_ms), 0);
}

/* An hour at most, whatever the clock was when that was said. */
static void a_clock_that_went_back_holds_nobody(void **state)
{
	struct spool_place *t = *state;

	add(t, ANNA, "a1");
	next_is(t, ANNA, "a1");
	failed(t, now_ms + SPOOL_HOLD_MAX_MS);
	assert_false(next_at(t, now_ms, "a1"));
	assert_true(next_at(t, now_ms - 1000, "a1"));
}

static size_t listed(struct spool_place *t, bool all, struct spool_entry *out)
{
	size_t n = 99;

	assert_int_equal(spool_list(t->s, all, 0, 4, out, &n, NULL), RC_OK);
	return n;
}

static void who_looks_sees_which_and_why(void **state)
{
	struct spool_place *t = *state;
	struct spool_entry list[4];
	struct spool_stats st;

	assert_int_equal(listed(t, true, list), 0);
	add(t, ANNA, "a1");
	add(t, BORIS, "b1");
	assert_int_equal(listed(t, false, list), 0);
	next_is(t, BORIS, "b1");
	failed(t, now_ms + 60000);
	assert_int_equal(listed(t, true, list), 2);
	assert_int_equal(list[0].slot, slot_of(ANNA));
	assert_int_equal(list[0].tries, 0);
	assert_string_equal(list[0].why, "");
	assert_int_equal(listed(t, false, list), 1);
	assert_int_equal(list[0].seq, t->row.seq);
	assert_int_equal(list[0].slot, slot_of(BORIS));
	assert_int_equal(list[0].received_at, t->row.received_at);
	assert_int_equal(list[0].tries, 1);
	assert_string_equal(list[0].why, "as told");
	assert_int_equal(spool_stats_slot(t->s, slot_of(BORIS), &st, NULL),
	    RC_OK);
	assert_int_equal(st.failed, 1);
	assert_int_equal(spool_stats_slot(t->s, slot_of(ANNA), &st, NULL),
	    RC_OK);
	assert_int_equal(st.failed, 0);
}

static void it_is_tried_again_or_dropped_when_told_so(void **state)
{
	struct spool_place *t = *state;
	struct spool_entry list[4];
	size_t gone = 9;

	add(t, ANNA, "a1");
	add(t, ANNA, "a2");
	next_is(t, ANNA, "a1");
	failed(t, now_ms + 60000);
	assert_int_equal(spool_retry(t->s, t->row.seq + 1, NULL), RC_NOTFOUND);
	assert_int_equal(spool_retry(t->s, t->row.seq, NULL), RC_OK);
	next_is(t, ANNA, "a1");
	failed(t, now_ms + 60000);
	assert_int_equal(spool_done(t->s, &t->row.seq, 1, &gone, NULL), RC_OK);
	assert_int_equal(gone, 1);
	assert_int_equal(listed(t, false, list), 0);
	next_is(t, ANNA, "a2");
	/* gone meanwhile: there is nothing to hold */
	t->row.seq--;
	failed(t, now_ms + 60000);
	next_is(t, ANNA, "a2");
}

/* Another process takes over what the one that died was at. */
static void deaths_are_counted(void **state)
{
	struct spool_place *t = *state;
	struct spool *other;

	assert_int_equal(spool_trying(t->s, 5), 0);
	spool_tried(t->s);
	assert_int_equal(spool_trying(t->s, 5), 0);
	other = open_it(t, 1 << 20);
	assert_int_equal(spool_trying(other, 5), 1);
	spool_free(other);
	spool_free(t->s);
	t->s = open_it(t, 1 << 20);	/* nobody had it open meanwhile */
	assert_int_equal(spool_trying(t->s, 5), 2);
	assert_int_equal(spool_trying(t->s, 6), 0);
	assert_int_equal(spool_trying(t->s, 5), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, spool_place_open, spool_place_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_its_person_waits),
		CASE(a_clock_that_went_back_holds_nobody),
		CASE(who_looks_sees_which_and_why),
		CASE(it_is_tried_again_or_dropped_when_told_so),
		CASE(deaths_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
