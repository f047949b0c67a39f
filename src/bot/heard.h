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

void heard_of(const struct bot *bot, const struct update *u,
    struct arena *arena, struct heard *out);

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

#endif
