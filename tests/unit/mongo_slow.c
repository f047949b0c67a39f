/*
 * mongo_slow.c - a server that hangs with open sockets, drips, or is gone:
 * every operation ends in time, whatever libmongoc does meanwhile.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mongo_proxy.h"
#include "utils/buf.h"

enum { DAY = 20000, LIMIT_MS = 1200, DRIP_MS = 100 };

static struct store *open_at(const char *at)
{
	struct store_conf c = { .name = "test", .uri = at, .create = true,
		.timeout_ms = LIMIT_MS };
	struct store *s = NULL;
	struct err e = { RC_OK, "" };

	if (store_mongo_ops.open(&c, &s, &e) != RC_OK)
		fail_msg("%s", e.text);
	return s;
}

/* One operation of a store with a time-out of LIMIT_MS, in ms. */
static int64_t time_of(struct store *s, const char *what)
{
	struct meal m = { .user_id = 1, .day = DAY, .message_id = 1 };
	struct meal changed = m;
	struct day_sum day;
	int64_t begin = clock_mono_us();
	struct err e = { RC_OK, "" };
	enum rc rc = RC_OK;

	changed.rev = 1;
	if (strcmp(what, "ping") == 0)
		rc = s->ops->ping(s, &e);
	else if (strcmp(what, "meal_add") == 0)
		rc = s->ops->meal_add(s, &m, &day, &e);
	else
		rc = s->ops->meal_replace(s, &changed, &day, &e);
	if (rc != RC_UNAVAILABLE)
		print_error("%s: %s\n", what, e.text);
	assert_int_equal(rc, RC_UNAVAILABLE);
	return (clock_mono_us() - begin) / 1000;
}

static void resets_await(const struct proxy *p)
{
	for (int i = 0; i < 200 && *p->resets == 0; i++)
		(void)usleep(5000);
	assert_true(*p->resets > 0);
}

/* Given a server that begins to hang or drip, warm or after a rest, when an
 * operation is asked of it and then another, then each ends in time, and the
 * connection that hung is reset. */
static void test_slow_server(void **state)
{
	static const char *const ops[] = { "ping", "meal_add", "meal_replace" };
	const char *server = getenv("FAMILYBOT_TEST_MONGO_URI");
	char at[128];
	struct proxy p;

	(void)state;
	for (int i = 0; i < 12; i++) {
		bool rested = i % 4 >= 2;
		const char *op = ops[i % 3];
		int64_t first, second;
		struct store *s;

		proxy_start(&p, server, DRIP_MS);
		str_format(at, sizeof(at), "mongodb://127.0.0.1:%d/mongo_slow"
		    "?socketCheckIntervalMS=100", p.port);
		s = open_at(at);
		*p.mode = i % 2 ? PROXY_DRIP : PROXY_HANG;
		(void)usleep(rested ? 1200000 : 20000);
		first = time_of(s, op);
		/* what was not sent must not arrive when the line is well */
		if (i % 2 == 0)
			resets_await(&p);
		second = time_of(s, op);
		print_message("time-out %d ms, %s, %s %s: %" PRId64 " ms, then %"
		    PRId64 " ms\n", LIMIT_MS, i % 2 ? "drips" : "hangs", op,
		    rested ? "after a rest" : "warm", first, second);
		assert_true(first < LIMIT_MS * 3 / 2);
		assert_true(second < LIMIT_MS * 3 / 2);
		s->ops->close(s);
		proxy_stop(&p);
	}
}

/* Given a server that was known and is gone, warm or after a rest, when it is
 * asked again and again, then each time ends at once or in time. */
static void test_known_server_gone(void **state)
{
	const char *server = getenv("FAMILYBOT_TEST_MONGO_URI");
	char at[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct store *s;
		struct proxy p;

		proxy_start(&p, server, DRIP_MS);
		str_format(at, sizeof(at), "mongodb://127.0.0.1:%d/mongo_gone"
		    "?socketCheckIntervalMS=100&heartbeatFrequencyMS=500",
		    p.port);
		s = open_at(at);
		proxy_stop(&p);
		(void)usleep(i ? 1200000 : 20000);
		for (int k = 0; k < 3; k++)
			assert_true(time_of(s, "ping") < LIMIT_MS * 3 / 2);
		s->ops->close(s);
	}
}

const struct CMUnitTest mongo_slow[] = {
	cmocka_unit_test(test_slow_server),
	cmocka_unit_test(test_known_server_gone),
};
const size_t mongo_slow_n = sizeof(mongo_slow) / sizeof(mongo_slow[0]);
