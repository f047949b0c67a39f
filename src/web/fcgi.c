/*
 * fcgi.c - see fcgi.h.
 *
 * Who may connect to the socket may also say nothing, or a byte a second: one
 * such peer for each process of the pool, and nobody would be answered any
 * more.  So peers whose request is not whole are put aside while others are
 * served, each until a time that is set when its connection was taken, not
 * when its last byte came; when there is no more room the oldest one goes.
 * Only one request is answered at a time: it is whole before it is begun.
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
	/* Each may hold a body: many would be much memory, and nginx's own
	 * requests are whole within a moment and seldom need a place. */
	PEERS = 16,
	/* Reads of one peer before the others are looked at again. */
	READS_MAX = 64,
	CHUNK = 32768, ANSWER_KEEP = 65536, HEAD_ROOM = 4096,
	RECORD_MAX = 65528	/* of 65535, a multiple of 8 */
};

enum peer_stage {
	PEER_NONE,
	PEER_READING,	/* its request is not whole */
	PEER_LINGERING	/* was answered; see linger */
};

struct peer {
	enum peer_stage stage;
	int fd;
	bool heard;		/* any byte */
	int64_t from_us, until_us;
	struct fcgi_in in;
};

struct fcgi {
	struct web *web;
	struct peer peers[PEERS];
	int npeers;		/* that are not PEER_NONE */
	struct buf out, end;	/* the answer, and the records after it */
	int listen_fd, epoll_fd, signal_fd;
	bool leaving;		/* takes no more, ends those begun */
	char chunk[CHUNK];
};

/* Until fd takes more, or the time is over: false. */
static bool wait_send(int fd, int64_t until_us)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int64_t left = until_us - clock_mono_us();

	return left > 0 && poll(&p, 1, (int)(left / 1000) + 1) != 0;
}

