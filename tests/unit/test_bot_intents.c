/*
 * test_bot_intents.c - what is meant by free text: food, a command in words,
 * small talk, a question; and that only what was eaten is written down.
 */
#include "config.h"

#include "bot_world.h"

#include <string.h>

#include "bot/command.h"
#include "bot/intent.h"
#include "bot/words.h"
#include "handlers/table.h"
#include "utils/keyboards.h"

/* ---- the choice between readers */

static int score_a, score_b;
static enum rc rc_b;
static const char *ran;

static enum rc read_a(struct turn *t, const char *text, struct guess *g)
{
	(void)t;
	(void)text;
	g->score = score_a;
	return RC_OK;
}

static enum rc read_b(struct turn *t, const char *text, struct guess *g)
{
	(void)t;
	(void)text;
	g->score = score_b;
	return rc_b;
}

static enum rc run_a(struct turn *t, const struct guess *g)
{
	(void)t;
	ran = g->text;
	return RC_OK;
}

static void the_clearest_reading_wins_and_a_tie_is_told(void **state)
{
	static const struct reader a = { "a", 0, read_a, run_a };
	static const struct reader b = { "b", 0, read_b, run_a };
	static const struct reader *const rows[] = { &a, &b, NULL };
	static const struct { int a, b; const struct reader *best, *second; }
	    all[] = {
		{ 0, 0, NULL, NULL }, { 50, 0, &a, &b }, { 700, 0, &a, NULL },
		{ 700, 600, &a, NULL }, { 700, 601, &a, &b },
		{ 601, 700, &b, &a }, { 700, 700, &a, &b },
		{ 400, 850, &b, NULL }, { 950, 949, &a, NULL },
	};
	struct bot bot = { .readers = rows };
	struct turn t = { .bot = &bot };
	struct intent in;
	bool known;

	(void)state;
	rc_b = RC_OK;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		score_a = all[i].a;
		score_b = all[i].b;
		assert_int_equal(intent_read(&t, "x", &in), RC_OK);
		assert_ptr_equal(in.best, all[i].best);
		/* nobody else wanted it: nothing to choose from */
		if (all[i].b == 0 || all[i].a == 0)
			assert_null(in.second);
		else
			assert_ptr_equal(in.second, all[i].second);
	}
	assert_int_equal(intent_chosen(&t, "a", "x", &known), RC_OK);
	assert_true(known);
	assert_string_equal(ran, "x");
	assert_int_equal(intent_chosen(&t, "c", "x", &known), RC_OK);
	assert_false(known);
	score_a = 0;
	rc_b = RC_UNAVAILABLE;	/* a shard that is away is no "no" */
	assert_int_equal(intent_read(&t, "x", &in), RC_UNAVAILABLE);
	assert_int_equal(intent_chosen(&t, "b", "x", &known), RC_UNAVAILABLE);
}

static void names_of_readers_fit_into_a_button(void **state)
{
	(void)state;
	for (const struct reader *const *a = bot_readers; *a; a++) {
		assert_in_range(strlen((*a)->name), 1, 12);
		assert_null(strpbrk((*a)->name, ":~"));
		for (const struct reader *const *b = a + 1; *b; b++)
			assert_string_not_equal((*a)->name, (*b)->name);
	}
}

static void words_are_found_whatever_stands_around_them(void **state)
{
	static const struct word_row rows[] = { { "стоп", 1 }, { "stop it", 2 },
		{ "елка", 3 }, { NULL, 0 } };
	static const struct { const char *text; int value; } all[] = {
		{ "стоп", 1 }, { " СТОП!! ", 1 }, { "(Stop it.)", 2 },
		{ "Ёлка", 3 }, { "стоп стоп", 0 }, { "", 0 }, { "!!", 0 },
		{ "нестоп", 0 }, { "1 стоп", 0 }, { "стопка", 0 },
	};
	char longest[400];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(words_find(rows, all[i].text), all[i].value);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(words_find(rows, longest), 0);
}

/* ---- as a person writes */

