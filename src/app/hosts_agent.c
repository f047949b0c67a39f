/* hosts_agent.c - see hosts.h. */
#include "config.h"

#include "app/hosts_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/cluster.h"
#include "app/process.h"
#include "app/program.h"
#include "utils/buf.h"
#include "utils/log.h"
#include "utils/xalloc.h"
#include "worker/stop.h"

enum { OPEN_AGAIN_MS = 200,
	LOCK_AGAIN_MS = 50, END_WAITS = 40, END_WAIT_MS = 50,
	SLACK_MS = 250 /* from a look at the lease to the word to a server */ };

struct agent {
	struct config *conf;
	struct cluster_conf c;
	struct shard_conf *shards;
	struct cluster_agent *agent;
	int stop_fd, lock;
};

static void nap_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* -- in the worker -- */

static void agent_exec(const char *path, pid_t parent)
{
	/* It must not outlive the worker, which starts another. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	if (path != NULL)
		execl("/proc/self/exe", HOSTS_AGENT, "-c", path, (char *)NULL);
	else
		execl("/proc/self/exe", HOSTS_AGENT, (char *)NULL);
	_exit(127);
}

static enum rc agent_fork(struct hosts_agent *a, struct err *e)
{
	pid_t worker = getpid();
	pid_t pid = fork();

	if (pid == 0)
		agent_exec(a->path, worker);
	if (pid < 0)
		return err_set(e, RC_SYSTEM, "the agent cannot be started: %s",
		    strerror(errno));
	a->pid = pid;
	return RC_OK;
}

enum rc hosts_agent_start(struct hosts_agent *a, const struct config *conf,
    const char *path, struct err *e)
{
	a->path = path;
	a->needed = conf->cluster.host != NULL;
	return a->needed ? agent_fork(a, e) : RC_OK;
}

void hosts_agent_keep(void *ctx)
{
	struct hosts_agent *a = ctx;
	struct err e = { .text = "" };
	int status = 0;

	if (!a->needed)
		return;
	if (a->pid > 0 && waitpid(a->pid, &status, WNOHANG) == a->pid) {
		log_error("agent_gone", "pid=%ld status=%d hint=%s",
		    (long)a->pid, status, log_q("it is started again"));
		a->pid = 0;
	}
	if (a->pid == 0 && agent_fork(a, &e) != RC_OK)
		log_error("agent_gone", "why=%s", log_q(e.text));
}

void hosts_agent_stop(struct hosts_agent *a)
{
	if (a->pid <= 0)
		return;
	(void)kill(a->pid, SIGTERM);
	for (int i = 0; i < END_WAITS; i++) {
		if (waitpid(a->pid, NULL, WNOHANG) != 0)
			goto out;
		nap_ms(END_WAIT_MS);
	}
	(void)kill(a->pid, SIGKILL);
	(void)waitpid(a->pid, NULL, 0);
out:
	a->pid = 0;
}

/* -- the agent itself -- */

static void said(void *ctx, bool bad, const char *words)
{
	const struct agent *a = ctx;

	if (bad)
		log_warn("host", "name=%s why=%s", a->c.host, log_q(words));
	else
		log_info("host", "name=%s what=%s", a->c.host, log_q(words));
}

/* shards.conf as it is now, NULL when it is unreadable. */
static struct config *conf_now(const struct agent *a)
{
	FILE *nobody = fopen("/dev/null", "w");
	struct config *now = NULL;
	struct err e = { .text = "" };

	if (nobody == NULL ||
	    config_load(a->conf->path, nobody, &now, &e) != RC_OK)
		now = NULL;
	else
		config_secrets_each(now, log_secret_add);
	if (nobody != NULL)
		(void)fclose(nobody);
	return now;
}

/* Does shards.conf, as it is now, name this shard?  When the file cannot be read
 * (somebody is editing it), what was read at the start counts: else a host would
 * say that it knows none of its shards, and no change could begin. */
static bool knows(void *ctx, const char *name)
{
	const struct agent *a = ctx;
	struct config *now = conf_now(a);
	const struct config *c = now != NULL ? now : a->conf;
	bool found = false;

	for (int i = 0; i < c->nshards; i++)
		found |= strcmp(c->shards[i].name, name) == 0;
	config_free(now);
	return found;
}

/* Most that a write may take, from the look at the lease to its answer. */
static int op_timeout_of(const struct config *c)
{
	int most = 0;

	for (int i = 0; i < c->nshards; i++)
		if (c->shards[i].timeout_ms > most)
			most = c->shards[i].timeout_ms;
	return most + SLACK_MS;
}

static int op_timeout(void *ctx)
{
	struct config *now = conf_now(ctx);
	int ms = now != NULL ? op_timeout_of(now) : 0;

	config_free(now);
	return ms;
}

/* Those that are to have slots, should this host found the map. */
static enum rc shards_fill(struct agent *a, struct err *e)
{
	const struct config *conf = a->conf;

	a->shards = xcalloc((size_t)conf->nshards + 1, sizeof(*a->shards));
	for (int i = 0; i < conf->nshards; i++) {
		struct shard_conf *s = &a->shards[a->c.nshards];
		const struct config_shard *from = &conf->shards[i];

		s->timeout_ms = from->timeout_ms > 0 ? from->timeout_ms :
		    (int)conf->store_timeout_ms;
		if (!str_copy(s->name, sizeof(s->name), from->name) ||
		    !str_copy(s->uri, sizeof(s->uri), from->uri))
			return err_set(e, RC_TOOBIG, "shard %s: name or URI is "
			    "too long", from->name);
		if (i == conf->cluster.meta) {
			/* the last row is no founder's */
			a->shards[conf->nshards] = *s;
			a->c.meta = &a->shards[conf->nshards];
		}
		a->c.nshards += !from->leaving;
	}
	a->c.shards = a->shards;
	a->c.op_timeout_ms = op_timeout_of(conf);
	return RC_OK;
}

/* One agent a host: who comes later waits for the end of the other. */
static enum rc alone(struct agent *a, struct err *e)
{
	char path[1024];

	if (!str_format(path, sizeof(path), "%s.agent", a->conf->slots_map))
		return err_set(e, RC_INVALID, "slot map: path too long");
	a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock < 0)
		return err_set(e, RC_SYSTEM, "%s: %s", path, strerror(errno));
	while (flock(a->lock, LOCK_EX | LOCK_NB) != 0)
		if (stop_wait(a->stop_fd, LOCK_AGAIN_MS))
			return err_set(e, RC_BUSY, "another agent is at work");
	return RC_OK;
}

