/*
 * test_plan.c - which slot goes where, and what that costs.
 */
#include "config.h"

#include "reshard_place.h"

#include <stdlib.h>
#include <string.h>

static int32_t has(const struct plan_moves *m, int shard)
{
	int32_t n = 0;

	for (int32_t s = 0; s < SLOT_COUNT; s++)
		n += m->target[s] == shard;
	return n;
}

static void modulo_is_user_id_modulo_n(void **state)
{
	struct reshard_place *p = *state;
	struct plan plan = reshard_place_plan(p, 3, PLAN_MODULO);
	static struct plan_moves m;
	struct err e = { RC_OK, "" };
	int32_t moving = 0;

	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_NOTFOUND);
	assert_non_null(strstr(e.text, "shard2"));
	reshard_place_add(p, 3);
	OK(plan_moves(&plan, p->slots, &m, &e));
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		assert_int_equal(m.target[s], s % 3);
		moving += s % 3 != s % 2;
	}
	assert_int_equal(m.moving, moving);
	plan = reshard_place_plan(p, 2, PLAN_MODULO);
	OK(plan_moves(&plan, p->slots, &m, &e));
	assert_int_equal(m.moving, 0);
}

static void minimal_moves_no_more_than_it_must(void **state)
{
	struct reshard_place *p = *state;
	struct plan plan = reshard_place_plan(p, 5, PLAN_MINIMAL);
	static struct plan_moves m;
	struct slot_entry owner;
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 6);
	OK(plan_moves(&plan, p->slots, &m, &e));
	assert_int_equal(m.moving, 3 * 1008);
	for (int i = 0; i < 5; i++)
		assert_int_equal(has(&m, i), 1008);
	for (int32_t s = 0; s < 2 * 1008; s++)	/* the highest go */
		assert_int_equal(m.target[s], s % 2);
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		owner = (struct slot_entry){ .owner = m.target[s],
			.target = m.target[s] };
		OK(slots_set(p->slots, s, owner, &e));
	}
	/* one goes away: its slots move and no other; 11 is no matter here */
	memmove(plan.names[1], plan.names[2], 3 * sizeof(plan.names[0]));
	plan.nnames = 4;
	OK(plan_moves(&plan, p->slots, &m, &e));
	assert_int_equal(m.moving, 1008);
	assert_int_equal(has(&m, 1), 0);
	assert_int_equal(has(&m, 4), 1260);
}

static void uneven_numbers_give_one_more_to_the_first(void **state)
{
	struct reshard_place *p = *state;
	static struct plan_moves m;
	struct plan plan = { .nnames = 11, .placement = PLAN_MINIMAL,
		.only_slot = -1 };
	struct err e = { RC_OK, "" };
	int index;

	for (int i = 0; i < 11; i++) {
		(void)str_format(plan.names[i], sizeof(plan.names[i]),
		    "shard%d", i);
		OK(slots_shard_add(p->slots, plan.names[i], &index, &e));
	}
	OK(plan_moves(&plan, p->slots, &m, &e));
	for (int i = 0; i < 11; i++)
		assert_int_equal(has(&m, i), 458 + (i < 2));
	plan.placement = PLAN_MODULO;
	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "10"));
	assert_non_null(strstr(e.text, "12"));
}

static void what_cannot_be_is_refused(void **state)
{
	struct reshard_place *p = *state;
	struct plan plan = reshard_place_plan(p, 2, PLAN_MODULO);
	static struct plan_moves m;
	struct err e = { RC_OK, "" };

	plan.nnames = 0;
	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_INVALID);
	plan = reshard_place_plan(p, 2, PLAN_MINIMAL);
	(void)str_copy(plan.names[1], sizeof(plan.names[1]), "shard0");
	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "twice"));
	reshard_place_add(p, 3);
	OK(slots_shard_flag(p->slots, 2, SHARD_DRAINING, true, &e));
	plan = reshard_place_plan(p, 3, PLAN_MODULO);
	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_CONFLICT);
	assert_non_null(strstr(e.text, "shard2"));
}

static void one_slot_goes_alone(void **state)
{
	struct reshard_place *p = *state;
	struct plan plan = reshard_place_plan(p, 1, PLAN_MODULO);
	static struct plan_moves m;
	struct err e = { RC_OK, "" };

	plan.only_slot = 7;
	OK(plan_moves(&plan, p->slots, &m, &e));
	assert_int_equal(m.moving, 1);
	assert_int_equal(m.target[7], 0);
	assert_int_equal(m.target[9], 1);
	plan.only_slot = SLOT_COUNT;
	assert_int_equal(plan_moves(&plan, p->slots, &m, &e), RC_INVALID);
}

static void cost_counts_what_moves(void **state)
{
	struct reshard_place *p = *state;
	struct plan plan = reshard_place_plan(p, 3, PLAN_MODULO);
	struct plan_cost *cost = calloc(1, sizeof(*cost));
	static struct plan_moves m;
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 3);
	reshard_place_person(p, 2, 10);	/* slot 2: shard 0 to 2 */
	reshard_place_person(p, 3, 5);	/* slot 3: shard 1 to 0 */
	reshard_place_person(p, 6, 9);	/* slot 6 stays */
	OK(plan_moves(&plan, p->slots, &m, &e));
	OK(plan_cost(&m, p->router, 4.0, cost, &e));
	assert_int_equal(cost->slots, m.moving);
	assert_int_equal(cost->users, 2);
	assert_int_equal(cost->records, 2 + 10 + 5 + 2);
	assert_true(cost->bytes > 0);
	assert_int_equal(cost->seconds, 1);
	assert_int_equal(cost->of[0].users_out, 1);
	assert_int_equal(cost->of[0].users_in, 1);
	assert_int_equal(cost->of[2].users_in, 1);
	assert_int_equal(cost->of[2].records_in, 12);
	assert_int_equal(cost->of[2].slots_then, 1680);
	assert_int_equal(cost->of[2].slots_now, 0);
	assert_true(cost->of[2].known);
	assert_true(cost->of[2].free > 0);
	OK(plan_cost(&m, p->router, 0, cost, &e));
	assert_int_equal(cost->seconds, -1);
	free(cost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(modulo_is_user_id_modulo_n),
		IN_PLACE(minimal_moves_no_more_than_it_must),
		IN_PLACE(uneven_numbers_give_one_more_to_the_first),
		IN_PLACE(what_cannot_be_is_refused),
		IN_PLACE(one_slot_goes_alone),
		IN_PLACE(cost_counts_what_moves),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
