/*
 * test_bot_doors.c - what must stay shut: others' buttons, old buttons, private
 * things in groups, and those who are no persons.
 */
#include "config.h"

#include "bot_world.h"

#include <inttypes.h>
#include <string.h>

#include "bot/command.h"
#include "bot/taps.h"
#include "handlers/table.h"
#include "utils/json.h"

enum { OTHER = 78 };

/* ---- the tables */

/* Two rows of one verb: the second would never be served. */
static void verbs_are_short_and_one_of_a_kind(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct tap *const *a = bot_taps; *a; a++, n++) {
		size_t len = strlen((*a)->verb);
		assert_in_range(len, 1, TAP_VERB_MAX);
		for (size_t i = 0; i < len; i++)
			assert_true((*a)->verb[i] >= 'a' && (*a)->verb[i] <= 'z');
		assert_non_null((*a)->run);
		for (const struct tap *const *b = a + 1; *b; b++)
			assert_string_not_equal((*a)->verb, (*b)->verb);
	}
	assert_true(n >= 10);
}

static void names_of_commands_and_dialogues_are_one_of_a_kind(void **state)
{
	(void)state;
	for (const struct command *const *a = bot_commands; *a; a++) {
		assert_in_range(strlen((*a)->name), 1, 32);
		for (const struct command *const *b = a + 1; *b; b++)
			assert_string_not_equal((*a)->name, (*b)->name);
	}
	for (const struct dialogue *const *a = bot_dialogues; *a; a++) {
		/* with room for a step behind it */
		assert_in_range(strlen((*a)->name), 1, USER_DIALOGUE_SIZE - 12);
		for (const struct dialogue *const *b = a + 1; *b; b++)
			assert_string_not_equal((*a)->name, (*b)->name);
	}
}

/* ---- stamps */

static void a_stamp_is_read_as_it_was_written(void **state)
{
	struct tap_data d;
	char data[KB_DATA_MAX + 1] = "x:yes:5";

	(void)state;
	assert_true(tap_stamp(bot_taps, PERSON, NOON + 1, data, sizeof(data)));
	assert_true(tap_read(bot_taps, data, &d));
	assert_ptr_equal(d.row, &tap_delete_me);
	assert_string_equal(d.args, "yes:5");
	assert_true(d.stamped && d.whom == tap_whom(PERSON));
	assert_true(d.whom != tap_whom(OTHER));
	/* an hour at least, two at most */
	assert_true(d.until >= NOON + 1 + 3600 && d.until <= NOON + 1 + 7200);
	str_copy(data, sizeof(data), "w");
	assert_true(tap_stamp(bot_taps, PERSON, NOON, data, sizeof(data)));
	assert_true(tap_read(bot_taps, data, &d));
	assert_ptr_equal(d.row, &tap_week);
	assert_true(d.until == 0 && d.args[0] == '\0');
}

static void what_has_no_stamp_or_a_broken_one(void **state)
{
	static const char *const broken[] = { "x:yes~", "x:yes~ABC",
		"x:yes~ABCDE", "x:yes~AB!D", "x:yes~ABCDEFGH", "~ABCD", "",
		":yes~ABCD" };
	char full[KB_DATA_MAX + 1];
	struct tap_data d;

	(void)state;
	assert_true(tap_read(bot_taps, "x:yes", &d));
	assert_false(d.stamped);
	assert_string_equal(d.args, "yes");
	assert_true(tap_read(bot_taps, "nobody:1", &d));
	assert_null(d.row);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_false(tap_read(bot_taps, broken[i], &d));
	memset(full, 'm', sizeof(full) - 1);
	full[sizeof(full) - 1] = '\0';
	assert_false(tap_stamp(bot_taps, PERSON, NOON, full, sizeof(full)));
}

/* A client may send what no button ever held. */
static void odd_data_changes_nothing(void **state)
{
	static const char *const odd[] = {
		"m:d:%d:77:1000:2147483647", "m:d:%d:77:1000:-2147483648",
		"m:d:%d:77:1000:4294967297", "m:d:%d:77:1000:0",
		"m:z:%d:77:1000:1:2147483648", "m:z:%d:77:1000:1:-2",
		"m:s:%d:77:1000:1:0:-1", "m:s:%d:77:1000:1:0:4294967299",
	};
	struct world *w = *state;
	char data[KB_DATA_MAX + 1];

	say(w, "100 г гречки");
	assert_int_equal(w->last_message, 1000);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		str_format(data, sizeof(data), odd[i], NOON / 86400);
		tap_data(w, PERSON, "4000000001", private_chat, 0, data);
		assert_string_equal(w->answer.s, "{}");
	}
	str_format(data, sizeof(data), "m:v:%d:77:1000:1", NOON / 86400);
	tap_data(w, PERSON, "4000000002", private_chat, 0, data);
	sees(w, "100 г");
	sees(w, ":1~");		/* still its first revision */
}

