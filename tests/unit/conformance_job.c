/*
 * conformance_job.c - durable work: added once, leased to one, never lost.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shards/router.h"
#include "utils/buf.h"

enum { MANY = 60 };

static void job_comes_back_as_stored(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(2, sizeof(*j)), *got = &j[1];
	struct err e;
	size_t n = 0;

	*j = job_of("x", -77, 1000);
	memset(j->id, 'i', sizeof(j->id) - 1);
	memset(j->kind, 'k', sizeof(j->kind) - 1);
	memset(j->payload, 'p', sizeof(j->payload) - 1);
	memset(j->last_error, 'e', sizeof(j->last_error) - 1);
	OK(s->ops->job_add(s, j, 1, &e));
	OK(s->ops->job_list(s, JOB_READY, 1, got, &n, &e));
	assert_int_equal(n, 1);
	assert_same(job_columns, j, got);
	OK(s->ops->job_lease(s, 1000, 2000, 99, 1, NULL, got, &n, &e));
	assert_int_equal(n, 1);
	j->state = JOB_LEASED;
	j->lease_token = 99;
	j->lease_until = 2000;
	assert_same(job_columns, j, got);
	free(j);
}

static void job_is_added_once_whatever_became_of_it(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(3, sizeof(*j)), *got = &j[2];
	struct err e;
	size_t n = 0;

	j[0] = job_of("a", 1, 1000);
	j[1] = job_of("b", 2, 1001);
	OK(s->ops->job_add(s, j, 2, &e));
	OK(s->ops->job_lease(s, 1000, 2000, 7, 1, NULL, got, &n, &e));
	assert_string_equal(got->id, "a");
	got->state = JOB_DONE;
	got->done_at = 1500;
	OK(s->ops->job_settle(s, got, 1, &e));
	/* a replay of the update adds both again */
	OK(s->ops->job_add(s, j, 2, &e));
	OK(s->ops->job_lease(s, 5000, 6000, 8, 1, NULL, got, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(got->id, "b");
	OK(s->ops->job_lease(s, 5000, 6000, 9, 1, NULL, got, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->job_list(s, JOB_DONE, 1, got, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(got->payload, "");
	free(j);
}

static void jobs_are_leased_oldest_first_when_due(void **state)
{
	static const int64_t at[] = { 3000, 1000, 2000, 9000 };
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(4, sizeof(*j));
	struct err e;
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		char id[8];

		(void)str_format(id, sizeof(id), "j%d", i);
		j[i] = job_of(id, 1, at[i]);
	}
	OK(s->ops->job_add(s, j, 4, &e));
	OK(s->ops->job_lease(s, 999, 10000, 7, 4, NULL, j, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->job_lease(s, 3000, 10000, 7, 2, NULL, j, &n, &e));
	assert_int_equal(n, 2);
	assert_string_equal(j[0].id, "j1");
	assert_string_equal(j[1].id, "j2");
	OK(s->ops->job_lease(s, 3000, 10000, 8, 4, NULL, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "j0");
	OK(s->ops->job_lease(s, 3000, 10000, 9, 4, NULL, j, &n, &e));
	assert_int_equal(n, 0);
	free(j);
}

/* Whose answer was lost asks again with the same token, and gets what it took,
 * before what came later: else a person's answers would change places. */
static void lease_whose_answer_was_lost_is_made_again(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(4, sizeof(*j));
	struct err e;
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		char id[8];

		(void)str_format(id, sizeof(id), "j%d", i);
		j[i] = job_of(id, 1, 1000 + i);
	}
	OK(s->ops->job_add(s, j, 3, &e));
	OK(s->ops->job_lease(s, 2000, 60000, 7, 2, NULL, j, &n, &e));
	assert_int_equal(n, 2);
	OK(s->ops->job_lease(s, 3000, 61000, 7, 4, NULL, j, &n, &e));
	assert_int_equal(n, 3);
	assert_string_equal(j[0].id, "j0");
	assert_string_equal(j[2].id, "j2");
	assert_true(j[0].lease_until == 61000);
	OK(s->ops->job_lease(s, 3000, 61000, 8, 4, NULL, j, &n, &e));
	assert_int_equal(n, 0);
	free(j);
}

static void lease_that_ran_out_is_given_to_another(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(4, sizeof(*j)), *late = &j[3];
	struct err e;
	size_t n = 0;

	j[0] = job_of("old", 1, 1000);
	j[1] = job_of("new", 1, 5000);
	OK(s->ops->job_add(s, j, 2, &e));
	OK(s->ops->job_lease(s, 1000, 6000, 7, 2, NULL, late, &n, &e));
	assert_int_equal(n, 1);
	/* until its last millisecond it is the holder's */
	OK(s->ops->job_lease(s, 6000, 9000, 6, 2, NULL, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "new");
	OK(s->ops->job_lease(s, 6001, 9000, 8, 2, NULL, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "old");
	assert_true(j[0].lease_token == 8);
	/* who came late with the old token changes nothing */
	late->state = JOB_DONE;
	OK(s->ops->job_settle(s, late, 1, &e));
	OK(s->ops->job_list(s, JOB_LEASED, 3, j, &n, &e));
	assert_int_equal(n, 2);
	OK(s->ops->job_list(s, JOB_DONE, 3, j, &n, &e));
	assert_int_equal(n, 0);
	/* expired and ready ones come in one order of run_at */
	j[0] = job_of("middle", 1, 3000);
	OK(s->ops->job_add(s, j, 1, &e));
	OK(s->ops->job_lease(s, 9001, 9900, 9, 3, NULL, j, &n, &e));
	assert_int_equal(n, 3);
	assert_string_equal(j[0].id, "old");
	assert_string_equal(j[1].id, "middle");
	assert_string_equal(j[2].id, "new");
	free(j);
}

static void failed_job_comes_again_later(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(1, sizeof(*j));
	struct err e;
	size_t n = 0;

	*j = job_of("a", 1, 1000);
	OK(s->ops->job_add(s, j, 1, &e));
	OK(s->ops->job_lease(s, 1000, 2000, 7, 1, NULL, j, &n, &e));
	j->state = JOB_READY;
	j->tries = 3;
	j->run_at = 8000;
	(void)str_copy(j->last_error, sizeof(j->last_error), "429: позже");
	OK(s->ops->job_settle(s, j, 1, &e));
	OK(s->ops->job_lease(s, 7999, 9000, 7, 1, NULL, j, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->job_lease(s, 8000, 9000, 8, 1, NULL, j, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(j->tries, 3);
	assert_string_equal(j->last_error, "429: позже");
	assert_string_equal(j->payload, "{\"text\":\"привет 🥣\"}");
	free(j);
}

/* Three jobs that nobody could do; j has room for three. */
static void dead_fill(struct store *s, struct job *j)
{
	static const char *const ids[] = { "d0", "d1", "d2" };
	struct err e;
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		j[i] = job_of(ids[i], 1, 1000 + i);
	OK(s->ops->job_add(s, j, 3, &e));
	OK(s->ops->job_lease(s, 2000, 3000, 7, 3, NULL, j, &n, &e));
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++) {
		j[i].state = JOB_DEAD;
		j[i].tries = JOB_TRIES_MAX;
	}
	OK(s->ops->job_settle(s, j, 3, &e));
}

static void dead_letters_are_listed_requeued_dropped(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(3, sizeof(*j));
	struct err e;
	size_t n = 0;

	dead_fill(s, j);
	OK(s->ops->job_list(s, JOB_DEAD, 2, j, &n, &e));
	assert_int_equal(n, 2);
	assert_string_equal(j[0].id, "d2");
	assert_string_equal(j[1].id, "d1");
	assert_int_equal(j[0].tries, JOB_TRIES_MAX);
	OK(s->ops->job_lease(s, 90000, 95000, 7, 3, NULL, j, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->job_revive(s, "d1", false, 50000, &e));
	OK(s->ops->job_revive(s, "d2", true, 50000, &e));
	assert_int_equal(s->ops->job_revive(s, "d1", false, 50000, &e),
	    RC_NOTFOUND);
	assert_int_equal(s->ops->job_revive(s, "d2", true, 50000, &e),
	    RC_NOTFOUND);
	OK(s->ops->job_lease(s, 50000, 95000, 7, 3, NULL, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "d1");
	assert_int_equal(j[0].tries, 0);
	assert_string_equal(j[0].payload, "{\"text\":\"привет 🥣\"}");
	OK(s->ops->job_list(s, JOB_DEAD, 3, j, &n, &e));
	assert_int_equal(n, 1);
	free(j);
}

static void purge_takes_old_done_jobs_only(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(3, sizeof(*j));
	struct err e;
	size_t n = 0;

	dead_fill(s, j);
	for (int i = 0; i < 3; i++)
		j[i] = job_of(i == 0 ? "x" : i == 1 ? "y" : "z", 1, 1000 + i);
	OK(s->ops->job_add(s, j, 3, &e));
	OK(s->ops->job_lease(s, 2000, 3000, 7, 2, NULL, j, &n, &e));
	for (int i = 0; i < 2; i++) {
		j[i].state = JOB_DONE;
		j[i].done_at = 5000 + i;
	}
	OK(s->ops->job_settle(s, j, 2, &e));
	OK(s->ops->job_purge(s, 5001, &e));
	OK(s->ops->job_list(s, JOB_DONE, 3, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[0].id, "y");
	OK(s->ops->job_list(s, JOB_READY, 3, j, &n, &e));
	assert_int_equal(n, 1);
	OK(s->ops->job_list(s, JOB_DEAD, 3, j, &n, &e));
	assert_int_equal(n, 3);
	free(j);
}

struct race {
	struct store_place *place;
	int pipe[2];
};

static int lease_all(int i, void *ctx)
{
	struct race *r = ctx;
	struct store *s = store_place_connect(r->place);
	struct job *j = calloc(4, sizeof(*j));
	int64_t token = i + 1;
	size_t n = 4;
	struct err e;

	if (!s)
		return 1;
	for (; n > 0; token += 3) {
		if (s->ops->job_lease(s, 5000, 60000, token, 4, NULL, j, &n,
		    &e) != RC_OK)
			return 2;
		for (size_t k = 0; k < n; k++) {
			unsigned char c = (unsigned char)(j[k].run_at - 1000);

			if (write(r->pipe[1], &c, 1) != 1)
				return 3;
		}
	}
	free(j);
	store_close(s);
	return 0;
}

static void two_workers_never_get_one_job(void **state)
{
	struct race r = { .place = *state };
	struct store *s = r.place->s;
	struct job *j = calloc(MANY, sizeof(*j));
	unsigned char got[2 * MANY];
	int code[3], times[256] = { 0 };
	struct err e;

	for (int i = 0; i < MANY; i++) {
		char id[8];

		(void)str_format(id, sizeof(id), "r%d", i);
		j[i] = job_of(id, i, 1000 + i);
	}
	OK(s->ops->job_add(s, j, MANY, &e));
	assert_int_equal(pipe(r.pipe), 0);
	processes_run(3, lease_all, &r, code);
	for (int i = 0; i < 3; i++)
		assert_int_equal(code[i], 0);
	(void)close(r.pipe[1]);
	ssize_t n = read(r.pipe[0], got, sizeof(got));
	assert_int_equal(n, MANY);
	for (ssize_t i = 0; i < n; i++)
		times[got[i]]++;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(times[i], 1);
	(void)close(r.pipe[0]);
	free(j);
}

static void stats_count_what_is_there(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(3, sizeof(*j));
	struct store_stats st;
	struct err e;
	size_t n = 0;

	OK(s->ops->stats(s, &st, &e));
	assert_int_equal(st.users + st.meals + st.own_foods + st.jobs_ready +
	    st.jobs_leased + st.jobs_dead + st.oldest_ready_at, 0);
	dead_fill(s, j);
	for (int i = 0; i < 3; i++)
		j[i] = job_of(i == 0 ? "x" : i == 1 ? "y" : "z", 1, 1000 + i);
	OK(s->ops->job_add(s, j, 3, &e));
	OK(s->ops->job_lease(s, 2000, 3000, 7, 1, NULL, j, &n, &e));
	struct user u = user_of(1);
	OK(s->ops->user_put(s, &u, &e));
	struct meal m = meal_of(1, 20000, 1);
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->stats(s, &st, &e));
	assert_int_equal(st.users, 1);
	assert_int_equal(st.meals, 1);
	assert_int_equal(st.own_foods, 0);
	assert_int_equal(st.jobs_ready, 2);
	assert_int_equal(st.jobs_leased, 1);
	assert_int_equal(st.jobs_dead, 3);
	assert_int_equal(st.oldest_ready_at, 1001);
	assert_true(st.bytes == -1 || st.bytes > 0);
	memset(&st, 0, sizeof(st));
	OK(s->ops->job_stats(s, &st, &e));
	assert_int_equal(st.jobs_ready, 2);
	assert_int_equal(st.jobs_leased, 1);
	assert_int_equal(st.jobs_dead, 3);
	assert_int_equal(st.oldest_ready_at, 1001);
	assert_int_equal(st.users + st.meals + st.bytes, 0);
	free(j);
}

const struct CMUnitTest conformance_job[] = {
	CASE(job_comes_back_as_stored),
	CASE(job_is_added_once_whatever_became_of_it),
	CASE(jobs_are_leased_oldest_first_when_due),
	CASE(lease_whose_answer_was_lost_is_made_again),
	CASE(lease_that_ran_out_is_given_to_another),
	CASE(failed_job_comes_again_later),
	CASE(dead_letters_are_listed_requeued_dropped),
	CASE(purge_takes_old_done_jobs_only),
	CASE(two_workers_never_get_one_job),
	CASE(stats_count_what_is_there),
};
const size_t conformance_job_n = COUNT(conformance_job);
