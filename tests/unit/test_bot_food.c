/*
 * test_bot_food.c - conversations about food: meals, their buttons, edits,
 * foods that are taught, history.
 */
#include "config.h"

#include "bot_world.h"

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

/* What was eaten yesterday counts there, can be undone, and says so. */
static void yesterdays_food_goes_to_yesterday(void **state)
{
	struct world *w = *state;

	say(w, "вчера съел 200 г гречки");
	sees(w, "Записано</b> · Вчера");
	sees(w, "200 г");
	say(w, "/today");
	sees(w, "Пока ничего не записано");
	say(w, "вчера 100 г риса");
	tap(w, "2×");
	sees(w, "200 г");
	tap(w, "↩");
	sees(w, "Убрано");
	say(w, "/history");
	sees(w, "Вчера");
	sees(w, "Гречка");
	sees_not(w, "Рис");
	/* told last, though eaten before */
	say(w, "банан 100 г");
	say(w, "вчера 100 г риса");
	say(w, "/undo");
	sees(w, "Убрано");
	sees(w, "Рис");
	say(w, "/undo");
	sees(w, "Банан");
	/* farther back nothing is written down, rather than on a wrong day */
	say(w, "позавчера съел пиццу");
	sees(w, "Так далеко назад");
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
	sees(w, "Банан — 107 ккал");
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
	sees(w, "Рис варёный — 390 ккал");
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
	sees(w, "Яйцо куриное</b> — 110 г");
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
	sees(w, "3.  Гречка варёная — 92 ккал");
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
	sees(w, "<s>Банан</s>");
	say(w, "/today");
	sees(w, "Гречка");
	sees_not(w, "анан");
}

static void words_that_are_no_food_make_no_entry(void **state)
{
	struct world *w = *state;
	static const char *const words[] = { "привет", "как дела?",
		"спасибо большое", "что ты умеешь?", "hello" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		say(w, words[i]);
		sees(w, "Я веду дневник питания");
	}
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_meal_is_counted_and_changed_by_buttons),
		CASE(yesterdays_food_goes_to_yesterday),
		CASE(undone_can_be_put_back),
		CASE(not_this_offers_others),
		CASE(an_edited_message_changes_its_entry),
		CASE(an_unknown_food_is_learned),
		CASE(yesterday_can_be_repeated),
		CASE(history_has_pages),
		CASE(undo_takes_the_newest_back_once),
		CASE(words_that_are_no_food_make_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
