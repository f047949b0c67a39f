/*
 * test_later.c - a person's shard is paused: what is kept, what is said, and
 * what comes of it when bot_apply takes it from the spool.
 */
#include "config.h"

#include "bot_world.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/applier.h"
#include "spool/spool.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/timing.h"

static struct {
	struct world *w;
	struct slots *map;
	struct spool *spool;
	int inbox;		/* what the worker would be handed */
} t;

static void spool_of(int64_t max)
{
	struct spool_conf c = { .max_bytes = max };
	char path[128];

	spool_free(t.spool);
	str_format(path, sizeof(path), "%s/spool.db", t.w->dir);
	c.path = path;
	t.w->bot.spool = t.spool = spool_new(&c);
}

static int setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char path[128];
	int r = world_open(state);

	memset(&t, 0, sizeof(t));
	t.w = *state;
	str_format(path, sizeof(path), "%s/slots.map", t.w->dir);
	assert_int_equal(slots_open(path, NULL, 0, true, &t.map, NULL), RC_OK);
	spool_of(1 << 20);
	t.inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	str_format(a.sun_path, sizeof(a.sun_path), "%s/worker.sock", t.w->dir);
	assert_int_equal(bind(t.inbox, (struct sockaddr *)&a, sizeof(a)), 0);
	return r;
}

static int teardown(void **state)
{
	close(t.inbox);
	slots_free(t.map);
	spool_free(t.spool);
	t.spool = NULL;
	return world_close(state);
}

static void shard_paused(bool on)
{
	int shard = slots_get(t.map, slot_of(PERSON)).owner;

	assert_int_equal(slots_shard_flag(t.map, shard, SHARD_PAUSED, on,
	    NULL), RC_OK);
}

static int64_t kept(void)
{
	struct spool_stats st;

	assert_int_equal(spool_stats(t.spool, &st, NULL), RC_OK);
	return st.rows;
}

/* The toast of the last tap, "" none. */
static const char *toast(void)
{
	static char call[8192];
	ssize_t n;

	call[0] = '\0';
	while ((n = recv(t.inbox, call, sizeof(call) - 1, 0)) > 0)
		call[n] = '\0';
	return call[0] == 'C' ? call + 1 : "";
}

/* What the worker does; returns what came of the last. */
static enum rc apply_all(void)
{
	struct spooled row = { .seq = 0 };
	struct update_info info;
	struct timing tm;
	struct err e = { .text = "" };
	enum rc rc = RC_NOTFOUND;

	buf_init(&row.body, 1 << 20);
	while (spool_next(t.spool, slot_of(PERSON), 0, 0, &row, &e) == RC_OK) {
		timing_start(&tm);
		for (int i = 0; i < 2; i++)	/* as after a crash */
			rc = bot_apply(&t.w->bot, row.body.s, row.body.len,
			    &t.w->arena, &tm, &info, &e);
		if (rc != RC_OK)
			break;
		assert_int_equal(spool_done(t.spool, &row.seq, 1, NULL,
		    &e), RC_OK);
	}
	buf_release(&row.body);
	return rc;
}

/* How many calls wait in the outbox that hold words. */
static int outbox(const char *words)
{
	static struct job jobs[32];
	struct store *s;
	size_t n = 0;
	int found = 0;

	assert_int_equal(router_shard(t.w->bot.router,
	    slots_get(t.map, slot_of(PERSON)).owner, &s, NULL), RC_OK);
	assert_int_equal(s->ops->job_list(s, JOB_READY, 32, jobs, &n, NULL),
	    RC_OK);
	for (size_t i = 0; i < n; i++)
		found += strstr(jobs[i].payload, words) != NULL;
	return found;
}

static void a_message_is_kept_told_and_applied(void **state)
{
	struct world *w = *state;

	shard_paused(true);
	say(w, "100 г гречки");		/* delivered twice */
	sees(w, "Записал");
	assert_int_equal(kept(), 1);
	shard_paused(false);
	assert_int_equal(apply_all(), RC_OK);
	assert_int_equal(kept(), 0);
	assert_int_equal(outbox("Гречка"), 1);
	say(w, "/today");
	sees(w, "92 ккал");
}

static void the_word_is_in_the_persons_language(void **state)
{
	struct world *w = *state;
	char body[512];

	shard_paused(true);
	w->lang = "en";
	str_format(body, sizeof(body), "{\"update_id\":5,\"message\":{"
	    "\"message_id\":5,\"from\":{\"id\":%d,\"language_code\":\"en\"},"
	    "\"chat\":%s,\"date\":%d,\"text\":\"rice\"}}", PERSON,
	    private_chat, NOON);
	assert_int_equal(world_deliver_once(w, body), RC_OK);
	sees(w, "Saved");
	sees(w, "\"method\":\"sendMessage\",\"chat_id\":77");
	/* again, as that answer may be lost; another one, once a minute */
	assert_int_equal(world_deliver_once(w, body), RC_OK);
	sees(w, "Saved");
	body[strcspn(body, "5")] = '6';
	assert_int_equal(world_deliver_once(w, body), RC_OK);
	assert_string_equal(w->answer.s, "{}");
	w->now += 61;
	body[strcspn(body, "6")] = '7';
	assert_int_equal(world_deliver_once(w, body), RC_OK);
	sees(w, "Saved");
	assert_int_equal(kept(), 3);
}

