/*
 * choice.c - two readings of a message are about as likely: which was meant?
 *
 * The message waits in the draft of the dialogue "choice"; a tap is
 * "i:<reader>:<number of the question>".  What is chosen is done as if the
 * message had come now, with its own number and time, so that a repeated tap
 * writes nothing twice.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "bot/draft.h"
#include "bot/intent.h"
#include "bot/memory.h"
#include "bot/text.h"
#include "handlers/table.h"
#include "services/user.h"

static const char choice[] = "choice";

struct waiting {
	int64_t chat, msg, at;
	char text[256];
};

static const struct draft_column columns[] = {
	DRAFT_INT_COLUMN(struct waiting, chat, INT64_MIN, INT64_MAX),
	DRAFT_INT_COLUMN(struct waiting, msg, 1, INT64_MAX),
	DRAFT_INT_COLUMN(struct waiting, at, 1, INT64_MAX),
	DRAFT_TEXT_COLUMN(struct waiting, text),
	{ .name = NULL },
};

static void button(struct turn *t, const struct reader *r)
{
	struct keyboard *k = reply_keyboard(&t->reply);

	keyboard_row(k);
	keyboard_button(k, text_get(turn_lang(t), r->choice), "i:%s:%" PRId64,
	    r->name, t->up->message_id);
}

enum rc handle_choice(struct turn *t, const char *text,
    const struct reader *a, const struct reader *b)
{
	struct waiting w = { .chat = t->up->chat_id, .msg = t->up->message_id,
		.at = t->up->date };
	struct user before = t->user;

	/* what cannot be kept whole is read as the likelier of the two */
	if (!str_copy(w.text, sizeof(w.text), text) ||
	    !draft_write(&t->user, columns, &w)) {
		text_put(reply_send(&t->reply), turn_lang(t), T_NOT_FOOD);
		return RC_OK;
	}
	str_copy(t->user.dialogue, sizeof(t->user.dialogue), choice);
	text_put(reply_send(&t->reply), turn_lang(t), T_CHOICE_ASK, text);
	button(t, a);
	button(t, b);
	if (strcmp(before.dialogue, t->user.dialogue) == 0 &&
	    strcmp(before.draft, t->user.draft) == 0)
		return RC_OK;	/* a repeated delivery: asked already */
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* The number behind the reader's name is that of the message that waits. */
static bool is_about(const char *args, const struct waiting *w, char *name,
    size_t size)
{
	char number[24];
	size_t n = strcspn(args, ":");

	str_format(number, sizeof(number), "%" PRId64, w->msg);
	return args[n] == ':' && strcmp(args + n + 1, number) == 0 &&
	    str_copy_n(name, size, args, n);
}

static enum rc run_tap(struct turn *t, const char *args)
{
	const struct update *tap = t->up;
	struct update said = *tap;
	struct waiting w;
	char name[16];
	bool known = false;
	enum rc rc = RC_OK;

	if (strcmp(t->user.dialogue, choice) == 0 &&
	    draft_read(&t->user, columns, &w) && w.chat == tap->chat_id &&
	    is_about(args, &w, name, sizeof(name))) {
		said.kind = UPDATE_MESSAGE;
		said.message_id = w.msg;
		said.date = w.at;
		said.content = CONTENT_TEXT;
		said.text = arena_strdup(t->arena, w.text);
		t->up = &said;
		rc = intent_chosen(t, name, said.text, &known);
		t->up = tap;
	}
	if (!known)
		str_copy(t->reply.toast, sizeof(t->reply.toast),
		    text_get(turn_lang(t), T_TAP_OLD));
	else if (t->reply.n > 0)
		t->reply.messages[0].edit = true;	/* in the question's place */
	return rc;
}

const struct tap tap_choice = { "i", 0, 0, run_tap };

static bool pending(const struct turn *t)
{
	struct waiting w;

	return draft_read(&t->user, columns, &w) && w.chat == t->up->chat_id;
}

static enum rc on_text(struct turn *t, const char *text, bool *consumed)
{
	(void)t;
	(void)text;
	*consumed = false;	/* words are read anew; the buttons stay */
	return RC_OK;
}

const struct dialogue dialogue_choice = { "choice", T_SKIPPED, pending, NULL,
	on_text };
