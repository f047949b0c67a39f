/*
 * test_cluster.c - several hosts on one slot map: two state directories, an
 * agent process for each, the meta store in a file that both reach.
 *
 * What must hold: no two hosts serve a slot from different shards.
 */
#include "config.h"

#include "cluster_load.h"
#include "reshard/reshard.h"

enum { HELD_US = 30000 };

static int64_t since;	/* of the last fence */

static void first_host_founds_the_map_others_take_it_over(void **state)
{
	struct cluster_place *p = *state;

	host_start(p, &p->a);
	host_open(&p->a);
	assert_int_equal(access(p->b.map, F_OK), -1);
	/* b's shards.conf has another order: the map's counts. */
	p->b.order = ORDER_REVERSED;
	host_start(p, &p->b);
	host_open(&p->b);
	assert_int_equal(slots_shards(p->b.slots), 3);
	for (int32_t i = 0; i < SLOT_COUNT; i++)
		assert_int_equal(slots_get(p->b.slots, i).owner, i % 3);
	assert_string_equal(slots_shard_name(p->b.slots, 0), "s0");
	assert_true(wait_lease(&p->b, true));
}

static void a_move_reaches_all_hosts(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };
	int64_t held;

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_both(p, 7, 1, 2, SLOT_COPYING);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	assert_both(p, 7, 1, 2, SLOT_FENCING);
	assert_int_equal(enter(&p->a, 7, 0), -1);
	assert_int_equal(enter(&p->b, 7, 0), -1);
	usleep(HELD_US);
	assert_ok(step_cluster.unfence(p->steps, SLOTS, 2, &e), &e);
	held = step_cluster.waited(p->steps, since);
	assert_in_range(held, HELD_US, clock_mono_us() - since);
	assert_int_equal(enter(&p->b, 7, 0), 1);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	held = step_cluster.waited(p->steps, since);
	assert_in_range(held, 1, clock_mono_us() - since);
	assert_both(p, 7, 2, 2, SLOT_STABLE);
	assert_both(p, 8, 2, 2, SLOT_STABLE);
	assert_int_equal(slots_get(p->b.slots, 7).generation, 1);
	assert_int_equal(enter(&p->b, 7, 0), 2);
	/* said again, it is done already */
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	assert_int_equal(slots_get(p->a.slots, 7).generation, 1);
}

static void release_leaves_everything_as_it_was(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(step_cluster.release(p->steps, SLOTS, 2, &e), &e);
	assert_both(p, 7, 1, 1, SLOT_STABLE);
	assert_int_equal(slots_get(p->b.slots, 7).generation, 0);
}

static void somebody_inside_on_another_host_prevents_the_fence(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };
	struct slot_entry in;

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(slots_enter(p->b.slots, 8, 100, &in, &e), &e);
	assert_int_equal(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), RC_BUSY);
	assert_true(wait_state(&p->a, 7, SLOT_COPYING));
	assert_true(wait_state(&p->b, 8, SLOT_COPYING));
	slots_unlock(p->b.slots, 8);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	assert_both(p, 8, 2, 2, SLOT_STABLE);
}

static void copying_waits_for_who_does_not_mark_yet(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };
	struct slot_entry in;

	both_start(p);
	assert_ok(slots_enter(p->b.slots, 7, 100, &in, &e), &e);
	assert_int_equal(in.state, SLOT_STABLE);
	assert_int_equal(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e),
	    RC_BUSY);
	assert_non_null(strstr(e.text, "host b"));
	slots_unlock(p->b.slots, 7);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_both(p, 7, 1, 2, SLOT_COPYING);
}

static void names_and_pauses_travel_both_ways(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };
	int at = -1;

	both_start(p);
	assert_ok(slots_shard_add(p->b.slots, "s3", &at, &e), &e);
	assert_int_equal(at, 3);
	assert_true(wait_name(&p->a, 3, "s3"));
	assert_ok(slots_shard_flag(p->a.slots, 3, SHARD_PAUSED, true, &e), &e);
	assert_true(wait_flags(&p->b, 3, SHARD_PAUSED));
	assert_ok(slots_shard_flag(p->b.slots, 3, SHARD_PAUSED, false, &e),
	    &e);
	assert_true(wait_flags(&p->a, 3, 0));
	assert_ok(slots_shard_remove(p->a.slots, 3, &e), &e);
	assert_true(wait_name(&p->b, 3, ""));
}