/* Sends all; false when the peer is gone or does not read. */
static bool send_all(int fd, struct iovec *v, size_t n, int64_t until_us)
{
	while (n > 0) {
		struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
		ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent < 0 && !wait_send(fd, until_us))
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

/* What the parser has to say, without waiting: it is little, so a peer for
 * whom there is no room reads nothing. */
static bool reply_send(struct peer *p)
{
	struct iovec v = { p->in.reply.s, p->in.reply.len };
	bool sent = v.iov_len == 0 || send_all(p->fd, &v, 1, 0);

	buf_clear(&p->in.reply);
	return sent;
}

/* The answer in records, the last of them together with the end. */
static bool answer_send(struct fcgi *f, const struct peer *p)
{
	int64_t until = clock_mono_us() + SEND_US;
	unsigned char head[FCGI_HEAD], last[FCGI_HEAD];
	size_t at = 0;

	buf_clear(&f->end);
	fcgi_put_head(last, FCGI_STDOUT, p->in.id, 0);
	buf_add(&f->end, last, sizeof(last));
	fcgi_put_end(&f->end, p->in.id, FCGI_COMPLETE);
	do {
		size_t n = f->out.len - at;
		if (n > RECORD_MAX)
			n = RECORD_MAX;
		fcgi_put_head(head, FCGI_STDOUT, p->in.id, n);
		struct iovec v[] = { { head, sizeof(head) },
			{ f->out.s + at, n }, { f->end.s, f->end.len } };
		at += n;
		if (!send_all(p->fd, v, at < f->out.len ? 2 : 3, until))
			return false;
	} while (at < f->out.len);
	return true;
}

static void peer_close(struct fcgi *f, struct peer *p)
{
	close(p->fd);
	fcgi_in_clear(&p->in);
	p->stage = PEER_NONE;
	f->npeers--;
}

/* Nobody but nginx should be here: what another one did is worth a line. */
static void peer_drop(struct fcgi *f, struct peer *p, const char *why)
{
	if (*why != '\0')
		log_warn("peer", "why=%s", log_q(why));
	peer_close(f, p);
}

/*
 * A socket that is closed with bytes unread tells its peer of an error, which
 * may come before the answer was read: a body too large would be a broken
 * connection and no 413.  So the peer gets a moment to finish.
 */
static void linger(struct peer *p)
{
	shutdown(p->fd, SHUT_WR);
	p->stage = PEER_LINGERING;
	p->until_us = clock_mono_us() + LINGER_US;
}

static void answer(struct fcgi *f, struct peer *p)
{
	struct http_request r;
	bool sent, unread;

	web_begin(f->web, &r);
	r.timing.start_us = r.timing.last_us = p->from_us;
	fcgi_request(&p->in, &r);
	web_answer(f->web, &r, &f->out);
	sent = answer_send(f, p);
	unread = r.too_big || r.cut_short;
	web_done(f->web, &r);	/* r points into p: before that is emptied */
	if (sent && unread)
		linger(p);
	else
		peer_close(f, p);
	if (f->out.cap > ANSWER_KEEP) {
		buf_release(&f->out);
		buf_init(&f->out, HTTP_ANSWER_MAX + HEAD_ROOM);
	}
}

/* No more will come.  A body that ends early is answered: nginx may have lost
 * whom it read from, and the log shall say so. */
static void peer_end(struct fcgi *f, struct peer *p, const char *why)
{
	if (p->in.phase == FCGI_AT_BODY && p->in.state != FCGI_BAD)
		answer(f, p);
	else
		peer_drop(f, p, why);
}

/* Reads what is there and does what it asks for. */
static void peer_read(struct fcgi *f, struct peer *p)
{
	struct fcgi_in *in = &p->in;
	ssize_t n = CHUNK;

	for (int i = 0; n == CHUNK && i < READS_MAX; i++) {
		n = read(p->fd, f->chunk, CHUNK);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			peer_end(f, p, p->heard ? "it left in the middle" : "");
			return;
		}
		p->heard = true;
		switch (fcgi_feed(in, f->chunk, (size_t)n)) {
		case FCGI_MORE:
			break;
		case FCGI_READY:
			answer(f, p);
			return;
		case FCGI_REFUSED:
			(void)reply_send(p);
			linger(p);
			return;
		case FCGI_BAD:
			peer_drop(f, p, in->why);
			return;
		}
		if (!reply_send(p)) {
			peer_drop(f, p, "it does not read");
			return;
		}
		if (in->phase == FCGI_AT_BODY)
			p->until_us = p->from_us + BODY_US;
	}
}

static void peer_step(struct fcgi *f, struct peer *p)
{
	ssize_t n;

	if (p->stage == PEER_READING) {
		peer_read(f, p);
	} else if (p->stage == PEER_LINGERING) {
		n = read(p->fd, f->chunk, CHUNK);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			peer_close(f, p);
	}
}

/* Those whose time is over. */
static void peers_expire(struct fcgi *f)
{
	int64_t now = clock_mono_us();

	for (struct peer *p = f->peers; p < f->peers + PEERS; p++) {
		if (p->stage == PEER_NONE || p->until_us > now)
			continue;
		if (p->stage == PEER_LINGERING)
			peer_close(f, p);
		else
			peer_end(f, p, p->heard || !f->leaving ?
			    "it is too slow" : "");
	}
}

/* Milliseconds until the next one's is, -1 none. */
static int peers_timeout(const struct fcgi *f)
{
	int64_t least = INT64_MAX;

	if (f->npeers == 0)
		return -1;
	for (const struct peer *p = f->peers; p < f->peers + PEERS; p++)
		if (p->stage != PEER_NONE && p->until_us < least)
			least = p->until_us;
	least -= clock_mono_us();
	return least <= 0 ? 0 : (int)(least / 1000) + 1;
}

/* A place for one more: the first free one, else that of the oldest. */
static struct peer *peer_place(struct fcgi *f)
{
	struct peer *oldest = &f->peers[0];

