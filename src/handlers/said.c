/*
 * said.c - a whole message that is a command in words ("сегодня", "undo") or
 * small talk ("спасибо"): nothing is written down.
 */
#include "config.h"

#include "bot/intent.h"
#include "bot/text.h"
#include "bot/words.h"
#include "handlers/table.h"

enum said { SAID_UNDO = 1, SAID_CANCEL, SAID_TODAY, SAID_WEEK, SAID_HISTORY,
	SAID_PROFILE, SAID_HELP, SAID_COUNT };

static const struct command *const commands[SAID_COUNT] = {
	[SAID_UNDO] = &cmd_undo, [SAID_CANCEL] = &cmd_cancel,
	[SAID_TODAY] = &cmd_today, [SAID_WEEK] = &cmd_week,
	[SAID_HISTORY] = &cmd_history, [SAID_PROFILE] = &cmd_profile,
	[SAID_HELP] = &cmd_help,
};

static const struct word_row command_words[] = {
	{ "отмена", SAID_UNDO }, { "отмени", SAID_UNDO },
	{ "отменить", SAID_UNDO }, { "undo", SAID_UNDO },
	{ "стоп", SAID_CANCEL }, { "хватит", SAID_CANCEL },
	{ "отбой", SAID_CANCEL }, { "пропустить", SAID_CANCEL },
	{ "stop", SAID_CANCEL }, { "cancel", SAID_CANCEL },
	{ "skip", SAID_CANCEL }, { "never mind", SAID_CANCEL },
	{ "nevermind", SAID_CANCEL },
	{ "сегодня", SAID_TODAY }, { "today", SAID_TODAY },
	{ "за сегодня", SAID_TODAY }, { "что я съел", SAID_TODAY },
	{ "что я съела", SAID_TODAY }, { "сколько я съел", SAID_TODAY },
	{ "сколько я съела", SAID_TODAY },
	{ "сколько калорий я съел", SAID_TODAY },
	{ "сколько калорий я съела", SAID_TODAY },
	{ "сколько осталось", SAID_TODAY },
	{ "what did i eat", SAID_TODAY }, { "what did i eat today", SAID_TODAY },
	{ "неделя", SAID_WEEK }, { "за неделю", SAID_WEEK },
	{ "week", SAID_WEEK }, { "this week", SAID_WEEK },
	{ "история", SAID_HISTORY }, { "history", SAID_HISTORY },
	{ "профиль", SAID_PROFILE }, { "profile", SAID_PROFILE },
	{ "помощь", SAID_HELP }, { "помоги", SAID_HELP },
	{ "справка", SAID_HELP }, { "help", SAID_HELP }, { NULL, 0 }
};

static enum rc read_command(struct turn *t, const char *text,
    struct guess *out)
{
	int said = words_find(command_words, text);

	(void)t;
	if (said == 0)
		return RC_OK;
	out->score = INTENT_SURE;
	out->reason = "a command in words";
	out->row = commands[said];
	return RC_OK;
}

static enum rc run_command(struct turn *t, const struct guess *g)
{
	return command_run(t, g->row, "");
}

const struct reader reader_command = { "words", T_READ_COMMAND, read_command,
	run_command };

/* ---- small talk */

static const struct word_row talk_words[] = {
	{ "спасибо", T_TALK_THANKS }, { "спасибо большое", T_TALK_THANKS },
	{ "большое спасибо", T_TALK_THANKS }, { "спс", T_TALK_THANKS },
	{ "благодарю", T_TALK_THANKS }, { "thanks", T_TALK_THANKS },
	{ "thanks a lot", T_TALK_THANKS }, { "thank you", T_TALK_THANKS },
	{ "thank you very much", T_TALK_THANKS }, { "thx", T_TALK_THANKS },
	{ "привет", T_TALK_HELLO }, { "здравствуй", T_TALK_HELLO },
	{ "здравствуйте", T_TALK_HELLO }, { "доброе утро", T_TALK_HELLO },
	{ "добрый день", T_TALK_HELLO }, { "добрый вечер", T_TALK_HELLO },
	{ "hello", T_TALK_HELLO }, { "hi", T_TALK_HELLO },
	{ "hey", T_TALK_HELLO }, { "good morning", T_TALK_HELLO },
	{ "good evening", T_TALK_HELLO },
	{ "до свидания", T_TALK_BYE }, { "спокойной ночи", T_TALK_BYE },
	{ "доброй ночи", T_TALK_BYE }, { "bye", T_TALK_BYE },
	{ "goodbye", T_TALK_BYE }, { "good night", T_TALK_BYE }, { NULL, 0 }
};

static enum rc read_talk(struct turn *t, const char *text, struct guess *out)
{
	const struct word_row *row;
	int id = words_find(talk_words, text);

	(void)t;
	if (id == 0)
		return RC_OK;
	for (row = talk_words; row->value != id; row++)
		;
	out->score = INTENT_SURE;
	out->reason = "small talk";
	out->row = row;
	return RC_OK;
}

static enum rc run_talk(struct turn *t, const struct guess *g)
{
	const struct word_row *row = g->row;

	text_put(reply_send(&t->reply), turn_lang(t),
	    (enum text_id)row->value);
	return RC_OK;
}

const struct reader reader_talk = { "talk", T_READ_TALK, read_talk, run_talk };
