/*
 * test_bot.c - conversations with the bot itself: real shards on disk, the
 * real food table, no network.  Every update is delivered twice, as Telegram
 * does when an answer got lost, and must give the same answer and one effect.
 */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bot/bot.h"
#include "handlers/table.h"
#include "queue/queue.h"
#include "services/food.h"
#include "services/nutrition.h"
#include "services/user.h"
#include "store/router.h"
#include "utils/arena.h"
#include "utils/json.h"
#include "utils/timing.h"

enum { PERSON = 77, NOON = 1795435200 /* 2026-11-23 12:00 UTC */ };

struct world {
	char dir[64];
	int64_t now;		/* UTC s */
	int64_t ids;
	struct clock clock;
	struct bot bot;
	struct nutrition *nutrition;
	struct arena arena;
	struct buf answer;	/* of the last update */
	const char *lang;
	int64_t last_message;
};

static int64_t world_ms(void *ctx)
{
	return ((struct world *)ctx)->now * 1000;
}

static int world_open(void **state)
{
	static struct shard_conf shards[3];
	struct world *w = test_calloc(1, sizeof(*w));
	struct router_conf rc = { .shards = shards, .nshards = 3,
		.sync = STORE_SYNC_NORMAL, .create = true, .fence_wait_ms = 500 };
	char map[128], socket[128];
	struct err e;

	str_copy(w->dir, sizeof(w->dir), "/tmp/test_bot.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	str_format(map, sizeof(map), "%s/slots.map", w->dir);
	str_format(socket, sizeof(socket), "%s/worker.sock", w->dir);
	for (int i = 0; i < 3; i++) {
		str_format(shards[i].name, sizeof(shards[i].name), "shard%d", i);
		str_format(shards[i].uri, sizeof(shards[i].uri),
		    "sqlite:%s/shard%d.db", w->dir, i);
	}
	rc.map_path = map;
	w->now = NOON;
	w->lang = "ru";
	w->clock = (struct clock){ world_ms, w };
	assert_int_equal(router_open(&rc, &w->bot.router, &e), RC_OK);
	assert_int_equal(nutrition_open(getenv("FOODS_DB"), &w->nutrition, &e),
	    RC_OK);
	w->bot.queue = queue_open(socket);
	w->bot.users = user_service_new(&w->clock, "UTC");
	w->bot.foods = food_service_new(w->nutrition, &w->clock);
	w->bot.clock = &w->clock;
	w->bot.username = "FamilyBot";
	w->bot.bot_id = 4242;
	w->bot.commands = bot_commands;
	w->bot.taps = bot_taps;
	w->bot.dialogues = bot_dialogues;
	arena_init(&w->arena);
	buf_init(&w->answer, 1 << 20);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;
	char cmd[128];

	router_free(w->bot.router);
	queue_free(w->bot.queue);
	user_service_free(w->bot.users);
	food_service_free(w->bot.foods);
	nutrition_free(w->nutrition);
	arena_release(&w->arena);
	buf_release(&w->answer);
	str_format(cmd, sizeof(cmd), "rm -rf %s", w->dir);
	assert_int_equal(system(cmd), 0);
	test_free(w);
	return 0;
}

static enum rc deliver_once(struct world *w, const char *body)
{
	struct update_info info;
	struct timing t;
	struct err e = { .text = "" };
	enum rc rc;

	buf_clear(&w->answer);
	arena_reset(&w->arena);
	timing_start(&t);
	rc = bot_handle(&w->bot, body, strlen(body), &w->arena, &t, &w->answer,
	    &info, &e);
	if (rc != RC_OK && rc != RC_INVALID)
		fail_msg("%s: %s", rc_name(rc), e.text);
	return rc;
}

/* The same update twice: the same answer. */
static void deliver(struct world *w, const char *body)
{
	char *first;

	assert_int_equal(deliver_once(w, body), RC_OK);
	first = strdup(w->answer.s);
	assert_non_null(first);
	assert_int_equal(deliver_once(w, body), RC_OK);
	assert_string_equal(first, w->answer.s);
	free(first);
}

static void put_message(struct world *w, struct buf *b, const char *kind,
    int64_t id, const char *chat, const char *text)
{
	buf_printf(b, "{\"update_id\":%" PRId64 ",\"%s\":{\"message_id\":%" PRId64
	    ",\"from\":{\"id\":%d,\"is_bot\":false,\"first_name\":\"Аня\","
	    "\"language_code\":\"%s\"},\"chat\":%s,\"date\":%" PRId64,
	    ++w->ids, kind, id, PERSON, w->lang, chat, w->now);
	if (strcmp(kind, "edited_message") == 0)
		buf_printf(b, ",\"edit_date\":%" PRId64, w->now + w->ids);
	buf_puts(b, ",\"text\":");
	json_put_str(b, text);
	buf_puts(b, "}}");
}

static const char private_chat[] = "{\"id\":77,\"type\":\"private\"}";
static const char group_chat[] = "{\"id\":-100500,\"type\":\"supergroup\"}";

static void send(struct world *w, const char *kind, int64_t id,
    const char *chat, const char *text)
{
	struct buf b;

	buf_init(&b, 65536);
	put_message(w, &b, kind, id, chat, text);
	deliver(w, b.s);
	buf_release(&b);
}

static void say(struct world *w, const char *text)
{
	w->last_message = w->ids + 1000;
	send(w, "message", w->last_message, private_chat, text);
}

static void edit(struct world *w, const char *text)
{
	send(w, "edited_message", w->last_message, private_chat, text);
}

/* Taps the button whose label begins with label in the last answer. */
static void tap(struct world *w, const char *label)
{
	struct json_object *j, *rows;
	const char *data = NULL;
	struct buf b;

	assert_int_equal(json_parse(w->answer.s, w->answer.len, &j, NULL), RC_OK);
	rows = json_arr(json_obj(j, "reply_markup"), "inline_keyboard");
	for (size_t r = 0; r < json_len(rows) && data == NULL; r++)
		for (size_t i = 0; i < json_len(json_at(rows, r)); i++) {
			struct json_object *k = json_at(json_at(rows, r), i);
			if (strncmp(json_str(k, "text"), label,
			    strlen(label)) == 0)
				data = json_str(k, "callback_data");
		}
	if (data == NULL)
		fail_msg("no button %s in %s", label, w->answer.s);
	buf_init(&b, 65536);
	buf_printf(&b, "{\"update_id\":%" PRId64 ",\"callback_query\":{\"id\":"
	    "\"%" PRId64 "\",\"from\":{\"id\":%d,\"is_bot\":false,"
	    "\"first_name\":\"Аня\",\"language_code\":\"%s\"},\"message\":"
	    "{\"message_id\":5,\"date\":%" PRId64 ",\"chat\":%s},\"data\":",
	    w->ids + 1, w->ids + 9000000, PERSON, w->lang, w->now, private_chat);
	w->ids++;
	json_put_str(&b, data);
	buf_puts(&b, "}}");
	json_free(j);
	deliver(w, b.s);
	buf_release(&b);
}

static void sees(struct world *w, const char *text)
{
	if (strstr(w->answer.s, text) == NULL)
		fail_msg("not seen: %s\nin: %s", text, w->answer.s);
}

static void sees_not(struct world *w, const char *text)
{
	if (strstr(w->answer.s, text) != NULL)
		fail_msg("seen: %s\nin: %s", text, w->answer.s);
}

static void seven_taps_give_a_target(void **state)
{
	struct world *w = *state;

	say(w, "/start friend_1");
	sees(w, "Аня");
	tap(w, "🇬🇧");
	sees(w, "Your sex?");
	tap(w, "Woman");
	tap(w, "30");
	tap(w, "165");
	tap(w, "60");
	tap(w, "🚶");
	tap(w, "⚖");
	/* 10·60 + 6.25·165 − 5·30 − 161 = 1,320.25; × 1.375 = 1,815.34 */
	sees(w, "1,320 kcal");
	sees(w, "Daily target: <b>1,815 kcal</b>");
	/* the language was chosen: Telegram's code no longer counts */
	say(w, "/help");
	sees(w, "What I can do");
}

static void typed_answers_are_heard_once(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	tap(w, "🇷🇺");
	tap(w, "Мужской");
	say(w, "28");
	say(w, "1,75 м");
	say(w, "85 кг");
	tap(w, "🪑");
	tap(w, "⚖");
	sees(w, "1\xc2\xa0""809 ккал");	/* 1,808.75 */
	sees(w, "2\xc2\xa0""171 ккал");	/* × 1.2 = 2,170.5 */
}

static void every_step_can_be_skipped(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	for (int i = 0; i < 7; i++)
		tap(w, "Пропустить");
	sees(w, "нормы пока нет");
}

static void minors_get_no_deficit(void **state)
{
	struct world *w = *state;

	w->lang = "en";
	say(w, "/start");
	tap(w, "🇬🇧");
	tap(w, "Man");
	tap(w, "14");
	tap(w, "165");
	tap(w, "55");
	tap(w, "🏃");
	tap(w, "📉");
	sees(w, "no deficit");
	sees_not(w, "−15 %");
	tap(w, "Own target");
	say(w, "1000");
	sees(w, "Before 18");
}

static void wrong_figures_are_explained(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	tap(w, "Пропустить");
	tap(w, "Пропустить");
	say(w, "300");
	sees(w, "от 5 до 110");
	say(w, "35");
	say(w, "17");
	sees(w, "от 80 до 250");
}

static void a_meal_is_counted_and_changed_by_buttons(void **state)
{
	struct world *w = *state;

	say(w, "200 г гречки, 2 яйца и полстакана молока");
	sees(w, "Гречка");
	sees(w, "200 г");
	sees(w, "Молоко");
	tap(w, "2×");
	sees(w, "400 г");
	tap(w, "½×");
	sees(w, "200 г");
	tap(w, "❌");
	tap(w, "Молоко");
	sees_not(w, "Молоко");
	tap(w, "↩");
	sees(w, "Убрано");
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

static void undone_can_be_put_back(void **state)
{
	struct world *w = *state;

	say(w, "банан 120 г");
	tap(w, "↩");
	tap(w, "↪");
	sees(w, "120 г");
	say(w, "/today");
	sees(w, "анан");
}

static void not_this_offers_others(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	tap(w, "🔄");
	sees(w, "Что на самом деле");
	tap(w, "Греч");
	sees(w, "100 г");
}

static void an_edited_message_changes_its_entry(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	edit(w, "300 г риса");
	sees(w, "Исправлено");
	sees(w, "300 г");
	say(w, "/today");
	sees(w, "ис");
	sees_not(w, "Гречка");
}

static void an_unknown_food_is_learned(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки и 200 г хрюмзика");
	sees(w, "Гречка");
	say(w, "350");
	sees(w, "Запомнил");
	sees(w, "700 ккал");
	say(w, "хрюмзик 50 г");
	sees(w, "175 ккал");
}

static void yesterday_can_be_repeated(void **state)
{
	struct world *w = *state;

	say(w, "как вчера");
	sees(w, "повторять нечего");
	say(w, "два яйца");
	w->now += 86400;
	say(w, "как вчера");
	sees(w, "Записано");
	sees(w, "йцо");
}

static void history_has_pages(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 15; i++) {
		w->now += 7200;
		say(w, "100 г гречки");
	}
	say(w, "/history");
	tap(w, "Раньше");
	tap(w, "Раньше");
	sees(w, "3.");
	sees_not(w, "4.");
	tap(w, "1");
	sees(w, "100 г");
	tap(w, "🔁");
	sees(w, "Записано");
}

static void undo_takes_the_newest_back_once(void **state)
{
	struct world *w = *state;

	say(w, "/undo");
	sees(w, "Отменять нечего");
	say(w, "100 г гречки");
	w->now += 60;
	say(w, "банан 100 г");
	say(w, "/undo");	/* delivered twice */
	sees(w, "анан");
	say(w, "/today");
	sees(w, "Гречка");
	sees_not(w, "анан");
}

static void zone_decides_the_day(void **state)
{
	struct world *w = *state;

	say(w, "/timezone");
	say(w, "владивосток");
	sees(w, "Asia/Vladivostok");
	sees(w, "22:00");
	w->now += 3 * 3600;	/* 01:00 of the next day there */
	say(w, "100 г гречки");
	say(w, "/history");
	sees(w, "Сегодня");
	tap(w, "1");
	say(w, "/timezone");
	tap(w, "День с 04:00");
	say(w, "100 г риса");	/* still belongs to the day before */
	say(w, "/history");
	sees(w, "Вторник");
}

static void leaving_erases_everything(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	tap(w, "🇷🇺");
	say(w, "100 г гречки");
	say(w, "/delete_me");
	tap(w, "Нет");
	sees(w, "Ничего не удалено");
	say(w, "/delete_me");
	tap(w, "🗑");
	sees(w, "удалено");
	say(w, "/history");
	sees(w, "пуст");
}

static void words_that_are_no_food_make_no_entry(void **state)
{
	struct world *w = *state;
	static const char *const words[] = { "привет", "как дела?",
		"спасибо большое", "что ты умеешь?", "hello" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		say(w, words[i]);
		sees(w, "Я записываю еду");
	}
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

static void groups_are_left_alone_unless_they_call(void **state)
{
	struct world *w = *state;

	send(w, "message", 1, group_chat, "100 г гречки");
	assert_string_equal(w->answer.s, "{}");
	send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	sees(w, "Гречка");
	sees(w, "reply_parameters");
	send(w, "message", 3, group_chat, "/today@otherbot");
	assert_string_equal(w->answer.s, "{}");
	send(w, "message", 4, group_chat, "/today@FamilyBot");
	sees(w, "Гречка");
	send(w, "message", 5, group_chat, "/profile");
	sees(w, "личном чате");
}

static void odd_updates_do_no_harm(void **state)
{
	struct world *w = *state;
	static const char *const fine[] = {
		"{\"update_id\":1}",
		"{\"update_id\":1,\"poll\":{\"id\":\"5\"}}",
		"{\"update_id\":1,\"callback_query\":{\"id\":\"1\",\"from\":"
		"{\"id\":77,\"is_bot\":false},\"message\":{\"message_id\":1,"
		"\"date\":0,\"chat\":{\"id\":77,\"type\":\"private\"}},\"data\":"
		"\"m:u:999999999999:1:1:1\"}}",
		"{\"update_id\":1,\"callback_query\":{\"id\":\"1\",\"from\":"
		"{\"id\":77,\"is_bot\":false},\"message\":{\"message_id\":1,"
		"\"date\":0,\"chat\":{\"id\":77,\"type\":\"private\"}},\"data\":"
		"\"s:s:77:1\"}}",
	};
	static const char *const never[] = { "", "[]", "{}", "{\"update_id\":\"x\"}",
		"{\"update_id\":1,\"message\":{}}",
		"{\"update_id\":99999999999999999999999}" };

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		deliver(w, fine[i]);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(deliver_once(w, never[i]), RC_INVALID);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(seven_taps_give_a_target),
		CASE(typed_answers_are_heard_once),
		CASE(every_step_can_be_skipped),
		CASE(minors_get_no_deficit),
		CASE(wrong_figures_are_explained),
		CASE(a_meal_is_counted_and_changed_by_buttons),
		CASE(undone_can_be_put_back),
		CASE(not_this_offers_others),
		CASE(an_edited_message_changes_its_entry),
		CASE(an_unknown_food_is_learned),
		CASE(yesterday_can_be_repeated),
		CASE(history_has_pages),
		CASE(undo_takes_the_newest_back_once),
		CASE(zone_decides_the_day),
		CASE(leaving_erases_everything),
		CASE(words_that_are_no_food_make_no_entry),
		CASE(groups_are_left_alone_unless_they_call),
		CASE(odd_updates_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