static void nothing_is_written_down(struct world *w)
{
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

static void a_question_is_answered_and_not_eaten(void **state)
{
	static const struct { const char *text, *name, *figures; } all[] = {
		{ "Сколько калорий в банане?", "Банан", "89 ккал" },
		{ "сколько ккал в 200 г банана", "Банан", "200 г" },
		{ "калорийность банана", "Банан", "89 ккал" },
		{ "банан?", "Банан", "89 ккал" },
		{ "how many calories are in a banana?", "Банан", "89 ккал" },
		{ "How much protein in banana?", "Банан", "89 ккал" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say(w, all[i].text);
		sees(w, all[i].name);
		sees(w, all[i].figures);
		sees(w, "ничего не записано");
		sees_not(w, "Записано<");
	}
	say(w, "сколько калорий в хрюмзике?");
	sees(w, "хрюмзик");
	sees(w, "не знаю");
	say(w, "350");		/* nothing was asked */
	sees_not(w, "Запомнил");
	nothing_is_written_down(w);
}

static void commands_are_heard_in_words(void **state)
{
	static const struct { const char *text, *answer; } all[] = {
		{ "Сегодня", "Сегодня</b>" }, { "today", "Сегодня</b>" },
		{ "Помощь!", "Что я умею" }, { "help", "Что я умею" },
		{ "неделя", "7 дней" }, { "history", "История" },
		{ "профиль", "Ваш профиль" },
		{ "стоп", "ни о чём не спрашиваю" },
		{ "cancel", "ни о чём не спрашиваю" },
	};
	struct world *w = *state;

	say(w, "100 г гречки");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say(w, all[i].text);
		sees(w, all[i].answer);
	}
	w->now += 60;
	say(w, "банан 100 г");
	say(w, "Отмена");	/* delivered twice: one entry goes */
	sees(w, "Убрано");
	sees(w, "<s>Банан</s>");
	say(w, "/today");
	sees(w, "Гречка");
	say(w, "undo");
	sees(w, "Гречка");
	nothing_is_written_down(w);
}

static void a_command_in_words_is_as_private_as_with_a_slash(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	world_send(w, "message", 5, group_chat, "@familybot сегодня");
	sees(w, "личном чате");
	sees_not(w, "речк");
}

static void small_talk_gets_a_kind_word(void **state)
{
	static const struct { const char *text, *answer; } all[] = {
		{ "спасибо!", "Пожалуйста" }, { "Thanks", "Пожалуйста" },
		{ "Привет", "Здравствуйте" }, { "good night", "До встречи" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say(w, all[i].text);
		sees(w, all[i].answer);
	}
	w->lang = "en";
	say(w, "thank you");
	sees(w, "welcome");
	w->lang = "ru";
	nothing_is_written_down(w);
}

/* The last cancel ended the question; the next one means the entry. */
static void a_question_hears_cancel_before_the_diary_does(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	say(w, "200 г хрюмзика");
	say(w, "отмена");
	sees(w, "без этого");
	say(w, "/today");
	sees(w, "Гречка");
	say(w, "отмена");
	sees(w, "Убрано");
}

static void no_word_is_taken_for_a_city(void **state)
{
	struct world *w = *state;

	say(w, "/timezone");
	say(w, "сегодня");
	sees(w, "Сегодня</b>");
	say(w, "спасибо");
	sees(w, "Пожалуйста");
	say(w, "банан?");
	sees(w, "ничего не записано");
	say(w, "Урюпинск");
	sees(w, "Города «Урюпинск» я не знаю");
}

/* ---- a tie */

static void what_may_be_either_is_asked(void **state)
{
	struct world *w = *state;
	char eat[KB_DATA_MAX + 1], ask[KB_DATA_MAX + 1];

	say(w, "2 банана?");
	sees(w, "записать или только посчитать");
	data_of(w, "🍽", eat, sizeof(eat));
	data_of(w, "🔎", ask, sizeof(ask));
	nothing_is_written_down(w);
	tap_data(w, PERSON, "8000000001", private_chat, 0, ask);
	sees(w, "ничего не записано");
	sees(w, "editMessageText");
	nothing_is_written_down(w);
	tap_data(w, PERSON, "8000000002", private_chat, 0, eat);
	sees(w, "Записано");
	sees(w, "240 г");
	tap_data(w, PERSON, "8000000003", private_chat, 0, eat);
	say(w, "/history");
	sees(w, "1.  Банан — 214 ккал");
	sees_not(w, "2.");
}

static void a_choice_is_made_of_the_last_question_only(void **state)
{
	struct world *w = *state;
	char eat[KB_DATA_MAX + 1];

	say(w, "2 банана?");
	data_of(w, "🍽", eat, sizeof(eat));
	say(w, "3 яблока?");
	tap_data(w, PERSON, "8000000001", private_chat, 0, eat);
	assert_string_equal(w->answer.s, "{}");
	tap_data(w, PERSON, "8000000002", private_chat, 0, "i:nobody:1");
	assert_string_equal(w->answer.s, "{}");
	say(w, "отмена");
	sees(w, "без этого");
	nothing_is_written_down(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clearest_reading_wins_and_a_tie_is_told),
		cmocka_unit_test(names_of_readers_fit_into_a_button),
		cmocka_unit_test(words_are_found_whatever_stands_around_them),
		CASE(a_question_is_answered_and_not_eaten),
		CASE(commands_are_heard_in_words),
		CASE(a_command_in_words_is_as_private_as_with_a_slash),
		CASE(small_talk_gets_a_kind_word),
		CASE(a_question_hears_cancel_before_the_diary_does),
		CASE(no_word_is_taken_for_a_city),
		CASE(what_may_be_either_is_asked),
		CASE(a_choice_is_made_of_the_last_question_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
