/*
 * test_metrics.c - counters that several processes share: nothing is lost when
 * one dies, nothing goes backwards, and Prometheus can read it.
 *
 * A second struct metrics on the same file has its own open file description,
 * so that to the locks it is another process.
 */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "utils/err.h"
#include "web/metrics.h"

static const char *const routes[] = { "webhook", "healthz" };
static const int64_t T0 = 1790000000000;
static const int64_t HOUR = 3600000;

struct world {
	char path[256];
	struct buf out;
};

static const char *tmp(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

static int setup(void **state)
{
	static struct world w;

	str_format(w.path, sizeof(w.path), "%s/test_metrics.%ld", tmp(),
	    (long)getpid());
	unlink(w.path);
	buf_init(&w.out, 1 << 20);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	unlink(w->path);
	buf_release(&w->out);
	return 0;
}

static struct metrics *join(const struct world *w)
{
	struct metrics *m = NULL;
	struct err e = { .text = "" };

	if (metrics_open(w->path, routes, 2, T0, &m, &e) != RC_OK)
		fail_msg("%s", e.text);
	return m;
}

static const char *page(struct world *w, struct metrics *m)
{
	buf_clear(&w->out);
	metrics_print(m, T0, &w->out);
	assert_false(buf_over(&w->out));
	return w->out.s;
}

/* The value of the sample that begins with name (labels and all), or -1. */
static double value(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; (p = strstr(p, name)) != NULL; p += n)
		if ((p == text || p[-1] == '\n') && p[n] == ' ')
			return strtod(p + n, NULL);
	return -1;
}

#define WEBHOOK_200 \
	"http_requests_total{route=\"webhook\",method=\"POST\",status=\"200\"}"

static void processes_are_summed(void **state)
{
	struct world *w = *state;
	struct metrics *a = join(w), *b = join(w);

	metrics_request(a, 0, HTTP_POST, 200, 800);
	metrics_request(a, 0, HTTP_POST, 200, 1000);	/* le: up to and with */
	metrics_update(a, "message", "food", RC_OK);
	metrics_update(b, "message", "food", RC_OK);
	metrics_update(b, "message", "today", RC_OK);
	metrics_request(b, 0, HTTP_POST, 200, 90000000);
	metrics_request(b, 2, HTTP_OTHER, 418, 1);
	for (int i = 0; i < 2; i++) {	/* whoever is asked */
		const char *text = page(w, i == 0 ? a : b);
		assert_true(value(text, WEBHOOK_200) == 3);
		assert_true(value(text, "http_requests_total{route=\"other\","
		    "method=\"other\",status=\"other\"}") == 1);
		assert_true(value(text, "http_request_duration_seconds_bucket"
		    "{route=\"webhook\",le=\"0.0005\"}") == 0);
		assert_true(value(text, "http_request_duration_seconds_bucket"
		    "{route=\"webhook\",le=\"0.001\"}") == 2);
		assert_true(value(text, "http_request_duration_seconds_bucket"
		    "{route=\"webhook\",le=\"10\"}") == 2);
		assert_true(value(text, "http_request_duration_seconds_bucket"
		    "{route=\"webhook\",le=\"+Inf\"}") == 3);
		assert_true(value(text, "http_request_duration_seconds_count"
		    "{route=\"webhook\"}") == 3);
		assert_true(fabs(value(text, "http_request_duration_seconds_sum"
		    "{route=\"webhook\"}") - 90.0018) < 1e-9);
		assert_true(value(text, "familybot_updates_total"
		    "{kind=\"message\",handler=\"food\"}") == 2);
		assert_true(value(text, "familybot_updates_total"
		    "{kind=\"message\",handler=\"today\"}") == 1);
		assert_true(value(text, "familybot_processes") == 2);
	}
	metrics_free(a);
	metrics_free(b);
}

