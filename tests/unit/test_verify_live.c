/*
 * test_verify_live.c - under load verify finds nothing.
 */
#include "config.h"

#include "verify_place.h"

#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"
#include "utils/clock.h"

/* What each process's own people do: write, teach, erase themselves and come back; the
 * slots' locks are taken as the programs take them. */
static void live(struct router *r, int64_t id, int32_t day, uint32_t *seed)
{
	struct route route;
	struct err e = { 0 };
	struct meal m = meal_of(id, day, rand_r(seed));
	struct own_food f = { .user_id = id, .slot = slot_of(id) };
	struct user u;
	const struct store_ops *ops;

	OK(router_enter(r, id, &route, &e));
	ops = route.store->ops;
	OK(ops->meal_add(route.store, &m, NULL, &e));
	if (rand_r(seed) % 8 == 0) {
		OK(ops->erase(route.store, id, &e));
		person_put(route.store, id);
	}
	if (rand_r(seed) % 4 == 0) {
		(void)str_format(f.key, sizeof(f.key), "k%d", rand_r(seed));
		(void)str_copy(f.name, sizeof(f.name), "x");
		OK(ops->own_food_put(route.store, &f, &e));
		OK(ops->user_get(route.store, id, &u, &e));
		u.own_foods++;
		OK(ops->user_put(route.store, &u, &e));
	}
	router_leave(&route);
}

static int load(int i, void *ctx)
{
	struct world *w = ctx;
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 5000 };
	uint32_t seed = (uint32_t)i + 1;
	int64_t end = clock_mono_us() + 3000 * 1000;
	struct router *r = NULL;
	struct err e = { 0 };
	int32_t day = 20100;

	if (router_open(&c, &r, &e) != RC_OK)
		return 1;
	while (clock_mono_us() < end)
		live(r, i + 3 * (rand_r(&seed) % (PEOPLE / 3)), day++, &seed);
	router_free(r);
	return 0;
}

static int verify_beside(int i, void *ctx)
{
	struct world *w = ctx, own = *w;
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 500 };
	int64_t end = clock_mono_us() + 2800 * 1000;
	struct heard h;
	struct err e = { 0 };
	int n = 0;

	if (i > 0)
		return load(i, ctx);
	if (router_open(&c, &own.router, &e) != RC_OK ||
	    slots_open(w->map, NULL, 0, true, &own.slots, &e) != RC_OK)
		return 1;
	while (clock_mono_us() < end) {
		h = world_verify(&own, n % 2 == 0, false);
		if (h.lines > 0)
			print_error("%s: %s\n", verify_kind_name(h.last.kind),
			    h.words);
		if (h.lines > 0)
			return 2;
		n++;
	}
	router_free(own.router);
	slots_free(own.slots);
	return n >= 2 ? 0 : 3;
}

static void under_load_nothing_is_found(void **state)
{
	struct world *w = *state;
	int code[4];
	struct heard h;

	people_put(w);
	/* children open their own */
	router_free(w->router);
	w->router = NULL;
	processes_run(4, verify_beside, w, code);
	for (int i = 0; i < 4; i++)
		assert_int_equal(code[i], 0);
	struct router_conf c = { .map_path = w->map, .shards = w->shards,
		.nshards = SHARDS, .sync = STORE_SYNC_NORMAL,
		.fence_wait_ms = 500 };
	struct err e = { 0 };
	OK(router_open(&c, &w->router, &e));
	h = world_verify(w, true, false);
	found_nothing(&h);
	assert_true(h.r.records > PEOPLE * 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(under_load_nothing_is_found,
		    verify_setup, verify_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
