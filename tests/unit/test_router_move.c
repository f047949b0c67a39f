/*
 * test_router_move.c - routes while shards come, pause, are replaced, and while
 * this host may not serve.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "router_place.h"
#include "shards/pulse.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

static struct slots *mover_of(struct router_place *p)
{
	struct slots *m = NULL;
	struct err e = { 0 };

	if (slots_open(p->map, NULL, 0, true, &m, &e) != RC_OK)
		fail_msg("%s", e.text);
	return m;
}

static void slot_put(struct slots *m, int32_t slot, int owner,
    enum slot_state state)
{
	struct slot_entry s = { .owner = (uint16_t)owner,
		.target = (uint16_t)owner, .state = (uint8_t)state };
	struct err e;

	assert_int_equal(slots_set(m, slot, s, &e), RC_OK);
}

static void refused(struct router *r, int64_t id, enum rc want,
    const char *words)
{
	struct route at = { .shard = -7 };
	struct err e = { 0 };

	assert_int_equal(router_enter(r, id, &at, &e), want);
	assert_int_equal(at.shard, -7);
	if (!strstr(e.text, words))
		fail_msg("'%s' is not in: %s", words, e.text);
}

static void served(struct router *r, int64_t id, int shard)
{
	struct route at;
	struct err e = { 0 };

	if (router_enter(r, id, &at, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_int_equal(at.shard, shard);
	router_leave(&at);
}

/* What shards.conf is when it is read again. */
struct again {
	struct router_place *p;
	int first, n;		/* of the place's shards */
	int calls;
	bool broken;
};

static enum rc read_again(void *ctx, struct shard_conf **out, int *n,
    struct err *e)
{
	struct again *a = ctx;

	a->calls++;
	if (a->broken)
		return err_set(e, RC_INVALID, "a comma is missing");
	*out = calloc((size_t)a->n, sizeof(**out));
	memcpy(*out, a->p->shards + a->first, (size_t)a->n * sizeof(**out));
	*n = a->n;
	return RC_OK;
}

static struct router *router_rereading(struct again *a, int n)
{
	struct router_conf c = { .map_path = a->p->map, .shards = a->p->shards,
		.nshards = n, .create = true, .fence_wait_ms = 30,
		.sync = STORE_SYNC_NORMAL, .reload = read_again,
		.reload_ctx = a };
	struct router *r = NULL;
	struct err e = { 0 };

	if (router_open(&c, &r, &e) != RC_OK)
		fail_msg("%s", e.text);
	return r;
}

static void new_shard_is_found_without_a_restart(void **state)
{
	struct router_place *p = *state;
	struct again a = { .p = p, .n = 3 };
	struct router *r;
	struct slots *m;
	struct err e;
	int at = -1;

	for (int i = 0; i < 3; i++)
		shard_make(p, i);
	r = router_rereading(&a, 2);
	m = mover_of(p);
	assert_int_equal(slots_shard_add(m, "shard2", &at, &e), RC_OK);
	assert_int_equal(router_shards(r), 3);
	assert_string_equal(router_shard_name(r, 2), "shard2");
	served(r, 7, 1);
	assert_int_equal(a.calls, 0);	/* nobody needs it yet */
	slot_put(m, 7, 2, SLOT_STABLE);
	served(r, 7, 2);
	served(r, 7, 2);
	served(r, 6, 0);
	assert_int_equal(a.calls, 1);
	assert_string_equal(router_shard_conf(r, 2)->uri, p->shards[2].uri);
	slots_free(m);
	router_free(r);
}

