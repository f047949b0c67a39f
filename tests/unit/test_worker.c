/*
 * test_worker.c - jobs in real SQLite shards are sent to a real server, and
 * what comes of them is stored.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "worker_place.h"

static struct job job;	/* large: not on the stack */

#define NO(code, words, more) "{\"ok\":false,\"error_code\":" #code \
	",\"description\":\"" words "\"" more "}"

static void a_job_is_sent_and_done(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	for (int64_t user = 10; user < 16; user++)
		worker_place_send(p, user, user, "a");
	for (int64_t user = 10; user < 16; user++)
		assert_true(worker_place_until(p, user, "a", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 6);
	assert_int_equal(worker_stats(p->worker)->done, 6);
	/* the same job again changes nothing */
	worker_place_send(p, 10, 10, "a");
	worker_place_turns(p, 300);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 6);
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_string_equal(job.payload, "");
}

static void a_failure_is_tried_again_later(void **state)
{
	struct worker_place *p = *state;
	int64_t now;

	worker_place_script(p, 502, "<html>");
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_LEASED));
	assert_true(worker_place_until(p, 10, "a", JOB_READY));
	now = clock_ms(&clock_system);
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.tries, 1);
	assert_true(job.run_at > now + 500 && job.run_at < now + 2500);
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
}

static void many_jobs_do_not_wait_for_the_next_look(void **state)
{
	enum { MANY = 400 };	/* three times what it holds at once */
	struct worker_place *p = *state;
	int64_t begin;

	p->conf.per_second = 100000;
	for (int64_t user = 1; user <= MANY; user++)
		worker_place_send(p, user, user, "a");
	worker_place_start(p);
	begin = clock_mono_us();
	while (worker_stats(p->worker)->done < MANY &&
	    clock_mono_us() - begin < 10000000)
		worker_turn(p->worker, 1000);
	assert_int_equal(worker_stats(p->worker)->done, MANY);
	assert_true(clock_mono_us() - begin < 1900000);
}

static void retry_after_is_waited_for_and_is_no_try(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 429, NO(429, "Too Many Requests: retry after 2",
	    ",\"parameters\":{\"retry_after\":2}"));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.tries, 0);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
	assert_true(p->seen[p->nseen - 1].at_ms - p->seen[0].at_ms >= 2000);
	assert_int_equal(worker_stats(p->worker)->flooded, 1);
}

static void a_long_retry_after_goes_back_to_the_shard(void **state)
{
	struct worker_place *p = *state;
	int64_t begin = clock_ms(&clock_system);

	worker_place_script(p, 429, NO(429, "Too Many Requests: retry after 60",
	    ",\"parameters\":{\"retry_after\":60}"));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_LEASED));
	assert_true(worker_place_until(p, 10, "a", JOB_READY));
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.tries, 0);
	assert_true(job.run_at >= begin + 60000);
}

static void user_put(struct worker_place *p, int64_t id)
{
	static struct user u;
	struct route route;
	struct err e;

	memset(&u, 0, sizeof(u));
	u.user_id = id;
	u.flags = USER_F_LANG_CHOSEN;
	str_copy(u.zone, sizeof(u.zone), "UTC");
	str_copy(u.zone_before, sizeof(u.zone_before), "UTC");
	assert_int_equal(router_enter(p->router, id, &route, &e), RC_OK);
	assert_int_equal(route.store->ops->user_put(route.store, &u, &e),
	    RC_OK);
	router_leave(&route);
}

static int user_flags(struct worker_place *p, int64_t id)
{
	static struct user u;
	struct route route;
	struct err e;

	assert_int_equal(router_enter(p->router, id, &route, &e), RC_OK);
	assert_int_equal(route.store->ops->user_get(route.store, id, &u, &e),
	    RC_OK);
	router_leave(&route);
	return u.flags;
}

static void who_blocked_the_bot_is_marked(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 403, NO(403, "Forbidden: bot was blocked by the user",
	    ""));
	worker_place_start(p);
	user_put(p, 10);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_int_equal(user_flags(p, 10),
	    USER_F_LANG_CHOSEN | USER_F_UNREACHABLE);
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_non_null(strstr(job.last_error, "blocked"));
}

static void a_group_that_shut_us_out_marks_nobody(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 403, NO(403, "Forbidden: bot was kicked from the "
	    "group chat", ""));
	worker_place_start(p);
	user_put(p, 10);
	worker_place_send(p, 10, -500, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_int_equal(user_flags(p, 10), USER_F_LANG_CHOSEN);
}

static void refused_formatting_is_sent_plain(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 400, NO(400, "Bad Request: can't parse entities: "
	    "Unsupported start tag", ""));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "word");
	assert_true(worker_place_until(p, 10, "word", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "<b>word</b>"), 1);
	assert_int_equal(worker_place_saw(p, "\"text\":\"word\"}"), 1);
}

