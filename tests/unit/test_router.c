/*
 * test_router.c - from a user to the shard that holds their records.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "router_place.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

static int64_t modulo(int64_t a, int64_t n)
{
	return (int64_t)((__int128)a - (__int128)n *
	    (a / n - (a % n != 0 && a < 0)));
}

static const int64_t ids[] = { 0, 1, 2, 3, 4, 7, 5039, 5040, 7123456789,
	INT64_MAX, -1, -2, -3, -5041, -1001234567890, INT64_MIN };

/* Which shard's file holds the user: looked up behind the router's back. */
static int found_on(struct router_place *p, int n, int64_t id)
{
	int where = -1;

	for (int i = 0; i < n; i++) {
		struct store_conf c = { .name = "look", .uri = p->shards[i].uri,
			.create = true };
		struct store *s = NULL;
		struct user u;
		struct err e;

		assert_int_equal(store_open(&c, &s, &e), RC_OK);
		if (s->ops->user_get(s, id, &u, &e) == RC_OK) {
			assert_int_equal(where, -1);
			where = i;
		}
		store_close(s);
	}
	return where;
}

static void records_lie_on_user_id_modulo_n(void **state)
{
	struct router_place *p = *state;
	struct err e;

	for (int n = 1; n <= SHARDS; n++) {
		struct router *r;

		for (int i = 0; i < n; i++)
			shard_make(p, i);
		r = router_of(p, n);
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			struct user u = { .user_id = ids[i] };
			struct route at;

			assert_int_equal(router_enter(r, ids[i], &at, &e), RC_OK);
			assert_int_equal(at.shard, modulo(ids[i], n));
			assert_int_equal(at.slot, modulo(ids[i], SLOT_COUNT));
			assert_int_equal(at.store->ops->user_put(at.store, &u, &e),
			    RC_OK);
			router_leave(&at);
		}
		router_free(r);
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			assert_int_equal(found_on(p, n, ids[i]),
			    modulo(ids[i], n));
		for (int i = 0; i < n; i++)
			shard_remove(p, i);
		assert_int_equal(unlink(p->map), 0);
	}
}

static void dead_shard_stops_only_its_users(void **state)
{
	struct router_place *p = *state;
	struct router *r;
	struct route at;
	struct store *s = NULL;
	struct err e = { 0 };
	int64_t start;

	shard_make(p, 0);
	shard_make(p, 2);	/* shard1 has no directory: it is down */
	r = router_of(p, 3);
	assert_int_equal(router_enter(r, 1, &at, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "shard1"));
	/* until the pause is over it is not even tried */
	shard_make(p, 1);
	start = clock_mono_us();
	enum rc rc = router_enter(r, 4, &at, &e);
	if (clock_mono_us() - start < 50 * 1000)
		assert_int_equal(rc, RC_UNAVAILABLE);
	else if (rc == RC_OK)
		router_leave(&at);
	assert_int_equal(router_enter(r, 3, &at, &e), RC_OK);
	router_leave(&at);
	assert_int_equal(router_enter(r, 5, &at, &e), RC_OK);
	router_leave(&at);
	/* then it is back, without a restart */
	struct timespec t = { 0, 120 * 1000000 };
	(void)nanosleep(&t, NULL);
	assert_int_equal(router_enter(r, 1, &at, &e), RC_OK);
	router_leave(&at);
	assert_int_equal(router_shard(r, 1, &s, &e), RC_OK);
	assert_int_equal(s->ops->ping(s, &e), RC_OK);
	assert_int_equal(router_shard(r, 3, &s, &e), RC_INVALID);
	assert_int_equal(router_shards(r), 3);
	assert_string_equal(router_shard_name(r, 1), "shard1");
	router_free(r);
}

static void failed_shard_is_opened_again(void **state)
{
	struct router_place *p = *state;
	struct err gone = { RC_UNAVAILABLE, "shard0: gone" };
	struct err other = { RC_CONFLICT, "no matter" }, e = { 0 };
	struct timespec t = { 0, 120 * 1000000 };
	struct router *r;
	struct route at, second;
	struct user u = { .user_id = 1 };

	shard_make(p, 0);
	r = router_of(p, 1);
	assert_int_equal(router_enter(r, 1, &at, &e), RC_OK);
	router_failed(r, 0, &other);
	assert_int_equal(router_enter(r, 2, &second, &e), RC_OK);
	router_leave(&second);
	/* who holds it may go on using it until they leave */
	router_failed(r, 0, &gone);
	assert_int_equal(at.store->ops->user_put(at.store, &u, &e), RC_OK);
	router_leave(&at);
	assert_int_equal(router_enter(r, 1, &at, &e), RC_UNAVAILABLE);
	assert_string_equal(e.text, "shard0: gone");
	(void)nanosleep(&t, NULL);
	assert_int_equal(router_enter(r, 1, &at, &e), RC_OK);
	assert_int_equal(at.store->ops->user_get(at.store, 1, &u, &e), RC_OK);
	router_leave(&at);
	router_free(r);
}

