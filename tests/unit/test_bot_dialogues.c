/*
 * test_bot_dialogues.c - questions: what waits is not lost, what was answered
 * is not answered again, and nobody is held by one.
 */
#include "config.h"

#include "bot_world.h"

#include <inttypes.h>
#include <string.h>

#include "bot/command.h"
#include "bot/draft.h"
#include "bot/memory.h"
#include "services/user.h"
#include "shards/router.h"
#include "utils/keyboards.h"

static void record(struct world *w, struct user *u)
{
	struct route r;
	struct err e;

	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	assert_int_equal(user_load(w->bot.users, r.store, PERSON, u, &e), RC_OK);
	router_leave(&r);
}

/* As the version before left it. */
static void leave(struct world *w, const char *dialogue, const char *draft)
{
	struct route r;
	struct user u;
	struct err e;

	assert_int_equal(router_enter(w->bot.router, PERSON, &r, &e), RC_OK);
	assert_int_equal(user_load(w->bot.users, r.store, PERSON, &u, &e), RC_OK);
	str_copy(u.dialogue, sizeof(u.dialogue), dialogue);
	str_copy(u.draft, sizeof(u.draft), draft);
	assert_int_equal(user_save(w->bot.users, r.store, &u, &e), RC_OK);
	router_leave(&r);
}

/* ---- the parts */

static struct turn turn_of(const struct update *up)
{
	return (struct turn){ .up = up };
}

static void memory_stays_beside_the_draft(void **state)
{
	const struct update message = { .kind = UPDATE_MESSAGE, .chat_id = 77,
		.message_id = 5 };
	const struct update tapped = { .kind = UPDATE_CALLBACK, .chat_id = 77,
		.message_id = 5, .callback_id = "abc" };
	const struct update other = { .kind = UPDATE_CALLBACK, .chat_id = 77,
		.message_id = 5, .callback_id = "abd" };
	struct turn t = turn_of(&message);
	struct memory m;

	(void)state;
	assert_true(draft_body_set(&t.user, "{\"a\":1}"));
	assert_false(memory_same(&t, &m));
	memory_keep(&t, "undo", (const int64_t[]){ 1, INT64_MIN, INT64_MAX });
	t.up = &tapped;
	assert_false(memory_same(&t, &m));
	memory_keep(&t, "step", NULL);
	memory_open_set(&t.user, "step", 's', 3);
	assert_true(memory_same(&t, &m));
	assert_string_equal(m.what, "step");
	assert_true(draft_body_set(&t.user, "another"));
	assert_memory_equal(t.user.draft, "another\n", 8);
	t.up = &message;
	assert_true(memory_same(&t, &m));
	assert_string_equal(m.what, "undo");
	assert_true(m.v[0] == 1 && m.v[1] == INT64_MIN && m.v[2] == INT64_MAX);
	t.up = &other;
	assert_false(memory_same(&t, &m));
	assert_true(memory_open(&t.user, &m));
	assert_true(m.v[0] == 's' && m.v[1] == 3);
	draft_body_clear(&t.user);
	assert_int_equal(draft_body_len(&t.user), 0);
	assert_true(memory_open(&t.user, &m));
}

static void the_longest_draft_leaves_room_for_memory(void **state)
{
	const struct update up = { .kind = UPDATE_MESSAGE, .chat_id = INT64_MIN,
		.message_id = INT64_MAX };
	const int64_t v[] = { INT64_MIN, INT64_MIN, INT64_MIN };
	struct turn t = turn_of(&up);
	char body[DRAFT_BODY_SIZE + 1];
	struct memory m;

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	body[DRAFT_BODY_SIZE] = '\0';
	assert_false(draft_body_set(&t.user, body));
	body[DRAFT_BODY_SIZE - 1] = '\0';
	assert_true(draft_body_set(&t.user, body));
	memory_keep(&t, "fifteen_letters", v);
	memory_open_set(&t.user, "fifteen_letters", INT64_MIN, INT64_MIN);
	assert_true(memory_same(&t, &m) && m.v[2] == INT64_MIN);
	assert_int_equal(draft_body_len(&t.user), DRAFT_BODY_SIZE - 1);
	assert_false(draft_body_set(&t.user, "two\nlines"));
}

struct sample {
	int64_t grams, later;
	char name[8];
};

