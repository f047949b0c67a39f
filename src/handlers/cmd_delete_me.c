/*
 * cmd_delete_me.c - /delete_me: says what will go, asks, erases, confirms.
 *
 * Erasing twice is erasing once, so a repeated tap gives the same answer.
 */
#include "config.h"

#include <string.h>

#include "bot/text.h"
#include "handlers/table.h"
#include "services/user.h"

static enum rc run(struct turn *t, const char *args)
{
	struct keyboard *k;
	enum lang l = turn_lang(t);

	(void)args;
	text_put(reply_send(&t->reply), l, T_DELETE_ASK);
	k = reply_keyboard(&t->reply);
	keyboard_button(k, text_get(l, T_DELETE_YES), "x:yes");
	keyboard_row(k);
	keyboard_button(k, text_get(l, T_DELETE_NO), "x:no");
	return RC_OK;
}

static enum rc run_tap(struct turn *t, const char *args)
{
	enum rc rc;

	if (strcmp(args, "yes") != 0) {
		text_put(reply_edit(&t->reply), turn_lang(t), T_DELETE_KEPT);
		return RC_OK;
	}
	rc = user_erase(t->bot->users, t->store, t->user.user_id, t->err);
	if (rc == RC_OK)
		text_put(reply_edit(&t->reply), turn_lang(t), T_DELETE_DONE);
	return rc;
}

const struct command cmd_delete_me = { "delete_me", T_CMD_DELETE_ME,
	CMD_PRIVATE_ONLY, run };
const struct tap tap_delete_me = { "x", CMD_PRIVATE_ONLY, run_tap };