static void request_holds_its_slot_until_it_leaves(void **state)
{
	struct router_place *p = *state;
	struct slots *mover = NULL;
	struct router *r;
	struct route at, again;
	struct err e = { 0 };

	shard_make(p, 0);
	shard_make(p, 1);
	r = router_of(p, 2);
	assert_int_equal(slots_open(p->map, p->shards, 2, true, &mover, &e),
	    RC_OK);
	assert_int_equal(router_enter(r, 7, &at, &e), RC_OK);
	assert_int_equal(router_enter(r, 7, &again, &e), RC_OK);
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_BUSY);
	router_leave(&again);	/* the outer one still works */
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_BUSY);
	router_leave(&at);
	assert_null(at.store);
	router_leave(&at);	/* harmless */
	assert_int_equal(slots_lock(mover, 7, true, 0, &e), RC_OK);
	assert_int_equal(router_enter(r, 7, &at, &e), RC_BUSY);
	assert_int_equal(router_enter(r, 8, &at, &e), RC_OK);
	router_leave(&at);
	slots_free(mover);
	router_free(r);
}

static void moved_slot_is_routed_to_its_new_shard(void **state)
{
	struct router_place *p = *state;
	struct slot_entry s = { .owner = 1, .target = 0, .state = SLOT_COPYING };
	struct slots *mover = NULL;
	struct router *r;
	struct route at;
	struct err e = { 0 };

	shard_make(p, 0);
	shard_make(p, 1);
	r = router_of(p, 2);
	assert_int_equal(slots_open(p->map, p->shards, 2, true, &mover, &e),
	    RC_OK);
	assert_int_equal(slots_set(mover, 7, s, &e), RC_OK);
	assert_int_equal(router_enter(r, 7, &at, &e), RC_OK);
	assert_int_equal(at.shard, 1);
	assert_int_equal(at.state, SLOT_COPYING);
	assert_int_equal(at.generation, 0);
	assert_true(at.store->slots.moving(at.store->slots.ctx, 7));
	assert_false(at.store->slots.moving(at.store->slots.ctx, 8));
	router_leave(&at);
	s.state = SLOT_FENCING;
	assert_int_equal(slots_mover_lock(mover, &e), RC_OK);
	assert_int_equal(slots_set(mover, 7, s, &e), RC_OK);
	assert_int_equal(router_enter(r, 7, &at, &e), RC_BUSY);
	s = (struct slot_entry){ .owner = 0, .target = 0, .generation = 1 };
	assert_int_equal(slots_set(mover, 7, s, &e), RC_OK);
	assert_int_equal(router_enter(r, 7 - SLOT_COUNT, &at, &e), RC_OK);
	assert_int_equal(at.shard, 0);
	assert_int_equal(at.generation, 1);
	assert_int_equal(router_slot(r, 7).generation, 1);
	router_leave(&at);
	slots_free(mover);
	router_free(r);
}

static void wrong_numbers_of_shards_are_refused(void **state)
{
	struct router_place *p = *state;
	struct router_conf c = { .map_path = p->map, .shards = p->shards };
	struct router *r = NULL;
	struct err e = { 0 };

	assert_int_equal(router_open(&c, &r, &e), RC_INVALID);
	c.nshards = SHARDS_MAX + 1;
	assert_int_equal(router_open(&c, &r, &e), RC_INVALID);
	c.nshards = 4;
	assert_int_equal(router_open(&c, &r, &e), RC_OK);
	router_free(r);
	r = NULL;
	c.nshards = 3;		/* shard3 has slots */
	assert_int_equal(router_open(&c, &r, &e), RC_INVALID);
	assert_null(r);
	assert_non_null(strstr(e.text, "shard3 has 1260 slots"));
	c.map_path = "/nonexistent/slots.map";
	assert_int_equal(router_open(&c, &r, &e), RC_SYSTEM);
	assert_non_null(strstr(e.text, "/nonexistent/slots"));
}

static void order_of_shards_conf_is_free(void **state)
{
	struct router_place *p = *state;
	struct shard_conf swap = p->shards[0];
	struct router *r;
	struct route at;
	struct err e = { 0 };

	for (int i = 0; i < 4; i++)
		shard_make(p, i);
	router_free(router_of(p, 2));
	p->shards[0] = p->shards[3];
	p->shards[3] = swap;
	/* shard3, shard1, shard2, shard0: the new ones own nothing */
	r = router_of(p, 4);
	assert_int_equal(router_shards(r), 2);
	assert_string_equal(router_shard_conf(r, 0)->uri, swap.uri);
	assert_null(router_shard_conf(r, 2));
	for (int64_t id = 0; id < 10; id++) {
		assert_int_equal(router_enter(r, id, &at, &e), RC_OK);
		assert_int_equal(at.shard, id % 2);
		router_leave(&at);
	}
	router_free(r);
	p->shards[3] = p->shards[0];
	p->shards[0] = swap;
}