static void a_draft_is_read_by_its_columns(void **state)
{
	static const struct draft_column columns[] = {
		DRAFT_INT_COLUMN(struct sample, grams, 1, 100),
		{ "later", DRAFT_INT, offsetof(struct sample, later), 0, 0, 9,
		    true },
		DRAFT_TEXT_COLUMN(struct sample, name),
		{ .name = NULL } };
	static const char *const wrong[] = { "", "5", "[]", "{", "{}",
		"{\"grams\":0,\"name\":\"a\"}", "{\"grams\":101,\"name\":\"a\"}",
		"{\"grams\":\"5\",\"name\":\"a\"}", "{\"grams\":5}",
		"{\"grams\":5,\"name\":\"a\",\"later\":10}" };
	struct sample in = { 50, 7, "\"a\n\\" }, out;
	struct user u = { .draft = "" };

	(void)state;
	assert_true(draft_write(&u, columns, &in));
	memset(&out, 0, sizeof(out));
	assert_true(draft_read(&u, columns, &out));
	assert_true(out.grams == 50 && out.later == 7);
	assert_string_equal(out.name, in.name);
	str_copy(u.draft, sizeof(u.draft), "{\"name\":\"b\",\"grams\":5}");
	assert_true(draft_read(&u, columns, &out));
	assert_true(out.later == 0);	/* written before there was the column */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		str_copy(u.draft, sizeof(u.draft), wrong[i]);
		assert_false(draft_read(&u, columns, &out));
	}
}

/* ---- what waits is not lost */

static void undo_leaves_the_question_that_waits(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	say(w, "200 г хрюмзика");
	sees(w, "хрюмзик");
	say(w, "/undo");
	sees(w, "Гречка");
	say(w, "350");
	sees(w, "Запомнил");
	sees(w, "700 ккал");
}

static void undo_comes_again_after_a_tap(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	w->now += 60;
	say(w, "банан 100 г");
	world_send(w, "message", 950, private_chat, "/undo");
	sees(w, "<s>Банан</s>");
	say(w, "/profile");
	tap(w, "Пол");
	tap(w, "Мужской");
	world_send(w, "message", 950, private_chat, "/undo");
	sees(w, "<s>Банан</s>");
	say(w, "/today");
	sees(w, "Гречка");
}

static void questions_go_on_after_another_one(void **state)
{
	struct world *w = *state;
	char age[KB_DATA_MAX + 1];
	struct user u;

	say(w, "/start");
	tap(w, "🇷🇺");
	tap(w, "Мужской");
	data_of(w, "30", age, sizeof(age));
	say(w, "200 г хрюмзика");
	say(w, "350");
	sees(w, "Запомнил");
	tap_data(w, PERSON, "7000000001", private_chat, 0, age);
	sees(w, "рост");
	record(w, &u);
	assert_int_equal(u.birth_year, 1996);
}

/* ---- an old question answers nothing new */

static void a_button_of_an_answered_question_is_refused(void **state)
{
	struct world *w = *state;
	char weight[KB_DATA_MAX + 1];
	struct user u;

	say(w, "/profile");
	tap(w, "Вес");
	data_of(w, "60", weight, sizeof(weight));
	say(w, "80,5");
	sees(w, "80,5");
	tap_data(w, PERSON, "7000000001", private_chat, 0, weight);
	assert_string_equal(w->answer.s, "{}");
	say(w, "/profile");
	tap(w, "Возраст");	/* another question is open now */
	tap_data(w, PERSON, "7000000002", private_chat, 0, weight);
	assert_string_equal(w->answer.s, "{}");
	record(w, &u);
	assert_int_equal(u.weight_g, 80500);
}

static void never_mind_is_said_to_the_question_it_stands_under(void **state)
{
	struct world *w = *state;
	char first[KB_DATA_MAX + 1];

	say(w, "200 г хрюмзика");
	data_of(w, "Не надо", first, sizeof(first));
	say(w, "100 г брямзика");
	tap_data(w, PERSON, "7000000001", private_chat, 0, first);
	assert_string_equal(w->answer.s, "{}");
	tap_data(w, PERSON, "7000000002", private_chat, 0, "k:no");
	assert_string_equal(w->answer.s, "{}");
	say(w, "350");
	sees(w, "Запомнил");
	sees(w, "<b>брямзика</b> — 350 ккал в 100 г");
}

/* ---- nobody is held */

