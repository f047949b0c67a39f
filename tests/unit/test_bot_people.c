/*
 * test_bot_people.c - conversations about the person: first steps, language,
 * time zone, leaving; groups, and updates that are odd.
 */
#include "config.h"

#include "bot_world.h"

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

static void words_are_heard_where_buttons_are_words(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	say(w, "English.");
	sees(w, "Your sex?");
	say(w, "Woman");
	sees(w, "How old are you?");
	say(w, "/start");
	say(w, "Русский");
	sees(w, "Ваш пол?");
	say(w, "жен.");
	sees(w, "Сколько вам лет?");
}

static void what_is_no_answer_is_a_meal(void **state)
{
	struct world *w = *state;

	say(w, "/start");
	say(w, "русский салат 200 г");
	sees(w, "200 г");
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

static void a_strange_city_is_no_food(void **state)
{
	struct world *w = *state;

	say(w, "/timezone");
	say(w, "Урюпинск");
	sees(w, "Города «Урюпинск» я не знаю");
	say(w, "гречка");	/* food is still food */
	sees(w, "Гречка варёная");
	say(w, "Казань");
	sees(w, "Europe/Moscow");
}

/* Two days with entries: what was eaten is divided by two, not by seven. */
static void a_week_is_averaged_over_days_with_entries(void **state)
{
	struct world *w = *state;

	w->lang = "en";
	say(w, "/week");
	sees(w, "Nothing was written down in the last 7 days.");
	say(w, "100 g rice");
	w->now += 86400;
	say(w, "300 g rice");
	say(w, "/week");
	sees(w, "Last 7 days");
	sees(w, "Tue 24.11 ▓▓▓▓▓▓▓▓</code> 390");	/* the most */
	sees(w, "Mon 23.11 ▓▓▓░░░░░</code> 130");
	sees(w, "Sun 22.11 ░░░░░░░░</code> —");
	sees(w, "On average <b>260 kcal</b> on 2 days with entries");
	sees_not(w, "target");	/* none was chosen */
}

static void a_chosen_language_outlives_telegrams(void **state)
{
	struct world *w = *state;

	say(w, "/language");
	sees(w, "На каком языке будем говорить?");
	tap(w, "🇬🇧");
	sees(w, "From now on in English.");
	say(w, "/week");	/* the update says "ru", as before */
	sees(w, "Nothing was written down in the last 7 days.");
	say(w, "/language");
	sees(w, "Which language shall we speak?");
	tap(w, "🇷🇺");
	sees(w, "Теперь по-русски.");
	say(w, "/week");
	sees(w, "За последние 7 дней ничего не записано.");
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

static void groups_are_left_alone_unless_they_call(void **state)
{
	struct world *w = *state;

	world_send(w, "message", 1, group_chat, "100 г гречки");
	assert_string_equal(w->answer.s, "{}");
	world_send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	sees(w, "Гречка");
	sees(w, "reply_parameters");
	world_send(w, "message", 6, group_chat, "@familybotany 100 г гречки");
	assert_string_equal(w->answer.s, "{}");
	world_send(w, "message", 3, group_chat, "/today@otherbot");
	assert_string_equal(w->answer.s, "{}");
	world_send(w, "message", 4, group_chat, "/today@FamilyBot");
	sees(w, "личном чате");
	sees_not(w, "Гречка");
	world_send(w, "message", 5, group_chat, "/profile");
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
		world_deliver(w, fine[i]);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(world_deliver_once(w, never[i]), RC_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(seven_taps_give_a_target),
		CASE(typed_answers_are_heard_once),
		CASE(words_are_heard_where_buttons_are_words),
		CASE(what_is_no_answer_is_a_meal),
		CASE(every_step_can_be_skipped),
		CASE(minors_get_no_deficit),
		CASE(wrong_figures_are_explained),
		CASE(zone_decides_the_day),
		CASE(a_strange_city_is_no_food),
		CASE(a_week_is_averaged_over_days_with_entries),
		CASE(a_chosen_language_outlives_telegrams),
		CASE(leaving_erases_everything),
		CASE(groups_are_left_alone_unless_they_call),
		CASE(odd_updates_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
