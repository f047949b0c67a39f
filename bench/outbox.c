/*
 * outbox.c - how many jobs a second the worker sends, Telegram's limits aside.
 *
 *   outbox CONF JOBS    fills the shards with JOBS messages to as many chats,
 *       then runs the worker until all are sent
 *
 * Telegram is a child that answers every call at once.  Prints one line of
 * JSON: jobs, seconds, jobs a second, processor time a job, resident memory.
 * Owns everything until it ends.
 */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "config/config.h"
#include "queue/queue.h"
#include "app/shards_open.h"
#include "shards/router.h"
#include "store/store.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/log.h"
#include "web/metrics.h"
#include "worker/worker.h"

enum { CLIENTS_MAX = 64, REQUEST_MAX = 32768, SEED_BATCH = 32,
	PER_SECOND = 100000, STALL_US = 60 * 1000 * 1000 };

static const int64_t FIRST_USER = 5000000000;

struct client {
	char text[REQUEST_MAX];
	size_t n;
};

/* Drops one whole request from the front; false when there is none yet. */
static bool request_take(struct client *c)
{
	const char *end, *length;
	size_t size;

	c->text[c->n] = '\0';
	end = strstr(c->text, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strcasestr(c->text, "content-length:");
	size = (size_t)(end + 4 - c->text) + (length != NULL && length < end ?
	    (size_t)strtoul(length + 15, NULL, 10) : 0);
	if (c->n < size)
		return false;
	memmove(c->text, c->text + size, c->n - size);
	c->n -= size;
	return true;
}

/* False when the client is gone. */
static bool client_serve(struct client *c, int fd)
{
	static const char yes[] = "HTTP/1.1 200 OK\r\n"
	    "Content-Type: application/json\r\nContent-Length: 45\r\n\r\n"
	    "{\"ok\":true,\"result\":{\"message_id\":123456789}}";
	ssize_t n = recv(fd, c->text + c->n, sizeof(c->text) - 1 - c->n, 0);

	if (n <= 0)
		return false;
	c->n += (size_t)n;
	while (request_take(c))
		if (send(fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL) < 0)
			return false;
	return true;
}

static void serve(int fd)
{
	static struct client clients[CLIENTS_MAX];
	struct pollfd fds[CLIENTS_MAX] = { { .fd = fd, .events = POLLIN } };
	nfds_t n = 1;

	while (poll(fds, n, -1) >= 0) {
		for (nfds_t i = n - 1; i > 0; i--) {
			if (fds[i].revents == 0 ||
			    client_serve(&clients[i], fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--n];
			clients[i] = clients[n];
		}
		if (fds[0].revents == 0 || n == CLIENTS_MAX)
			continue;
		clients[n].n = 0;
		fds[n++] = (struct pollfd){ .fd = accept(fd, NULL, NULL),
			.events = POLLIN };
	}
}

static pid_t server_start(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    listen(fd, CLIENTS_MAX) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	*port = ntohs(at.sin_port);
	pid = fork();
	if (pid == 0) {
		serve(fd);
		_exit(1);
	}
	close(fd);
	return pid;
}

static enum rc seed_shard(struct router *r, int shard, int64_t jobs,
    struct job *batch, struct err *e)
{
	struct store *s = NULL;
	size_t n = 0;
	enum rc rc = router_shard(r, shard, &s, e);

	for (int64_t i = 0; rc == RC_OK && i < jobs; i++) {
		int64_t id = FIRST_USER + i;
		char call[256];

		if (router_slot(r, slot_of(id)).owner == shard) {
			str_format(call, sizeof(call), "{\"method\":"
			    "\"sendMessage\",\"chat_id\":%lld,\"text\":"
			    "\"100 g: 343 kcal\"}", (long long)id);
			rc = queue_send_job(&batch[n++], id, "bench", call,
			    strlen(call), clock_ms(&clock_system));
		}
		if (rc == RC_OK && (n == SEED_BATCH || i == jobs - 1)) {
			rc = s->ops->job_add(s, batch, n, e);
			n = 0;
		}
	}
	return rc;
}

static enum rc seed(struct router *r, int64_t jobs, struct err *e)
{
	struct job *batch = calloc(SEED_BATCH, sizeof(*batch));
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < router_shards(r); i++)
		rc = seed_shard(r, i, jobs, batch, e);
	free(batch);
	return rc;
}

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static enum rc run(struct worker *w, int64_t jobs, struct err *e)
{
	const struct worker_stats *st = worker_stats(w);
	int64_t began = clock_mono_us();
	double cpu = cpu_us(), took;
	struct rusage u;

	while ((int64_t)st->done < jobs || st->waiting > 0) {
		worker_turn(w, 1000);
		if (st->dead + st->retried > 0 ||
		    clock_mono_us() - began > STALL_US)
			return err_set(e, RC_UNAVAILABLE, "%lld of %lld done",
			    (long long)st->done, (long long)jobs);
	}
	took = (double)(clock_mono_us() - began);
	cpu = cpu_us() - cpu;
	getrusage(RUSAGE_SELF, &u);
	printf("{\"jobs\":%lld,\"seconds\":%.2f,\"jobs_per_second\":%.0f,"
	    "\"cpu_us_per_job\":%.0f,\"rss_mb\":%.1f}\n", (long long)jobs,
	    took / 1e6, (double)jobs * 1e6 / took, cpu / (double)jobs,
	    (double)u.ru_maxrss / 1024);
	return RC_OK;
}

static enum rc measure(const struct config *conf, int port, int64_t jobs,
    struct err *e)
{
	struct http_conf hc = { .stop_fd = -1 };
	struct worker_conf wc = { .clock = &clock_system, .stop_fd = -1,
		.socket_path = conf->worker_socket, .per_second = PER_SECOND };
	struct worker *w = NULL;
	char base[64];
	enum rc rc;

	rc = shards_open(conf, true, &wc.router, e);
	if (rc == RC_OK)
		rc = seed(wc.router, jobs, e);
	if (rc == RC_OK)
		rc = metrics_open(NULL, NULL, 0, clock_ms(&clock_system),
		    &wc.metrics, e);
	if (rc == RC_OK)
		rc = http_open(&hc, &wc.http, e);
	if (rc != RC_OK)
		goto out;
	str_format(base, sizeof(base), "http://127.0.0.1:%d", port);
	wc.telegram = telegram_new(wc.http, base, "123456:AAbenchbenchbench");
	rc = worker_open(&wc, &w, e);
	if (rc == RC_OK)
		rc = run(w, jobs, e);
	worker_free(w);
	telegram_free(wc.telegram);
out:
	if (wc.http != NULL)
		http_free(wc.http);
	metrics_free(wc.metrics);
	if (wc.router != NULL)
		router_free(wc.router);
	return rc;
}

int main(int argc, char **argv)
{
	struct config *conf = NULL;
	struct err e = { .text = "" };
	int64_t jobs = argc == 3 ? strtoll(argv[2], NULL, 10) : 0;
	int port = 0;
	pid_t server;
	enum rc rc;

	if (jobs < 1) {
		fputs("Usage: outbox CONF JOBS\n", stderr);
		return 2;
	}
	server = server_start(&port);
	rc = server < 0 ? err_set(&e, RC_SYSTEM, "no server") :
	    config_load(argv[1], stderr, &conf, &e);
	if (rc == RC_OK)
		rc = measure(conf, port, jobs, &e);
	config_free(conf);
	if (server > 0) {
		kill(server, SIGTERM);
		waitpid(server, NULL, 0);
	}
	if (rc != RC_OK)
		fprintf(stderr, "outbox: %s: %s\n", rc_name(rc), e.text);
	return rc != RC_OK;
}