/* ---- groups */

/* Telegram leaves reply_to_message out when that message is gone. */
static void anothers_button_is_not_mine_also_without_a_reply(void **state)
{
	struct world *w = *state;
	char data[KB_DATA_MAX + 1];

	world_send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	data_of(w, "2×", data, sizeof(data));
	tap_data(w, OTHER, "5000000001", group_chat, 0, data);
	assert_string_equal(w->answer.s, "{}");
	tap_data(w, PERSON, "5000000002", group_chat, 0, data);
	sees(w, "200 г");
}

static void an_old_button_of_a_group_needs_its_reply(void **state)
{
	struct world *w = *state;
	char data[KB_DATA_MAX + 1];

	world_send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	data_of(w, "2×", data, sizeof(data));
	*strchr(data, '~') = '\0';	/* as it was made before there were stamps */
	tap_data(w, OTHER, "5000000001", group_chat, 0, data);
	assert_string_equal(w->answer.s, "{}");
	tap_data(w, PERSON, "5000000002", group_chat, PERSON, data);
	sees(w, "200 г");
}

static void the_diary_is_not_told_to_a_group(void **state)
{
	static const char *const commands[] = { "/today", "/week", "/undo",
		"/history", "/profile", "/delete_me", "/start" };
	struct world *w = *state;

	say(w, "100 г гречки");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		world_send(w, "message", 10 + (int64_t)i, group_chat,
		    commands[i]);
		sees(w, "личном чате");
		sees(w, "https://t.me/FamilyBot");
		sees_not(w, "речк");
	}
	say(w, "/today");
	sees(w, "Гречка");
}

static void a_group_hears_of_the_meal_not_of_the_day(void **state)
{
	struct world *w = *state;
	int32_t day = NOON / 86400;
	char data[KB_DATA_MAX + 1];

	say(w, "300 г борща");
	world_send(w, "message", 2, group_chat, "@familybot 100 г гречки");
	sees(w, "Гречка");
	sees_not(w, "Сегодня");
	sees_not(w, "\\n\\n\\n");	/* no hole where the day would be */
	world_send(w, "message", 3, group_chat, "@familybot как вчера");
	sees(w, "личном чате");
	/* a meal of the private chat is not called into the group */
	str_format(data, sizeof(data), "m:v:%d:77:1000:1", (int)day);
	tap_data(w, PERSON, "5000000001", group_chat, PERSON, data);
	assert_string_equal(w->answer.s, "{}");
}

static void the_way_from_a_group_leads_to_what_was_asked(void **state)
{
	struct world *w = *state;

	say(w, "100 г гречки");
	world_send(w, "message", 2, group_chat, "/week");
	sees(w, "?start=go_week");
	say(w, "/start go_week");
	sees(w, "7 дней");
	say(w, "/start go_delete_me");	/* nothing that does something */
	sees(w, "Здравствуйте");
}

/* ---- who is no person */

static void those_who_stand_in_for_a_chat_are_not_answered(void **state)
{
	static const char *const bodies[] = {
		"\"from\":{\"id\":777000,\"is_bot\":false,\"first_name\":\"Telegram\"}",
		"\"from\":{\"id\":1087968824,\"is_bot\":false,\"first_name\":\"G\"}",
		"\"from\":{\"id\":136817688,\"is_bot\":false,\"first_name\":\"C\"}",
		"\"from\":{\"id\":77},\"sender_chat\":{\"id\":-1001,\"type\":\"channel\"}",
		"\"from\":{\"id\":77},\"is_automatic_forward\":true",
	};
	struct world *w = *state;
	char body[512];

	for (size_t i = 0; i <= sizeof(bodies) / sizeof(bodies[0]); i++) {
		bool person = i == sizeof(bodies) / sizeof(bodies[0]);
		str_format(body, sizeof(body), "{\"update_id\":%zu,\"message\":"
		    "{\"message_id\":%zu,\"date\":%d,%s,\"chat\":{\"id\":"
		    "-100500,\"type\":\"supergroup\"},\"text\":\"/help\"}}",
		    i + 1, i + 1, NOON, person ? "\"from\":{\"id\":77}" :
		    bodies[i]);
		world_deliver(w, body);
		if (person)
			sees(w, "/today");
		else
			assert_string_equal(w->answer.s, "{}");
	}
}

static void a_command_is_heard_under_a_photo(void **state)
{
	static const char photo[] = "{\"update_id\":%d,\"message\":{"
	    "\"message_id\":300,\"from\":{\"id\":77,\"language_code\":\"ru\"},"
	    "\"chat\":{\"id\":77,\"type\":\"private\"},\"date\":%d,"
	    "\"photo\":[{}],\"caption\":\"/help\"}}";
	struct world *w = *state;
	char body[512];

	str_format(body, sizeof(body), photo, 1, NOON);
	world_deliver(w, body);
	sees(w, "Что я умею");
}

