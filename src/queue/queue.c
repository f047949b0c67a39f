/*
 * queue.c - stores jobs and wakes the worker.
 *
 * Owns one unconnected datagram socket, so that the worker may come and go.
 * Sending never blocks: a full or missing socket loses a datagram, which
 * costs a durable job at most the second after which the worker looks itself.
 */
#include "config.h"

#include "queue/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

struct queue {
	int fd;			/* -1: no socket, nothing is sent */
	struct sockaddr_un to;
};

struct queue *queue_open(const char *socket_path)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->to.sun_family = AF_UNIX;
	q->fd = -1;
	if (str_copy(q->to.sun_path, sizeof(q->to.sun_path), socket_path))
		q->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	if (q->fd >= 0)
		(void)close(q->fd);
	free(q);
}

static void send_datagram(struct queue *q, char kind, const char *data,
    size_t len)
{
	struct iovec part[2] = { { &kind, 1 }, { (char *)(uintptr_t)data, len } };
	struct msghdr msg = { .msg_name = &q->to, .msg_namelen = sizeof(q->to),
		.msg_iov = part, .msg_iovlen = 2 };
	ssize_t n;

	if (q->fd < 0 || len >= QUEUE_DATAGRAM_MAX)
		return;
	do {
		n = sendmsg(q->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
}

void queue_wake(struct queue *q)
{
	send_datagram(q, QUEUE_WAKE, NULL, 0);
}

void queue_ephemeral(struct queue *q, const char *call, size_t len)
{
	send_datagram(q, QUEUE_CALL, call, len);
}

enum rc queue_add(struct queue *q, struct store *s, const struct job *jobs,
    size_t n, struct err *e)
{
	enum rc rc = s->ops->job_add(s, jobs, n, e);

	if (rc == RC_OK)
		queue_wake(q);
	return rc;
}

enum rc queue_send_job(struct job *job, int64_t user_id, const char *key,
    const char *call, size_t len, int64_t now_ms)
{
	char id[JOB_ID_SIZE];

	if (len >= JOB_PAYLOAD_SIZE ||
	    !str_format(id, sizeof(id), "send:%lld:%s", (long long)user_id, key))
		return RC_TOOBIG;
	memset(job, 0, sizeof(*job));
	(void)str_copy(job->id, sizeof(job->id), id);
	(void)str_copy(job->kind, sizeof(job->kind), "send");
	memcpy(job->payload, call, len);
	job->user_id = user_id;
	job->state = JOB_READY;
	job->run_at = now_ms;
	job->created_at = now_ms;
	return RC_OK;
}

int64_t queue_backoff_ms(int tries, uint32_t random)
{
	int64_t ms = 3600 * 1000;

	if (tries < 0)
		tries = 0;
	if (tries < 12)		/* 2^12 s is more than an hour */
		ms = (INT64_C(1) << tries) * 1000;
	/* 80 % ... 120 % of it */
	return ms * 8 / 10 + ms * 4 / 10 * (int64_t)(random >> 1) / INT32_MAX;
}