static void a_killed_process_leaves_its_totals(void **state)
{
	struct world *w = *state;
	struct metrics *a = join(w);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct metrics *m = join(w);
		for (int i = 0; i < 5; i++)
			metrics_request(m, 0, HTTP_POST, 200, 100);
		metrics_update(m, "message", "food", RC_OK);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(value(page(w, a), WEBHOOK_200) == 5);
	assert_true(value(page(w, a), "familybot_processes") == 1);

	/* the next one takes the slot and goes on from there */
	struct metrics *b = join(w);
	metrics_request(b, 0, HTTP_POST, 200, 100);
	metrics_update(b, "message", "food", RC_OK);
	assert_true(value(page(w, a), WEBHOOK_200) == 6);
	assert_true(value(page(w, a), "familybot_updates_total"
	    "{kind=\"message\",handler=\"food\"}") == 2);
	assert_null(strstr(page(w, a), "{process=\"2\"}"));
	metrics_free(b);
	assert_true(value(page(w, a), WEBHOOK_200) == 6);
	metrics_free(a);
}

static void totals_outlive_all_processes(void **state)
{
	struct world *w = *state;
	struct metrics *m = join(w);

	metrics_request(m, 0, HTTP_POST, 200, 100);
	metrics_free(m);
	m = join(w);
	assert_true(value(page(w, m), WEBHOOK_200) == 1);
	metrics_free(m);
}

static void a_file_of_another_layout_is_replaced(void **state)
{
	struct world *w = *state;
	static const char *const others[] = { "webhook", "other", "third" };
	struct metrics *old = join(w), *m = NULL;
	struct stat before, after;

	metrics_request(old, 0, HTTP_POST, 200, 100);
	assert_int_equal(stat(w->path, &before), 0);
	assert_int_equal(metrics_open(w->path, others, 3, T0, &m, NULL),
	    RC_OK);
	assert_int_equal(stat(w->path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_true(value(page(w, m), WEBHOOK_200) == -1);
	/* the old process goes on undisturbed */
	metrics_request(old, 0, HTTP_POST, 200, 100);
	assert_true(value(page(w, old), WEBHOOK_200) == 2);
	metrics_free(old);
	metrics_free(m);
}

static void rubbish_in_the_file_is_replaced(void **state)
{
	struct world *w = *state;
	FILE *f = fopen(w->path, "w");

	assert_non_null(f);
	fputs("no metrics at all", f);
	fclose(f);
	struct metrics *m = join(w);
	assert_true(value(page(w, m), "familybot_processes") == 1);
	metrics_free(m);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct metrics *m = NULL;
	struct err e = { .text = "" };

	(void)state;
	assert_int_equal(metrics_open("/nonexistent/x.shm", routes, 2, T0, &m,
	    &e), RC_SYSTEM);
	assert_null(m);
	assert_non_null(strstr(e.text, "/nonexistent/x.shm"));
}

static void no_slot_is_given_twice(void **state)
{
	struct world *w = *state;
	static struct metrics *m[METRICS_PROCESSES_MAX];
	struct metrics *more = NULL;

	for (int i = 0; i < METRICS_PROCESSES_MAX; i++) {
		m[i] = join(w);
		metrics_request(m[i], 1, HTTP_GET, 200, 1);
	}
	assert_int_equal(metrics_open(w->path, routes, 2, T0, &more, NULL),
	    RC_FULL);
	assert_true(value(page(w, m[0]), "http_requests_total{"
	    "route=\"healthz\",method=\"GET\",status=\"200\"}") ==
	    METRICS_PROCESSES_MAX);
	assert_true(value(page(w, m[0]), "familybot_processes") ==
	    METRICS_PROCESSES_MAX);
	for (int i = 0; i < METRICS_PROCESSES_MAX; i++)
		metrics_free(m[i]);
}

static void active_users_are_those_of_a_day(void **state)
{
	struct world *w = *state;
	struct metrics *a = join(w), *b = join(w);

	assert_int_equal(metrics_active_users(a, T0), 0);
	for (int i = 0; i < 3; i++) {
		metrics_user(a, 7, T0);
		metrics_user(b, 7, T0);		/* the same person */
		metrics_user(b, -8, T0 + HOUR);
	}
	assert_int_equal(metrics_active_users(a, T0 + HOUR), 2);
	assert_int_equal(metrics_active_users(b, T0 + 23 * HOUR), 2);
	assert_int_equal(metrics_active_users(a, T0 + 24 * HOUR + HOUR / 2), 1);
	assert_int_equal(metrics_active_users(a, T0 + 26 * HOUR), 0);
	metrics_free(a);
	metrics_free(b);
}

static void many_users_are_estimated_within_two_percent(void **state)
{
	struct world *w = *state;
	struct metrics *m = join(w);
	int64_t n = 0;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 20000; i++)
			metrics_user(m, 100000000 + 3 * n++, T0);
		double off = (double)metrics_active_users(m, T0) / (double)n;
		assert_true(off > 0.98 && off < 1.02);
	}
	metrics_free(m);
}

