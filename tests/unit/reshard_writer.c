/*
 * reshard_writer.c - processes that write to people, most to those whose slot
 * is being moved, and one that carries out jobs as the worker does.
 */
#include "config.h"

#include "reshard_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shards/slots.h"
#include "store/store.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { DAY = 20000, LEASE_MS = 120000, LEASED = 16 };

static void pause_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

/* true: go on. */
static bool may_go(struct world *w, int n)
{
	while (atomic_load(&w->pause) && !atomic_load(&w->stop)) {
		atomic_store(&w->idle[n], true);
		pause_us(1000);
	}
	atomic_store(&w->idle[n], false);
	return !atomic_load(&w->stop);
}

struct one {			/* a write under way */
	struct world *w;
	struct person *p;
	struct route at;
	unsigned *seed;
};

/* A write failed, or what was read is not what was acknowledged. */
static void judge(struct one *o, const char *what, enum rc rc,
    const struct err *e)
{
	if (rc == RC_BUSY || rc == RC_UNAVAILABLE || rc == RC_SYSTEM) {
		atomic_fetch_add(&o->w->failed, 1);
		router_failed(o->at.router, o->at.shard, e);
	}
	world_violation(o->w, "%s of user %lld on shard %d: %s: %s", what,
	    (long long)o->p->id, o->at.shard, rc_name(rc), e->text);
}

static void write_user(struct one *o)
{
	struct store *s = o->at.store;
	struct err e = { RC_OK, "" };
	struct user u = { .user_id = o->p->id };
	enum rc rc = s->ops->user_get(s, o->p->id, &u, &e);

	if (rc == RC_NOTFOUND && o->p->rev == 0)
		rc = RC_OK;
	if (rc == RC_OK && u.rev != o->p->rev)
		world_violation(o->w, "user %lld is at revision %d, told %d",
		    (long long)o->p->id, u.rev, o->p->rev);
	(void)str_copy(u.zone, sizeof(u.zone), "Europe/Moscow");
	u.weight_g = 50000 + u.rev;
	u.own_foods = 0;
	for (int i = 0; i < WORLD_FOODS; i++)
		u.own_foods += o->p->foods[i] > 0;
	if (rc == RC_OK)
		rc = s->ops->user_put(s, &u, &e);
	if (rc == RC_OK)
		o->p->rev = u.rev;
	else
		judge(o, "profile", rc, &e);
}

static void meal_fill(struct meal *m, struct person *p, int n, int64_t mg)
{
	*m = (struct meal){ .user_id = p->id, .slot = slot_of(p->id),
		.day = DAY + n / 8, .chat_id = p->id, .message_id = n + 1,
		.at = (int64_t)(DAY + n / 8) * 86400, .nitems = 1 };
	(void)str_copy(m->items[0].name, sizeof(m->items[0].name), "гречка");
	(void)str_copy(m->items[0].query, sizeof(m->items[0].query), "гречка");
	m->items[0].mg = mg;
	m->items[0].n = (struct nutrients){ mg, mg / 10, mg / 20, mg / 5 };
	meal_sum(m);
}

static void add_meal(struct one *o)
{
	struct store *s = o->at.store;
	struct err e = { RC_OK, "" };
	int n = o->p->nmeals;
	struct meal m;
	enum rc rc;

	if (n == WORLD_MEALS)
		return;
	meal_fill(&m, o->p, n, 100000 + n);
	rc = s->ops->meal_add(s, &m, NULL, &e);
	if (rc != RC_OK) {
		judge(o, "new meal", rc, &e);
		return;
	}
	o->p->meals[n] = (struct ledger_meal){ .rev = 1, .mg = 100000 + n };
	o->p->nmeals++;
}

static void change_meal(struct one *o)
{
	struct store *s = o->at.store;
	struct err e = { RC_OK, "" };
	struct ledger_meal *l;
	struct meal m;
	enum rc rc;
	int n;

	if (o->p->nmeals == 0)
		return;
	n = rand_r(o->seed) % o->p->nmeals;
	l = &o->p->meals[n];
	meal_fill(&m, o->p, n, l->mg + 7);
	m.rev = l->rev;
	m.deleted = rand_r(o->seed) % 8 == 0;
	rc = s->ops->meal_replace(s, &m, NULL, &e);
	if (rc == RC_OK)
		*l = (struct ledger_meal){ .rev = l->rev + 1, .mg = l->mg + 7,
			.deleted = m.deleted };
	else
		judge(o, "changed meal", rc, &e);
}