static void formatting_refused_twice_is_a_dead_letter(void **state)
{
	struct worker_place *p = *state;
	const char *no = NO(400, "Bad Request: can't parse entities", "");

	worker_place_script(p, 400, no);
	worker_place_script(p, 400, no);
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DEAD));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
}

static void a_migrated_group_gets_it_under_its_new_id(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 400, NO(400, "Bad Request: group chat was upgraded",
	    ",\"parameters\":{\"migrate_to_chat_id\":-100777}"));
	worker_place_start(p);
	worker_place_send(p, 10, -5, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "\"chat_id\":-5,"), 1);
	assert_int_equal(worker_place_saw(p, "\"chat_id\":-100777,"), 1);
}

static void what_cannot_succeed_is_a_dead_letter_at_once(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 400, NO(400, "Bad Request: message text is empty",
	    ""));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DEAD));
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_non_null(strstr(job.last_error, "text is empty"));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 1);
}

static void not_modified_is_success(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 400, NO(400, "Bad Request: message is not modified",
	    ""));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
}

/* Puts a job as it is, into a shard that the test names. */
static void job_put(struct worker_place *p, int shard, int64_t user, const char *kind,
    const char *payload, int tries)
{
	struct store *s;
	struct err e;

	memset(&job, 0, sizeof(job));
	str_format(job.id, sizeof(job.id), "send:%lld:put", (long long)user);
	str_copy(job.kind, sizeof(job.kind), kind);
	str_copy(job.payload, sizeof(job.payload), payload);
	job.user_id = user;
	job.slot = slot_of(user);
	job.tries = tries;
	assert_int_equal(router_shard(p->router, shard, &s, &e), RC_OK);
	assert_int_equal(s->ops->job_add(s, &job, 1, &e), RC_OK);
}

static void the_eighth_failure_is_a_dead_letter(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 500, "{}");
	worker_place_start(p);
	job_put(p, 1, 10, "send", "{\"method\":\"sendMessage\",\"chat_id\":10}",
	    JOB_TRIES_MAX - 1);
	assert_true(worker_place_until(p, 10, "put", JOB_DEAD));
	assert_true(worker_place_job(p, 10, "put", &job));
	assert_int_equal(job.tries, JOB_TRIES_MAX);
}

static void an_unknown_kind_counts_as_a_try(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	job_put(p, 1, 10, "dance", "{}", 0);
	assert_true(worker_place_until(p, 10, "put", JOB_LEASED));
	assert_true(worker_place_until(p, 10, "put", JOB_READY));
	assert_true(worker_place_job(p, 10, "put", &job));
	assert_int_equal(job.tries, 1);
}

static void a_payload_that_is_no_call_is_a_dead_letter(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	job_put(p, 1, 10, "send", "{\"chat_id\":10", 0);
	assert_true(worker_place_until(p, 10, "put", JOB_DEAD));
	assert_int_equal(p->calls, 0);
}

static void a_job_whose_slot_lives_elsewhere_is_left(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	job_put(p, 2, 10, "send", "{\"method\":\"sendMessage\",\"chat_id\":10}",
	    0);	/* user 10 lives on shard 1 */
	worker_place_turns(p, 1500);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 0);
	assert_true(worker_stats(p->worker)->left > 0);
}

static void a_dead_shard_stops_only_itself(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	worker_place_turns(p, 1200);
	worker_place_send(p, 9, 9, "a");
	worker_place_send(p, 11, 11, "a");
	assert_true(worker_place_until(p, 9, "a", JOB_DONE));
	assert_true(worker_place_until(p, 11, "a", JOB_DONE));
	assert_int_equal(worker_stats(p->worker)->shards_down, 1);
}

static void a_tap_is_answered_at_once(void **state)
{
	struct worker_place *p = *state;
	const char call[] = "{\"method\":\"answerCallbackQuery\","
	    "\"callback_query_id\":\"1\"}";
	const char broken[] = "{\"method\":";
	int64_t begin = clock_mono_us();

	worker_place_start(p);
	queue_ephemeral(p->queue, broken, strlen(broken));
	queue_ephemeral(p->queue, call, strlen(call));
	while (worker_place_saw(p, "answerCallbackQuery") == 0 &&
	    clock_mono_us() - begin < 5000000)
		worker_turn(p->worker, 20);
	assert_int_equal(worker_place_saw(p, "answerCallbackQuery"), 1);
	assert_true(clock_mono_us() - begin < 900000);
	assert_int_equal(worker_stats(p->worker)->calls, 2);
	assert_int_equal(worker_stats(p->worker)->calls_failed, 1);
}