static void stages_and_results_are_counted(void **state)
{
	struct world *w = *state;
	struct metrics *m = join(w);
	struct timing t;

	memset(&t, 0, sizeof(t));
	t.us[STAGE_SHARD] = 2000;
	metrics_stages(m, &t);
	metrics_update(m, "callback_query", "meal", RC_UNAVAILABLE);
	const char *text = page(w, m);
	assert_true(value(text, "familybot_stage_duration_seconds_bucket"
	    "{stage=\"shard\",le=\"0.001\"}") == 0);
	assert_true(value(text, "familybot_stage_duration_seconds_bucket"
	    "{stage=\"shard\",le=\"0.0025\"}") == 1);
	assert_true(value(text, "familybot_update_results_total"
	    "{result=\"unavailable\"}") == 1);
	assert_true(value(text, "familybot_updates_total"
	    "{kind=\"callback_query\",handler=\"meal\"}") == 1);
	metrics_free(m);
}

static void too_many_handlers_become_other(void **state)
{
	struct world *w = *state;
	struct metrics *m = join(w);
	static char names[400][16];

	for (int i = 0; i < 400; i++) {
		str_format(names[i], sizeof(names[i]), "h%d", i);
		metrics_update(m, "message", names[i], RC_OK);
	}
	const char *text = page(w, m);
	assert_true(value(text, "familybot_updates_total"
	    "{kind=\"message\",handler=\"h126\"}") == 1);
	assert_true(value(text, "familybot_updates_total"
	    "{kind=\"message\",handler=\"h127\"}") == -1);
	assert_true(value(text, "familybot_updates_total"
	    "{kind=\"other\",handler=\"other\"}") == 273);
	metrics_free(m);
}