static void mistakes_in_shards_conf_cost_the_new_shard_alone(void **state)
{
	struct router_place *p = *state;
	struct again a = { .p = p, .n = 4, .broken = true };
	struct timespec t = { 1, 50 * 1000000 };
	struct router *r;
	struct slots *m;
	struct err e;
	int at = -1;

	for (int i = 0; i < 4; i++)
		shard_make(p, i);
	r = router_rereading(&a, 2);
	m = mover_of(p);
	assert_int_equal(slots_shard_add(m, "shard2", &at, &e), RC_OK);
	slot_put(m, 7, 2, SLOT_STABLE);
	refused(r, 7, RC_UNAVAILABLE, "a comma is missing");
	refused(r, 7, RC_UNAVAILABLE, "shard2");
	assert_int_equal(a.calls, 1);	/* not for every request */
	served(r, 5, 1);
	a.broken = false;
	a.first = 1;		/* shard0, which has slots, is gone */
	a.n = 3;
	assert_int_equal(slots_shard_add(m, "shard3", &at, &e), RC_OK);
	refused(r, 7, RC_UNAVAILABLE, "shard0 has");
	assert_int_equal(a.calls, 2);	/* at once, as the map is another */
	served(r, 6, 0);
	a.first = 0;
	(void)nanosleep(&t, NULL);
	served(r, 7, 2);
	assert_int_equal(a.calls, 3);
	slots_free(m);
	router_free(r);
}

static void paused_shard_serves_nobody(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct slots *m;
	struct store *s = NULL;
	struct err e;

	shard_make(p, 0);
	shard_make(p, 1);
	r = router_of(p, 2);
	m = mover_of(p);
	served(r, 7, 1);
	assert_int_equal(slots_shard_flag(m, 1, SHARD_PAUSED, true, &e), RC_OK);
	refused(r, 7, RC_UNAVAILABLE, "shard shard1 is paused");
	assert_int_equal(slots_lock(m, 7, true, 0, &e), RC_OK);
	slots_unlock(m, 7);
	served(r, 6, 0);
	assert_int_equal(router_shard(r, 1, &s, &e), RC_OK);	/* to look at */
	assert_int_equal(slots_shard_flag(m, 1, SHARD_PAUSED, false, &e),
	    RC_OK);
	served(r, 7, 1);
	slots_free(m);
	router_free(r);
}

static void user_put(struct router *r, int64_t id)
{
	struct user u = { .user_id = id };
	struct route at;
	struct err e = { 0 };

	assert_int_equal(router_enter(r, id, &at, &e), RC_OK);
	if (at.store->ops->user_put(at.store, &u, &e) != RC_OK)
		fail_msg("%s", e.text);
	router_leave(&at);
}

static enum rc user_look(struct router *r, int64_t id)
{
	struct user u;
	struct route at;
	struct err e = { 0 };
	enum rc rc;

	assert_int_equal(router_enter(r, id, &at, &e), RC_OK);
	rc = at.store->ops->user_get(at.store, id, &u, &e);
	router_leave(&at);
	return rc;
}

/* shard1's file becomes another, empty one. */
static void replace(struct router_place *p, struct slots *m)
{
	const struct store_conf c = { .name = "shard1",
		.uri = p->shards[1].uri, .create = true };
	struct store *s = NULL;
	struct err e;

	assert_int_equal(slots_shard_flag(m, 1, SHARD_PAUSED, true, &e), RC_OK);
	assert_int_equal(slots_barrier(m, 1, 0, &e), RC_OK);
	shard_remove(p, 1);
	shard_make(p, 1);
	assert_int_equal(store_open(&c, &s, &e), RC_OK);
	store_close(s);
	assert_int_equal(slots_shard_replaced(m, 1, &e), RC_OK);
	assert_int_equal(slots_shard_flag(m, 1, SHARD_PAUSED, false, &e),
	    RC_OK);
}

