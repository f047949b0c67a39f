/*
 * test_reshard_kill.c - slots move under load while the mover is killed again
 * and again; then every acknowledged write is looked for.
 *
 *   test_reshard_kill [KILLS [sqlite|mixed|mongo [MOVES]]]
 *
 * KILLS: of each move (default 5 of five moves).  mixed: the shards that are
 * added are MongoDB; both others than sqlite want FAMILYBOT_TEST_MONGO_URI.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "reshard_world.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { KILLED = 100, SECONDS_MAX = 600 };

static const struct move {
	int shards;
	enum plan_placement placement;
} moves[] = {
	{ 6, PLAN_MODULO }, { 4, PLAN_MODULO }, { 5, PLAN_MODULO },
	{ 4, PLAN_MINIMAL }, { 5, PLAN_MINIMAL }
};
enum { MOVES = sizeof(moves) / sizeof(moves[0]) };

static void pause_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

/* -- a mover that dies between its steps, too -- */

struct mortal {
	struct slots *slots;
	unsigned seed;
	bool dies;
};

static void maybe_die(struct mortal *m)
{
	if (m->dies && rand_r(&m->seed) % 60 == 0)
		(void)kill(getpid(), SIGKILL);
}

static enum rc die_copying(void *ctx, const int32_t *slots,
    const uint16_t *targets, size_t n, struct err *e)
{
	struct mortal *m = ctx;
	enum rc rc = step_local.copying(m->slots, slots, targets, n, e);

	maybe_die(m);
	return rc;
}

static enum rc die_fence(void *ctx, const int32_t *slots, size_t n,
    int64_t *since, struct err *e)
{
	struct mortal *m = ctx;
	enum rc rc = step_local.fence(m->slots, slots, n, since, e);

	maybe_die(m);
	return rc;
}

static enum rc die_unfence(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct mortal *m = ctx;

	maybe_die(m);
	return step_local.unfence(m->slots, slots, n, e);
}

static enum rc die_commit(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct mortal *m = ctx;
	enum rc rc;

	maybe_die(m);
	rc = step_local.commit(m->slots, slots, n, e);
	maybe_die(m);
	return rc;
}

static enum rc die_release(void *ctx, const int32_t *slots, size_t n,
    struct err *e)
{
	struct mortal *m = ctx;

	return step_local.release(m->slots, slots, n, e);
}

static int64_t die_waited(void *ctx, int64_t since)
{
	struct mortal *m = ctx;

	return step_local.waited(m->slots, since);
}

static enum rc die_begin(void *ctx, struct err *e)
{
	struct mortal *m = ctx;

	return step_local.begin(m->slots, e);
}

static const struct step_ops step_mortal = {
	.fence_max = 8,
	.begin = die_begin,
	.copying = die_copying,
	.fence = die_fence,
	.unfence = die_unfence,
	.commit = die_commit,
	.waited = die_waited,
	.release = die_release,
};

/* -- what the operator's processes do -- */

struct hand {
	struct world *w;
	struct mortal mortal;
	struct slots *slots;
	struct reshard_conf c;
};

static void hand_open(struct hand *h, struct world *w, bool dies)
{
	struct err e = { RC_OK, "" };

	*h = (struct hand){ .w = w };
	if (slots_open(w->map, NULL, 0, true, &h->slots, &e) != RC_OK) {
		fprintf(stderr, "%s\n", e.text);
		_exit(3);
	}
	h->mortal = (struct mortal){ h->slots, (unsigned)clock_mono_us(), dies };
	h->c = (struct reshard_conf){ .dir = w->dir, .slots = h->slots,
		.journal = { &journal_file, w->dir },
		.router = world_router(w, WORLD_SHARDS), .step = &step_mortal,
		.step_ctx = &h->mortal, .clock = &clock_system, .who = "test",
		.settle_ms = 50, .stop_fd = -1 };
}

static void hand_close(struct hand *h)
{
	router_free(h->c.router);
	slots_free(h->slots);
}

static int told(enum rc rc, const struct err *e)
{
	if (rc == RC_OK)
		return 0;
	fprintf(stderr, "# %s: %s\n", rc_name(rc), e->text);
	return 1;
}

static int begin(struct world *w, const struct move *to)
{
	struct plan plan = { .nnames = to->shards, .placement = to->placement,
		.only_slot = -1 };
	struct err e = { RC_OK, "" };
	enum rc rc = RC_OK;
	struct hand h;
	int index;

	hand_open(&h, w, false);
	for (int i = 0; i < to->shards && rc == RC_OK; i++) {
		(void)str_copy(plan.names[i], sizeof(plan.names[i]),
		    w->shards[i].name);
		rc = slots_shard_add(h.slots, plan.names[i], &index, &e);
	}
	if (rc == RC_OK)
		rc = reshard_begin(&h.c, &plan, &plan, NULL, &e);
	hand_close(&h);
	return told(rc, &e);
}

static int mover(struct world *w, bool dies)
{
	struct err e = { RC_OK, "" };
	struct hand h;
	enum rc rc;

	hand_open(&h, w, dies);
	rc = reshard_run(&h.c, NULL, NULL, &e);
	hand_close(&h);
	return told(rc, &e);
}

static int cleanup(struct world *w)
{
	struct err e = { RC_OK, "" };
	struct hand h;
	enum rc rc;

	hand_open(&h, w, false);
	rc = reshard_cleanup(&h.c, NULL, NULL, &e);
	hand_close(&h);
	return told(rc, &e);
}