static void a_host_that_cannot_reach_the_new_shard_refuses(void **state)
{
	struct cluster_place *p = *state;
	const uint16_t targets[2] = { 3, 3 };
	struct err e = { RC_OK, "" };
	int at = -1;

	p->b.ignorant = true;	/* of s3 */
	both_start(p);
	assert_ok(slots_shard_add(p->a.slots, "s3", &at, &e), &e);
	assert_int_equal(step_cluster.copying(p->steps, SLOTS, targets, 2, &e),
	    RC_INVALID);
	assert_non_null(strstr(e.text, "host b does not know s3: put it into "
	    "its shards.conf"));
	assert_ok(step_cluster.release(p->steps, SLOTS, 2, &e), &e);
	assert_true(wait_state(&p->b, 7, SLOT_STABLE));
}

static void a_silent_host_is_waited_for_until_its_lease_is_over(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };
	int64_t began;
	int broken = 0;
	enum rc rc;

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	began = clock_mono_us();
	since = 0;
	assert_int_equal(kill(p->b.pid, SIGSTOP), 0);
	rc = step_cluster.fence(p->steps, SLOTS, 2, &since, &e);
	assert_int_equal(rc, RC_BUSY);
	while (rc == RC_BUSY && clock_mono_us() - began < 5000000) {
		/* who serves on b has its lease, so nothing is committed */
		if (slots_lease_ok(p->b.slots))
			assert_int_equal(slots_get(p->a.slots, 7).owner, 1);
		broken += since != 0;
		since = 0;
		rc = step_cluster.fence(p->steps, SLOTS, 2, &since, &e);
	}
	assert_ok(rc, &e);
	assert_int_equal(broken, 1);	/* then nobody waited */
	assert_false(slots_lease_ok(p->b.slots));
	assert_true(clock_mono_us() - began >= (LEASE_MS - LEASE_MS /
	    5) * 1000);
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	assert_int_equal(slots_get(p->a.slots, 7).owner, 2);
	/* It comes back: first the map, then the lease. */
	assert_int_equal(kill(p->b.pid, SIGCONT), 0);
	assert_true(wait_lease(&p->b, true));
	assert_both(p, 7, 2, 2, SLOT_STABLE);
	assert_int_equal(enter(&p->b, 7, 0), 2);
}

static void a_fence_of_a_dead_mover_is_ended_and_cannot_commit(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	slots_mover_unlock(p->a.slots);	/* as its death does */
	assert_true(wait_state(&p->a, 7, SLOT_COPYING));
	assert_true(wait_state(&p->b, 7, SLOT_COPYING));
	assert_int_equal(enter(&p->b, 7, 500), 1);
	assert_int_equal(step_cluster.commit(p->steps, SLOTS, 2, &e),
	    RC_CONFLICT);
	assert_both(p, 7, 1, 2, SLOT_COPYING);
	/* the same from unfence: what was done inside does not count */
	assert_ok(slots_mover_lock(p->a.slots, &e), &e);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	slots_mover_unlock(p->a.slots);
	assert_true(wait_state(&p->b, 7, SLOT_COPYING));
	assert_int_equal(step_cluster.unfence(p->steps, SLOTS, 2, &e),
	    RC_CONFLICT);
}

static void a_fence_outlives_the_agent_that_took_it(void **state)
{
	struct cluster_place *p = *state;
	struct err e = { RC_OK, "" };

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	host_kill(&p->b);
	/* its lease lasts, and still nobody gets in */
	assert_true(slots_lease_ok(p->b.slots));
	assert_int_equal(enter(&p->b, 7, 50), -1);
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	assert_int_equal(enter(&p->b, 7, 0), -1);
	host_start(p, &p->b);
	assert_true(wait_state(&p->b, 7, SLOT_STABLE));
	assert_int_equal(enter(&p->b, 7, 500), 2);
	assert_int_equal(slots_get(p->b.slots, 7).generation, 1);
}

