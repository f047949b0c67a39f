/*
 * move.c - runs the mover of src/reshard in this process, and says how
 * it ended.
 */
#include "config.h"

#include "tools/shards/move.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "tools/shards/change.h"
#include "tools/shards/shard_files.h"
#include "tools/shards/show.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

/* The worst of all shards, as requests on this host see it. */
static int64_t p99_ms(void *ctx)
{
	const struct move_setup *m = ctx;
	int64_t worst = -1;

	for (int i = 0; i < m->nshards; i++) {
		struct pulse_shard s;

		pulse_read(m->pulse, i, &s);
		if (s.requests > 0 && s.p99_us / 1000 > worst)
			worst = s.p99_us / 1000;
	}
	return worst;
}

/* The longest that a command may still arrive at a server, and run there. */
static int settle_ms(const struct config *c)
{
	int most = 0;

	for (int i = 0; i < c->nshards; i++)
		if (strncmp(c->shards[i].uri, "mongodb", 7) == 0 &&
		    c->shards[i].timeout_ms > most)
			most = c->shards[i].timeout_ms;
	return most * 2;
}

static int stop_open(void)
{
	sigset_t set, both;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Before any library makes threads.  A mover that a terminal stops (Ctrl-Z,
	 * output from the background) would hold its fences and let nobody in. */
	both = set;
	sigaddset(&both, SIGTSTP);
	sigaddset(&both, SIGTTOU);
	sigaddset(&both, SIGTTIN);
	sigprocmask(SIG_BLOCK, &both, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void pulse_take(struct move_setup *m, const struct config *c)
{
	char path[PATH_MAX];
	struct err e;

	shards_pulse_path(c, path, sizeof(path));
	if (access(path, F_OK) == 0 &&
	    pulse_open(path, true, &m->pulse, &e) == RC_OK) {
		m->conf.p99_ms = p99_ms;
		m->conf.p99_ctx = m;
	}
}

enum rc move_setup_init(struct move_setup *m, struct shards_place *p, bool stops,
    struct err *e)
{
	enum rc rc;

	*m = (struct move_setup){
		.conf = {
			.dir = p->dir,
			.journal = p->journal,
			.slots = p->slots,
			.step = &step_local,
			.step_ctx = p->slots,
			.clock = &clock_system,
			.who = p->who,
			.settle_ms = settle_ms(p->ctl->conf),
			.stop_fd = stops ? stop_open() : -1,
		},
		.nshards = slots_shards(p->slots),
	};
	rc = shards_place_router(p, true, e);
	if (rc != RC_OK)
		return rc;
	m->conf.router = p->router;
	pulse_take(m, p->ctl->conf);
	if (!shards_hosts_init(&m->hosts, p->ctl->conf))
		return RC_OK;
	rc = cluster_steps_open(&m->hosts.conf, p->slots, &m->steps, e);
	m->conf.step = &step_cluster;
	m->conf.step_ctx = m->steps;
	return rc;
}

void move_setup_release(struct move_setup *m)
{
	cluster_steps_free(m->steps);
	pulse_free(m->pulse);
	if (m->conf.stop_fd >= 0)
		close(m->conf.stop_fd);
}

enum rc shards_draining_settle(struct shards_place *p, const struct reshard *r,
    struct err *e)
{
	bool going = r->state == RESHARD_RUNNING ||
	    r->state == RESHARD_PAUSED || r->state == RESHARD_MOVED;
	enum rc rc = RC_OK;

	for (int i = 0; i < slots_shards(p->slots) && rc == RC_OK; i++) {
		bool was = false, stays = r->plan.only_slot >= 0;
		const char *name = slots_shard_name(p->slots, i);

		if (*name == '\0')
			continue;
		for (int k = 0; k < r->before.nnames; k++)
			was |= strcmp(r->before.names[k], name) == 0;
		for (int k = 0; k < r->plan.nnames; k++)
			stays |= strcmp(r->plan.names[k], name) == 0;
		if (((slots_shard_flags(p->slots, i) & SHARD_DRAINING) != 0) !=
		    (going && was && !stays))
			rc = slots_shard_flag(p->slots, i, SHARD_DRAINING,
			    going && was && !stays, e);
	}
	return rc;
}

void shards_moved_count(const struct shards_place *p, const struct reshard *r,
    int32_t *moved, int32_t *all)
{
	*moved = *all = 0;
	for (int32_t s = 0; s < SLOT_COUNT && r->state != RESHARD_NONE; s++) {
		if (r->target[s] == r->owner_before[s])
			continue;
		++*all;
		*moved += slots_get(p->slots, s).owner == r->target[s];
	}
}

static void json_tell(struct shards_place *p, const struct reshard *r)
{
	int32_t moved, all;
	struct buf b;

	shards_moved_count(p, r, &moved, &all);
	buf_init(&b, 4096);
	buf_printf(&b, "{\"state\":\"%s\",\"mover\":%s,\"slots_moved\":%d,"
	    "\"slots\":%d,\"users\":%lld,\"bytes\":%lld,\"busy_us\":%lld,"
	    "\"fence_p50_us\":%lld,\"fence_p99_us\":%lld,"
	    "\"fence_max_us\":%lld,\"error\":", reshard_state_word(r->state),
	    shards_mover_alive(p, r->rev) ? "true" : "false", moved, all,
	    (long long)r->users, (long long)r->bytes, (long long)r->busy_us,
	    (long long)r->fence_p50_us, (long long)r->fence_p99_us,
	    (long long)r->fence_max_us);
	json_put_str(&b, r->last_error);
	buf_puts(&b, "}\n");
	fputs(b.s, p->ctl->out);
	buf_release(&b);
}

static void moved_tell(FILE *f, const struct reshard *r, int32_t slots)
{
	char size[FIGURE_SIZE], p99[FIGURE_SIZE], most[FIGURE_SIZE], age[32],
	    people[FIGURE_SIZE];
	int64_t ms = r->ended_at - r->started_at;

	ctl_age((ms + 999) / 1000, age, sizeof(age));
	fprintf(f, "All %d slots are moved: %s, %s in %s", slots,
	    figure_people(r->users, people), figure_bytes(r->bytes, size), age);
	if (ms > 0)
		fprintf(f, " (%.0f people/s)", (double)r->users * 1e3 /
		    (double)ms);
	fprintf(f, ".\nRequests waited for a fence: p99 %s, longest %s.\n"
	    "Next: familybotctl shards verify, then familybotctl shards "
	    "reshard cleanup --yes;\nor back: familybotctl shards reshard "
	    "rollback --yes.\n", figure_us(r->fence_p99_us, p99),
	    figure_us(r->fence_max_us, most));
}

/* From here on all is said from the journal, whoever moved. */
static enum rc tell(struct shards_place *p, const struct reshard *r,
    struct err *e)
{
	FILE *f = p->ctl->out;
	int32_t moved, all;

	shards_moved_count(p, r, &moved, &all);
	if (p->ctl->json)
		json_tell(p, r);
	else if (r->state == RESHARD_MOVED)
		moved_tell(f, r, all);
	else if (r->state == RESHARD_NONE)
		fputs("No change is under way.\n", f);
	else if (r->state == RESHARD_PAUSED)
		fprintf(f, "Paused with %d of %d slots moved. Go on: "
		    "familybotctl shards reshard resume\n", moved, all);
	if (r->state != RESHARD_RUNNING && r->state != RESHARD_ABORTING)
		return RC_OK;
	if (shards_mover_alive(p, r->rev)) {
		if (!p->ctl->json)
			fprintf(f, "%d of %d slots are moved, and it goes on. "
			    "See: familybotctl shards reshard watch\n", moved,
			    all);
		return RC_OK;
	}
	return err_set(e, RC_BUSY, "stopped with %d of %d slots moved%s%s; go "
	    "on: familybotctl shards reshard resume", moved, all,
	    r->last_error[0] != '\0' ? ", " : "", r->last_error);
}

enum rc shards_move_tell(struct shards_place *p, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	enum rc rc = reshard_load(&p->journal, r, e);

	if (rc == RC_OK)
		rc = tell(p, r, e);
	free(r);
	return rc;
}

/* Whatever stops it, it can be gone on with. */
static enum rc run(const struct move_setup *m, struct progress *progress,
    struct err *e)
{
	struct err words = { .text = "" };
	enum rc rc = reshard_run(&m->conf, progress_show, progress, &words);

	progress_end(progress);
	if (rc == RC_OK)
		return rc;
	return err_set(e, rc, "%s; then: familybotctl shards reshard resume, "
	    "or abort", words.text);
}

/* What another host began has another shards.conf made ready there. */
static bool begun_here(const struct shards_place *p, const struct reshard *r)
{
	const char *there = strrchr(r->who, '@'), *here = strrchr(p->who, '@');

	return p->shared == NULL ||
	    (there != NULL && here != NULL && strcmp(there, here) == 0);
}

/* What a start that was killed had made ready. */
static enum rc conf_go_on(struct shards_place *p, const struct reshard *r,
    struct err *e)
{
	enum rc rc = slots_change_lock(p->slots, CHANGE_WAIT_MS, e);

	if (rc != RC_OK)
		return rc;
	if (r->state != RESHARD_NONE && begun_here(p, r))
		rc = conf_install(p, e);
	else
		conf_forget(p);
	slots_change_unlock(p->slots);
	return rc;
}

enum rc shards_sweep(struct shards_place *p, struct reshard *r, int *gone,
    struct err *e)
{
	enum rc rc = slots_change_lock(p->slots, CHANGE_WAIT_MS, e);

	if (rc != RC_OK)
		return rc;
	rc = reshard_load(&p->journal, r, e);
	if (rc == RC_OK && r->state != RESHARD_NONE)
		rc = err_set(e, RC_BUSY, "another change was begun at this "
		    "moment: see familybotctl shards status");
	if (rc == RC_OK && !slots_lease_ok(p->slots))
		rc = err_set(e, RC_UNAVAILABLE, "this host has no lease, its "
		    "map may be old: does familybot-worker run?");
	if (rc == RC_OK)
		rc = shards_draining_settle(p, r, e);
	if (rc == RC_OK)
		rc = conf_sweep(p, gone, e);
	slots_change_unlock(p->slots);
	return rc;
}

enum rc shards_move(struct shards_place *p, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	struct progress progress;
	struct move_setup m = { .conf = { .stop_fd = -1 } };
	int gone;
	enum rc rc = reshard_load(&p->journal, r, e);

	progress_init(&progress, p->ctl);
	if (rc == RC_OK)
		rc = conf_go_on(p, r, e);
	if (rc == RC_OK)
		rc = shards_draining_settle(p, r, e);
	if (rc == RC_OK)
		rc = move_setup_init(&m, p, true, e);
	if (rc == RC_OK)
		rc = run(&m, &progress, e);
	if (rc == RC_OK)
		rc = reshard_load(&p->journal, r, e);
	if (rc == RC_OK)
		rc = shards_draining_settle(p, r, e);
	if (rc == RC_OK)
		rc = change_speed_keep(p, r, e);
	if (rc == RC_OK && r->state == RESHARD_NONE)
		rc = conf_reload(p, e);
	if (rc == RC_OK && r->state == RESHARD_NONE)
		rc = shards_sweep(p, r, &gone, e);
	if (rc == RC_OK)
		rc = tell(p, r, e);
	move_setup_release(&m);
	free(r);
	return rc;
}