enum job_of { DO_BEGIN, DO_MOVE, DO_CLEAN, DO_CHECK };

/* Nobody outlives the test. */
static void child_begin(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(SECONDS_MAX);
}

/* In a child; killed after kill_us (0: left alone).  Its exit status, KILLED
 * when it died. */
static int run_child(struct world *w, enum job_of job, const struct move *to,
    long kill_us)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		child_begin();
		switch (job) {
		case DO_BEGIN:
			_exit(begin(w, to));
		case DO_MOVE:
			_exit(mover(w, kill_us > 0));
		case DO_CLEAN:
			_exit(cleanup(w));
		case DO_CHECK:
			world_check(w);
			_exit(0);
		}
	}
	if (kill_us > 0) {
		pause_us(kill_us);
		(void)kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static void quiet(struct world *w, bool on)
{
	bool all;

	atomic_store(&w->pause, on);
	do {
		all = true;
		for (int i = 0; on && i <= WORLD_WRITERS; i++)
			all = all && atomic_load(&w->idle[i]);
		if (!all)
			pause_us(1000);
	} while (!all);
}

/* Is every slot at home? */
static void look_home(struct world *w, const struct move *to)
{
	int32_t has[WORLD_SHARDS] = { 0 };
	struct slots *m = NULL;
	struct err e;

	if (slots_open(w->map, NULL, 0, false, &m, &e) != RC_OK)
		abort();
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		int owner = slots_get(m, s).owner;

		has[owner]++;
		if (to->placement == PLAN_MODULO && owner != s % to->shards)
			world_violation(w, "slot %d is on shard %d", s, owner);
	}
	for (int i = 0; i < to->shards; i++)
		if (has[i] != SLOT_COUNT / to->shards)
			world_violation(w, "shard %d has %d slots", i, has[i]);
	slots_free(m);
}

static int move_once(struct world *w, const struct move *to, int kills)
{
	unsigned seed = (unsigned)clock_mono_us();
	int64_t began = clock_mono_us();
	long before = atomic_load(&w->writes);
	struct reshard *j = calloc(1, sizeof(*j));
	const struct journal journal = { &journal_file, w->dir };
	int done = 0, code;
	struct err e;

	if (run_child(w, DO_BEGIN, to, 0) != 0)
		return 1;
	do {
		code = run_child(w, DO_MOVE, to, done < kills ?
		    10000 + rand_r(&seed) % 150000 : 0);
		done += code == KILLED;
	} while (code == KILLED);
	if (code != 0 || reshard_load(&journal, j, &e) != RC_OK ||
	    j->state != RESHARD_MOVED)
		world_violation(w, "the move did not end: %s", j->last_error);
	code = run_child(w, DO_CLEAN, to, 30000);
	if (code == KILLED)
		code = run_child(w, DO_CLEAN, to, 0);
	if (code != 0)
		world_violation(w, "cleanup failed");
	quiet(w, true);
	look_home(w, to);
	if (run_child(w, DO_CHECK, to, 0) != 0)
		world_violation(w, "the check died");
	printf("# to %d %s: %d kills, %.1f s, %ld writes meanwhile, %ld failed "
	    "requests; %lld people, %lld bytes; fence p50 %.2f p99 %.2f max "
	    "%.2f ms; %ld violations\n", to->shards,
	    to->placement == PLAN_MODULO ? "modulo" : "minimal", done,
	    (double)(clock_mono_us() - began) / 1e6,
	    atomic_load(&w->writes) - before, atomic_load(&w->failed),
	    (long long)j->users, (long long)j->bytes,
	    (double)j->fence_p50_us / 1e3, (double)j->fence_p99_us / 1e3,
	    (double)j->fence_max_us / 1e3, atomic_load(&w->violations));
	(void)fflush(stdout);
	free(j);
	quiet(w, false);
	return atomic_load(&w->violations) > 0;
}

static void start(struct world *w, pid_t *pid)
{
	for (int i = 0; i <= WORLD_WRITERS; i++) {
		pid[i] = fork();
		if (pid[i] != 0)
			continue;
		child_begin();
		_exit(i < WORLD_WRITERS ? world_writer(w, i) : world_worker(w));
	}
	pause_us(1000000);
}

static void end(struct world *w, const pid_t *pid)
{
	int status;

	atomic_store(&w->stop, true);
	for (int i = 0; i <= WORLD_WRITERS; i++)
		if (waitpid(pid[i], &status, 0) != pid[i] || status != 0)
			world_violation(w, "process %d ended with %d", i,
			    status);
	if (run_child(w, DO_CHECK, NULL, 0) != 0)
		world_violation(w, "the last check died");
}

int main(int argc, char **argv)
{
	int kills = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
	int n = argc > 3 ? (int)strtol(argv[3], NULL, 10) : MOVES;
	struct world *w = world_new(argc > 2 ? argv[2] : "sqlite");
	pid_t pid[WORLD_WRITERS + 1];
	bool bad = false;

	start(w, pid);
	for (int i = 0; i < n && !bad; i++)
		bad = move_once(w, &moves[i % MOVES], kills) != 0;
	end(w, pid);
	bad = bad || atomic_load(&w->violations) > 0 ||
	    atomic_load(&w->failed) > 0;
	printf("# %ld writes, %ld jobs carried out, %ld violations: %s\n",
	    atomic_load(&w->writes), atomic_load(&w->leased),
	    atomic_load(&w->violations), w->words);
	printf("%s - nothing is lost and nothing is twice when movers die\n",
	    bad ? "not ok" : "ok");
	world_free(w);
	return bad;
}