static void what_the_bot_would_not_answer_is_not_kept(void **state)
{
	struct world *w = *state;

	shard_paused(true);
	world_send(w, "message", 10, group_chat, "всем привет");
	world_send(w, "message", 11, group_chat, "/today@another_bot");
	world_send(w, "message", 12, group_chat, "/nonsense");
	world_send(w, "edited_message", 13, private_chat, "/today");
	assert_int_equal(kept(), 0);
	world_send(w, "message", 14, group_chat, "/today@FamilyBot");
	world_send(w, "message", 15, group_chat, "@FamilyBot 100 г риса");
	world_send(w, "edited_message", 16, private_chat, "100 г риса");
	assert_int_equal(kept(), 3);
}

static void an_edit_is_kept_silently_and_the_last_one_holds(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	shard_paused(true);
	edit(w, "200 г гречки");
	assert_string_equal(w->answer.s, "{}");
	edit(w, "300 г гречки");
	shard_paused(false);
	assert_int_equal(apply_all(), RC_OK);
	say(w, "/today");
	sees(w, "276 ккал");
}

static void a_tap_has_its_toast_at_once_and_its_edit_later(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	shard_paused(true);
	tap(w, "2×");
	assert_string_equal(w->answer.s, "{}");
	assert_non_null(strstr(toast(), "чуть позже"));
	assert_int_equal(kept(), 1);
	shard_paused(false);
	assert_int_equal(apply_all(), RC_OK);
	assert_string_equal(toast(), "");
	assert_int_equal(outbox("editMessageText"), 1);
	say(w, "/today");
	sees(w, "184 ккал");
}

static void newer_ones_wait_behind_older_ones(void **state)
{
	struct world *w = *state;

	shard_paused(true);
	say(w, "100 г гречки");
	shard_paused(false);
	edit(w, "200 г гречки");	/* the shard is there, but … */
	assert_int_equal(kept(), 2);
	assert_int_equal(apply_all(), RC_OK);
	say(w, "/today");
	sees(w, "184 ккал");
	assert_int_equal(kept(), 0);
}

static void a_full_spool_is_told_to_telegram(void **state)
{
	struct world *w = *state;
	struct update_info info;
	struct timing tm;
	struct err e;
	static const char body[] = "{\"update_id\":5,\"message\":{"
	    "\"message_id\":5,\"from\":{\"id\":77},\"chat\":{\"id\":77,"
	    "\"type\":\"private\"},\"date\":1795435200,\"text\":\"rice\"}}";

	spool_of(10);
	shard_paused(true);
	timing_start(&tm);
	assert_int_equal(bot_handle(&w->bot, body, strlen(body), &w->arena,
	    &tm, &w->answer, &info, &e), RC_FULL);
	assert_int_equal(kept(), 0);
	w->bot.spool = NULL;
	assert_int_equal(bot_handle(&w->bot, body, strlen(body), &w->arena,
	    &tm, &w->answer, &info, &e), RC_UNAVAILABLE);
}

static void what_still_cannot_be_applied_is_not_kept_again(void **state)
{
	struct world *w = *state;

	shard_paused(true);
	say(w, "100 г гречки");
	assert_int_equal(apply_all(), RC_UNAVAILABLE);
	assert_int_equal(kept(), 1);
}

/* What the web process says to a message. */
static enum rc handle(struct world *w, int64_t id, struct err *e)
{
	struct update_info info;
	struct timing tm;
	char body[512];

	str_format(body, sizeof(body), "{\"update_id\":%lld,\"message\":{"
	    "\"message_id\":%lld,\"from\":{\"id\":77},\"chat\":{\"id\":77,"
	    "\"type\":\"private\"},\"date\":1795435200,\"text\":\"rice\"}}",
	    (long long)id, (long long)id);
	timing_start(&tm);
	return bot_handle(&w->bot, body, strlen(body), &w->arena, &tm,
	    &w->answer, &info, e);
}

