/*
 * test_fcgi.c - the FastCGI transport over a real socket: a child serves, the
 * parent speaks the protocol as nginx does (fastcgi.com, specification 1.0).
 */
#include "config.h"

#include <linux/sockios.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "utils/clock.h"
#include "utils/log.h"
#include "web/fcgi.h"
#include "web/metrics.h"
#include "web/web.h"

enum { BODY_MAX = 100000, WAIT_MS = 5000, REC_BEGIN = 1, REC_END = 3,
	REC_PARAMS = 4, REC_STDIN = 5, REC_STDOUT = 6 };

/* Answers what it was sent; a body of "slow" takes a while. */
static void echo(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	(void)ctx;
	if (req->len == 4 && memcmp(req->body, "slow", 4) == 0)
		usleep(300000);
	buf_printf(&resp->body, "[%s|%s|%s|%zu]", req->content_type,
	    req->secret_token, req->remote_addr, req->len);
	buf_add(&resp->body, req->body, req->len);
}

static const struct http_route rows[] = {
	{ "POST", "/echo", "echo", echo, 0 },
	{ NULL, NULL, NULL, NULL, 0 },
};

struct server {
	char path[100];	/* a socket has room for 107 */
	pid_t pid;
};

static void serve(int fd)
{
	static const char *const names[] = { "echo" };
	struct metrics *m = NULL;
	struct err e;

	log_level_set(LOG_LVL_ERROR);
	if (metrics_open(NULL, names, 1, 1, &m, &e) != RC_OK)
		_exit(90);
	struct web *web = web_new(rows, NULL, m, &clock_system);
	enum rc rc = fcgi_serve(fd, web, BODY_MAX, &e);
	web_free(web);
	metrics_free(m);
	_exit(rc == RC_OK ? 0 : 91);
}

static const char *tmp(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

static int server_start(void **state)
{
	static struct server s;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	str_format(s.path, sizeof(s.path), "%s/test_fcgi.%ld.sock",
	    tmp(), (long)getpid());
	str_copy(a.sun_path, sizeof(a.sun_path), s.path);
	unlink(s.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0)
		serve(fd);
	close(fd);
	*state = &s;
	return 0;
}

/* How the server ended within WAIT_MS: exit code, 1000 + signal, or -1. */
static int server_wait(struct server *s)
{
	int status = 0;

	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
			s->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) :
			    1000 + WTERMSIG(status);
		}
		usleep(10000);
	}
	return -1;
}

static int server_stop(void **state)
{
	struct server *s = *state;

	unlink(s->path);
	if (s->pid == 0)
		return 0;
	kill(s->pid, SIGTERM);
	if (server_wait(s) == 0)
		return 0;
	if (s->pid != 0)
		kill(s->pid, SIGKILL);
	return -1;
}