static void shard_that_leaves_gets_no_new_slots(void **state)
{
	struct router_place *p = *state;
	struct router *r;

	p->shards[1].leaving = true;
	r = router_of(p, 3);
	assert_int_equal(router_shards(r), 2);
	assert_string_equal(router_shard_name(r, 0), "shard0");
	assert_string_equal(router_shard_name(r, 1), "shard2");
	assert_int_equal(router_slot(r, 3).owner, 1);
	router_free(r);
}

/* The request's result; RC_UNAVAILABLE must come with the words. */
static enum rc asked(struct router *r, int64_t id, const char *words)
{
	struct route at;
	struct err e = { 0 };
	enum rc rc = router_enter(r, id, &at, &e);

	if (rc == RC_OK)
		router_leave(&at);
	else if (!strstr(e.text, words))
		fail_msg("'%s' is not in: %s", words, e.text);
	return rc;
}

static const char gone[] = "/s1/shard.db was here and is gone: mount its "
    "disk, or familybotctl shards restore shard1";

static void file_path(const struct router_place *p, const char *end, char *out,
    size_t size)
{
	(void)str_format(out, size, "%s/s1/%s", p->dir, end);
}

static void made_shard_is_never_made_again(void **state)
{
	struct router_place *p = *state;
	char db[600], away[600];
	struct timespec t = { 0, 250 * 1000000 };
	struct router *r;

	file_path(p, "shard.db", db, sizeof(db));
	file_path(p, "away", away, sizeof(away));
	shard_make(p, 0);
	r = router_of(p, 2);
	/* never made: what lacks is said, and it is made when it can be */
	assert_int_equal(asked(r, 1, "cannot create"), RC_UNAVAILABLE);
	shard_make(p, 1);
	(void)nanosleep(&t, NULL);
	assert_int_equal(asked(r, 1, ""), RC_OK);
	assert_int_equal(asked(r, 2, ""), RC_OK);
	router_free(r);
	assert_int_equal(rename(db, away), 0);
	r = router_of(p, 2);
	assert_int_equal(asked(r, 1, gone), RC_UNAVAILABLE);
	assert_int_equal(asked(r, 2, ""), RC_OK);
	assert_int_equal(access(db, F_OK), -1);
	/* the disk is there again: no restart is needed */
	assert_int_equal(rename(away, db), 0);
	(void)nanosleep(&t, NULL);
	assert_int_equal(asked(r, 1, ""), RC_OK);
	router_free(r);
	/* nor is it made where it is missing with its folder */
	shard_remove(p, 1);
	r = router_of(p, 2);
	assert_int_equal(asked(r, 1, gone), RC_UNAVAILABLE);
	router_free(r);
}

/* A map of an older program does not say it; a gap has no file. */
static void map_learns_what_was_made(void **state)
{
	struct router_place *p = *state;
	struct store_conf c = { .name = "shard1", .uri = p->shards[1].uri,
		.create = true };
	struct router *r;
	struct slots *m = NULL;
	struct store *s = NULL;
	struct err e;
	int at = -1;

	shard_make(p, 0);
	shard_make(p, 1);
	r = router_of(p, 2);
	assert_int_equal(slots_open(p->map, NULL, 0, true, &m, &e), RC_OK);
	assert_false(slots_shard_made(m, 1));
	assert_int_equal(store_open(&c, &s, &e), RC_OK);	/* the older */
	store_close(s);
	assert_int_equal(asked(r, 1, ""), RC_OK);
	assert_true(slots_shard_made(m, 1));
	assert_false(slots_shard_made(m, 0));
	router_free(r);
	assert_int_equal(slots_shard_add(m, "shard2", &at, &e), RC_OK);
	slots_shard_made_note(m, 2);
	assert_true(slots_shard_made(m, 2));
	assert_int_equal(slots_shard_remove(m, 2, &e), RC_OK);
	slots_shard_made_note(m, 2);
	assert_false(slots_shard_made(m, 2));
	assert_int_equal(slots_shard_add(m, "shard2", &at, &e), RC_OK);
	assert_int_equal(at, 3);
	assert_false(slots_shard_made(m, 3));
	slots_free(m);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, router_setup, \
    router_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(records_lie_on_user_id_modulo_n),
		CASE(dead_shard_stops_only_its_users),
		CASE(failed_shard_is_opened_again),
		CASE(request_holds_its_slot_until_it_leaves),
		CASE(moved_slot_is_routed_to_its_new_shard),
		CASE(wrong_numbers_of_shards_are_refused),
		CASE(order_of_shards_conf_is_free),
		CASE(shard_that_leaves_gets_no_new_slots),
		CASE(made_shard_is_never_made_again),
		CASE(map_learns_what_was_made),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