static void figures_are_shared_and_carry_their_time(void **state)
{
	struct world *w = *state;
	struct metrics *a = join(w), *b = join(w);
	const int64_t in[METRICS_FIGURES] = { 1, 2, 3, -1 };
	int64_t out[METRICS_FIGURES];

	assert_int_equal(metrics_figures_get(b, 3, FIGURES_JOBS, out), 0);
	metrics_figures_put(a, 3, FIGURES_JOBS, T0, in);
	assert_int_equal(metrics_figures_get(b, 3, FIGURES_JOBS, out), T0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(metrics_figures_get(b, 3, FIGURES_RECORDS, out), 0);
	assert_int_equal(metrics_figures_get(b, 4, FIGURES_JOBS, out), 0);
	metrics_free(a);
	metrics_free(b);
}

static void the_worker_is_told_apart(void **state)
{
	struct world *w = *state;
	struct metrics *web = join(w), *worker = join(w);
	const char *text;

	assert_true(value(page(w, web), "familybot_worker_up") == 0);
	assert_true(value(page(w, web), "familybot_worker_jobs_held") == -1);
	metrics_is_worker(worker);
	metrics_event(worker, EVENT_DONE, 5);
	metrics_event(worker, EVENT_UNREACHABLE, 2);
	metrics_send(worker, 30000);
	metrics_worker_now(worker, 7, 0);
	text = page(w, web);
	assert_true(value(text, "familybot_worker_up") == 1);
	assert_true(value(text, "familybot_processes") == 1);
	assert_non_null(strstr(text,
	    "process_resident_memory_bytes{process=\"worker\"} "));
	assert_true(value(text, "familybot_worker_jobs_held") == 7);
	assert_true(value(text, "familybot_webhook_pending_updates") == 0);
	assert_true(value(text, "familybot_worker_send_duration_seconds_bucket"
	    "{le=\"0.025\"}") == 0);
	assert_true(value(text, "familybot_worker_send_duration_seconds_bucket"
	    "{le=\"0.05\"}") == 1);
	assert_true(value(text, "familybot_worker_send_duration_seconds_sum") ==
	    0.03);

	/* its totals stay, its state goes; a web process takes its slot */
	metrics_free(worker);
	worker = join(w);
	text = page(w, web);
	assert_true(value(text, "familybot_worker_up") == 0);
	assert_true(value(text, "familybot_processes") == 2);
	assert_true(value(text, "familybot_worker_jobs_held") == -1);
	assert_true(value(text,
	    "familybot_worker_jobs_total{outcome=\"done\"}") == 5);
	assert_true(value(text, "familybot_telegram_refusals_total"
	    "{reason=\"unreachable\"}") == 2);
	metrics_free(worker);
	metrics_free(web);
}

static void labels_are_escaped(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	metrics_label(&b, "a", "say \"hi\" \\ bye\n");
	metrics_label(&b, "b", "");
	assert_string_equal(b.s, "a=\"say \\\"hi\\\" \\\\ bye\\n\",b=\"\"");
	buf_release(&b);
}

static void every_row_says_what_it_is(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		assert_non_null(metric_rows[i].name);
		assert_true(strlen(metric_rows[i].help) > 10);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(metric_rows[i].name,
			    metric_rows[k].name);
	}
}

static void promtool_finds_no_fault(void **state)
{
	struct world *w = *state;
	struct metrics *m = join(w);
	FILE *promtool;

	if (system("command -v promtool >/dev/null") != 0)
		skip();
	metrics_request(m, 0, HTTP_POST, 200, 900);
	metrics_update(m, "message", "food", RC_OK);
	metrics_user(m, 7, T0);
	metrics_is_worker(m);
	metrics_worker_now(m, 1, 1);
	page(w, m);
	for (int i = METRIC_SHARD_UP; i <= METRIC_SHARD_COUNTED; i++) {
		metrics_family(&w->out, (enum metric_id)i);
		metrics_sample(&w->out, (enum metric_id)i,
		    i == METRIC_SHARD_JOBS ? "shard=\"s\",state=\"ready\"" :
		    "shard=\"s\"", 1);
	}
	promtool = popen("promtool check metrics", "w");
	assert_non_null(promtool);
	fputs(w->out.s, promtool);
	assert_int_equal(pclose(promtool), 0);
	metrics_free(m);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(processes_are_summed),
		T(a_killed_process_leaves_its_totals),
		T(totals_outlive_all_processes),
		T(a_file_of_another_layout_is_replaced),
		T(rubbish_in_the_file_is_replaced),
		T(a_folder_that_is_not_there_is_told),
		T(no_slot_is_given_twice),
		T(active_users_are_those_of_a_day),
		T(many_users_are_estimated_within_two_percent),
		T(stages_and_results_are_counted),
		T(too_many_handlers_become_other),
		T(figures_are_shared_and_carry_their_time),
		T(the_worker_is_told_apart),
		T(labels_are_escaped),
		T(every_row_says_what_it_is),
		T(promtool_finds_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
