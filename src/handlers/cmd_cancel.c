/* cmd_cancel.c - /cancel: takes the pending question away. */
#include "config.h"

#include "bot/dialogue.h"
#include "bot/text.h"
#include "handlers/table.h"

static enum rc run(struct turn *t, const char *args)
{
	bool was;
	enum rc rc = dialogue_cancel(t, &was);

	(void)args;
	if (rc == RC_OK && !was)
		text_put(reply_send(&t->reply), turn_lang(t),
		    T_CANCEL_NOTHING);
	return rc;
}

const struct command cmd_cancel = { "cancel", T_CMD_CANCEL, 0, run };
