/*
 * inbox.c - the datagram socket: who wakes us, and calls that are worthless a
 * minute later (the answer to a tap), which go out at once.
 *
 * The lock beside the socket keeps a second worker of the same state
 * directory out; the kernel drops it when we die.
 */
#include "config.h"

#include "worker/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "queue/queue.h"
#include "utils/log.h"
#include "utils/xalloc.h"

enum { CALL_TIMEOUT_MS = 10000, CALL_TRIES = 2, DRAIN_MAX = 256 };

struct quick_call {
	struct worker *w;
	int tries;
	char method[48];
	size_t len;
	char call[];
};

static enum rc lock_take(struct worker *w, struct err *e)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512];
	int fd;

	if (!str_format(path, sizeof(path), "%s.lock", w->c.socket_path))
		return err_set(e, RC_INVALID, "worker_socket is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, RC_SYSTEM, "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &l) < 0) {
		close(fd);
		return err_set(e, RC_BUSY,
		    "another worker of this state directory runs");
	}
	w->lock = fd;
	return RC_OK;
}

enum rc inbox_open(struct worker *w, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	enum rc rc;
	int fd;

	if (!str_copy(a.sun_path, sizeof(a.sun_path), w->c.socket_path))
		return err_set(e, RC_INVALID, "worker_socket: longer than %zu "
		    "bytes", sizeof(a.sun_path) - 1);
	rc = lock_take(w, e);
	if (rc != RC_OK)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, RC_SYSTEM, "socket: %s", strerror(errno));
	(void)unlink(a.sun_path);	/* of a worker that died: we hold the lock */
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    chmod(a.sun_path, 0660) < 0) {
		close(fd);
		return err_set(e, RC_SYSTEM, "%s: %s", a.sun_path,
		    strerror(errno));
	}
	w->sock = fd;
	return RC_OK;
}

void inbox_close(struct worker *w)
{
	if (w->sock >= 0) {
		(void)unlink(w->c.socket_path);
		close(w->sock);
	}
	if (w->lock >= 0)
		close(w->lock);
}

static void call_begin(struct quick_call *q);

static void call_end(struct quick_call *q, const char *outcome,
    const char *why)
{
	struct worker *w = q->w;

	w->ncalls--;
	if (*why != '\0')
		w->stats.calls_failed++;
	log_line(*why != '\0' ? LOG_LVL_WARN : LOG_LVL_DEBUG, "call",
	    "method=%s outcome=%s%s%s", q->method, outcome,
	    *why != '\0' ? " error=" : "", *why != '\0' ? log_q(why) : "");
	free(q);
}

static void call_ended(void *ctx, const struct tg_answer *a)
{
	struct quick_call *q = ctx;

	switch (a->verdict) {
	case TG_OK:
	case TG_UNCHANGED:
	case TG_STALE:
		call_end(q, tg_verdict_name(a->verdict), "");
		break;
	case TG_TOKEN:
		send_token_refused(q->w, a->description);
		call_end(q, "token", a->description);
		break;
	case TG_RETRY:
		if (q->tries < CALL_TRIES) {
			call_begin(q);
			break;
		}
		/* fall through */
	default:
		call_end(q, tg_verdict_name(a->verdict), a->description);
	}
}

static void call_begin(struct quick_call *q)
{
	const struct tg_request r = { .call = q->call, .len = q->len,
		.timeout_ms = CALL_TIMEOUT_MS };
	struct err e = { .rc = RC_OK };

	q->tries++;
	if (telegram_start(q->w->c.telegram, &r, call_ended, q, &e) !=
	    RC_OK)
		call_end(q, "refused", e.text);
}

static void call_new(struct worker *w, const char *call, size_t len)
{
	struct quick_call *q;

	if (!telegram_has_token(w->c.telegram))
		return;
	w->stats.calls++;
	if (w->ncalls >= CALLS_MAX) {
		w->stats.calls_failed++;
		return;
	}
	q = xcalloc(1, sizeof(*q) + len + 1);
	q->w = w;
	q->len = len;
	memcpy(q->call, call, len);
	w->ncalls++;
	if (!telegram_method(call, len, q->method, sizeof(q->method)))
		str_copy(q->method, sizeof(q->method), "-");
	call_begin(q);
}

bool inbox_drain(struct worker *w)
{
	char d[QUEUE_DATAGRAM_MAX];
	bool woken = false;

	for (int i = 0; i < DRAIN_MAX; i++) {
		ssize_t n = recv(w->sock, d, sizeof(d), MSG_DONTWAIT);
		if (n < 0)
			break;
		if (n >= 1 && d[0] == QUEUE_WAKE)
			woken = true;
		else if (n > 1 && d[0] == QUEUE_CALL)
			call_new(w, d + 1, (size_t)n - 1);
	}
	return woken;
}