static void a_chat_gets_one_message_a_second(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	worker_place_send(p, 10, 10, "b");
	worker_place_send(p, 10, 10, "c");
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_true(worker_place_until(p, 10, "b", JOB_DONE));
	assert_true(worker_place_until(p, 10, "c", JOB_DONE));
	assert_true(p->seen[2].at_ms - p->seen[0].at_ms >= 1950);
	assert_non_null(strstr(p->seen[0].text, "<b>a</b>"));
	assert_non_null(strstr(p->seen[2].text, "<b>c</b>"));
}

static void a_refused_token_costs_no_try(void **state)
{
	struct worker_place *p = *state;

	worker_place_script(p, 401, NO(401, "Unauthorized", ""));
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	assert_true(worker_place_until(p, 10, "a", JOB_LEASED));
	assert_true(worker_place_until(p, 10, "a", JOB_READY));
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.tries, 0);
	worker_place_send(p, 11, 11, "a");	/* not even tried */
	worker_place_turns(p, 500);
	assert_int_equal(worker_place_saw(p, "sendMessage"), 1);
}

static void without_a_token_jobs_wait(void **state)
{
	struct worker_place *p = *state;

	telegram_free(p->telegram);
	p->telegram = telegram_new(p->http, "http://127.0.0.1:1", "");
	p->conf.telegram = p->telegram;
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	queue_ephemeral(p->queue, "{\"method\":\"getMe\"}", 18);
	worker_place_turns(p, 1300);
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.state, JOB_READY);
	assert_int_equal(job.tries, 0);
}

static void there_is_one_worker_of_a_place(void **state)
{
	struct worker_place *p = *state;
	struct worker *second = NULL;
	struct err e;

	worker_place_start(p);
	assert_int_equal(worker_open(&p->conf, &second, &e), RC_BUSY);
	assert_null(second);
}

static void what_a_dead_worker_held_is_sent_by_the_next(void **state)
{
	struct worker_place *p = *state;
	struct http_conf hc = { .stop_fd = -1 };
	struct err e;
	char base[64];

	p->conf.lease_ms = 1500;
	p->delay_ms = 300;
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	while (worker_place_saw(p, "sendMessage") == 0)
		worker_turn(p->worker, 20);
	worker_free(p->worker);	/* its lease stays */
	p->worker = NULL;
	telegram_free(p->telegram);
	http_free(p->http);
	assert_int_equal(http_open(&hc, &p->http, &e), RC_OK);
	str_format(base, sizeof(base), "http://127.0.0.1:%d",
	    server_port(p->server));
	p->telegram = telegram_new(p->http, base, PLACE_TOKEN);
	p->conf.http = p->http;
	p->conf.telegram = p->telegram;
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.state, JOB_LEASED);
	worker_place_start(p);
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_int_equal(worker_place_saw(p, "sendMessage"), 2);
}

static void a_stop_lets_what_is_under_way_end(void **state)
{
	struct worker_place *p = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	p->conf.stop_fd = fds[0];
	p->delay_ms = 400;
	worker_place_start(p);
	worker_place_send(p, 10, 10, "a");
	worker_place_send(p, 10, 10, "b");	/* waits for its second */
	while (worker_place_saw(p, "sendMessage") == 0)
		worker_turn(p->worker, 20);
	assert_int_equal(write(fds[1], "x", 1), 1);
	worker_run(p->worker);
	assert_true(worker_place_job(p, 10, "a", &job));
	assert_int_equal(job.state, JOB_DONE);
	assert_true(worker_place_job(p, 10, "b", &job));
	assert_int_equal(job.state, JOB_READY);
	assert_int_equal(job.tries, 0);
	close(fds[0]);
	close(fds[1]);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, worker_place_setup, worker_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_job_is_sent_and_done),
		T(a_failure_is_tried_again_later),
		T(many_jobs_do_not_wait_for_the_next_look),
		T(retry_after_is_waited_for_and_is_no_try),
		T(a_long_retry_after_goes_back_to_the_shard),
		T(who_blocked_the_bot_is_marked),
		T(a_group_that_shut_us_out_marks_nobody),
		T(refused_formatting_is_sent_plain),
		T(formatting_refused_twice_is_a_dead_letter),
		T(a_migrated_group_gets_it_under_its_new_id),
		T(what_cannot_succeed_is_a_dead_letter_at_once),
		T(not_modified_is_success),
		T(the_eighth_failure_is_a_dead_letter),
		T(an_unknown_kind_counts_as_a_try),
		T(a_payload_that_is_no_call_is_a_dead_letter),
		T(a_job_whose_slot_lives_elsewhere_is_left),
		T(a_tap_is_answered_at_once),
		T(a_chat_gets_one_message_a_second),
		T(a_refused_token_costs_no_try),
		T(without_a_token_jobs_wait),
		T(there_is_one_worker_of_a_place),
		T(what_a_dead_worker_held_is_sent_by_the_next),
		T(a_stop_lets_what_is_under_way_end),
		cmocka_unit_test_setup_teardown(a_dead_shard_stops_only_itself,
		    worker_place_setup_dead_shard, worker_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