static void look_meal(struct one *o)
{
	struct store *s = o->at.store;
	struct err e = { RC_OK, "" };
	struct meal m;
	enum rc rc;
	int n;

	if (o->p->nmeals == 0)
		return;
	n = rand_r(o->seed) % o->p->nmeals;
	rc = s->ops->meal_get(s, o->p->id, DAY + n / 8, o->p->id, n + 1, &m,
	    &e);
	if (rc != RC_OK)
		judge(o, "meal that was stored", rc, &e);
	else if (m.rev != o->p->meals[n].rev ||
	    m.items[0].mg != o->p->meals[n].mg)
		world_violation(o->w, "user %lld: meal %d is older than what "
		    "was acknowledged", (long long)o->p->id, n + 1);
}

static void put_food(struct one *o)
{
	struct store *s = o->at.store;
	struct own_food f = { .user_id = o->p->id, .slot = slot_of(o->p->id) };
	struct err e = { RC_OK, "" };
	int n = rand_r(o->seed) % WORLD_FOODS;
	enum rc rc;

	(void)str_format(f.key, sizeof(f.key), "food%d", n);
	(void)str_copy(f.name, sizeof(f.name), "Bread of Anna");
	f.per100.cal = o->p->foods[n] + 1000;
	f.updated_at = 1700000000000 + f.per100.cal;
	rc = s->ops->own_food_put(s, &f, &e);
	if (rc != RC_OK) {
		judge(o, "own food", rc, &e);
		return;
	}
	o->p->foods[n] = f.per100.cal;
	write_user(o);		/* which counts them */
}

static void add_job(struct one *o)
{
	struct store *s = o->at.store;
	struct job *j;
	struct err e = { RC_OK, "" };
	enum rc rc;

	if (o->p->njobs == WORLD_JOBS)
		return;
	j = calloc(1, sizeof(*j));
	if (!j)
		_exit(3);
	(void)str_format(j->id, sizeof(j->id), "send:%lld:%d",
	    (long long)o->p->id, o->p->njobs);
	j->user_id = o->p->id;
	j->slot = slot_of(o->p->id);
	(void)str_copy(j->kind, sizeof(j->kind), "send");
	(void)str_copy(j->payload, sizeof(j->payload), "{\"text\":\"hello\"}");
	j->run_at = j->created_at = 1700000000000;
	/* Known before it is stored: it may be carried out at once. */
	o->p->njobs++;
	rc = s->ops->job_add(s, j, 1, &e);
	if (rc != RC_OK)
		judge(o, "job", rc, &e);
	free(j);
}

/* Mostly somebody whose slot is on its way. */
static struct person *choose(struct world *w, struct router *r, int n,
    unsigned *seed)
{
	struct person *p = NULL;

	for (int i = 0; i < 40; i++) {
		p = &w->people[rand_r(seed) % (WORLD_PEOPLE / WORLD_WRITERS) *
		    WORLD_WRITERS + n];
		if (router_slot(r, slot_of(p->id)).state != SLOT_STABLE)
			return p;
	}
	return p;
}

static void write_one(struct one *o)
{
	int dice = rand_r(o->seed) % 100;

	if (dice < 15 || o->p->rev == 0)
		write_user(o);
	else if (dice < 40)
		add_meal(o);
	else if (dice < 65)
		change_meal(o);
	else if (dice < 80)
		put_food(o);
	else if (dice < 90)
		add_job(o);
	else
		look_meal(o);
}

