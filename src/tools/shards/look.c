/*
 * look.c - asks shards, each in a child of its own: whatever a shard,
 * its disk or its network does, the answer of all others comes in time.
 *
 * A child tells what it knows piece by piece, each in one write that a pipe
 * does not tear.
 */
#include "config.h"

#include "tools/shards/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/shards/hosts.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum piece_kind { PIECE_UP, PIECE_DOWN, PIECE_JOBS, PIECE_INFO, PIECE_HOST,
	PIECE_NO_HOSTS, PIECE_CHANGE };

struct piece {
	enum piece_kind kind;
	union {
		char why[160];
		struct store_stats jobs;
		struct store_info info;
		struct cluster_host host;
		struct change_look change;
	};
};

_Static_assert(sizeof(struct piece) <= PIPE_BUF,
    "a piece is written at once");

struct asked {
	pid_t pid;
	int fd;
};

enum { ASKED_MAX = SHARDS_MAX * 2 + 1 };	/* the last: of the hosts */

static void tell(int fd, const struct piece *p)
{
	if (write(fd, p, sizeof(*p)) != (ssize_t)sizeof(*p))
		_exit(1);
}

/* Without the shard's name, which stands before them already. */
static const char *words_of(const struct config_shard *c, const char *words)
{
	size_t n = strlen(c->name);

	return strncmp(words, c->name, n) == 0 && strncmp(words + n, ": ",
	    2) == 0 ? words + n + 2 : words;
}

/* In the child. */
static void shard_tell(const struct config_shard *c, bool made, int fd,
    int timeout_ms)
{
	const struct store_conf conf = {
		.name = c->name,
		.uri = c->uri,
		.timeout_ms = timeout_ms,
		.made = made,
	};
	struct piece p = { .kind = PIECE_DOWN };
	struct err e = { .text = "" };
	struct store *s = NULL;
	enum rc rc = store_open(&conf, &s, &e);

	if (rc == RC_OK)
		rc = s->ops->ping(s, &e);
	if (rc == RC_OK)
		p.kind = PIECE_UP;
	else
		str_copy(p.why, sizeof(p.why), words_of(c, e.text));
	tell(fd, &p);
	if (rc != RC_OK)
		return;
	memset(&p, 0, sizeof(p));
	p.kind = PIECE_JOBS;
	if (s->ops->job_stats(s, &p.jobs, &e) == RC_OK)
		tell(fd, &p);
	memset(&p, 0, sizeof(p));
	p.kind = PIECE_INFO;
	if (s->ops->info(s, &p.info, &e) == RC_OK)
		tell(fd, &p);
	store_close(s);
}

/* In the child. */
static void change_tell(const struct shards_hosts *h, const struct slots *m,
    int fd)
{
	struct journal journal = { &journal_cluster, NULL };
	struct cluster_journal *j = NULL;
	struct piece p = { .kind = PIECE_CHANGE };
	struct err e = { .text = "" };

	cluster_journal_open(&h->conf, &j);
	journal.ctx = j;
	if (change_look(&journal, m, &p.change, &e) == RC_OK)
		tell(fd, &p);
	cluster_journal_free(j);
}

/* In the child.  A beat comes each fifth of a lease. */
static void hosts_tell(const struct shards_hosts *h, const struct slots *m,
    int fd, int wait_ms)
{
	struct cluster_host *of = xcalloc(CLUSTER_HOSTS_MAX, sizeof(*of));
	int watch_ms = h->conf.lease_ms * 2 / 5, n = 0;
	struct piece p = { .kind = PIECE_NO_HOSTS };
	struct err e = { .text = "" };

	if (watch_ms > wait_ms / 2)
		watch_ms = wait_ms / 2;
	change_tell(h, m, fd);
	if (cluster_hosts(&h->conf, watch_ms, of, CLUSTER_HOSTS_MAX, &n, &e) !=
	    RC_OK) {
		str_copy(p.why, sizeof(p.why), e.text);
		tell(fd, &p);
	}
	for (int i = 0; i < n; i++) {
		memset(&p, 0, sizeof(p));
		p.kind = PIECE_HOST;
		p.host = of[i];
		tell(fd, &p);
	}
	free(of);
}

