/*
 * follow.c - shows the mover of another process, and starts one that
 * outlives the terminal.
 */
#include "config.h"

#include "tools/shards/move.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { WATCH_EACH_US = 200 * 1000, OTHER_LOOKS = 15, BEGIN_LOOKS = 250,
	BEGIN_EACH_US = 20 * 1000 };

/* The journal tells what was moved, the map how far it is. */
static void watch_show(struct progress *w, struct shards_place *p,
    const struct reshard *r)
{
	struct reshard_progress now = {
		.users = r->users,
		.bytes = r->bytes,
		.remaining_s = -1,
		.fence_p99_us = r->fence_p99_us,
		.words = "",
	};
	int64_t ms = clock_ms(&clock_system) - r->started_at;

	shards_moved_count(p, r, &now.slots_done, &now.slots);
	if (ms > 0)
		now.users_per_second = (double)r->users * 1e3 / (double)ms;
	if (r->state == RESHARD_ABORTING)
		now.slots_done = now.slots - now.slots_done;
	else if (ms > 0 && now.slots_done > 0)
		now.remaining_s = ms / 1000 * (now.slots - now.slots_done) /
		    now.slots_done;
	progress_show(w, &now);
}

bool shards_mover_alive(struct shards_place *p, int64_t rev)
{
	struct reshard *now = xcalloc(1, sizeof(*now));
	struct err ignored = { .text = "" };
	bool alive = slots_mover_alive(p->slots);

	for (int i = 0; i < OTHER_LOOKS && !alive && p->shared != NULL; i++) {
		if (i > 0)
			usleep(WATCH_EACH_US);
		alive = reshard_load(&p->journal, now, &ignored) == RC_OK &&
		    now->rev != rev;
	}
	free(now);
	return alive;
}

enum rc shards_follow(struct shards_place *p, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	struct progress progress;
	enum rc rc;

	progress_init(&progress, p->ctl);
	do {
		rc = reshard_load(&p->journal, r, e);
		if (rc == RC_OK && r->state != RESHARD_NONE && !p->ctl->json)
			watch_show(&progress, p, r);
		if (rc != RC_OK || p->ctl->json ||
		    !shards_mover_alive(p, r->rev))
			break;
		usleep(WATCH_EACH_US);
	} while (r->state == RESHARD_RUNNING || r->state == RESHARD_ABORTING ||
	    r->state == RESHARD_PAUSED);
	progress_end(&progress);
	if (rc == RC_OK)
		rc = shards_move_tell(p, e);
	free(r);
	return rc;
}

static void detached_run(struct shards_place *p, int log)
{
	const char *conf = p->ctl->conf_path;
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (conf != NULL)
		execl("/proc/self/exe", "familybotctl", "-c", conf, "shards",
		    "reshard", "resume", (char *)NULL);
	else
		execl("/proc/self/exe", "familybotctl", "shards", "reshard",
		    "resume", (char *)NULL);
	_exit(127);
}

enum rc shards_move_detached(struct shards_place *p, struct err *e)
{
	char path[PATH_MAX];
	int log, ended = 0;
	pid_t pid;

	str_format(path, sizeof(path), "%s/reshard.log", p->dir);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return err_set(e, RC_SYSTEM, "%s: %s", path, strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		detached_run(p, log);
	close(log);
	if (pid < 0)
		return err_set(e, RC_SYSTEM, "no process can be made: %s",
		    strerror(errno));
	/* When this returns, watch and status see it. */
	for (int i = 0; i < BEGIN_LOOKS && !slots_mover_alive(p->slots); i++) {
		if (waitpid(pid, &ended, WNOHANG) == pid && ended != 0)
			return err_set(e, RC_UNAVAILABLE, "it ended at once; "
			    "%s says why", path);
		usleep(BEGIN_EACH_US);
	}
	if (p->ctl->json)
		fprintf(p->ctl->out, "{\"pid\":%d}\n", (int)pid);
	else
		fprintf(p->ctl->out, "It goes on in process %d, which writes "
		    "%s.\nSee: familybotctl shards reshard watch; pause and "
		    "abort work, too.\n", (int)pid, path);
	return RC_OK;
}
