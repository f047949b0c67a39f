/*
 * hosts_agent.h - this host among several: the agent of src/cluster as a process
 * beside the worker.  A process, as the lease must be renewed while the worker
 * waits for a slow shard, and as libmongoc's memory is better not shared with
 * a thread.  It ends with the worker, and is started again when it dies.
 */
#ifndef FAMILYBOT_APP_HOSTS_AGENT_H
#define FAMILYBOT_APP_HOSTS_AGENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "utils/err.h"

#define HOSTS_AGENT	"familybot-agent"	/* argv[0] of that process */

struct hosts_agent {
	const char *path;	/* of familybot.conf, NULL the default */
	bool needed;
	pid_t pid;		/* 0 none */
};

/* Starts it when conf names a cluster. */
MUST_CHECK enum rc hosts_agent_start(struct hosts_agent *a,
    const struct config *conf, const char *path, struct err *e);
/* Now and then: starts it again when it is gone.  ctx: struct hosts_agent. */
void hosts_agent_keep(void *ctx);
void hosts_agent_stop(struct hosts_agent *a);

/* The process itself, until SIGTERM; its exit status. */
int hosts_agent_run(const char *path);

#endif
