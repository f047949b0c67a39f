/*
 * cluster_place.h - two hosts for test_cluster.c: directories, and agents as
 * processes.  Included once.
 */
#ifndef FAMILYBOT_TESTS_CLUSTER_PLACE_H
#define FAMILYBOT_TESTS_CLUSTER_PLACE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { LEASE_MS = 500, OP_MS = 100, WAIT_MS = 5000, CHAOS_MS = 8000,
	CLIENTS = 3, CHAOS_SLOTS = 6, FENCES_MAX = 4096,
	ORDER_REVERSED = 1 };

static const int32_t SLOTS[2] = { 7, 8 };	/* of shards 1 and 2 */
static const uint16_t TARGETS[2] = { 2, 2 };

struct shared {			/* of all processes */
	bool stop;
	int active[SLOT_COUNT][4];	/* who is inside, by shard */
	int torn;		/* seen inside a slot from two shards */
	int64_t inside, away;
};

struct host {
	const char *name;
	char dir[300], map[340];
	int order;
	bool ignorant;
	pid_t pid;
	pid_t clients[CLIENTS];
	struct slots *slots;
};

struct cluster_place {
	char dir[256];
	struct shard_conf shards[3], reversed[3], meta;
	struct host a, b;
	struct cluster_steps *steps;
	struct shared *shared;
	int64_t fences[FENCES_MAX];
	int nfences, troubled;
};

static inline void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static inline void assert_ok(enum rc rc, const struct err *e)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", rc_name(rc), e->text);
}

static inline bool knows_all(void *ctx, const char *name)
{
	const struct host *h = ctx;

	return !(h->ignorant && strcmp(name, "s3") == 0);
}

static inline void say(void *ctx, bool bad, const char *words)
{
	const struct host *h = ctx;

	if (getenv("CLUSTER_SAY"))
		print_message("%s %s%s\n", h->name, bad ? "! " : "", words);
}

static inline void conf_fill(struct cluster_place *p, struct host *h,
    struct cluster_conf *c)
{
	*c = (struct cluster_conf){ .host = h->name, .lease_ms = LEASE_MS,
		.op_timeout_ms = OP_MS, .map_path = h->map, .meta = &p->meta,
		.shards = h->order == ORDER_REVERSED ? p->reversed : p->shards,
		.nshards = 3, .knows = knows_all, .say = say, .ctx = h };
}

static inline void agent_run(const struct cluster_conf *c)
{
	struct cluster_agent *agent = NULL;
	struct err e = { RC_OK, "" };

	while (cluster_agent_open(c, &agent, &e) != RC_OK) {
		say(c->ctx, true, e.text);
		pause_ms(10);
	}
	for (;;)
		pause_ms(cluster_agent_turn(agent));
}

static inline pid_t child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static inline void host_start(struct cluster_place *p, struct host *h)
{
	struct cluster_conf c;

	conf_fill(p, h, &c);
	h->pid = child();
	if (h->pid == 0) {
		agent_run(&c);
		_exit(1);
	}
}

static inline void host_kill(struct host *h)
{
	if (h->pid <= 0)
		return;
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
}

/* Waits for WAIT_MS that cond becomes true. */
#define WAIT_FOR(cond) do {						\
	int64_t until_ = clock_mono_us() + WAIT_MS * 1000LL;		\
	while (!(cond)) {						\
		if (clock_mono_us() > until_)				\
			return false;					\
		pause_ms(1);						\
	}								\
	return true;							\
} while (0)

static inline bool wait_lease(struct host *h, bool ok)
{
	WAIT_FOR(slots_lease_ok(h->slots) == ok);
}

static inline bool wait_state(struct host *h, int32_t slot, int state)
{
	WAIT_FOR(slots_get(h->slots, slot).state == state);
}

static inline bool wait_same(struct cluster_place *p, int32_t slot)
{
	WAIT_FOR(slots_get(p->a.slots, slot).owner ==
	    slots_get(p->b.slots, slot).owner);
}

static inline bool wait_name(struct host *h, int shard, const char *name)
{
	WAIT_FOR(slots_shards(h->slots) > shard &&
	    strcmp(slots_shard_name(h->slots, shard), name) == 0);
}