static void replaced_shard_is_opened_again(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct slots *m;
	struct store *s = NULL;
	struct user u;
	struct route at;
	struct err e = { 0 };

	shard_make(p, 0);
	shard_make(p, 1);
	r = router_of(p, 2);
	m = mover_of(p);
	user_put(r, 7);
	user_put(r, 6);
	assert_int_equal(user_look(r, 7), RC_OK);
	replace(p, m);
	assert_int_equal(user_look(r, 7), RC_NOTFOUND);
	assert_int_equal(user_look(r, 6), RC_OK);
	user_put(r, 7);
	/* who has it pinned keeps what they have, and nobody else gets that */
	assert_int_equal(router_pin(r, 1, &s, &e), RC_OK);
	replace(p, m);
	refused(r, 7, RC_UNAVAILABLE, "replaced");
	assert_int_equal(s->ops->user_get(s, 7, &u, &e), RC_OK);
	router_unpin(r, 1);
	assert_int_equal(router_try(r, 7, &at, &e), RC_OK);
	router_leave(&at);
	assert_int_equal(user_look(r, 7), RC_NOTFOUND);
	slots_free(m);
	router_free(r);
}

static void host_without_a_lease_serves_nobody(void **state)
{
	struct router_place *p = *state;
	struct router_conf c = { .map_path = p->map, .shards = p->shards,
		.nshards = 1, .create = true, .leased = true };
	struct router *r = NULL;
	struct slots *agent;
	struct err e;

	shard_make(p, 0);
	assert_int_equal(router_open(&c, &r, &e), RC_OK);
	agent = mover_of(p);
	refused(r, 7, RC_BUSY, "may not serve");
	slots_lease_until(agent, clock_mono_us() + 60 * 1000000);
	served(r, 7, 0);
	slots_lease_until(agent, clock_mono_us() - 1);
	refused(r, 7, RC_BUSY, "may not serve");
	slots_free(agent);
	router_free(r);
}

static void tries_do_not_wait(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct slots *m;
	struct route at;
	struct err e = { 0 };

	shard_make(p, 0);
	r = router_of(p, 1);
	m = mover_of(p);
	assert_int_equal(router_try(r, -1, &at, &e), RC_INVALID);
	assert_int_equal(router_try(r, SLOT_COUNT, &at, &e), RC_INVALID);
	assert_int_equal(router_try(r, 5039, &at, &e), RC_OK);
	assert_int_equal(at.slot, 5039);
	assert_int_equal(slots_lock(m, 5039, true, 0, &e), RC_BUSY);
	router_leave(&at);
	slot_put(m, 7, 0, SLOT_COPYING);
	assert_int_equal(router_try(r, 7, &at, &e), RC_OK);
	assert_int_equal(at.state, SLOT_COPYING);
	router_leave(&at);
	assert_int_equal(slots_mover_lock(m, &e), RC_OK);
	slot_put(m, 7, 0, SLOT_FENCING);
	assert_int_equal(router_try(r, 7, &at, &e), RC_BUSY);
	slots_free(m);
	router_free(r);
}

static void mover_fences_and_dies(struct router_place *p)
{
	struct slots *m = mover_of(p);
	struct err e;

	if (slots_mover_lock(m, &e) == RC_OK &&
	    slots_lock(m, 7, true, 0, &e) == RC_OK) {
		slot_put(m, 7, 0, SLOT_FENCING);
		(void)raise(SIGKILL);
	}
	_exit(1);
}

