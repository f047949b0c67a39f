/* http_server.c - see http_server.h. */
#include "config.h"

#include "http_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "utils/buf.h"

enum { CONNECTIONS_MAX = 256 };

struct connection {
	struct server *server;
	pthread_t thread;
	int fd;
};

struct server {
	void (*answer)(void *ctx, const struct server_request *q,
	    struct server_answer *a);
	void *ctx;
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	struct connection connections[CONNECTIONS_MAX];
	int n;
};

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_request(int fd, struct server_request *q)
{
	size_t n = 0, head = 0;
	const char *length;

	memset(q, 0, sizeof(*q));
	while (head == 0) {	/* byte by byte: nothing of the next is taken */
		if (n + 1 >= sizeof(q->head) || recv(fd, q->head + n, 1, 0) <= 0)
			return false;
		n++;
		if (n >= 4 && memcmp(q->head + n - 4, "\r\n\r\n", 4) == 0)
			head = n;
	}
	if (sscanf(q->head, "%7s %511s", q->method, q->path) != 2)
		return false;
	length = strcasestr(q->head, "\r\nContent-Length:");
	n = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
	if (n >= sizeof(q->body))
		return false;
	while (q->len < n) {
		ssize_t got = recv(fd, q->body + q->len, n - q->len, 0);
		if (got <= 0)
			return false;
		q->len += (size_t)got;
	}
	return true;
}

static bool send_answer(int fd, const struct server_answer *a)
{
	size_t len = strlen(a->body);
	struct buf b;
	bool ok;

	buf_init(&b, 2 * SERVER_BODY_MAX);
	buf_printf(&b, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%s",
	    a->status, a->head != NULL ? a->head : "");
	if (a->repeat == 0)
		buf_printf(&b, "Content-Length: %zu\r\n\r\n%s", len, a->body);
	else
		buf_puts(&b, "Transfer-Encoding: chunked\r\n\r\n");
	ok = send_all(fd, b.s, b.len);
	for (size_t i = 0; ok && i < a->repeat; i++) {
		buf_clear(&b);
		buf_printf(&b, "%zx\r\n%s\r\n", len, a->body);
		ok = send_all(fd, b.s, b.len);
	}
	buf_release(&b);
	return ok && (a->repeat == 0 || send_all(fd, "0\r\n\r\n", 5));
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct server_request *q = calloc(1, sizeof(*q));
	struct server_answer *a = calloc(1, sizeof(*a));
	bool ok = q != NULL && a != NULL;

	while (ok && read_request(c->fd, q)) {
		memset(a, 0, sizeof(*a));
		a->status = 200;
		pthread_mutex_lock(&c->server->lock);
		c->server->answer(c->server->ctx, q, a);
		pthread_mutex_unlock(&c->server->lock);
		if (a->delay_ms > 0)
			usleep((useconds_t)a->delay_ms * 1000);
		ok = !a->hang_up && send_answer(c->fd, a);
	}
	shutdown(c->fd, SHUT_RDWR);
	free(q);
	free(a);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct server *s = arg;
	int fd;

	while (s->n < CONNECTIONS_MAX &&
	    (fd = accept(s->fd, NULL, NULL)) >= 0) {
		struct connection *c = &s->connections[s->n];
		c->server = s;
		c->fd = fd;
		if (pthread_create(&c->thread, NULL, serve, c) != 0)
			abort();
		s->n++;
	}
	return NULL;
}

struct server *server_start(void (*answer)(void *ctx,
    const struct server_request *q, struct server_answer *a), void *ctx)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	if (s == NULL)
		abort();
	s->answer = answer;
	s->ctx = ctx;
	pthread_mutex_init(&s->lock, NULL);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(s->fd, 64) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) < 0 ||
	    pthread_create(&s->thread, NULL, accept_all, s) != 0)
		abort();
	s->port = ntohs(a.sin_port);
	return s;
}

void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (int i = 0; i < s->n; i++) {
		shutdown(s->connections[i].fd, SHUT_RDWR);
		pthread_join(s->connections[i].thread, NULL);
		close(s->connections[i].fd);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int server_port(const struct server *s)
{
	return s->port;
}

void server_lock(struct server *s)
{
	pthread_mutex_lock(&s->lock);
}

void server_unlock(struct server *s)
{
	pthread_mutex_unlock(&s->lock);
}