static void cancel_is_heard_in_every_dialogue(void **state)
{
	static const struct { const char *asked, *button, *word, *answer; } all[] = {
		{ "200 г хрюмзика", NULL, "Отмена", "без этого" },
		{ "200 г хрюмзика", NULL, "never mind", "без этого" },
		{ "200 г хрюмзика", NULL, "/cancel", "без этого" },
		{ "200 г хрюмзика", NULL, "пропустить", "без этого" },
		{ "/start", NULL, "стоп!", "вопрос снят" },
		{ "/profile", "Вес", "Cancel.", "вопрос снят" },
		{ "/profile", "Вес", "/cancel", "вопрос снят" },
		{ "/timezone", NULL, "stop", "вопрос снят" },
		{ "/timezone", NULL, "skip", "вопрос снят" },
		{ "/delete_me", NULL, "отмена", "Ничего не удалено" },
		{ "/delete_me", NULL, "skip", "Ничего не удалено" },
	};
	struct world *w = *state;
	struct user u;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say(w, all[i].asked);
		if (all[i].button != NULL)
			tap(w, all[i].button);
		say(w, all[i].word);
		sees(w, all[i].answer);
		record(w, &u);
		assert_string_equal(u.dialogue, "");
		assert_int_equal(draft_body_len(&u), 0);
		say(w, "/cancel");
		sees(w, "ни о чём не спрашиваю");
	}
	say(w, "/today");
	sees(w, "Пока ничего не записано");
}

static void cancel_in_a_group_leaves_what_was_asked_in_private(void **state)
{
	struct world *w = *state;

	say(w, "200 г хрюмзика");
	world_send(w, "message", 3, group_chat, "/cancel");
	sees(w, "ни о чём не спрашиваю");
	say(w, "350");
	sees(w, "Запомнил");
}

/* Each is delivered twice: a repetition skips nothing more. */
static void skip_goes_on_by_one_question(void **state)
{
	static const char *const words[] = { "пропустить", "Skip",
		"Пропусти.", "next", "дальше", "SKIP!", "пропустить" };
	static const char *const next[] = { "Ваш пол", "Сколько вам лет",
		"рост", "весите", "подвижны", "цель", "нормы пока нет" };
	struct world *w = *state;

	say(w, "/start");
	for (size_t i = 0; i < 7; i++) {
		say(w, words[i]);
		sees(w, next[i]);
	}
}

/* ---- records of the version before */

static void an_old_question_is_still_answered(void **state)
{
	struct world *w = *state;
	char draft[512];

	say(w, "/start");
	str_format(draft, sizeof(draft), "{\"chat\":77,\"msg\":500,\"at\":%d,"
	    "\"edit\":0,\"heard\":0,\"cal\":0,\"learned\":\"\",\"name\":"
	    "\"хрюмзик\",\"key\":\"хрюмзик\",\"text\":\"200 г хрюмзика\"}", NOON);
	leave(w, "teach:ask", draft);
	say(w, "350");
	sees(w, "Запомнил");
	leave(w, "teach:ask", draft);
	tap_data(w, PERSON, "7000000001", private_chat, 0, "k:no");
	sees(w, "Хорошо, без этого");
	leave(w, "step:s:3", "");
	tap_data(w, PERSON, "7000000002", private_chat, 0, "s:s:3:175");
	sees(w, "весите");
}

static void an_old_undo_is_remembered(void **state)
{
	struct world *w = *state;
	char draft[64];

	say(w, "100 г гречки");
	w->now += 60;
	say(w, "банан 100 г");
	str_format(draft, sizeof(draft), "77:960:%d:77:1000", NOON / 86400);
	leave(w, "undone", draft);
	world_send(w, "message", 960, private_chat, "/undo");
	sees(w, "Гречка");
	say(w, "/today");
	sees(w, "Банан — 89 ккал");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_stays_beside_the_draft),
		cmocka_unit_test(the_longest_draft_leaves_room_for_memory),
		cmocka_unit_test(a_draft_is_read_by_its_columns),
		CASE(undo_leaves_the_question_that_waits),
		CASE(undo_comes_again_after_a_tap),
		CASE(questions_go_on_after_another_one),
		CASE(a_button_of_an_answered_question_is_refused),
		CASE(never_mind_is_said_to_the_question_it_stands_under),
		CASE(cancel_is_heard_in_every_dialogue),
		CASE(cancel_in_a_group_leaves_what_was_asked_in_private),
		CASE(skip_goes_on_by_one_question),
		CASE(an_old_question_is_still_answered),
		CASE(an_old_undo_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
