/*
 * test_gauges.c - what the worker does and finds in the shards is in the
 * metrics, and a shard that costs much is counted seldom.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "web/metrics.h"
#include "worker_place.h"

static const char *const routes[] = { "webhook" };

static struct metrics *with_metrics(struct worker_place *p)
{
	struct metrics *m = NULL;
	struct err e = { .text = "" };

	if (metrics_open(NULL, routes, 1, clock_ms(&clock_system), &m, &e) !=
	    RC_OK)
		fail_msg("%s", e.text);
	p->conf.metrics = m;
	return m;
}

/* The worker goes first: it writes there. */
static void without_metrics(struct worker_place *p, struct metrics *m)
{
	worker_free(p->worker);
	p->worker = NULL;
	metrics_free(m);
}

static bool page_has(struct metrics *m, const char *line)
{
	struct buf page;
	bool found;

	buf_init(&page, 1 << 20);
	metrics_print(m, clock_ms(&clock_system), &page);
	found = strstr(page.s, line) != NULL;
	if (!found)
		print_message("no %s in %s", line,
		    strstr(page.s, "# HELP familybot_worker_up"));
	buf_release(&page);
	return found;
}

static void what_it_did_is_counted(void **state)
{
	struct worker_place *p = *state;
	struct metrics *m = with_metrics(p);

	worker_place_script(p, 403, "{\"ok\":false,\"error_code\":403,"
	    "\"description\":\"Forbidden: bot was blocked by the user\"}");
	worker_place_script(p, 400, "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: message text is empty\"}");
	p->delay_ms = 30;
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	worker_place_send(p, 11, 11, "b");
	assert_true(worker_place_until(p, 11, "b", JOB_DEAD));
	worker_place_send(p, 12, 12, "c");
	assert_true(worker_place_until(p, 12, "c", JOB_DONE));
	worker_turn(p->worker, 0);
	assert_true(page_has(m, "\nfamilybot_worker_up 1\n"));
	assert_true(page_has(m, "\nfamilybot_worker_leased_total 3\n"));
	assert_true(page_has(m, "{outcome=\"done\"} 2\n"));
	assert_true(page_has(m, "{outcome=\"dead\"} 1\n"));
	assert_true(page_has(m, "{outcome=\"retry\"} 0\n"));
	assert_true(page_has(m, "{reason=\"unreachable\"} 1\n"));
	assert_true(page_has(m, "\nfamilybot_worker_jobs_held 0\n"));
	assert_true(page_has(m, "_send_duration_seconds_count 3\n"));
	assert_true(page_has(m, "seconds_bucket{le=\"0.025\"} 0\n"));
	without_metrics(p, m);
}

static void what_lies_in_the_shards_is_counted(void **state)
{
	struct worker_place *p = *state;
	struct metrics *m = with_metrics(p);
	int64_t f[METRICS_FIGURES] = { 0 }, begin = clock_ms(&clock_system);

	telegram_free(p->telegram);	/* no token: jobs stay where they are */
	p->telegram = telegram_new(p->http, "http://127.0.0.1:1", "");
	p->conf.telegram = p->telegram;
	worker_place_send(p, 10, 10, "a");	/* 10 and 13 live on shard 1 */
	worker_place_send(p, 13, 13, "a");
	worker_place_start(p);
	worker_place_turns(p, 200);
	assert_true(metrics_figures_get(m, 1, FIGURES_JOBS, f) >= begin);
	assert_int_equal(f[0], 2);
	assert_int_equal(f[1] + f[2], 0);
	assert_in_range(f[3], begin - 1000, begin + 1000);
	assert_true(metrics_figures_get(m, 0, FIGURES_JOBS, f) >= begin);
	assert_int_equal(f[0], 0);
	for (int i = 0; i < PLACE_SHARDS; i++) {
		assert_true(metrics_figures_get(m, i, FIGURES_UP, f) >= begin);
		assert_int_equal(f[0], 1);
		assert_true(metrics_figures_get(m, i, FIGURES_RECORDS, f) >=
		    begin);
		assert_true(f[3] > 0);
	}
	without_metrics(p, m);
}

static void jobs_are_counted_again_in_seconds(void **state)
{
	struct worker_place *p = *state;
	struct metrics *m = with_metrics(p);
	int64_t f[METRICS_FIGURES] = { 0 }, jobs, records;

	worker_place_start(p);
	worker_place_turns(p, 200);
	jobs = metrics_figures_get(m, 0, FIGURES_JOBS, f);
	records = metrics_figures_get(m, 0, FIGURES_RECORDS, f);
	worker_place_turns(p, 3500);
	assert_true(metrics_figures_get(m, 0, FIGURES_JOBS, f) >= jobs + 3000);
	assert_int_equal(metrics_figures_get(m, 0, FIGURES_RECORDS, f),
	    records);
	without_metrics(p, m);
}

static void a_shard_that_is_down_is_told(void **state)
{
	struct worker_place *p = *state;
	struct metrics *m = with_metrics(p);
	int64_t f[METRICS_FIGURES] = { 7 };

	worker_place_start(p);
	worker_place_turns(p, 300);
	assert_true(metrics_figures_get(m, 1, FIGURES_UP, f) > 0);
	assert_int_equal(f[0], 0);
	assert_int_equal(metrics_figures_get(m, 1, FIGURES_JOBS, f), 0);
	assert_true(metrics_figures_get(m, 2, FIGURES_UP, f) > 0);
	assert_int_equal(f[0], 1);
	without_metrics(p, m);
}

/* A shard whose counts take long, in front of a real one. */
struct slow {
	struct store_ops ops;
	const struct store_ops *real;
	int counts, job_counts;
};

static struct slow slow;

static enum rc slow_stats(struct store *s, struct store_stats *out,
    struct err *e)
{
	slow.counts++;
	usleep(400000);
	return slow.real->stats(s, out, e);
}

static enum rc slow_job_stats(struct store *s, struct store_stats *out,
    struct err *e)
{
	slow.job_counts++;
	return slow.real->job_stats(s, out, e);
}

static void counting_takes_little_of_its_time(void **state)
{
	struct worker_place *p = *state;
	struct metrics *m = with_metrics(p);
	struct err e;

	memset(&slow, 0, sizeof(slow));
	for (int i = 0; i < PLACE_SHARDS; i++) {
		struct store *s;
		assert_int_equal(router_shard(p->router, i, &s, &e), RC_OK);
		slow.real = s->ops;
		slow.ops = *s->ops;
		slow.ops.stats = slow_stats;
		slow.ops.job_stats = slow_job_stats;
		s->ops = &slow.ops;
	}
	worker_place_start(p);
	worker_place_turns(p, 4500);
	/* 0.4 s is more than 1/200 of the time there was: the others wait, and
	 * what is cheap goes on */
	assert_int_equal(slow.counts, 1);
	assert_int_equal(slow.job_counts, 2 * PLACE_SHARDS);
	without_metrics(p, m);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, worker_place_setup, worker_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_it_did_is_counted),
		T(what_lies_in_the_shards_is_counted),
		T(jobs_are_counted_again_in_seconds),
		T(counting_takes_little_of_its_time),
		cmocka_unit_test_setup_teardown(a_shard_that_is_down_is_told,
		    worker_place_setup_dead_shard, worker_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
