/*
 * table.h - every command, tap and dialogue of the bot.  A new one is a file
 * that defines its row, a declaration here and an entry in table.c.
 */
#ifndef FAMILYBOT_HANDLERS_TABLE_H
#define FAMILYBOT_HANDLERS_TABLE_H

#include "bot/command.h"

extern const struct command cmd_start, cmd_today, cmd_week, cmd_history,
	cmd_undo, cmd_profile, cmd_language, cmd_timezone, cmd_help,
	cmd_delete_me, cmd_cancel;

extern const struct tap tap_meal, tap_step, tap_teach, tap_today, tap_week,
	tap_history, tap_choice, tap_profile, tap_language, tap_timezone, tap_delete_me;

extern const struct dialogue dialogue_step, dialogue_teach, dialogue_timezone,
	dialogue_delete, dialogue_choice;

extern const struct reader reader_command, reader_talk, reader_question,
	reader_food;

/* Each ends in NULL. */
extern const struct command *const bot_commands[];
extern const struct tap *const bot_taps[];
extern const struct dialogue *const bot_dialogues[];
extern const struct reader *const bot_readers[];

/* To the history, which is not shown to groups. */
void history_button(struct turn *t);

/* Says kindly why a meal could not be stored (day full); any other rc is
 * handed back. */
enum rc food_refused(struct turn *t, enum rc rc);

#endif
