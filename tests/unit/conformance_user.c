/*
 * conformance_user.c - people: compare-and-set, limits, erase.
 */
#include "config.h"

#include "conformance.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shards/router.h"
#include "utils/buf.h"

static void user_comes_back_as_stored(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct user u = user_of(42), got;
	struct err e;

	u.flags = USER_F_LANG_CHOSEN | USER_F_UNREACHABLE;
	u.sex = SEX_FEMALE;
	u.birth_year = 1990;
	u.height_cm = 165;
	u.weight_g = 60500;
	u.activity = ACTIVITY_LIGHT;
	u.goal = GOAL_LOSE;
	u.target_kcal = 1800;
	u.own_foods = 7;
	u.day_start_min = 240;
	u.day_start_before = 60;
	u.zone_since = 1700000001;
	(void)str_copy(u.zone_before, sizeof(u.zone_before), "Asia/Tokyo");
	(void)str_copy(u.name, sizeof(u.name), "Ёжик 🦔👩‍👩‍👧 O'Neil \"x\" $a.b\\");
	(void)str_copy(u.start_payload, sizeof(u.start_payload), "ref-1_2");
	(void)str_copy(u.dialogue, sizeof(u.dialogue), "start:sex");
	(void)str_copy(u.draft, sizeof(u.draft), "{\"a\":[1,\"б\"]}");
	OK(s->ops->user_put(s, &u, &e));
	assert_int_equal(u.rev, 1);
	OK(s->ops->user_get(s, 42, &got, &e));
	assert_same(user_columns, &u, &got);
}

static void unknown_user_is_not_found(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct user got = { .user_id = 7 };
	struct err e;

	assert_int_equal(s->ops->user_get(s, 1, &got, &e), RC_NOTFOUND);
	assert_int_equal(got.user_id, 7);
}

static void user_is_written_by_compare_and_set(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct user u = user_of(42), stale = u, none = user_of(43), got;
	struct err e;

	OK(s->ops->user_put(s, &u, &e));
	/* inserted by another first */
	stale.weight_g = 1;
	assert_int_equal(s->ops->user_put(s, &stale, &e), RC_CONFLICT);
	assert_int_equal(stale.rev, 0);
	/* changed by another first */
	stale = u;
	u.weight_g = 70000;
	OK(s->ops->user_put(s, &u, &e));
	assert_int_equal(u.rev, 2);
	assert_int_equal(s->ops->user_put(s, &stale, &e), RC_CONFLICT);
	assert_int_equal(stale.rev, 1);
	/* erased meanwhile */
	none.rev = 3;
	assert_int_equal(s->ops->user_put(s, &none, &e), RC_CONFLICT);
	OK(s->ops->user_get(s, 42, &got, &e));
	assert_same(user_columns, &u, &got);
}

enum { WRITERS = 4, ROUNDS = 15 };

static int add_gram(int i, void *ctx)
{
	struct store *s = store_place_connect(ctx);
	struct user u;
	struct err e;
	int done = 0;

	(void)i;
	if (!s)
		return 1;
	for (int tries = 0; done < ROUNDS && tries < 10000; tries++) {
		if (s->ops->user_get(s, 42, &u, &e) != RC_OK)
			return 2;
		u.weight_g++;
		enum rc rc = s->ops->user_put(s, &u, &e);
		if (rc == RC_OK)
			done++;
		else if (rc != RC_CONFLICT)
			return 3;
	}
	store_close(s);
	return done == ROUNDS ? 0 : 4;
}

static void no_write_is_lost_between_processes(void **state)
{
	struct store_place *p = *state;
	struct user u = user_of(42);
	int code[WRITERS];
	struct err e;

	OK(p->s->ops->user_put(p->s, &u, &e));
	processes_run(WRITERS, add_gram, p, code);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(code[i], 0);
	OK(p->s->ops->user_get(p->s, 42, &u, &e));
	assert_int_equal(u.weight_g, WRITERS * ROUNDS);
	assert_int_equal(u.rev, 1 + WRITERS * ROUNDS);
}

static void longest_texts_fit(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct user u = user_of(42), got;
	struct err e;

	memset(u.draft, 'd', sizeof(u.draft) - 1);
	memset(u.zone, 'z', sizeof(u.zone) - 1);
	memset(u.start_payload, 'p', sizeof(u.start_payload) - 1);
	for (int i = 0; i + 4 < USER_NAME_SIZE; i += 4)
		memcpy(u.name + i, "🥣", 5);
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->user_get(s, 42, &got, &e));
	assert_same(user_columns, &u, &got);
}

