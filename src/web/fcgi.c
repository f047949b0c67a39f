/*
 * fcgi.c - see fcgi.h.
 *
 * Who may connect to the socket may also say nothing, or a byte a second: one
 * such peer for each process of the pool, and nobody is answered any more.
 * So every wait ends at a time that is set when the connection was taken, not
 * when its last byte came.
 *
 * Signals: SIGTERM stays blocked and is waited for together with the
 * listening socket: no request is cut, none is waited for in vain.
 * EPOLLEXCLUSIVE wakes one process of the pool, not all.
 */
#include "config.h"

#include "web/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "utils/clock.h"
#include "utils/log.h"
#include "utils/xalloc.h"
#include "web/fcgi_parse.h"

enum {
	/*
	 * nginx has the whole request before it connects (request buffering)
	 * and writes all of it at once, so what drips comes from no nginx.
	 * Two seconds are far more than a machine under load needs to hand
	 * over 32 KiB within itself.
	 */
	HEAD_US = 2000000,
	/* A body of some MiB may wait for nginx's disk, where it was kept. */
	BODY_US = 10000000,
	SEND_US = 10000000,	/* nginx stores an answer as it comes */
	LINGER_US = 1000000,	/* for a peer that still sends to hear us */
	/* One that has said nothing when we shall leave has this long. */
	LEAVE_US = 200000,
	CHUNK = 32768, ANSWER_KEEP = 65536, HEAD_ROOM = 4096,
	RECORD_MAX = 65528	/* of 65535, a multiple of 8 */
};

struct fcgi {
	struct web *web;
	struct fcgi_in in;
	struct buf out, end;	/* the answer, and the records after it */
	int listen_fd, epoll_fd, signal_fd;
	int fd;			/* the connection */
	char chunk[CHUNK];
};

enum wait_end { WAIT_DONE, WAIT_LATE, WAIT_LEAVE };

/* Until fd is ready for events, the time is over, or (watched) a signal says
 * that we shall leave. */
static enum wait_end wait_for(const struct fcgi *f, short events, bool watched,
    int64_t until_us)
{
	struct pollfd p[2] = {
		{ .fd = f->fd, .events = events },
		{ .fd = watched ? f->signal_fd : -1, .events = POLLIN },
	};
	int64_t left = until_us - clock_mono_us();

	if (left <= 0 || poll(p, 2, (int)(left / 1000) + 1) == 0)
		return WAIT_LATE;
	return p[0].revents == 0 && p[1].revents != 0 ? WAIT_LEAVE : WAIT_DONE;
}

/* Sends both; false when the peer is gone or does not read. */
static bool send_all(struct fcgi *f, struct iovec *v, size_t n,
    int64_t until_us)
{
	while (n > 0) {
		struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
		ssize_t sent = sendmsg(f->fd, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent < 0 && wait_for(f, POLLOUT, false, until_us) !=
		    WAIT_DONE)
			return false;
		size_t left = sent < 0 ? 0 : (size_t)sent;
		for (; n > 0 && left >= v->iov_len; n--, v++)
			left -= v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + left;
			v->iov_len -= left;
		}
	}
	return true;
}

static bool send_buf(struct fcgi *f, const struct buf *b, int64_t until_us)
{
	struct iovec v = { b->s, b->len };

	return send_all(f, &v, 1, until_us);
}

/* The answer in records, the last of them together with the end. */
static bool answer_send(struct fcgi *f)
{
	int64_t until = clock_mono_us() + SEND_US;
	unsigned char head[FCGI_HEAD], last[FCGI_HEAD];
	size_t at = 0;

	buf_clear(&f->end);
	fcgi_put_head(last, FCGI_STDOUT, f->in.id, 0);
	buf_add(&f->end, last, sizeof(last));
	fcgi_put_end(&f->end, f->in.id, FCGI_COMPLETE);
	do {
		size_t n = f->out.len - at;
		if (n > RECORD_MAX)
			n = RECORD_MAX;
		fcgi_put_head(head, FCGI_STDOUT, f->in.id, n);
		struct iovec v[] = { { head, sizeof(head) },
			{ f->out.s + at, n }, { f->end.s, f->end.len } };
		at += n;
		if (!send_all(f, v, at < f->out.len ? 2 : 3, until))
			return false;
	} while (at < f->out.len);
	return true;
}

