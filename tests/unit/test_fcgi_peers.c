/*
 * test_fcgi_peers.c - peers of the pool's socket that are no nginx: silent,
 * slow, lying, leaving.  Each may lose its connection; nobody else loses
 * anything, and the process stays.
 */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi_place.h"
#include "utils/clock.h"

enum { SECOND = 1000000, HEAD_S = 2, BODY_S = 10, MARGIN_S = 10 };

static const char begin[8] = { 0, 1 /* responder */, 0 };

/* Somebody else is served: the process lives and is free. */
static void served(const struct server *s)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	server_ask(s, 2, "ok", 2, &out);
	assert_memory_equal(out.s, "Status: 200 OK\r\n", 16);
	buf_release(&out);
}

/* Waits until the server closes; returns what it sent before that. */
static size_t closed(int fd, char *got, size_t size, int seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t until = clock_mono_us() + (int64_t)seconds * SECOND;
	size_t n = 0;

	for (;;) {
		assert_true(clock_mono_us() < until);
		assert_int_equal(poll(&p, 1, seconds * 1000), 1);
		ssize_t k = read(fd, got + n, size - n);
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	close(fd);
	return n;
}

/* Sends what is no request and expects silence and a closed connection at
 * once, with the process alive. */
static void dropped(const struct server *s, const struct buf *b)
{
	int64_t from = clock_mono_us();
	int fd = server_dial(s);
	char got[64];

	send_all(fd, b);
	assert_int_equal(closed(fd, got, sizeof(got), HEAD_S + MARGIN_S), 0);
	assert_true(clock_mono_us() - from < HEAD_S * SECOND);
	served(s);
}

/* Peers that say three bytes; served() comes after them all. */
static void three_bytes_and_silence_hold_nobody(void **state)
{
	enum { PEERS = 12 };
	int64_t from = clock_mono_us();
	int fd[PEERS];
	char got[64];

	for (int i = 0; i < PEERS; i++) {
		fd[i] = server_dial(*state);
		assert_int_equal(send(fd[i], "\1\1\0", 3, 0), 3);
	}
	served(*state);
	/* at once, while all of them wait */
	assert_true(clock_mono_us() - from < HEAD_S * SECOND);
	for (int i = 0; i < PEERS; i++)
		assert_int_equal(closed(fd[i], got, sizeof(got),
		    HEAD_S + MARGIN_S), 0);
	assert_true(clock_mono_us() - from >=
	    (int64_t)HEAD_S * SECOND - SECOND / 10);
	served(*state);
}

static void any_number_of_silent_peers_makes_room_for_the_next(void **state)
{
	enum { PEERS = 60 };
	int64_t from = clock_mono_us();
	int fd[PEERS];

	for (int i = 0; i < PEERS; i++) {
		fd[i] = server_dial(*state);
		if (i % 2 == 0)
			assert_int_equal(send(fd[i], "\1", 1, MSG_NOSIGNAL), 1);
	}
	for (int i = 0; i < 5; i++)
		served(*state);
	assert_true(clock_mono_us() - from < HEAD_S * SECOND);
	for (int i = 0; i < PEERS; i++)
		close(fd[i]);
}

static void a_request_that_comes_slowly_is_answered_among_silent_ones(
    void **state)
{
	enum { PEERS = 5 };
	struct buf b, out;
	int fd[PEERS], mine;
	bool ended;

	buf_init(&b, 4096);
	buf_init(&out, 4096);
	put_request(&b, 5, "he", 2, false);
	mine = server_dial(*state);
	send_all(mine, &b);
	for (int i = 0; i < PEERS; i++)
		fd[i] = server_dial(*state);
	served(*state);
	buf_clear(&b);
	put_record(&b, REC_STDIN, "llo", 3);
	put_record(&b, REC_STDIN, "", 0);
	send_all(mine, &b);
	receive(mine, &out, &ended);
	assert_true(ended);
	assert_non_null(strstr(out.s, "|5]hello"));
	for (int i = 0; i < PEERS; i++)
		close(fd[i]);
	buf_release(&b);
	buf_release(&out);
}

/* A body too large is answered; who then neither reads nor leaves waits. */
static void a_peer_that_does_not_leave_after_its_answer_holds_nobody(
    void **state)
{
	struct buf b;
	int64_t from = clock_mono_us();
	int fd = server_dial(*state);

	buf_init(&b, 4096);
	put_request(&b, BODY_MAX + 1, "x", 1, false);
	send_all(fd, &b);
	wait_read(fd);
	for (int i = 0; i < 3; i++)
		served(*state);
	assert_true(clock_mono_us() - from < SECOND);
	close(fd);
	buf_release(&b);
}

/* Sends all of b, then goes on with a byte each step_ms, until it is closed or
 * seconds are over; returns the seconds it took, times 10. */
static int drip(int fd, const struct buf *b, int step_ms, int seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t from = clock_mono_us();

	for (size_t i = 0; i < b->len; i++) {
		if (send(fd, b->s + i, 1, MSG_NOSIGNAL) < 0)
			break;
		if (poll(&p, 1, step_ms) == 1)
			break;
		assert_true(clock_mono_us() - from <
		    (int64_t)seconds * SECOND);
	}
	return (int)((clock_mono_us() - from) / (SECOND / 10));
}

static void a_dripping_head_is_cut_by_the_time_of_the_whole(void **state)
{
	struct buf b;
	int fd = server_dial(*state), tenths;

	buf_init(&b, 4096);
	put_request(&b, 2, "ok", 2, true);
	tenths = drip(fd, &b, 100, HEAD_S + MARGIN_S);
	assert_in_range(tenths, 10 * HEAD_S - 1, 10 * (HEAD_S + MARGIN_S));
	close(fd);
	served(*state);
	buf_release(&b);
}

static void a_body_that_never_ends_is_answered_and_cut(void **state)
{
	struct buf b;
	int64_t from = clock_mono_us();
	int fd = server_dial(*state);
	char got[4096];
	size_t n;

	buf_init(&b, 4096);
	put_request(&b, 10, "half", 4, false);
	send_all(fd, &b);
	n = closed(fd, got, sizeof(got), BODY_S + MARGIN_S);
	assert_true(clock_mono_us() - from >=
	    (int64_t)BODY_S * SECOND - SECOND / 10);
	assert_true(n > 20);
	assert_memory_equal(got + 8, "Status: 400 ", 12);
	served(*state);
	buf_release(&b);
}

static void lengths_that_lie_end_the_connection_alone(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} lies[] = {
		{ "\xff\xff\xff\xfe\xff\xff\xff\xfe" "ab", 10 },
		{ "\x01\xff\xff\xff\xfe" "ab", 7 },
		{ "\xff\xff\xff\xfe\x01" "ab", 7 },
		{ "\x7f\x7f" "ab", 4 },
		{ "\x80\x00\x00", 3 },
		{ "\x01", 1 },
	};
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		buf_clear(&b);
		put_record(&b, REC_BEGIN, begin, sizeof(begin));
		put_record(&b, REC_PARAMS, lies[i].data, lies[i].len);
		put_record(&b, REC_PARAMS, "", 0);
		put_record(&b, REC_STDIN, "", 0);
		dropped(*state, &b);
	}
	buf_release(&b);
}

