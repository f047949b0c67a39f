/*
 * heard.h - which part of a message is meant for the bot.  Pure.
 */
#ifndef FAMILYBOT_BOT_HEARD_H
#define FAMILYBOT_BOT_HEARD_H

#include <stdbool.h>

#include "bot/bot.h"
#include "bot/update.h"
#include "utils/arena.h"

enum { HEARD_WORD_MAX = 64 };

struct heard {
	const char *text;	/* without "@bot"; in the arena if changed */
	/* A private chat, the bot's name, a reply to it, or a command; and
	 * nothing that Telegram itself put there. */
	bool addressed;
	bool command;
};

/* "/today@familybot args" → word "today", bot name, arguments. */
struct heard_command {
	char word[HEARD_WORD_MAX];
	char bot[HEARD_WORD_MAX];
	const char *args;
};

void heard_command(const char *text, struct heard_command *out);
/* Meant for another bot of the group? */
bool heard_elsewhere(const struct bot *bot, const struct heard_command *c);
/* The row of the table, NULL none. */
const struct command *heard_row(const struct bot *bot,
    const struct heard_command *c);

/* What a message is to the bot, for all who ask: what dispatch.c serves now and
 * what later.c keeps must be the same. */
enum heard_as {
	HEARD_NOTHING,		/* not meant for the bot: no answer */
	HEARD_COMMAND,		/* of the table; also as a photo's caption */
	HEARD_STRANGE_COMMAND,	/* of no table, in a private chat */
	HEARD_EDIT,		/* new words for what was said before */
	HEARD_TEXT,
	HEARD_CONTENT		/* a photo, a sticker …; perhaps with a caption */
};

/* *c is filled for the two kinds of command. */
enum heard_as heard_message(const struct bot *bot, const struct update *u,
    struct arena *arena, struct heard *out, struct heard_command *c);

#endif