/*
 * A socket that is closed with bytes unread tells its peer of an error, which
 * may come before the answer was read: a body too large would be a broken
 * connection and no 413.  So the peer gets a moment to finish.
 */
static void linger(struct fcgi *f)
{
	int64_t until = clock_mono_us() + LINGER_US;
	ssize_t n;

	shutdown(f->fd, SHUT_WR);
	do {
		n = read(f->fd, f->chunk, sizeof(f->chunk));
		if (n < 0 && errno == EAGAIN)
			n = wait_for(f, POLLIN, false, until) == WAIT_DONE;
		else if (n < 0 && errno == EINTR)
			n = 1;
	} while (n > 0 && clock_mono_us() < until);
}

/* Reads until the request is whole.  Returns NULL then, or why it is not; a
 * body that does not come whole is left as it is. */
static const char *request_read(struct fcgi *f, int64_t from_us)
{
	int64_t until = from_us + HEAD_US;
	struct fcgi_in *in = &f->in;
	bool heard = false, leaving = false;
	enum wait_end w = WAIT_DONE;

	for (;;) {
		ssize_t n = read(f->fd, f->chunk, sizeof(f->chunk));
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return heard ? "it left in the middle" : "";
		heard |= n > 0;
		if (n > 0 && fcgi_feed(in, f->chunk, (size_t)n) != FCGI_MORE)
			return in->state == FCGI_BAD ? in->why : NULL;
		if (in->reply.len > 0 && !send_buf(f, &in->reply, until))
			return "it does not read";
		buf_clear(&in->reply);
		if (in->phase == FCGI_AT_BODY)
			until = from_us + BODY_US;
		w = wait_for(f, POLLIN, !heard && !leaving, until);
		if (w == WAIT_LATE)
			return "it is too slow";
		if (w == WAIT_LEAVE) {
			leaving = true;
			until = clock_mono_us() + LEAVE_US;
		}
	}
}

static void answer(struct fcgi *f, struct http_request *r)
{
	fcgi_request(&f->in, r);
	web_answer(f->web, r, &f->out);
	if (answer_send(f) && (r->too_big || r->cut_short))
		linger(f);
	close(f->fd);
	/* The log line comes when the answer is on its way, and before the
	 * parameters, to which r points, are gone. */
	web_done(f->web, r);
}

/* Nobody but nginx should be here: what another one did is worth a line. */
static void drop(struct fcgi *f, const char *why)
{
	if (*why != '\0')
		log_warn("peer", "why=%s", log_q(why));
	close(f->fd);
}

static void serve_one(struct fcgi *f)
{
	struct http_request r;
	const char *why;

	web_begin(f->web, &r);
	why = request_read(f, r.timing.start_us);
	if (f->in.state == FCGI_REFUSED) {
		send_buf(f, &f->in.reply, r.timing.start_us + HEAD_US);
		linger(f);
		drop(f, "");
	} else if (f->in.phase == FCGI_AT_BODY && f->in.state != FCGI_BAD) {
		answer(f, &r);
	} else {
		drop(f, why);
	}
	fcgi_in_clear(&f->in);
	if (f->out.cap > ANSWER_KEEP) {
		buf_release(&f->out);
		buf_init(&f->out, HTTP_ANSWER_MAX + HEAD_ROOM);
	}
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
	return rc;
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
		f->fd = accept4(f->listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (f->fd >= 0)
			serve_one(f);
		/* another process was faster, or the peer left already */
		else if (errno != EAGAIN && errno != EINTR &&
		    errno != ECONNABORTED)
			return err_set(e, RC_SYSTEM, "accept: %s",
			    strerror(errno));
	}
	return RC_OK;
}

enum rc fcgi_serve(int fd, struct web *web, int64_t body_max, struct err *e)
{
	struct fcgi *f = xmalloc(sizeof(*f));
	enum rc rc;

	f->web = web;
	f->listen_fd = fd;
	f->epoll_fd = f->signal_fd = f->fd = -1;
	fcgi_in_init(&f->in, (size_t)body_max);
	buf_init(&f->out, HTTP_ANSWER_MAX + HEAD_ROOM);
	buf_init(&f->end, 4 * FCGI_HEAD);
	rc = fcgi_open(f, e);
	if (rc == RC_OK)
		rc = fcgi_loop(f, e);
	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
	if (f->signal_fd >= 0)
		close(f->signal_fd);
	fcgi_in_release(&f->in);
	buf_release(&f->out);
	buf_release(&f->end);
	free(f);
	return rc;
}
