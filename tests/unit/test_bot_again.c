/*
 * test_bot_again.c - what comes again, late, at an odd hour or from somebody
 * else must neither change, nor lose, nor show what is not theirs.
 */
#include "config.h"

#include "bot_world.h"

#include <inttypes.h>
#include <string.h>

#include "services/food.h"
#include "services/user.h"
#include "shards/router.h"
#include "utils/timing.h"

static struct meal *meal_stored(struct world *w, int32_t day, int64_t message,
    struct meal *m)
{
	struct route r;
	struct err e;
	enum rc rc;

	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	rc = r.store->ops->meal_get(r.store, PERSON, day, 77, message, m, &e);
	router_leave(&r);
	assert_true(rc == RC_OK || rc == RC_NOTFOUND);
	return rc == RC_OK ? m : NULL;
}

static void what_is_taught_is_added_to_what_was_changed(void **state)
{
	struct world *w = *state;

	say(w, "150 г гречки, 110 г риса и 200 г хрюмзика");
	tap(w, "2×");
	sees(w, "300 г");
	say(w, "350");
	sees(w, "Запомнил");
	sees(w, "700 ккал");
	sees(w, "300 г");	/* still twice the buckwheat */
	sees(w, "220 г");
}

static int own_foods_counted(struct world *w)
{
	struct route r;
	struct user u;
	struct err e;

	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	assert_int_equal(r.store->ops->user_get(r.store, PERSON, &u, &e), RC_OK);
	router_leave(&r);
	return u.own_foods;
}

static void teach(struct world *w, const char *key, const char *name)
{
	const struct nutrients per100 = { .cal = 350000 };
	struct route r;
	struct user u;
	struct err e;

	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	assert_int_equal(r.store->ops->user_get(r.store, PERSON, &u, &e), RC_OK);
	assert_int_equal(food_teach(w->bot.foods, r.store, &u, key, name,
	    &per100, &e), RC_OK);
	assert_int_equal(user_save(w->bot.users, r.store, &u, &e), RC_OK);
	router_leave(&r);
}

/* As after a crash: the food is stored, and the profile does not count it. */
static void store_uncounted(struct world *w, const char *key)
{
	struct own_food f = { .user_id = PERSON, .slot = PERSON };
	struct route r;
	struct err e;

	str_copy(f.key, sizeof(f.key), key);
	str_copy(f.name, sizeof(f.name), key);
	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	assert_int_equal(r.store->ops->own_food_put(r.store, &f, &e), RC_OK);
	router_leave(&r);
}

static void a_food_taught_again_counts_once(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	teach(w, "one", "One");
	assert_int_equal(own_foods_counted(w), 1);
	teach(w, "one", "One more");
	assert_int_equal(own_foods_counted(w), 1);
	store_uncounted(w, "two");
	teach(w, "two", "Two");
	assert_int_equal(own_foods_counted(w), 2);
}

