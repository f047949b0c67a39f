/* cmd_start.c - /start: who are you, and what is your target? */
#include "config.h"

#include <string.h>

#include "bot/text.h"
#include "handlers/steps.h"
#include "handlers/table.h"
#include "services/user.h"
#include "utils/validators.h"

/* "go_today": the button under a group's answer leads to /today, here. */
static const struct command *linked(const struct turn *t, const char *args)
{
	if (strncmp(args, "go_", 3) != 0)
		return NULL;
	for (const struct command *const *c = t->bot->commands; *c; c++)
		if (((*c)->flags & CMD_LINKED) &&
		    strcmp((*c)->name, args + 3) == 0)
			return *c;
	return NULL;
}

static enum rc run(struct turn *t, const char *args)
{
	const struct command *row = linked(t, args);
	enum lang l = turn_lang(t);
	struct buf *out;

	if (row != NULL)
		return row->run(t, "");
	out = reply_send(&t->reply);

	/* where the person came from; the first word counts */
	if (payload_valid(args) && t->user.start_payload[0] == '\0')
		str_copy(t->user.start_payload, sizeof(t->user.start_payload),
		    args);
	if (t->user.name[0] != '\0')
		text_put(out, l, T_HELLO, t->user.name);
	else
		text_put(out, l, T_HELLO_NAMELESS);
	buf_puts(out, "\n\n");
	step_ask(t, out, STEP_MODE_START, STEP_LANGUAGE);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct command cmd_start = { "start", T_CMD_START, CMD_PRIVATE_ONLY, run };
