/* cmd_help.c - /help, printed from the table of commands. */
#include "config.h"

#include "bot/text.h"
#include "handlers/table.h"

static enum rc run(struct turn *t, const char *args)
{
	struct buf *out = reply_send(&t->reply);
	enum lang l = turn_lang(t);

	(void)args;
	text_put(out, l, T_HELP);
	buf_puts(out, "\n\n");
	for (const struct command *const *c = t->bot->commands; *c; c++) {
		if ((*c)->flags & CMD_HIDDEN)
			continue;
		text_put(out, l, T_HELP_LINE, (*c)->name,
		    text_get(l, (*c)->help));
		buf_putc(out, '\n');
	}
	return RC_OK;
}

const struct command cmd_help = { "help", T_CMD_HELP, 0, run };
