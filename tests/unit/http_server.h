/*
 * http_server.h - a real HTTP/1.1 server on a loopback port for tests of
 * clients: a thread per connection, answers made by the test's function.
 */
#ifndef FAMILYBOT_TESTS_HTTP_SERVER_H
#define FAMILYBOT_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum { SERVER_BODY_MAX = 65536 };

struct server_request {
	char method[8];
	char path[512];
	char head[8192];	/* all header lines */
	char body[SERVER_BODY_MAX];
	size_t len;
};

struct server_answer {
	int status;		/* 200 */
	const char *head;	/* further header lines, each with \r\n */
	char body[SERVER_BODY_MAX];
	size_t repeat;		/* send the body chunked, so many times */
	int delay_ms;		/* before the answer */
	bool hang_up;		/* close instead of answering */
};

struct server;

/* answer is called with a lock held, so it may count; the answer is an empty
 * 200 until it says otherwise. */
struct server *server_start(void (*answer)(void *ctx,
    const struct server_request *q, struct server_answer *a), void *ctx);
void server_stop(struct server *s);	/* ends all connections */
int server_port(const struct server *s);
/* The lock under which answer is called. */
void server_lock(struct server *s);
void server_unlock(struct server *s);

#endif
