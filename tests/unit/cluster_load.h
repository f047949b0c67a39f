/*
 * cluster_load.h - clients that go in and out of slots on both hosts, moves
 * under them, and trouble for the agents.  Included once.
 */
#ifndef FAMILYBOT_TESTS_CLUSTER_LOAD_H
#define FAMILYBOT_TESTS_CLUSTER_LOAD_H

#include "cluster_place.h"

/* Goes in and out of slots as requests do, and notes whom it meets. */
static inline void client_run(struct cluster_place *p, const struct host *h,
    unsigned seed)
{
	struct shared *sh = p->shared;
	struct slots *m = NULL;
	struct slot_entry s;
	struct err e;

	if (slots_open(h->map, NULL, 0, false, &m, &e) != RC_OK)
		_exit(1);
	while (!__atomic_load_n(&sh->stop, __ATOMIC_ACQUIRE)) {
		int32_t slot = (int32_t)(rand_r(&seed) % CHAOS_SLOTS);

		if (slots_enter(m, slot, 20, &s, &e) != RC_OK) {
			__atomic_add_fetch(&sh->away, 1, __ATOMIC_SEQ_CST);
			continue;
		}
		if (slots_lease_ok(m)) {
			__atomic_add_fetch(&sh->inside, 1, __ATOMIC_SEQ_CST);
			__atomic_add_fetch(&sh->active[slot][s.owner], 1,
			    __ATOMIC_SEQ_CST);
			for (int i = 0; i < 3; i++)
				if (i != s.owner &&
				    __atomic_load_n(&sh->active[slot][i],
				    __ATOMIC_SEQ_CST) != 0)
					__atomic_add_fetch(&sh->torn, 1,
					    __ATOMIC_SEQ_CST);
			pause_ms(1);
			__atomic_sub_fetch(&sh->active[slot][s.owner], 1,
			    __ATOMIC_SEQ_CST);
		} else {
			__atomic_add_fetch(&sh->away, 1, __ATOMIC_SEQ_CST);
		}
		slots_unlock(m, slot);
		pause_ms(1);
	}
	_exit(0);
}

static inline void clients_start(struct cluster_place *p)
{
	struct host *hosts[2] = { &p->a, &p->b };

	for (int h = 0; h < 2; h++)
		for (int i = 0; i < CLIENTS; i++) {
			hosts[h]->clients[i] = child();
			if (hosts[h]->clients[i] == 0)
				client_run(p, hosts[h],
				    (unsigned)(h * CLIENTS + i + 1));
		}
}

/* All slots of the load to the target; 1 when they went there. */
static inline int move_once(struct cluster_place *p, uint16_t target)
{
	int32_t slots[CHAOS_SLOTS];
	uint16_t targets[CHAOS_SLOTS];
	struct err e = { RC_OK, "" };
	int64_t began = 0;
	size_t n = 0;
	enum rc rc;

	for (int32_t i = 0; i < CHAOS_SLOTS; i++) {
		if (slots_get(p->a.slots, i).owner == target)
			continue;
		slots[n] = i;
		targets[n++] = target;
	}
	if (n == 0)
		return 0;
	rc = step_cluster.copying(p->steps, slots, targets, n, &e);
	if (rc == RC_OK)
		rc = step_cluster.fence(p->steps, slots, n, &began, &e);
	if (rc == RC_OK)
		rc = step_cluster.commit(p->steps, slots, n, &e);
	if (rc == RC_OK && p->nfences < FENCES_MAX)
		p->fences[p->nfences++] = step_cluster.waited(p->steps,
		    began);
	if (rc == RC_OK && (p->b.pid == 0 || !slots_lease_ok(p->b.slots)))
		p->troubled++;
	return rc == RC_OK;
}

/* Host b: silent for longer than its lease, then back; or killed and back. */
static inline void trouble(struct cluster_place *p, int turn)
{
	static const int steps = 16;

	switch (turn % steps) {
	case 2:
		if (p->b.pid > 0)
			kill(p->b.pid, SIGSTOP);
		break;
	case 7:
		if (p->b.pid > 0)
			kill(p->b.pid, SIGCONT);
		break;
	case 9:
		host_kill(&p->b);
		break;
	case 10 ... 13:
		if (p->b.pid == 0 && turn % 3 == 0)
			host_start(p, &p->b);
		break;
	case 15:
		if (p->b.pid == 0)
			host_start(p, &p->b);
		kill(p->a.pid, SIGSTOP);	/* the mover's own, shortly */
		pause_ms(30);
		kill(p->a.pid, SIGCONT);
		break;
	default:
		break;
	}
}

static inline void trouble_end(struct cluster_place *p)
{
	if (p->b.pid == 0)
		host_start(p, &p->b);
	kill(p->b.pid, SIGCONT);
}

static inline int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static inline int64_t fence_at(struct cluster_place *p, double q)
{
	if (p->nfences == 0)
		return 0;
	qsort(p->fences, (size_t)p->nfences, sizeof(p->fences[0]), by_value);
	return p->fences[(int)((p->nfences - 1) * q)];
}

#endif