/* ---- messages that cannot be edited, questions that were answered */

static void a_message_that_is_gone_is_not_edited(void **state)
{
	static const char body[] = "{\"update_id\":%d,\"callback_query\":{"
	    "\"id\":\"%d\",\"from\":{\"id\":77,\"language_code\":\"ru\"},"
	    "\"message\":{\"message_id\":%d,\"date\":%d,\"chat\":{\"id\":77,"
	    "\"type\":\"private\"}},\"data\":\"w\"}}";
	struct world *w = *state;
	char text[512];

	str_format(text, sizeof(text), body, 1, 1, 0, NOON);
	world_deliver(w, text);
	sees(w, "sendMessage");
	str_format(text, sizeof(text), body, 2, 2, 9, 0);	/* inaccessible */
	world_deliver(w, text);
	sees(w, "sendMessage");
	str_format(text, sizeof(text), body, 3, 3, 9, NOON);
	world_deliver(w, text);
	sees(w, "editMessageText");
}

static void erasing_is_done_once_for_one_question(void **state)
{
	struct world *w = *state;
	char yes[KB_DATA_MAX + 1];

	say(w, "100 г гречки");
	say(w, "/delete_me");
	data_of(w, "🗑", yes, sizeof(yes));
	tap_data(w, PERSON, "6000000001", private_chat, 0, yes);
	sees(w, "всё о вас удалено");
	/* the same tap comes late, after a new beginning */
	say(w, "250 г риса");
	tap_data(w, PERSON, "6000000001", private_chat, 0, yes);
	sees(w, "ничего не удалено");
	say(w, "/today");
	sees(w, "Рис");
	say(w, "/start");
	tap_data(w, PERSON, "6000000001", private_chat, 0, yes);
	sees(w, "ничего не удалено");
	say(w, "/today");
	sees(w, "Рис");
}

static void an_older_question_does_not_erase(void **state)
{
	struct world *w = *state;
	char first[KB_DATA_MAX + 1], second[KB_DATA_MAX + 1];

	say(w, "100 г гречки");
	say(w, "/delete_me");
	data_of(w, "🗑", first, sizeof(first));
	tap(w, "Нет");
	tap_data(w, PERSON, "6000000001", private_chat, 0, first);
	sees(w, "ничего не удалено");
	say(w, "/delete_me");
	data_of(w, "🗑", second, sizeof(second));
	tap_data(w, PERSON, "6000000002", private_chat, 0, first);
	sees(w, "ничего не удалено");
	tap_data(w, PERSON, "6000000003", private_chat, 0, "x:yes");
	sees(w, "ничего не удалено");	/* of the head before */
	w->now += 3 * 3600;
	tap_data(w, PERSON, "6000000004", private_chat, 0, second);
	assert_string_equal(w->answer.s, "{}");	/* too late; a toast says so */
	say(w, "/today");
	sees(w, "Гречка");
}

static void words_keep_but_never_erase(void **state)
{
	struct world *w = *state;
	char yes[KB_DATA_MAX + 1];

	say(w, "100 г гречки");
	say(w, "/delete_me");
	data_of(w, "🗑", yes, sizeof(yes));
	say(w, "Да!");
	sees(w, "нажмите кнопку");
	say(w, "Нет.");
	sees(w, "Ничего не удалено");
	tap_data(w, PERSON, "6000000001", private_chat, 0, yes);
	sees(w, "ничего не удалено");
	say(w, "/today");
	sees(w, "Гречка");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_short_and_one_of_a_kind),
		cmocka_unit_test(names_of_commands_and_dialogues_are_one_of_a_kind),
		cmocka_unit_test(a_stamp_is_read_as_it_was_written),
		cmocka_unit_test(what_has_no_stamp_or_a_broken_one),
		CASE(odd_data_changes_nothing),
		CASE(anothers_button_is_not_mine_also_without_a_reply),
		CASE(an_old_button_of_a_group_needs_its_reply),
		CASE(the_diary_is_not_told_to_a_group),
		CASE(a_group_hears_of_the_meal_not_of_the_day),
		CASE(the_way_from_a_group_leads_to_what_was_asked),
		CASE(those_who_stand_in_for_a_chat_are_not_answered),
		CASE(a_command_is_heard_under_a_photo),
		CASE(a_message_that_is_gone_is_not_edited),
		CASE(erasing_is_done_once_for_one_question),
		CASE(an_older_question_does_not_erase),
		CASE(words_keep_but_never_erase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