static void any_id_is_a_user(void **state)
{
	static const int64_t ids[] = { -1, 0, 1, -1001234567890, 5040, -5040,
		INT64_C(1) << 52, INT64_MAX, INT64_MIN };
	struct store *s = ((struct store_place *)*state)->s;
	struct user got;
	struct err e;

	for (size_t i = 0; i < COUNT(ids); i++) {
		struct user u = user_of(ids[i]);
		struct meal m = meal_of(ids[i], -5, -7), back;

		OK(s->ops->user_put(s, &u, &e));
		OK(s->ops->meal_add(s, &m, NULL, &e));
		OK(s->ops->user_get(s, ids[i], &got, &e));
		OK(s->ops->meal_get(s, ids[i], -5, ids[i], -7, &back, &e));
		assert_true(got.user_id == ids[i]);
		assert_int_equal(got.slot, slot_of(ids[i]));
		assert_int_equal(back.slot, slot_of(ids[i]));
	}
}

static void everything_fill(struct store *s, int64_t user_id, const char *job)
{
	struct user u = user_of(user_id);
	struct meal m = meal_of(user_id, 20000, 1);
	struct meal undone = meal_of(user_id, 20001, 2);
	struct own_food f = { .user_id = user_id, .slot = slot_of(user_id),
		.key = "борщ", .name = "Борщ" };
	struct job j = job_of(job, user_id, 1000);
	struct err e;

	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->meal_add(s, &undone, NULL, &e));
	undone.deleted = 1;
	OK(s->ops->meal_replace(s, &undone, NULL, &e));
	OK(s->ops->own_food_put(s, &f, &e));
	OK(s->ops->job_add(s, &j, 1, &e));
}

static void erase_leaves_nothing_of_one_and_all_of_others(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct user u;
	struct meal m;
	struct own_food f[2];
	struct job *j = calloc(4, sizeof(*j));
	struct store_stats st;
	struct err e;
	size_t n = 9;

	/* the same slot, so that erasing by slot would be found out */
	everything_fill(s, 42, "job-a");
	everything_fill(s, 42 + SLOT_COUNT, "job-b");
	OK(s->ops->erase(s, 42, &e));
	assert_int_equal(s->ops->user_get(s, 42, &u, &e), RC_NOTFOUND);
	for (int i = 0; i < 2; i++)
		assert_int_equal(s->ops->meal_get(s, 42, 20000 + i, 42, 1 + i,
		    &m, &e), RC_NOTFOUND);
	OK(s->ops->own_food_list(s, 42, 2, f, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->job_list(s, JOB_READY, 4, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "job-b");
	OK(s->ops->stats(s, &st, &e));
	assert_int_equal(st.users, 1);
	assert_int_equal(st.meals, 2);
	assert_int_equal(st.own_foods, 1);
	/* who comes back begins anew; erasing nothing is no error */
	OK(s->ops->erase(s, 42, &e));
	u = user_of(42);
	OK(s->ops->user_put(s, &u, &e));
	assert_int_equal(u.rev, 1);
	free(j);
}

static void what_was_acknowledged_survives_kill(void **state)
{
	struct store_place *p = *state;
	struct user u;
	struct meal m;
	struct err e;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s = store_place_connect(p);

		u = user_of(42);
		m = meal_of(42, 20000, 1);
		if (s && s->ops->user_put(s, &u, &e) == RC_OK &&
		    s->ops->meal_add(s, &m, NULL, &e) == RC_OK)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	OK(p->s->ops->user_get(p->s, 42, &u, &e));
	OK(p->s->ops->meal_get(p->s, 42, 20000, 42, 1, &m, &e));
	OK(p->s->ops->ping(p->s, &e));
}

const struct CMUnitTest conformance_user[] = {
	CASE(user_comes_back_as_stored),
	CASE(unknown_user_is_not_found),
	CASE(user_is_written_by_compare_and_set),
	CASE(no_write_is_lost_between_processes),
	CASE(longest_texts_fit),
	CASE(any_id_is_a_user),
	CASE(erase_leaves_nothing_of_one_and_all_of_others),
	CASE(what_was_acknowledged_survives_kill),
};
const size_t conformance_user_n = COUNT(conformance_user);