static void another_mover_takes_over_and_the_first_is_refused(void **state)
{
	struct cluster_place *p = *state;
	struct cluster_steps *second = NULL;
	struct cluster_conf c;
	struct err e = { RC_OK, "" };
	enum rc rc = RC_BUSY;

	both_start(p);
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	conf_fill(p, &p->b, &c);
	assert_ok(cluster_steps_open(&c, p->b.slots, &second, &e), &e);
	/* the mover on a lives */
	for (int i = 0; i < 3; i++)
		assert_int_equal(step_cluster.copying(second, SLOTS, TARGETS,
		    2, &e), RC_BUSY);
	assert_non_null(strstr(e.text, "mover is at work on host a"));
	slots_mover_unlock(p->a.slots);
	for (int i = 0; i < 200 && rc == RC_BUSY; i++, pause_ms(20))
		rc = step_cluster.copying(second, SLOTS, TARGETS, 2, &e);
	assert_ok(rc, &e);
	rc = step_cluster.commit(p->steps, SLOTS, 2, &e);
	assert_true(rc == RC_DENIED || rc == RC_CONFLICT);
	assert_int_equal(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e),
	    RC_DENIED);
	assert_both(p, 7, 1, 2, SLOT_COPYING);
	cluster_steps_free(second);
}

static void two_hosts_of_one_name_do_not_both_serve(void **state)
{
	struct cluster_place *p = *state;
	struct cluster_agent *agent = NULL;
	struct cluster_conf c;
	struct err e = { RC_OK, "" };

	both_start(p);
	conf_fill(p, &p->b, &c);
	c.host = "a";
	assert_int_equal(cluster_agent_open(&c, &agent, &e), RC_CONFLICT);
	assert_non_null(strstr(e.text, "another host calls itself a"));
}

