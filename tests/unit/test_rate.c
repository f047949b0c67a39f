/*
 * test_rate.c - Telegram's limits, with a clock that the test moves.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/rate.h"

/* Sends to chat as early as allowed and ends at once; returns when. */
static int64_t send_next(struct rate *r, int64_t chat, int64_t now)
{
	int64_t due = rate_due(r, chat, now);

	rate_sent(r, chat, due);
	rate_ended(r, chat, due);
	return due;
}

static void a_person_gets_one_a_second(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	assert_int_equal(send_next(r, 7, 5000), 5000);
	assert_int_equal(send_next(r, 7, 5000), 6000);
	assert_int_equal(send_next(r, 7, 6000), 7000);
	assert_int_equal(send_next(r, 8, 6000), 6000);
	rate_free(r);
}

static void all_together_get_thirty_a_second(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	for (int64_t chat = 1; chat <= 30; chat++)
		assert_int_equal(send_next(r, chat, 1000), 1000);
	assert_int_equal(send_next(r, 31, 1000), 2000);
	rate_free(r);
}

static void a_group_gets_twenty_a_minute(void **state)
{
	struct rate *r = rate_new(30);
	int64_t now = 1000, last = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		now = last = send_next(r, -7, now);
	assert_int_equal(last, 20000);
	assert_int_equal(send_next(r, -7, now), 61000);
	rate_free(r);
}

static void one_message_of_a_chat_is_under_way(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	rate_sent(r, 7, 1000);
	assert_true(rate_due(r, 7, 9000) > 9000);
	rate_ended(r, 7, 9000);
	assert_int_equal(rate_due(r, 7, 9000), 9000);
	rate_free(r);
}

static void retry_after_is_obeyed(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	rate_flooded(r, 7, 1000, 18000);
	assert_int_equal(rate_due(r, 7, 1000), 18000);
	assert_int_equal(rate_due(r, 8, 1000), 1000);
	/* a second chat within a second: it is meant for all */
	rate_flooded(r, 8, 1500, 9000);
	assert_int_equal(rate_due(r, 9, 1500), 9000);
	assert_int_equal(rate_due(r, 7, 1500), 18000);
	rate_flooded(r, 0, 20000, 30000);
	assert_int_equal(rate_due(r, 10, 20000), 30000);
	rate_free(r);
}

static void what_waits_long_gets_seconds_of_its_own(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	assert_int_equal(rate_postpone(r, 7, 1000, 9000), 9000);
	assert_int_equal(rate_postpone(r, 7, 1000, 9000), 10000);
	assert_int_equal(rate_postpone(r, 7, 1000, 9000), 11000);
	assert_int_equal(rate_postpone(r, 8, 1000, 9000), 9000);
	rate_free(r);
}

static void what_is_forgotten_was_harmless(void **state)
{
	struct rate *r = rate_new(30);

	(void)state;
	rate_flooded(r, 7, 1000, 3000000);
	/* the same bucket, much later: the entry of 7 must still be there */
	for (int64_t i = 1; i <= 40; i++)
		send_next(r, 7 + 256 * i, 62000 * i);
	assert_int_equal(rate_due(r, 7, 2500000), 3000000);
	rate_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_gets_one_a_second),
		cmocka_unit_test(all_together_get_thirty_a_second),
		cmocka_unit_test(a_group_gets_twenty_a_minute),
		cmocka_unit_test(one_message_of_a_chat_is_under_way),
		cmocka_unit_test(retry_after_is_obeyed),
		cmocka_unit_test(what_waits_long_gets_seconds_of_its_own),
		cmocka_unit_test(what_is_forgotten_was_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
