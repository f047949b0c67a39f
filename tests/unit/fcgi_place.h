/*
 * fcgi_place.h - a process that serves FastCGI on a unix socket, and a peer
 * that speaks to it as nginx does, or worse.
 */
#ifndef FAMILYBOT_TESTS_FCGI_PLACE_H
#define FAMILYBOT_TESTS_FCGI_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "utils/buf.h"

enum { BODY_MAX = 100000, WAIT_MS = 5000, REC_BEGIN = 1, REC_ABORT, REC_END,
	REC_PARAMS, REC_STDIN, REC_STDOUT, REC_GET_VALUES = 9, REC_VALUES,
	REC_UNKNOWN };

struct server {
	char path[100];	/* a socket has room for 107 */
	pid_t pid;
};

/* Setup and teardown; the route /echo answers what it was sent, and takes a
 * while when the body is "slow". */
int server_start(void **state);
int server_stop(void **state);
/* How the server ended within WAIT_MS: exit code, 1000 + signal, or -1. */
int server_wait(struct server *s);

int server_dial(const struct server *s);
void send_all(int fd, const struct buf *b);
/* Until the server has read all that was sent to it. */
void wait_read(int fd);
/* All of the answer's records until the connection closes; *ended: whether
 * the end of the request was told. */
void receive(int fd, struct buf *out, bool *ended);
/* A whole request and its whole answer. */
void server_ask(const struct server *s, size_t told, const char *body,
    size_t len, struct buf *out);

void put_record(struct buf *b, int type, const void *data, size_t len);
void put_param(struct buf *b, const char *name, const char *value);
/* What nginx sends for a POST of told bytes, of which len are sent. */
void put_request(struct buf *b, size_t told, const char *body, size_t len,
    bool end);

#endif
