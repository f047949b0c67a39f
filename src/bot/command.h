/*
 * command.h - rows of the tables that say what the bot can do.
 *
 * A command, a tap and a dialogue is each one row and one file in handlers/.
 * /help and setMyCommands are printed from the commands' rows; the dispatcher
 * checks their flags.
 */
#ifndef FAMILYBOT_BOT_COMMAND_H
#define FAMILYBOT_BOT_COMMAND_H

#include <stdbool.h>

#include "bot/bot.h"
#include "bot/reply.h"
#include "bot/text_ids.h"
#include "bot/update.h"
#include "models/user.h"
#include "utils/arena.h"
#include "utils/err.h"

/* One update being answered: everything that a row's function works with. */
struct turn {
	struct bot *bot;
	const struct update *up;
	struct arena *arena;
	struct store *store;	/* the user's shard, to hand to services */
	struct user user;	/* rev 0: not stored yet */
	struct reply reply;
	struct err *err;
};

static inline enum lang turn_lang(const struct turn *t)
{
	return (enum lang)t->user.lang;
}

enum command_flags {
	CMD_PRIVATE_ONLY = 1,	/* politely refused in groups */
	CMD_HIDDEN = 2,		/* not in /help or the menu */
	CMD_LINKED = 4		/* t.me/<bot>?start=go_<name> opens it */
};

struct command {
	const char *name;	/* without the slash */
	enum text_id help;
	unsigned int flags;
	/* args: text after the command, trimmed, "" none */
	enum rc (*run)(struct turn *t, const char *args);
};

struct tap {
	const char *verb;	/* callback data is "verb:args", see taps.h */
	unsigned int flags;
	int holds_hours;	/* 0: as long as the button can be seen */
	enum rc (*run)(struct turn *t, const char *args);
};

struct dialogue {
	const char *name;	/* user.dialogue is "name" or "name:step" */
	enum text_id gone;	/* said when the question was taken away */
	/* Does a question of it wait for an answer in this chat? */
	bool (*pending)(const struct turn *t);
	/* Goes on without an answer; NULL: the question is taken away. */
	enum rc (*skip)(struct turn *t);
	/* Sets *consumed false when the text was not meant for it. */
	enum rc (*on_text)(struct turn *t, const char *text, bool *consumed);
};

/* Runs a row, or says in a group that it is private. */
enum rc command_run(struct turn *t, const struct command *row,
    const char *args);

/* Handlers that are not found by a word. */
enum rc handle_choice(struct turn *t, const char *text,
    const struct reader *a, const struct reader *b);
enum rc handle_food_edit(struct turn *t, const char *text);
enum rc handle_other_content(struct turn *t, const char *caption);

#endif