static void what_was_undone_is_not_revived_by_teaching(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки и 200 г хрюмзика");
	tap(w, "↩");
	say(w, "350");
	sees(w, "Запомнил");
	sees(w, "Убрано");
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

static void a_question_of_one_chat_is_not_answered_in_another(void **state)
{
	struct world *w = *state;

	say(w, "200 г хрюмзика");
	world_send(w, "message", 900, private_chat, "350");
	sees(w, "Запомнил");
	/* the same number in a supergroup is another message */
	world_send(w, "message", 900, group_chat, "@familybot 100 г гречки");
	sees(w, "Гречка");
}

static void undo_of_one_chat_is_not_a_repetition_in_another(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	w->now += 60;
	say(w, "банан 100 г");
	world_send(w, "message", 900, private_chat, "/undo");
	sees(w, "<s>Банан</s>");
	/* the same number in a group is another message: refused, as all that
	 * is of the diary, and nothing more is taken back */
	world_send(w, "message", 900, group_chat, "/undo");
	sees(w, "личном чате");
	sees_not(w, "анан");
	world_send(w, "message", 901, private_chat, "/undo");
	sees(w, "Гречка");
}

static void an_edit_finds_its_meal_after_zones_changed(void **state)
{
	struct world *w = *state;
	struct meal m;
	int32_t day = NOON / 86400;

	w->now += 8 * 3600;	/* 20:00 UTC: tomorrow in Vladivostok */
	say(w, "100 г гречки");
	say(w, "/timezone Владивосток");
	w->now += 60;
	tap(w, "День с 03:00");
	world_send(w, "edited_message", 1000, private_chat, "300 г риса");
	sees(w, "300 г");
	assert_non_null(meal_stored(w, day, 1000, &m));
	assert_true(m.items[0].mg == 300000);
	assert_null(meal_stored(w, day + 1, 1000, &m));
}

static void a_repeated_meal_is_one_also_across_midnight(void **state)
{
	struct world *w = *state;
	struct meal m;
	char data[64];
	int32_t day = NOON / 86400;

	say(w, "100 г гречки");
	w->now += 12 * 3600 - 5;
	str_format(data, sizeof(data), "m:a:%d:77:1000:1", (int)day);
	tap_data(w, PERSON, "4000000001", private_chat, 0, data);
	sees(w, "Записано");
	w->now += 10;		/* delivered again on the next day */
	tap_data(w, PERSON, "4000000001", private_chat, 0, data);
	assert_non_null(meal_stored(w, day, -4000000001, &m));
	assert_null(meal_stored(w, day + 1, -4000000001, &m));
}

static void taps_are_told_apart_whatever_their_ids(void **state)
{
	struct world *w = *state;
	char data[64];

	say(w, "100 г гречки");
	str_format(data, sizeof(data), "m:a:%d:77:1000:1", NOON / 86400);
	tap_data(w, PERSON, "abc", private_chat, 0, data);
	tap_data(w, PERSON, "abd", private_chat, 0, data);
	say(w, "/history");
	sees(w, "3.  Гречка варёная — 92 ккал");
}

static void in_a_group_nobody_taps_for_another(void **state)
{
	static const char *const data[] = { "t", "w", "h", "p", "k:no", "z",
		"l:0", "s:p:4:?", "x:yes" };
	struct world *w = *state;

	world_send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		tap_data(w, 78, "5000000001", group_chat, PERSON, data[i]);
		assert_string_equal(w->answer.s, "{}");
	}
	say(w, "/today");
	sees(w, "Гречка");
}

static void what_is_private_is_not_tapped_into_a_group(void **state)
{
	static const char *const data[] = { "h", "p", "s:p:4:?", "x:yes" };
	struct world *w = *state;

	say(w, "100 г гречки");
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		tap_data(w, PERSON, "5000000001", group_chat, PERSON, data[i]);
		assert_string_equal(w->answer.s, "{}");
	}
	say(w, "/history");
	sees(w, "Гречка");
}

static void the_profile_is_not_told_in_a_group(void **state)
{
	struct world *w = *state;

	say(w, "/profile");
	tap(w, "Вес");
	world_send(w, "message", 3, group_chat, "@familybot 80");
	sees_not(w, "кг");
	say(w, "80");
	sees(w, "80 кг");
}

static void an_edited_caption_changes_its_entry(void **state)
{
	static const char photo[] = "{\"update_id\":%d,\"%s\":{\"message_id\":"
	    "300,\"from\":{\"id\":77,\"is_bot\":false,\"first_name\":\"X\","
	    "\"language_code\":\"ru\"},\"chat\":{\"id\":77,\"type\":"
	    "\"private\"},\"date\":%d,\"edit_date\":%d,\"photo\":[{}],"
	    "\"caption\":\"%s\"}}";
	struct world *w = *state;
	struct meal m;
	char body[512];

	str_format(body, sizeof(body), photo, 1, "message", NOON, NOON,
	    "100 г гречки");
	world_deliver(w, body);
	sees(w, "Гречка");
	str_format(body, sizeof(body), photo, 2, "edited_message", NOON,
	    NOON + 9, "300 г гречки");
	world_deliver(w, body);
	sees(w, "300 г");
	assert_non_null(meal_stored(w, NOON / 86400, 300, &m));
	assert_true(m.sum.cal > 0 && m.items[0].mg == 300000);
}

static void an_own_target_is_no_deficit_for_minors(void **state)
{
	struct world *w = *state;

	say(w, "/profile");
	tap(w, "Своя норма");
	say(w, "900");
	sees(w, "<b>900 ккал</b> (ваша собственная)");
	tap(w, "Пол");
	tap(w, "Мужской");
	tap(w, "Возраст");
	tap(w, "14");
	tap(w, "Рост");
	tap(w, "165");
	tap(w, "Вес");
	tap(w, "55");
	sees_not(w, "<b>900");
}

