/*
 * fcgi.c - see fcgi.h.
 *
 * Signals: libfcgi neither restarts a read that a signal cut nor sees a
 * signal that came just before accept().  So SIGTERM stays blocked and is
 * waited for together with the listening socket: no request is cut, none is
 * waited for in vain.  EPOLLEXCLUSIVE wakes one process of the pool, not all.
 */
#include "config.h"

#include "web/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 8192, BODY_KEEP = 65536, BODY_FIRST = 4096 };

struct fcgi {
	FCGX_Request req;
	struct web *web;
	struct buf body;	/* of the request, kept between requests */
	struct buf out;
	int listen_fd, epoll_fd, signal_fd;
};

/* Which parameters of nginx fill which field. */
static const struct {
	const char *name;
	size_t len;
	size_t field;
} params[] = {
#define PARAM(name, field) \
	{ name, sizeof(name) - 1, offsetof(struct http_request, field) }
	PARAM("REQUEST_METHOD", method),
	PARAM("DOCUMENT_URI", path),
	PARAM("CONTENT_TYPE", content_type),
	PARAM("HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN", secret_token),
	PARAM("REMOTE_ADDR", remote_addr),
	PARAM("REQUEST_ID", id),
#undef PARAM
};

static void param_take(struct http_request *r, const char *entry)
{
	const char *eq = strchr(entry, '=');
	size_t len = eq == NULL ? 0 : (size_t)(eq - entry);

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (params[i].len != len ||
		    memcmp(params[i].name, entry, len) != 0)
			continue;
		const char **field =
		    (const char **)(void *)((char *)r + params[i].field);
		*field = eq + 1;
		return;
	}
}

/* Reads the whole body, so that nothing is left unread when the connection is
 * closed; keeps it only when it fits. */
static void body_read(struct fcgi *f, struct http_request *r)
{
	const char *told = FCGX_GetParam("CONTENT_LENGTH", f->req.envp);
	unsigned long long want = told == NULL ? 0 : strtoull(told, NULL, 10);
	char chunk[CHUNK];
	int n;

	buf_clear(&f->body);
	if (want > f->body.max) {
		r->too_big = true;
		return;
	}
	do {
		n = FCGX_GetStr(chunk, sizeof(chunk), f->req.in);
		if (n > 0)
			buf_add(&f->body, chunk, (size_t)n);
	} while (n == (int)sizeof(chunk) && !buf_over(&f->body));
	r->too_big = buf_over(&f->body);
	r->cut_short = !r->too_big && f->body.len < want;
	r->body = f->body.s;
	r->len = f->body.len;
}

static void shrink(struct buf *b)
{
	size_t max = b->max;

	if (b->cap <= BODY_KEEP)
		return;
	buf_release(b);
	buf_init(b, max);
}

static void serve_one(struct fcgi *f)
{
	struct http_request r;

	web_begin(f->web, &r);
	for (char **p = f->req.envp; *p != NULL; p++)
		param_take(&r, *p);
	body_read(f, &r);
	web_answer(f->web, &r, &f->out);
	FCGX_PutStr(f->out.s, (int)f->out.len, f->req.out);
	/* Nothing is left unread, so the connection can be closed at once,
	 * without libfcgi's wait for nginx to close it first. */
	if (!r.too_big && !r.cut_short)
		FCGX_Detach(&f->req);
	/* Log before the parameters, to which r points, are freed; after the
	 * answer is on its way. */
	FCGX_FClose(f->req.err);
	FCGX_FClose(f->req.out);
	web_done(f->web, &r);
	FCGX_Free(&f->req, 1);
	FCGX_Attach(&f->req);
	shrink(&f->body);
	shrink(&f->out);
}

static enum rc watch(struct fcgi *f, int fd, uint32_t events, struct err *e)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_set(e, RC_SYSTEM, "epoll_ctl: %s", strerror(errno));
	return RC_OK;
}

static enum rc listen_check(int fd, struct err *e)
{
	int on = 0;
	socklen_t len = sizeof(on);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) < 0 || !on)
		return err_set(e, RC_INVALID, "descriptor %d is no listening "
		    "socket; start it by spawn-fcgi", fd);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_set(e, RC_SYSTEM, "fcntl: %s", strerror(errno));
	return RC_OK;
}

static enum rc fcgi_open(struct fcgi *f, struct err *e)
{
	enum rc rc = listen_check(f->listen_fd, e);
	sigset_t set;

	if (rc != RC_OK)
		return rc;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);	/* multiwatch 1.0.0 sends it for TERM */
	sigprocmask(SIG_BLOCK, &set, NULL);
	f->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (f->signal_fd < 0 || f->epoll_fd < 0)
		return err_set(e, RC_SYSTEM, "signalfd: %s", strerror(errno));
	rc = watch(f, f->signal_fd, EPOLLIN, e);
	if (rc == RC_OK)
		rc = watch(f, f->listen_fd, EPOLLIN | EPOLLEXCLUSIVE, e);
	if (rc != RC_OK)
		return rc;
	if (FCGX_Init() != 0 || FCGX_InitRequest(&f->req, f->listen_fd, 0) != 0)
		return err_set(e, RC_SYSTEM, "libfcgi does not start");
	return RC_OK;
}

/* Is there a connection (true), or shall we leave (false)? */
static bool wait_next(struct fcgi *f)
{
	struct epoll_event ev[2];
	bool leave = false;
	int n = epoll_wait(f->epoll_fd, ev, 2, -1);

	for (int i = 0; i < n; i++)
		leave |= ev[i].data.fd == f->signal_fd;
	return !leave;
}

static enum rc fcgi_loop(struct fcgi *f, struct err *e)
{
	while (wait_next(f)) {
		int n = FCGX_Accept_r(&f->req);
		if (n == 0)
			serve_one(f);
		else if (n != -EAGAIN && n != -EINTR)
			return err_set(e, RC_SYSTEM, "accept: %s",
			    strerror(-n));
	}
	return RC_OK;
}

enum rc fcgi_serve(int fd, struct web *web, int64_t body_max, struct err *e)
{
	struct fcgi f = { .web = web, .listen_fd = fd, .epoll_fd = -1,
		.signal_fd = -1 };
	enum rc rc;

	buf_init(&f.body, (size_t)body_max);
	buf_init(&f.out, HTTP_ANSWER_MAX + BODY_FIRST);
	rc = fcgi_open(&f, e);
	if (rc == RC_OK)
		rc = fcgi_loop(&f, e);
	if (f.epoll_fd >= 0)
		close(f.epoll_fd);
	if (f.signal_fd >= 0)
		close(f.signal_fd);
	buf_release(&f.body);
	buf_release(&f.out);
	return rc;
}