static void dead_mover_stops_nobody(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct route at;
	struct err e = { 0 };
	int status = 0;
	pid_t pid;

	shard_make(p, 0);
	r = router_of(p, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		mover_fences_and_dies(p);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(router_enter(r, 7, &at, &e), RC_OK);
	assert_int_equal(at.state, SLOT_FENCING);
	/* whoever moves it next finds what is written now */
	assert_true(at.store->slots.moving(at.store->slots.ctx, 7));
	router_leave(&at);
	router_free(r);
}

static void gaps_are_no_shards(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct slots *m;
	struct store *s = NULL;
	struct err e = { 0 };
	int at = -1;

	shard_make(p, 0);
	r = router_of(p, 1);
	m = mover_of(p);
	assert_int_equal(slots_shard_add(m, "gone", &at, &e), RC_OK);
	assert_int_equal(router_shard(r, 1, &s, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "not in shards.conf"));
	assert_false(router_shard_there(r, 1));
	slot_put(m, 7, 1, SLOT_STABLE);
	assert_true(router_shard_there(r, 1));
	slot_put(m, 7, 0, SLOT_STABLE);
	assert_int_equal(slots_shard_remove(m, 1, &e), RC_OK);
	assert_int_equal(router_shards(r), 2);
	assert_true(router_shard_there(r, 0));
	assert_false(router_shard_there(r, 1));
	assert_false(router_shard_there(r, 2));
	assert_int_equal(router_shard(r, 1, &s, &e), RC_NOTFOUND);
	assert_null(router_shard_conf(r, 1));
	assert_null(s);
	slots_free(m);
	router_free(r);
	/* and who starts now does not mind them */
	r = router_of(p, 1);
	served(r, 7, 0);
	router_free(r);
}

/* Who is inside by the breaker asks the shard itself, not the pause after its
 * last failure: else a try would be lost, and told as the shard's failure. */
static void who_is_inside_waits_for_no_pause(void **state)
{
	struct router_place *p = *state;
	struct router_conf c = { .map_path = p->map, .shards = p->shards,
		.nshards = 2, .create = true };
	struct router *r = NULL;
	struct store *s = NULL;
	struct err e = { 0 };

	shard_make(p, 0);
	assert_int_equal(pulse_open(NULL, true, &c.pulse, &e), RC_OK);
	assert_int_equal(router_open(&c, &r, &e), RC_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(router_pin(r, 1, &s, &e), RC_UNAVAILABLE);
	shard_make(p, 1);
	assert_int_equal(router_pin(r, 1, &s, &e), RC_UNAVAILABLE);
	assert_int_equal(pulse_enter(c.pulse, 1, false, 0, &e), RC_OK);
	assert_int_equal(router_pin(r, 1, &s, &e), RC_OK);
	router_unpin(r, 1);
	pulse_leave(c.pulse, 1, RC_OK);
	router_free(r);
	pulse_free(c.pulse);
}

static void pulse_hears_what_came_of_it(void **state)
{
	struct router_place *p = *state;
	struct router_conf c = { .map_path = p->map, .shards = p->shards,
		.nshards = 2, .create = true };
	struct err gone = { RC_UNAVAILABLE, "shard1: gone" }, e = { 0 };
	struct pulse_shard seen = { 0 };
	struct router *r = NULL;
	struct route at, again;

	shard_make(p, 0);
	shard_make(p, 1);
	assert_int_equal(pulse_open(NULL, false, &c.pulse, &e), RC_OK);
	assert_int_equal(router_open(&c, &r, &e), RC_OK);
	assert_int_equal(router_enter(r, 7, &at, &e), RC_OK);
	assert_int_equal(router_enter(r, 9, &again, &e), RC_OK);
	router_leave(&again);
	router_leave(&at);
	pulse_read(c.pulse, 1, &seen);
	assert_int_equal(seen.requests, 1);	/* inside once */
	assert_int_equal(seen.failed, 0);
	for (int i = 0; i < 20; i++)
		if (router_enter(r, 7, &at, &e) == RC_OK) {
			router_failed(r, 1, &gone);
			router_leave(&at);
		}
	pulse_read(c.pulse, 1, &seen);
	assert_true(seen.failed > 0);
	assert_int_equal(seen.state, PULSE_OPEN);
	served(r, 6, 0);
	pulse_read(c.pulse, 0, &seen);
	assert_int_equal(seen.failed, 0);
	router_free(r);
	pulse_free(c.pulse);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, router_setup, \
    router_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_shard_is_found_without_a_restart),
		CASE(mistakes_in_shards_conf_cost_the_new_shard_alone),
		CASE(paused_shard_serves_nobody),
		CASE(replaced_shard_is_opened_again),
		CASE(host_without_a_lease_serves_nobody),
		CASE(tries_do_not_wait),
		CASE(dead_mover_stops_nobody),
		CASE(gaps_are_no_shards),
		CASE(who_is_inside_waits_for_no_pause),
		CASE(pulse_hears_what_came_of_it),
	};

	return cmocka_run_group_tests_name("router_move", tests, NULL, NULL);
}