static int dial(const struct server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	str_copy(a.sun_path, sizeof(a.sun_path), s->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void put_record(struct buf *b, int type, const void *data, size_t len)
{
	const unsigned char head[8] = { 1, (unsigned char)type, 0, 1,
		(unsigned char)(len >> 8), (unsigned char)len, 0, 0 };

	buf_add(b, head, sizeof(head));
	buf_add(b, data, len);
}

static void put_param(struct buf *b, const char *name, const char *value)
{
	buf_putc(b, (char)strlen(name));
	buf_putc(b, (char)strlen(value));
	buf_puts(b, name);
	buf_puts(b, value);
}

/* What nginx sends for a POST of told bytes, of which len are sent. */
static void put_request(struct buf *b, size_t told, const char *body,
    size_t len, bool end)
{
	static const char begin[8] = { 0, 1 /* responder */, 0 };
	struct buf p;
	char number[24];

	buf_init(&p, 4096);
	str_format(number, sizeof(number), "%zu", told);
	put_param(&p, "REQUEST_METHOD", "POST");
	put_param(&p, "DOCUMENT_URI", "/echo");
	put_param(&p, "CONTENT_TYPE", "text/x");
	put_param(&p, "CONTENT_LENGTH", number);
	put_param(&p, "REMOTE_ADDR", "192.0.2.7");
	put_param(&p, "REQUEST_ID", "feedfacefeedface");
	put_param(&p, "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN", "tok");
	put_param(&p, "HTTP_X_TELEGRAM_BOT_API_SECRET", "no");
	put_record(b, REC_BEGIN, begin, sizeof(begin));
	put_record(b, REC_PARAMS, p.s, p.len);
	put_record(b, REC_PARAMS, "", 0);
	for (size_t at = 0; at < len;) {
		size_t n = len - at > 60000 ? 60000 : len - at;
		put_record(b, REC_STDIN, body + at, n);
		at += n;
	}
	if (end)
		put_record(b, REC_STDIN, "", 0);
	buf_release(&p);
}

static void send_all(int fd, const struct buf *b)
{
	/* The server may stop listening in the middle of a body too large. */
	for (size_t at = 0; at < b->len;) {
		ssize_t n = send(fd, b->s + at, b->len - at, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

/* All of the answer's records until the connection closes; *ended: whether
 * the end of the request was told. */
static void receive(int fd, struct buf *out, bool *ended)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct buf raw;
	char chunk[4096];
	ssize_t n;

	buf_init(&raw, 1 << 20);
	*ended = false;
	buf_clear(out);
	while (poll(&p, 1, WAIT_MS) == 1 &&
	    (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&raw, chunk, (size_t)n);
	for (size_t at = 0; at + 8 <= raw.len;) {
		const unsigned char *h = (const unsigned char *)raw.s + at;
		size_t len = (size_t)h[4] << 8 | h[5];
		assert_true(at + 8 + len + h[6] <= raw.len);
		if (h[1] == REC_STDOUT)
			buf_add(out, raw.s + at + 8, len);
		*ended |= h[1] == REC_END;
		at += 8 + len + h[6];
	}
	buf_release(&raw);
	close(fd);
}

static void ask(const struct server *s, size_t told, const char *body,
    size_t len, struct buf *out)
{
	struct buf b;
	bool ended;
	int fd = dial(s);

	buf_init(&b, 1 << 20);
	put_request(&b, told, body, len, true);
	send_all(fd, &b);
	receive(fd, out, &ended);
	assert_true(ended);
	buf_release(&b);
}

static void a_request_goes_in_and_its_answer_comes_out(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	for (int i = 0; i < 50; i++) {
		ask(*state, 5, "hello", 5, &out);
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
		ask(*state, sizes[i], body, sizes[i], &out);
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
	ask(*state, sizeof(body), body, sizeof(body), &out);
	assert_memory_equal(out.s, "Status: 413 ", 12);
	/* however long it was said to be */
	ask(*state, 3, body, sizeof(body), &out);
	assert_memory_equal(out.s, "Status: 413 ", 12);
	ask(*state, 2, "ok", 2, &out);
	assert_memory_equal(out.s, "Status: 200 ", 12);
	buf_release(&out);
}

static void a_body_that_ends_early_is_400(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	ask(*state, 10, "half", 4, &out);
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
		fd = dial(*state);
		send_all(fd, &b);
		close(fd);
		fd = dial(*state);
		close(fd);
	}
	ask(*state, 2, "ok", 2, &out);
	assert_memory_equal(out.s, "Status: 200 ", 12);
	buf_release(&b);
	buf_release(&out);
}

/* Until the server has read all that was sent to it. */
static void wait_read(int fd)
{
	int left = 1;

	for (int i = 0; i < WAIT_MS && left > 0; i++) {
		usleep(1000);
		assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
	}
	assert_int_equal(left, 0);
}

static void sigterm_ends_an_idle_process_at_once(void **state)
{
	struct server *s = *state;
	int64_t from = clock_mono_us();
	struct buf out;

	buf_init(&out, 1 << 20);
	ask(s, 2, "ok", 2, &out);
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
	int fd = dial(s);

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
	int fd = dial(s);

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