static enum rc agent_open(struct agent *a, const char *path, struct err *e)
{
	enum rc rc = program_config(path, &a->conf, e);

	if (rc == RC_OK)
		rc = stop_open(&a->stop_fd, e);
	if (rc == RC_OK && a->conf->cluster.host == NULL)
		rc = err_set(e, RC_INVALID, "%s names no cluster",
		    a->conf->shards_file);
	if (rc != RC_OK)
		return rc;
	a->c = (struct cluster_conf){
		.host = a->conf->cluster.host,
		.lease_ms = a->conf->cluster.lease_ms,
		.map_path = a->conf->slots_map,
		.knows = knows,
		.op_timeout = op_timeout,
		.say = said,
		.ctx = a,
	};
	rc = shards_fill(a, e);
	return rc == RC_OK ? alone(a, e) : rc;
}

/* Until the meta store answers and the map is here. */
static bool joined(struct agent *a)
{
	char last[256] = "";

	do {
		struct err e = { .text = "" };

		if (cluster_agent_open(&a->c, &a->agent, &e) == RC_OK)
			return true;
		if (strcmp(last, e.text) != 0)
			said(a, true, e.text);
		(void)str_copy(last, sizeof(last), e.text);
	} while (!stop_wait(a->stop_fd, OPEN_AGAIN_MS));
	return false;
}

int hosts_agent_run(const char *path)
{
	struct agent a = { .stop_fd = -1, .lock = -1 };
	struct err e = { .text = "" };
	enum rc rc;

	process_harden();
	rc = agent_open(&a, path, &e);
	if (rc == RC_OK) {
		process_files_as(a.conf->state_dir);
		log_info("start", "program=" HOSTS_AGENT " version=%s pid=%ld "
		    "host=%s", PACKAGE_VERSION, (long)getpid(), a.c.host);
		if (joined(&a))
			while (!stop_wait(a.stop_fd,
			    cluster_agent_turn(a.agent)))
				;
	} else if (a.stop_fd < 0 || !stop_asked(a.stop_fd)) {
		log_error("fatal", "program=" HOSTS_AGENT " rc=%s why=%s",
		    rc_name(rc), log_q(e.text));
	}
	cluster_agent_free(a.agent);
	free(a.shards);
	config_free(a.conf);
	if (a.lock >= 0)
		(void)close(a.lock);
	if (a.stop_fd >= 0)
		(void)close(a.stop_fd);
	return process_exit_code(rc);
}