static void far_dates_do_no_harm(void **state)
{
	static const char *const dates[] = { "67767976233529199",
		"9223372036854775806", "253402300800" };
	struct world *w = *state;
	char body[512];

	say(w, "/timezone Казань");
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		str_format(body, sizeof(body), "{\"update_id\":1,\"message\":"
		    "{\"message_id\":%d,\"from\":{\"id\":77,\"is_bot\":false},"
		    "\"chat\":{\"id\":77,\"type\":\"private\"},\"date\":%s,"
		    "\"text\":\"100 г гречки\"}}", (int)i + 700, dates[i]);
		world_deliver(w, body);
	}
	say(w, "/history");
	sees(w, "Гречка");
}

/* The bot was away for hours: what waited keeps its order in time. */
static void a_zone_counts_from_when_it_was_said(void **state)
{
	static const char late[] = "{\"update_id\":1,\"message\":{"
	    "\"message_id\":%d,\"from\":{\"id\":77,\"is_bot\":false},"
	    "\"chat\":{\"id\":77,\"type\":\"private\"},\"date\":%d,"
	    "\"text\":\"%s\"}}";
	struct world *w = *state;
	struct meal m;
	char body[512];

	w->now = NOON + 12 * 3600;
	str_format(body, sizeof(body), late, 800, NOON + 8 * 3600,
	    "/timezone Asia/Vladivostok");
	world_deliver(w, body);
	str_format(body, sizeof(body), late, 801, NOON + 8 * 3600 + 60,
	    "100 г гречки");
	world_deliver(w, body);
	assert_non_null(meal_stored(w, NOON / 86400 + 1, 801, &m));
}

static void a_long_zone_is_cut(void **state)
{
	struct world *w = *state;
	char text[4000] = "/timezone ";

	memset(text + 10, '<', sizeof(text) - 11);
	say(w, text);
	assert_true(w->answer.len < 1000);
}

static void long_words_are_remembered_for_teaching(void **state)
{
	struct world *w = *state;
	char text[1400] = "100 г хрюмзика, 100 г гречки ";

	memset(text + strlen(text), '"', 900);
	say(w, text);
	say(w, "350");
	sees(w, "Запомнил");
}

/* A shard made by a newer program: its people's updates must come again. */
static void what_a_shard_refuses_is_not_acknowledged(void **state)
{
	struct world *w = *state;
	struct router_conf rc = { .nshards = 1, .sync = STORE_SYNC_NORMAL };
	struct shard_conf shard = { .name = "strange" };
	struct router *was = w->bot.router;
	struct update_info info;
	struct timing t;
	struct err e = { .text = "" };
	char map[128];
	static const char body[] = "{\"update_id\":1,\"message\":{"
	    "\"message_id\":1,\"from\":{\"id\":77},\"chat\":{\"id\":77,"
	    "\"type\":\"private\"},\"date\":5,\"text\":\"x\"}}";

	str_format(shard.uri, sizeof(shard.uri), "nonsense:%s", w->dir);
	str_format(map, sizeof(map), "%s/other.map", w->dir);
	rc.shards = &shard;
	rc.map_path = map;
	assert_int_equal(router_open(&rc, &w->bot.router, &e), RC_OK);
	timing_start(&t);
	assert_int_equal(bot_handle(&w->bot, body, strlen(body), &w->arena, &t,
	    &w->answer, &info, &e), RC_UNAVAILABLE);
	router_free(w->bot.router);
	w->bot.router = was;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_food_taught_again_counts_once),
		CASE(what_is_taught_is_added_to_what_was_changed),
		CASE(what_was_undone_is_not_revived_by_teaching),
		CASE(a_question_of_one_chat_is_not_answered_in_another),
		CASE(undo_of_one_chat_is_not_a_repetition_in_another),
		CASE(an_edit_finds_its_meal_after_zones_changed),
		CASE(a_repeated_meal_is_one_also_across_midnight),
		CASE(taps_are_told_apart_whatever_their_ids),
		CASE(in_a_group_nobody_taps_for_another),
		CASE(what_is_private_is_not_tapped_into_a_group),
		CASE(the_profile_is_not_told_in_a_group),
		CASE(an_edited_caption_changes_its_entry),
		CASE(an_own_target_is_no_deficit_for_minors),
		CASE(far_dates_do_no_harm),
		CASE(a_zone_counts_from_when_it_was_said),
		CASE(a_long_zone_is_cut),
		CASE(long_words_are_remembered_for_teaching),
		CASE(what_a_shard_refuses_is_not_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
