/* fcgi_place.c - see fcgi_place.h. */
#include "config.h"

#include "fcgi_place.h"

#include <linux/sockios.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
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
	{ .method = "POST", .path = "/echo", .name = "echo", .handle = echo },
	{ .path = NULL },
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

int server_start(void **state)
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

int server_wait(struct server *s)
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

int server_stop(void **state)
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

int server_dial(const struct server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	str_copy(a.sun_path, sizeof(a.sun_path), s->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void put_record(struct buf *b, int type, const void *data, size_t len)
{
	const unsigned char head[8] = { 1, (unsigned char)type, 0, 1,
		(unsigned char)(len >> 8), (unsigned char)len, 0, 0 };

	buf_add(b, head, sizeof(head));
	buf_add(b, data, len);
}

void put_param(struct buf *b, const char *name, const char *value)
{
	buf_putc(b, (char)strlen(name));
	buf_putc(b, (char)strlen(value));
	buf_puts(b, name);
	buf_puts(b, value);
}

void put_request(struct buf *b, size_t told, const char *body,
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

void send_all(int fd, const struct buf *b)
{
	/* The server may stop listening in the middle of a body too large. */
	for (size_t at = 0; at < b->len;) {
		ssize_t n = send(fd, b->s + at, b->len - at, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

void receive(int fd, struct buf *out, bool *ended)
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

void server_ask(const struct server *s, size_t told, const char *body,
    size_t len, struct buf *out)
{
	struct buf b;
	bool ended;
	int fd = server_dial(s);

	buf_init(&b, 1 << 20);
	put_request(&b, told, body, len, true);
	send_all(fd, &b);
	receive(fd, out, &ended);
	assert_true(ended);
	buf_release(&b);
}

void wait_read(int fd)
{
	int left = 1;

	for (int i = 0; i < WAIT_MS && left > 0; i++) {
		usleep(1000);
		assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
	}
	assert_int_equal(left, 0);
}
