/*
 * cmd_delete_me.c - /delete_me: says what will go, asks, erases, confirms.
 *
 * The question's number (that of the message that asked) is in its button and
 * in the person's record, dialogue "delete:<number>".  Erasing takes the record
 * away and with it the number: a tap that comes again, or on an older question,
 * does not erase what was written since.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "bot/dialogue.h"
#include "bot/text.h"
#include "bot/words.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/user.h"

enum { HOLDS_HOURS = 1 };

static const char asked[] = "delete:";

/* Is a question of this kind open?  Its text is heard in this chat only. */
static bool waits(const struct turn *t)
{
	return t->up->private_chat;
}

enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

/* Only a button erases: "да" may be meant for somebody else. */
static enum rc on_text(struct turn *t, const char *text, bool *consumed)
{
	static const struct word_row words[] = {
		{ "нет", ANSWER_NO }, { "не надо", ANSWER_NO },
		{ "оставить", ANSWER_NO }, { "оставь", ANSWER_NO },
		{ "no", ANSWER_NO }, { "no thanks", ANSWER_NO },
		{ "да", ANSWER_YES }, { "удалить", ANSWER_YES },
		{ "удали", ANSWER_YES }, { "yes", ANSWER_YES },
		{ "delete", ANSWER_YES }, { NULL, ANSWER_NONE } };
	int answer = waits(t) ? words_find(words, text) : ANSWER_NONE;

	if (answer == ANSWER_NO)
		return dialogue_cancel(t, consumed);
	*consumed = answer == ANSWER_YES;
	if (*consumed)
		text_put(reply_send(&t->reply), turn_lang(t), T_DELETE_TAP);
	return RC_OK;
}

const struct dialogue dialogue_delete = { "delete", T_DELETE_KEPT, waits, NULL,
	on_text };

static enum rc run(struct turn *t, const char *args)
{
	char state[USER_DIALOGUE_SIZE];
	struct keyboard *k;
	enum lang l = turn_lang(t);

	(void)args;
	text_put(reply_send(&t->reply), l, T_DELETE_ASK);
	k = reply_keyboard(&t->reply);
	keyboard_button(k, text_get(l, T_DELETE_YES), "x:yes:%" PRId64,
	    t->up->message_id);
	keyboard_row(k);
	keyboard_button(k, text_get(l, T_DELETE_NO), "x:no:%" PRId64,
	    t->up->message_id);
	str_format(state, sizeof(state), "%s%" PRId64, asked,
	    t->up->message_id);
	if (strcmp(state, t->user.dialogue) == 0)
		return RC_OK;	/* a repeated delivery */
	str_copy(t->user.dialogue, sizeof(t->user.dialogue), state);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* Is this the question that was asked last, and not yet answered? */
static bool pending(const struct turn *t, const char *number)
{
	size_t n = strlen(asked);

	return strncmp(t->user.dialogue, asked, n) == 0 &&
	    strcmp(t->user.dialogue + n, number) == 0;
}

/* The tap came again: still nothing is there, or something was written since,
 * which is not what the person wanted erased. */
static enum rc answer_late(struct turn *t)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	size_t n = 0;
	enum rc rc = RC_OK;

	if (t->user.rev == 0)
		rc = food_page(t->bot->foods, t->store, t->user.user_id, NULL,
		    1, m, &n, t->err);
	if (rc == RC_OK)
		text_put(reply_edit(&t->reply), turn_lang(t),
		    t->user.rev == 0 && n == 0 ? T_DELETE_DONE : T_DELETE_OLD);
	return rc;
}

static enum rc erase(struct turn *t)
{
	enum rc rc = user_erase(t->bot->users, t->store, t->user.user_id,
	    t->err);

	if (rc == RC_OK)
		text_put(reply_edit(&t->reply), turn_lang(t), T_DELETE_DONE);
	return rc;
}

static enum rc run_tap(struct turn *t, const char *args)
{
	if (strncmp(args, "yes", 3) == 0)
		return args[3] == ':' && pending(t, args + 4) ? erase(t) :
		    answer_late(t);
	text_put(reply_edit(&t->reply), turn_lang(t), T_DELETE_KEPT);
	if (strncmp(args, "no:", 3) != 0 || !pending(t, args + 3))
		return RC_OK;
	t->user.dialogue[0] = '\0';
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct command cmd_delete_me = { "delete_me", T_CMD_DELETE_ME,
	CMD_PRIVATE_ONLY, run };
const struct tap tap_delete_me = { "x", CMD_PRIVATE_ONLY, HOLDS_HOURS,
	run_tap };