int world_writer(struct world *w, int n)
{
	struct router *r = world_router(w, WORLD_FIRST);
	unsigned seed = (unsigned)clock_mono_us() + (unsigned)n;
	struct err e = { RC_OK, "" };

	while (may_go(w, n)) {
		struct one o = { .w = w, .seed = &seed,
			.p = choose(w, r, n, &seed) };

		if (router_enter(r, o.p->id, &o.at, &e) != RC_OK) {
			atomic_fetch_add(&w->failed, 1);
			fprintf(stderr, "# request failed: %s\n", e.text);
			continue;
		}
		write_one(&o);
		router_leave(&o.at);
		atomic_fetch_add(&w->writes, 1);
		pause_us(rand_r(&seed) % 1500);
	}
	atomic_store(&w->idle[n], true);
	router_free(r);
	return 0;
}

/* -- jobs -- */

struct gate {
	struct router *r;
	int shard, n;
	struct route at[4 * LEASED];
};

static bool gate_open(void *ctx, int32_t slot)
{
	struct gate *g = ctx;
	struct err e = { RC_OK, "" };

	for (int i = 0; i < g->n; i++)
		if (g->at[i].slot == slot)
			return true;
	if (g->n == 4 * LEASED ||
	    router_try(g->r, slot, &g->at[g->n], &e) != RC_OK)
		return false;
	if (g->at[g->n].shard == g->shard) {
		g->n++;
		return true;
	}
	router_leave(&g->at[g->n]);
	return false;
}

static void carry_out(struct world *w, const struct job *j)
{
	struct person *p = world_find(w, j->user_id);
	const char *tail = strrchr(j->id, ':');
	long n = tail ? strtol(tail + 1, NULL, 10) : -1;

	if (!p || n < 0 || n >= p->njobs)
		world_violation(w, "a job of nobody: %s", j->id);
	else if (atomic_fetch_add(&p->sent[n], 1) > 0)
		world_violation(w, "job %s is carried out twice", j->id);
	atomic_fetch_add(&w->leased, 1);
}

/* Where the slot is then, until it is stored. */
static void settle(struct world *w, struct router *r, struct job *j)
{
	struct route at;
	struct err e = { RC_OK, "" };
	enum rc rc = RC_BUSY;

	j->state = JOB_DONE;
	j->done_at = 1700000000001;
	for (int i = 0; i < 20 && rc != RC_OK; i++) {
		rc = router_enter(r, j->user_id, &at, &e);
		if (rc != RC_OK)
			continue;
		rc = at.store->ops->job_settle(at.store, j, 1, &e);
		router_leave(&at);
	}
	if (rc != RC_OK)
		world_violation(w, "job %s cannot be settled: %s", j->id,
		    e.text);
}

static size_t lease(struct world *w, struct router *r, int shard,
    struct job *jobs)
{
	struct gate g = { .r = r, .shard = shard };
	const struct job_gate gate = { gate_open, &g };
	int64_t now = clock_ms(&clock_system);
	struct store *s = NULL;
	struct err e = { RC_OK, "" };
	size_t n = 0;

	if (router_pin(r, shard, &s, &e) != RC_OK)
		return 0;
	if (s->ops->job_lease(s, now, now + LEASE_MS, clock_mono_us(), LEASED,
	    &gate, jobs, &n, &e) != RC_OK)
		n = 0;
	while (g.n > 0)
		router_leave(&g.at[--g.n]);
	router_unpin(r, shard);
	for (size_t i = 0; i < n; i++)
		carry_out(w, &jobs[i]);
	for (size_t i = 0; i < n; i++)
		settle(w, r, &jobs[i]);
	return n;
}

/* One that waits for its disk may still add a job after the stop. */
static bool writers_ended(struct world *w)
{
	for (int i = 0; i < WORLD_WRITERS; i++)
		if (!atomic_load(&w->idle[i]))
			return false;
	return true;
}

int world_worker(struct world *w)
{
	struct router *r = world_router(w, WORLD_FIRST);
	struct job *jobs = calloc(LEASED, sizeof(*jobs));
	int empty = 0;

	while (may_go(w, WORLD_WRITERS) || empty < 3) {
		bool last = writers_ended(w);
		size_t n = 0;

		for (int i = 0; i < router_shards(r); i++)
			if (router_shard_name(r, i)[0])
				n += lease(w, r, i, jobs);
		empty = n == 0 && last ? empty + 1 : 0;
		pause_us(2000);
	}
	free(jobs);
	router_free(r);
	return 0;
}