static void hosts_are_told_apart(void **state)
{
	struct cluster_place *p = *state;
	struct cluster_host hosts[4];
	struct cluster_conf c;
	struct err e = { RC_OK, "" };
	int n = 0;

	both_start(p);
	host_kill(&p->b);
	conf_fill(p, &p->a, &c);
	assert_ok(cluster_hosts(&c, LEASE_MS * 2, hosts, 4, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_string_equal(hosts[0].name, "a");
	assert_true(hosts[0].live);
	assert_true(hosts[0].mover);
	assert_string_equal(hosts[1].name, "b");
	assert_false(hosts[1].live);
}

/* Moves under load, while agents stop, go on, die and come back. */
static void no_two_hosts_serve_a_slot_from_different_shards(void **state)
{
	struct cluster_place *p = *state;
	int64_t until = clock_mono_us() + CHAOS_MS * 1000;
	int moved = 0;

	both_start(p);
	clients_start(p);
	for (int turn = 0; clock_mono_us() < until; turn++) {
		moved += move_once(p, (uint16_t)(turn % 3));
		trouble(p, turn);
	}
	clients_stop(p);
	print_message("%d moves, %d of them while a host was silent or gone; "
	    "%lld times inside, %lld turned away; fence p50 %lld us, p99 %lld "
	    "us\n", moved, p->troubled, (long long)p->shared->inside,
	    (long long)p->shared->away, (long long)fence_at(p, 0.5),
	    (long long)fence_at(p, 0.99));
	assert_int_equal(p->shared->torn, 0);
	trouble_end(p);
	assert_true(moved >= 5);
	assert_true(p->shared->inside > 100);
	assert_true(wait_lease(&p->a, true) && wait_lease(&p->b, true));
	for (int32_t i = 0; i < CHAOS_SLOTS; i++)
		assert_true(wait_same(p, i));
}

/* Two hosts' journals are one. */
static void what_one_host_began_another_goes_on_with(void **state)
{
	struct cluster_place *p = *state;
	struct reshard *r = calloc(1, sizeof(*r)), *seen = calloc(1, sizeof(*r));
	struct cluster_journal *one = NULL, *two = NULL;
	struct journal a = { &journal_cluster, NULL }, b = a;
	struct err e = { RC_OK, "" };
	struct cluster_conf c;
	uint64_t stamp;

	host_start(p, &p->a);
	host_open(&p->a);
	conf_fill(p, &p->a, &c);
	cluster_journal_open(&c, &one);
	conf_fill(p, &p->b, &c);
	cluster_journal_open(&c, &two);
	a.ctx = one;
	b.ctx = two;
	assert_ok(reshard_load(&b, seen, &e), &e);
	assert_int_equal(seen->state, RESHARD_NONE);
	*r = (struct reshard){ .state = RESHARD_RUNNING, .id = 5,
		.before = { .nnames = 1, .names = { "s0" }, .only_slot = -1 },
		.plan = { .nnames = 1, .names = { "s1" }, .only_slot = -1 } };
	stamp = b.ops->stamp(b.ctx);
	assert_ok(a.ops->save(a.ctx, r, &e), &e);
	assert_int_not_equal(b.ops->stamp(b.ctx), stamp);
	/* who read before that is refused */
	seen->state = RESHARD_RUNNING;
	assert_int_equal(b.ops->save(b.ctx, seen, &e), RC_BUSY);
	assert_ok(reshard_load(&b, seen, &e), &e);
	assert_int_equal(seen->id, 5);
	seen->state = RESHARD_NONE;
	assert_ok(b.ops->save(b.ctx, seen, &e), &e);
	assert_int_equal(a.ops->save(a.ctx, r, &e), RC_BUSY);
	assert_ok(reshard_load(&a, r, &e), &e);
	assert_int_equal(r->state, RESHARD_NONE);
	assert_int_equal(r->rev, seen->rev);
	cluster_journal_free(one);
	cluster_journal_free(two);
	free(r);
	free(seen);
}

static void only_the_dead_are_forgotten(void **state)
{
	struct cluster_place *p = *state;
	struct cluster_conf c;
	struct err e = { RC_OK, "" };
	int64_t before;

	both_start(p);
	conf_fill(p, &p->a, &c);
	assert_int_equal(cluster_host_forget(&c, "b", &e), RC_CONFLICT);
	assert_int_equal(cluster_host_forget(&c, "c", &e), RC_NOTFOUND);
	host_kill(&p->b);
	assert_ok(cluster_host_forget(&c, "b", &e), &e);
	assert_false(slots_lease_ok(p->b.slots));
	/* nobody waits for it any more */
	before = clock_mono_us();
	assert_ok(step_cluster.copying(p->steps, SLOTS, TARGETS, 2, &e), &e);
	assert_true(clock_mono_us() - before < LEASE_MS * 1000);
	assert_ok(step_cluster.fence(p->steps, SLOTS, 2, &since, &e), &e);
	assert_ok(step_cluster.commit(p->steps, SLOTS, 2, &e), &e);
	host_start(p, &p->b);	/* it comes back as a new one */
	assert_true(wait_lease(&p->b, true));
	assert_int_equal(enter(&p->b, 7, 0), 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(first_host_founds_the_map_others_take_it_over),
		T(a_move_reaches_all_hosts),
		T(release_leaves_everything_as_it_was),
		T(somebody_inside_on_another_host_prevents_the_fence),
		T(copying_waits_for_who_does_not_mark_yet),
		T(names_and_pauses_travel_both_ways),
		T(a_host_that_cannot_reach_the_new_shard_refuses),
		T(a_silent_host_is_waited_for_until_its_lease_is_over),
		T(a_fence_of_a_dead_mover_is_ended_and_cannot_commit),
		T(a_fence_outlives_the_agent_that_took_it),
		T(another_mover_takes_over_and_the_first_is_refused),
		T(two_hosts_of_one_name_do_not_both_serve),
		T(hosts_are_told_apart),
		T(what_one_host_began_another_goes_on_with),
		T(only_the_dead_are_forgotten),
		T(no_two_hosts_serve_a_slot_from_different_shards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
