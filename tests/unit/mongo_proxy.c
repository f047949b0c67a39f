/*
 * mongo_proxy.c - a process between the test and the server.
 *
 * Ends when it is stopped, or after two minutes by itself.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "mongo_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS = 16, LIFE_S = 120 };

struct pair {
	int client, server;	/* -1: free */
};

static int socket_new(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	assert_true(fd >= 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void pair_open(struct pair *pairs, int listener, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int client = accept(listener, NULL, NULL);

	for (int i = 0; i < PAIRS && client >= 0; i++) {
		if (pairs[i].client >= 0)
			continue;
		pairs[i].client = client;
		pairs[i].server = socket_new();
		if (connect(pairs[i].server, (struct sockaddr *)&a,
		    sizeof(a)) != 0)
			_exit(3);
		return;
	}
	_exit(4);
}

static void pair_close(struct pair *p)
{
	(void)close(p->client);
	(void)close(p->server);
	p->client = p->server = -1;
}

static void pass_on(struct pair *p, int from, int to, int mode, int drip_ms)
{
	char data[65536];
	ssize_t n = read(from, data, sizeof(data));

	if (n <= 0) {
		pair_close(p);
		return;
	}
	if (mode != PROXY_DRIP || from == p->client) {
		if (send(to, data, (size_t)n, MSG_NOSIGNAL) != n)
			pair_close(p);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		(void)usleep((unsigned)drip_ms * 1000);
		if (send(to, data + i, 1, MSG_NOSIGNAL) != 1) {
			pair_close(p);
			return;
		}
	}
}

/* True once.  EPIPE: libmongoc shut it down before it was closed. */
static bool was_reset(int fd)
{
	socklen_t len = sizeof(int);
	int error = 0;

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
	    &len) == 0 && (error == ECONNRESET || error == EPIPE);
}

static void serve(const struct proxy *p, int listener, int port)
{
	struct pair pairs[PAIRS];
	struct pollfd fds[1 + 2 * PAIRS];

	(void)alarm(LIFE_S);
	memset(pairs, -1, sizeof(pairs));
	for (;;) {
		int mode = *p->mode;

		fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (int i = 0; i < PAIRS; i++) {
			fds[1 + 2 * i] = (struct pollfd){
				.fd = pairs[i].client, .events = POLLIN };
			fds[2 + 2 * i] = (struct pollfd){
				.fd = pairs[i].server, .events = POLLIN };
		}
		if (mode == PROXY_HANG) {
			for (int i = 0; i < PAIRS; i++)
				*p->resets += was_reset(pairs[i].client);
			(void)usleep(5000);
			continue;
		}
		if (poll(fds, 1 + 2 * PAIRS, 5) <= 0 || *p->mode != mode)
			continue;
		for (int i = 0; i < PAIRS; i++) {
			if (pairs[i].client >= 0 && fds[1 + 2 * i].revents)
				pass_on(&pairs[i], pairs[i].client,
				    pairs[i].server, mode, p->drip_ms);
			if (pairs[i].client >= 0 && fds[2 + 2 * i].revents)
				pass_on(&pairs[i], pairs[i].server,
				    pairs[i].client, mode, p->drip_ms);
		}
		if (fds[0].revents)
			pair_open(pairs, listener, port);
	}
}

void proxy_start(struct proxy *p, const char *server, int drip_ms)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket_new();

	p->drip_ms = drip_ms;
	p->mode = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true((void *)p->mode != MAP_FAILED);
	*p->mode = PROXY_PASS;
	p->resets = p->mode + 1;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, PAIRS), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		serve(p, fd, (int)strtol(strrchr(server, ':') + 1, NULL, 10));
		_exit(0);
	}
	(void)close(fd);
}

void proxy_stop(struct proxy *p)
{
	int status;

	assert_int_equal(kill(p->pid, SIGTERM), 0);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFSIGNALED(status));
	(void)munmap((void *)p->mode, 2 * sizeof(int));
}
