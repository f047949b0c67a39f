/*
 * test_store_conformance.c - runs the one list of cases on a backend.
 *
 * usage: test_store_conformance [URI]
 * Without URI: on temporary SQLite files and, when FAMILYBOT_TEST_MONGO_URI
 * names a server, on new databases there.
 */
#include "config.h"

#include "conformance.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/clock.h"

static int run_lists(void)
{
	static const struct {
		const struct CMUnitTest *const tests;
		const size_t *const n;
	} lists[] = {
		{ conformance_user, &conformance_user_n },
		{ conformance_food, &conformance_food_n },
		{ conformance_days, &conformance_days_n },
		{ conformance_job, &conformance_job_n },
		{ conformance_slot, &conformance_slot_n },
		{ conformance_move, &conformance_move_n },
		{ conformance_meta, &conformance_meta_n },
	};
	int failed = 0;

	printf("# store conformance on %.20s\n", store_place_base());
	for (size_t i = 0; i < COUNT(lists); i++) {
		char name[64];

		(void)str_format(name, sizeof(name), "%.7s list %zu", store_place_base(),
		    i + 1);
		failed += _cmocka_run_group_tests(name, lists[i].tests,
		    *lists[i].n, NULL, NULL);
	}
	return failed;
}

/* A port where nobody listens: bound once and let go. */
static int closed_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	(void)close(fd);
	return ntohs(a.sin_port);
}

/* listens: a server that takes the connection and never says a word. */
static void mongo_gone_check(int port)
{
	char uri[64];
	struct store_conf c = { .name = "gone", .uri = uri, .timeout_ms = 700,
		.create = true };
	struct store *s = NULL;
	struct err e = { 0 };
	int64_t start = clock_mono_us();
	enum rc rc;

	(void)str_format(uri, sizeof(uri), "mongodb://127.0.0.1:%d/gone", port);
	rc = store_open(&c, &s, &e);
	if (rc == RC_OK)	/* a backend may connect at first use */
		rc = s->ops->ping(s, &e);
	assert_int_equal(rc, RC_UNAVAILABLE);
	assert_int_equal(e.rc, RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "gone"));
	assert_true(clock_mono_us() - start < 5 * 1000000);
	store_close(s);
}

static void gone_server_is_unavailable_in_time(void **state)
{
	(void)state;
	mongo_gone_check(closed_port());
}

static void silent_server_is_unavailable_in_time(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	mongo_gone_check(ntohs(a.sin_port));
	(void)close(fd);
}

static int run_mongo(const char *uri)
{
	const struct CMUnitTest gone[] = {
		cmocka_unit_test(gone_server_is_unavailable_in_time),
		cmocka_unit_test(silent_server_is_unavailable_in_time),
	};

	store_place_base_set(uri);
	return run_lists() +
	    cmocka_run_group_tests_name("mongodb gone", gone, NULL, NULL);
}

int main(int argc, char **argv)
{
	const char *mongo = getenv("FAMILYBOT_TEST_MONGO_URI");
	int failed = 0;

	if (argc > 1 && strncmp(argv[1], "mongodb", 7) == 0)
		return run_mongo(argv[1]) != 0;
	if (argc > 1)
		store_place_base_set(argv[1]);
	failed += run_lists();
	if (argc == 1 && mongo && mongo[0])
		failed += run_mongo(mongo);
	else if (argc == 1)
		printf("# FAMILYBOT_TEST_MONGO_URI is not set: MongoDB's half "
		    "was not run\n");
	return failed != 0;
}
