/* table.c - see table.h.  The order is that of /help. */
#include "config.h"

#include "handlers/table.h"

#include <stddef.h>

const struct command *const bot_commands[] = {
	&cmd_today, &cmd_week, &cmd_history, &cmd_undo, &cmd_profile,
	&cmd_timezone, &cmd_language, &cmd_cancel, &cmd_help, &cmd_start,
	&cmd_delete_me,
	NULL
};

const struct tap *const bot_taps[] = {
	&tap_meal, &tap_step, &tap_teach, &tap_today, &tap_week, &tap_history,
	&tap_profile, &tap_language, &tap_timezone, &tap_delete_me,
	&tap_choice,
	NULL
};

const struct dialogue *const bot_dialogues[] = {
	&dialogue_step, &dialogue_teach, &dialogue_timezone, &dialogue_delete,
	&dialogue_choice,
	NULL
};

/* Those that only compare words come first: when one is sure, the text is not
 * parsed. */
const struct reader *const bot_readers[] = {
	&reader_command, &reader_talk, &reader_question, &reader_food,
	NULL
};