static void what_is_no_fastcgi_ends_the_connection_alone(void **state)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_puts(&b, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	dropped(*state, &b);
	buf_clear(&b);
	put_record(&b, REC_BEGIN, "\0\1", 2);	/* cut: must be eight */
	dropped(*state, &b);
	buf_clear(&b);
	put_record(&b, REC_BEGIN, begin, sizeof(begin));
	put_record(&b, REC_STDIN, "early", 5);
	dropped(*state, &b);
	buf_release(&b);
}

static void parameters_over_the_cap_end_the_connection_alone(void **state)
{
	static char much[60000];
	struct buf b;

	memset(much, 'x', sizeof(much));
	buf_init(&b, 1 << 20);
	put_record(&b, REC_BEGIN, begin, sizeof(begin));
	for (int i = 0; i < 3; i++)
		put_record(&b, REC_PARAMS, much, sizeof(much));
	int fd = server_dial(*state);
	char got[64];
	send_all(fd, &b);
	/* reset or closed: bytes were left unread */
	assert_int_equal(closed(fd, got, sizeof(got), MARGIN_S), 0);
	served(*state);
	buf_release(&b);
}

static void an_aborted_request_is_ended_and_not_handled(void **state)
{
	struct buf b;
	int fd = server_dial(*state);
	char got[64];

	buf_init(&b, 4096);
	put_request(&b, 10, "half", 4, false);
	put_record(&b, REC_ABORT, "", 0);
	send_all(fd, &b);
	shutdown(fd, SHUT_WR);
	assert_int_equal(closed(fd, got, sizeof(got), MARGIN_S), 16);
	assert_int_equal(got[1], REC_END);
	served(*state);
	buf_release(&b);
}

static void a_peer_that_leaves_in_the_head_holds_nobody(void **state)
{
	struct buf b;

	buf_init(&b, 4096);
	put_request(&b, 2, "ok", 2, true);
	for (size_t n = 1; n < b.len; n += 7) {
		struct buf part = b;
		int fd = server_dial(*state);
		part.len = n;
		send_all(fd, &part);
		close(fd);
	}
	served(*state);
	buf_release(&b);
}

static void sigterm_does_not_wait_for_a_silent_peer(void **state)
{
	struct server *s = *state;
	int64_t from;
	int fd = server_dial(s);

	usleep(50000);	/* it was taken; the test holds without, too */
	from = clock_mono_us();
	kill(s->pid, SIGTERM);
	assert_int_equal(server_wait(s), 0);
	assert_true(clock_mono_us() - from < HEAD_S * SECOND);
	close(fd);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, server_start, server_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(three_bytes_and_silence_hold_nobody),
		T(any_number_of_silent_peers_makes_room_for_the_next),
		T(a_request_that_comes_slowly_is_answered_among_silent_ones),
		T(a_peer_that_does_not_leave_after_its_answer_holds_nobody),
		T(a_dripping_head_is_cut_by_the_time_of_the_whole),
		T(a_body_that_never_ends_is_answered_and_cut),
		T(lengths_that_lie_end_the_connection_alone),
		T(what_is_no_fastcgi_ends_the_connection_alone),
		T(parameters_over_the_cap_end_the_connection_alone),
		T(an_aborted_request_is_ended_and_not_handled),
		T(a_peer_that_leaves_in_the_head_holds_nobody),
		T(sigterm_does_not_wait_for_a_silent_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