/* … and may know nothing of what waits. */
static void a_spool_of_a_newer_version_loses_nothing(void **state)
{
	struct world *w = *state;
	struct spool *one = t.spool;
	struct err e = { .text = "" };
	char path[128];
	sqlite3 *db = NULL;

	shard_paused(true);
	say(w, "100 г гречки");
	t.spool = NULL;
	spool_of(1 << 20);		/* another process */
	assert_int_equal(spool_ready(t.spool, &e), RC_OK);
	str_format(path, sizeof(path), "%s/spool.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(db);
	shard_paused(false);
	assert_int_equal(handle(w, 5, &e), RC_UNAVAILABLE);
	spool_free(one);
}

static void nobody_overtakes_what_waits_though_nothing_is_kept_now(
    void **state)
{
	struct world *w = *state;
	struct err e;

	shard_paused(true);
	say(w, "100 г гречки");
	shard_paused(false);
	spool_of(0);
	assert_int_equal(handle(w, 5, &e), RC_UNAVAILABLE);
	assert_int_equal(kept(), 1);
	assert_int_equal(apply_all(), RC_OK);
	assert_int_equal(handle(w, 5, &e), RC_OK);
	shard_paused(true);
	assert_int_equal(handle(w, 6, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "is paused"));
}

/* Another host may serve them now. */
static void a_host_without_a_lease_keeps_nothing(void **state)
{
	struct world *w = *state;
	struct err e;

	shard_paused(true);
	say(w, "100 г гречки");
	slots_lease_need(t.map, true);
	assert_int_equal(handle(w, 5, &e), RC_BUSY);
	shard_paused(false);
	assert_int_equal(handle(w, 6, &e), RC_BUSY);
	assert_int_equal(kept(), 1);
	assert_int_equal(apply_all(), RC_BUSY);
	assert_int_equal(kept(), 1);
	slots_lease_until(t.map, clock_mono_us() + 60 * 1000000);
	assert_int_equal(apply_all(), RC_OK);
}

/* As the worker does, each row twice. */
static void apply_by_the_worker(struct world *w)
{
	char foods[256], socket[128];
	struct config conf = { .foods_db = foods, .worker_socket = socket,
		.default_zone = (char []){ "UTC" },
		.bot_username = (char []){ "FamilyBot" },
		.telegram_token = (char []){ "4242:x" } };
	struct spooled row = { .seq = 0 };
	struct applier *a = applier_new(&conf, w->bot.router);
	struct err e = { .text = "" };

	str_copy(foods, sizeof(foods), getenv("FOODS_DB"));
	str_format(socket, sizeof(socket), "%s/worker.sock", w->dir);
	buf_init(&row.body, 1 << 20);
	while (spool_next(t.spool, slot_of(PERSON), row.seq, 0, &row, &e) ==
	    RC_OK)
		for (int i = 0; i < 2; i++)
			if (applier_apply(a, row.body.s, row.body.len,
			    row.received_at, &e) != RC_OK)
				fail_msg("%s", e.text);
	buf_release(&row.body);
	applier_free(a);
}

/* Applied an hour later and, as after a crash, days later again. */
static void a_tap_before_midnight_is_of_that_day(void **state)
{
	struct world *w = *state;
	struct spool *s = t.spool;

	say(w, "100 г гречки");
	w->now = NOON + 11 * 3600 + 50 * 60;
	say(w, "/history");
	tap(w, "1");
	shard_paused(true);
	tap(w, "🔁");
	assert_int_equal(kept(), 1);
	shard_paused(false);
	apply_by_the_worker(w);
	apply_by_the_worker(w);
	w->bot.spool = NULL;
	say(w, "/today");
	sees(w, "184 ккал");
	w->now += 3600;
	say(w, "/today");
	sees_not(w, "92 ккал");
	w->bot.spool = s;
}

static void answers_follow_the_clock_and_are_in_order(void **state)
{
	(void)state;
	assert_int_equal(applier_rise(5000, 7000), 7000);
	assert_int_equal(applier_rise(7000, 7000), 7001);
	assert_int_equal(applier_rise(7001, 7000), 7002);
	/* set back by an hour */
	assert_int_equal(applier_rise(3607000, 7000), 7000);
	assert_int_equal(applier_rise(7000, 7000), 7001);
}

#undef CASE
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_message_is_kept_told_and_applied),
		CASE(the_word_is_in_the_persons_language),
		CASE(what_the_bot_would_not_answer_is_not_kept),
		CASE(an_edit_is_kept_silently_and_the_last_one_holds),
		CASE(a_tap_has_its_toast_at_once_and_its_edit_later),
		CASE(newer_ones_wait_behind_older_ones),
		CASE(a_full_spool_is_told_to_telegram),
		CASE(what_still_cannot_be_applied_is_not_kept_again),
		CASE(a_spool_of_a_newer_version_loses_nothing),
		CASE(nobody_overtakes_what_waits_though_nothing_is_kept_now),
		CASE(a_host_without_a_lease_keeps_nothing),
		CASE(a_tap_before_midnight_is_of_that_day),
		CASE(answers_follow_the_clock_and_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
