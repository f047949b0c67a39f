/*
 * test_fcgi.c - the FastCGI transport over a real socket: a child serves, the
 * parent speaks the protocol as nginx does (fastcgi.com, specification 1.0).
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi_place.h"
#include "utils/clock.h"
#include "web/fcgi.h"

static void a_request_goes_in_and_its_answer_comes_out(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	for (int i = 0; i < 50; i++) {
		server_ask(*state, 5, "hello", 5, &out);
		assert_memory_equal(out.s, "Status: 200 OK\r\n", 16);
		assert_non_null(strstr(out.s,
		    "X-Request-Id: feedfacefeedface\r\n"));
		assert_non_null(strstr(out.s,
		    "\r\n\r\n[text/x|tok|192.0.2.7|5]hello"));
	}
	buf_release(&out);
}

static void a_body_up_to_the_cap_comes_whole(void **state)
{
	static char body[BODY_MAX];
	static const size_t sizes[] = { 0, 1, 8191, 8192, 8193, 16384, 70000,
		BODY_MAX };
	struct buf out;

	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < BODY_MAX; i++)
		body[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		server_ask(*state, sizes[i], body, sizes[i], &out);
		const char *p = strstr(out.s, "192.0.2.7|");
		assert_non_null(p);
		p = strchr(p, ']');
		assert_int_equal(out.s + out.len - p - 1, sizes[i]);
		assert_memory_equal(p + 1, body, sizes[i]);
	}
	buf_release(&out);
}

static void a_body_over_the_cap_is_413(void **state)
{
	static char body[BODY_MAX + 1];
	struct buf out;

	buf_init(&out, 1 << 20);
	memset(body, 'x', sizeof(body));
	server_ask(*state, sizeof(body), body, sizeof(body), &out);
	assert_memory_equal(out.s, "Status: 413 ", 12);
	/* however long it was said to be */
	server_ask(*state, 3, body, sizeof(body), &out);
	assert_memory_equal(out.s, "Status: 413 ", 12);
	server_ask(*state, 2, "ok", 2, &out);
	assert_memory_equal(out.s, "Status: 200 ", 12);
	buf_release(&out);
}

static void a_body_that_ends_early_is_400(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	server_ask(*state, 10, "half", 4, &out);
	assert_memory_equal(out.s, "Status: 400 ", 12);
	buf_release(&out);
}

static void a_client_that_leaves_stops_nobody(void **state)
{
	struct buf b, out;
	int fd;

	buf_init(&b, 1 << 20);
	buf_init(&out, 1 << 20);
	put_request(&b, 10, "half", 4, false);
	for (int i = 0; i < 5; i++) {
		fd = server_dial(*state);
		send_all(fd, &b);
		close(fd);
		fd = server_dial(*state);
		close(fd);
	}
	server_ask(*state, 2, "ok", 2, &out);
	assert_memory_equal(out.s, "Status: 200 ", 12);
	buf_release(&b);
	buf_release(&out);
}

static void sigterm_ends_an_idle_process_at_once(void **state)
{
	struct server *s = *state;
	int64_t from = clock_mono_us();
	struct buf out;

	buf_init(&out, 1 << 20);
	server_ask(s, 2, "ok", 2, &out);
	buf_release(&out);
	kill(s->pid, SIGTERM);
	assert_int_equal(server_wait(s), 0);
	assert_true(clock_mono_us() - from < 1000000);
}

static void sigterm_lets_a_busy_process_answer_first(void **state)
{
	struct server *s = *state;
	struct buf b, out;
	bool ended;
	int fd = server_dial(s);

	buf_init(&b, 4096);
	buf_init(&out, 4096);
	put_request(&b, 4, "slow", 4, true);
	send_all(fd, &b);
	wait_read(fd);
	kill(s->pid, SIGTERM);
	receive(fd, &out, &ended);
	assert_true(ended);
	assert_memory_equal(out.s, "Status: 200 ", 12);
	assert_int_equal(server_wait(s), 0);
	buf_release(&b);
	buf_release(&out);
}

static void sigterm_cuts_no_request_that_is_still_coming(void **state)
{
	struct server *s = *state;
	struct buf b, out;
	bool ended;
	int fd = server_dial(s);

	buf_init(&b, 4096);
	buf_init(&out, 4096);
	put_request(&b, 2, "o", 1, false);
	send_all(fd, &b);
	wait_read(fd);
	kill(s->pid, SIGTERM);
	usleep(100000);
	buf_clear(&b);
	put_record(&b, REC_STDIN, "k", 1);
	put_record(&b, REC_STDIN, "", 0);
	send_all(fd, &b);
	receive(fd, &out, &ended);
	assert_true(ended);
	assert_non_null(strstr(out.s, "|2]ok"));
	assert_int_equal(server_wait(s), 0);
	buf_release(&b);
	buf_release(&out);
}

static void only_a_listening_socket_is_served(void **state)
{
	struct err e = { .text = "" };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcgi_serve(fds[0], NULL, 1000, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "spawn-fcgi"));
	close(fds[0]);
	close(fds[1]);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, server_start, server_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_request_goes_in_and_its_answer_comes_out),
		T(a_body_up_to_the_cap_comes_whole),
		T(a_body_over_the_cap_is_413),
		T(a_body_that_ends_early_is_400),
		T(a_client_that_leaves_stops_nobody),
		T(sigterm_ends_an_idle_process_at_once),
		T(sigterm_lets_a_busy_process_answer_first),
		T(sigterm_cuts_no_request_that_is_still_coming),
		cmocka_unit_test(only_a_listening_socket_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