static inline bool wait_flags(struct host *h, int shard, int flags)
{
	WAIT_FOR(slots_shards(h->slots) > shard &&
	    slots_shard_flags(h->slots, shard) == flags);
}

static inline bool wait_map(const struct host *h)
{
	WAIT_FOR(access(h->map, F_OK) == 0);
}

/* This process's own view of the host's map. */
static inline void host_open(struct host *h)
{
	struct err e = { RC_OK, "" };

	assert_true(wait_map(h));
	assert_ok(slots_open(h->map, NULL, 0, true, &h->slots, &e), &e);
	assert_true(wait_lease(h, true));
}

/* Both hosts serve; a mover on host a. */
static inline void both_start(struct cluster_place *p)
{
	struct cluster_conf c;
	struct err e = { RC_OK, "" };

	host_start(p, &p->a);
	host_open(&p->a);
	host_start(p, &p->b);
	host_open(&p->b);
	assert_ok(slots_mover_lock(p->a.slots, &e), &e);
	conf_fill(p, &p->a, &c);
	assert_ok(cluster_steps_open(&c, p->a.slots, &p->steps, &e), &e);
}

/* The shard that serves the slot on this host, -1 nobody does. */
static inline int enter(struct host *h, int32_t slot, int wait)
{
	struct slot_entry s;
	struct err e;
	int owner = -1;

	if (slots_enter(h->slots, slot, wait, &s, &e) != RC_OK)
		return -1;
	if (slots_lease_ok(h->slots))
		owner = s.owner;
	slots_unlock(h->slots, slot);
	return owner;
}

static inline void assert_entry(const struct host *h, int32_t slot, int owner,
    int target, int state)
{
	struct slot_entry s = slots_get(h->slots, slot);

	if (s.owner != owner || s.target != target || s.state != state)
		fail_msg("slot %d on host %s: owner %d target %d state %d",
		    (int)slot, h->name, s.owner, s.target, s.state);
}

static inline void assert_both(struct cluster_place *p, int32_t slot, int owner,
    int target, int state)
{
	assert_entry(&p->a, slot, owner, target, state);
	assert_entry(&p->b, slot, owner, target, state);
}

static inline void clients_stop(struct cluster_place *p)
{
	struct host *hosts[2] = { &p->a, &p->b };

	__atomic_store_n(&p->shared->stop, true, __ATOMIC_RELEASE);
	for (int h = 0; h < 2; h++)
		for (int i = 0; i < CLIENTS; i++)
			if (hosts[h]->clients[i] > 0) {
				waitpid(hosts[h]->clients[i], NULL, 0);
				hosts[h]->clients[i] = 0;
			}
}

static inline void host_init(struct cluster_place *p, struct host *h, const char *name)
{
	h->name = name;
	str_format(h->dir, sizeof(h->dir), "%s/%s", p->dir, name);
	str_format(h->map, sizeof(h->map), "%s/slots.map", h->dir);
	assert_int_equal(mkdir(h->dir, 0700), 0);
}

static inline int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct cluster_place *p = calloc(1, sizeof(*p));

	str_format(p->dir, sizeof(p->dir), "%s/cluster.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(p->shared != MAP_FAILED);
	host_init(p, &p->a, "a");
	host_init(p, &p->b, "b");
	for (int i = 0; i < 3; i++) {
		str_format(p->shards[i].name, sizeof(p->shards[i].name), "s%d",
		    i);
		str_format(p->shards[i].uri, sizeof(p->shards[i].uri),
		    "sqlite:%s/s%d.db", p->dir, i);
		p->shards[i].timeout_ms = OP_MS;
		p->reversed[2 - i] = p->shards[i];
	}
	p->meta = p->shards[0];
	*state = p;
	return 0;
}

static inline int teardown(void **state)
{
	struct cluster_place *p = *state;
	char command[300];

	clients_stop(p);
	host_kill(&p->a);
	host_kill(&p->b);
	cluster_steps_free(p->steps);
	slots_free(p->a.slots);
	slots_free(p->b.slots);
	str_format(command, sizeof(command), "rm -rf '%s'", p->dir);
	assert_int_equal(system(command), 0);
	munmap(p->shared, sizeof(*p->shared));
	free(p);
	return 0;
}

#endif