	for (struct peer *p = f->peers; p < f->peers + PEERS; p++) {
		if (p->stage == PEER_NONE)
			return p;
		if (p->from_us < oldest->from_us)
			oldest = p;
	}
	peer_drop(f, oldest, "others came and it was not done");
	return oldest;
}

/* who: what an event is known by. */
static enum rc watch(struct fcgi *f, int fd, uint32_t events, void *who,
    struct err *e)
{
	struct epoll_event ev = { .events = events, .data.ptr = who };

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
	rc = watch(f, f->signal_fd, EPOLLIN, &f->signal_fd, e);
	if (rc == RC_OK)
		rc = watch(f, f->listen_fd, EPOLLIN | EPOLLEXCLUSIVE,
		    &f->listen_fd, e);
	return rc;
}

/* Takes a connection; its request is mostly there already. */
static enum rc peer_take(struct fcgi *f, struct err *e)
{
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct peer *p;

	/* another process was faster, or the peer left already */
	if (fd < 0 && (errno == EAGAIN || errno == EINTR ||
	    errno == ECONNABORTED))
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_SYSTEM, "accept: %s", strerror(errno));
	p = peer_place(f);
	p->stage = PEER_READING;
	p->fd = fd;
	p->heard = false;
	p->from_us = clock_mono_us();
	p->until_us = p->from_us + HEAD_US;
	f->npeers++;
	peer_step(f, p);
	if (p->stage == PEER_NONE)
		return RC_OK;
	return watch(f, fd, EPOLLIN, p, e);
}

static void leave(struct fcgi *f)
{
	int64_t soon = clock_mono_us() + LEAVE_US;

	f->leaving = true;
	(void)epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, f->listen_fd, NULL);
	(void)epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, f->signal_fd, NULL);
	for (struct peer *p = f->peers; p < f->peers + PEERS; p++)
		if (p->stage == PEER_READING && !p->heard &&
		    p->until_us > soon)
			p->until_us = soon;
}

static enum rc fcgi_loop(struct fcgi *f, struct err *e)
{
	struct epoll_event ev[8];
	enum rc rc = RC_OK;

	while (rc == RC_OK && (!f->leaving || f->npeers > 0)) {
		int n = epoll_wait(f->epoll_fd, ev, 8, peers_timeout(f));
		for (int i = 0; i < n && rc == RC_OK; i++) {
			void *who = ev[i].data.ptr;
			if (who == &f->signal_fd)
				leave(f);
			else if (who != &f->listen_fd)
				peer_step(f, who);
			else if (!f->leaving)
				rc = peer_take(f, e);
		}
		if (f->npeers > 0)
			peers_expire(f);
	}
	return rc;
}

static void fcgi_release(struct fcgi *f)
{
	for (struct peer *p = f->peers; p < f->peers + PEERS; p++) {
		if (p->stage != PEER_NONE)
			close(p->fd);
		fcgi_in_release(&p->in);
	}
	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
	if (f->signal_fd >= 0)
		close(f->signal_fd);
	buf_release(&f->out);
	buf_release(&f->end);
	free(f);
}

enum rc fcgi_serve(int fd, struct web *web, int64_t body_max, struct err *e)
{
	struct fcgi *f = xcalloc(1, sizeof(*f));
	enum rc rc;

	f->web = web;
	f->listen_fd = fd;
	f->epoll_fd = f->signal_fd = -1;
	for (int i = 0; i < PEERS; i++)
		fcgi_in_init(&f->peers[i].in, (size_t)body_max);
	buf_init(&f->out, HTTP_ANSWER_MAX + HEAD_ROOM);
	buf_init(&f->end, 4 * FCGI_HEAD);
	rc = fcgi_open(f, e);
	if (rc == RC_OK)
		rc = fcgi_loop(f, e);
	fcgi_release(f);
	return rc;
}