/* conf NULL: of the hosts.  made: see struct store_conf. */
static void ask(const struct config_shard *conf, bool made,
    const struct shards_hosts *h, const struct slots *m, struct asked *a,
    int wait_ms)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	fflush(NULL);
	a->pid = fork();
	if (a->pid == 0) {
		close(fds[0]);
		if (conf != NULL)
			shard_tell(conf, made, fds[1], wait_ms * 3 / 4);
		else
			hosts_tell(h, m, fds[1], wait_ms);
		_exit(0);
	}
	close(fds[1]);
	if (a->pid > 0)
		a->fd = fds[0];
	else
		close(fds[0]);
}

/* False at the end of what the child has to say. */
static bool hear(struct shards_view *v, struct shard_look *l, int fd)
{
	struct piece p;
	ssize_t n = read(fd, &p, sizeof(p));

	if (n < 0 && errno == EINTR)
		return true;
	if (n != (ssize_t)sizeof(p))
		return false;
	switch (p.kind) {
	case PIECE_UP:
		l->up = true;
		l->why[0] = '\0';
		break;
	case PIECE_DOWN:
		str_copy(l->why, sizeof(l->why), p.why);
		break;
	case PIECE_JOBS:
		l->has_jobs = true;
		l->jobs = p.jobs;
		break;
	case PIECE_INFO:
		l->has_info = true;
		l->info = p.info;
		break;
	case PIECE_HOST:
		v->hosts_why[0] = '\0';
		if (v->nhosts < CLUSTER_HOSTS_MAX)
			v->hosts[v->nhosts++] = p.host;
		v->change.mover |= p.host.live && p.host.mover;
		break;
	case PIECE_CHANGE:
		p.change.mover |= v->change.mover;
		v->change = p.change;
		v->change_why[0] = '\0';
		break;
	case PIECE_NO_HOSTS:
		str_copy(v->hosts_why, sizeof(v->hosts_why), p.why);
		break;
	}
	return true;
}

static void hear_all(struct shards_view *v, struct asked *of, int wait_ms)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	struct pollfd fds[ASKED_MAX];

	for (;;) {
		int64_t left = (until - clock_mono_us()) / 1000;
		int open = 0;

		for (int i = 0; i <= v->n; i++) {
			fds[i] = (struct pollfd){ of[i].fd, POLLIN, 0 };
			open += of[i].fd >= 0;
		}
		if (open == 0 || left <= 0)
			return;
		if (poll(fds, (nfds_t)v->n + 1, (int)left) < 0 && errno != EINTR)
			return;
		for (int i = 0; i <= v->n; i++)
			if (fds[i].revents != 0 &&
			    !hear(v, &v->of[i], of[i].fd)) {
				close(of[i].fd);
				of[i].fd = -1;
			}
	}
}

void shards_view_ask(struct shards_view *v, int wait_ms)
{
	struct shards_hosts hosts;
	struct asked of[ASKED_MAX];

	for (int i = 0; i < v->n; i++) {
		struct shard_look *l = &v->of[i];

		str_copy(l->why, sizeof(l->why), l->conf != NULL ?
		    "does not answer" : "shards.conf does not name it");
		of[i] = (struct asked){ -1, -1 };
		if (l->conf != NULL)
			ask(l->conf, slots_shard_made(v->slots, l->index),
			    NULL, v->slots, &of[i], wait_ms);
	}
	of[v->n] = (struct asked){ -1, -1 };
	if (shards_hosts_init(&hosts, v->conf)) {
		str_copy(v->hosts_why, sizeof(v->hosts_why),
		    "the meta store does not answer");
		ask(NULL, false, &hosts, v->slots, &of[v->n], wait_ms);
		str_copy(v->change_why, sizeof(v->change_why), v->hosts_why);
	}
	hear_all(v, of, wait_ms);
	for (int i = 0; i <= v->n; i++) {
		if (of[i].pid > 0 && of[i].fd >= 0)
			kill(of[i].pid, SIGKILL);
		if (of[i].fd >= 0)
			close(of[i].fd);
	}
	/* One that hangs in the kernel is left to init. */
	for (int tries = 0; tries < 20; tries++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0)
			break;
		usleep(5000);
	}
}
