/* cmd_language.c - /language. */
#include "config.h"

#include "bot/text.h"
#include "handlers/table.h"
#include "services/user.h"
#include "utils/validators.h"

static enum rc ask(struct turn *t, struct buf *out)
{
	struct keyboard *k = reply_keyboard(&t->reply);

	text_put(out, turn_lang(t), T_LANGUAGE_ASK);
	keyboard_button(k, "🇬🇧 English", "l:%d", LANG_EN);
	keyboard_button(k, "🇷🇺 Русский", "l:%d", LANG_RU);
	return RC_OK;
}

static enum rc run(struct turn *t, const char *args)
{
	(void)args;
	return ask(t, reply_send(&t->reply));
}

static enum rc run_tap(struct turn *t, const char *args)
{
	int64_t v;

	if (ints_parse(args, &v, 1) != 1 || v < 0 || v >= LANG_COUNT)
		return ask(t, reply_edit(&t->reply));
	t->user.lang = (int32_t)v;
	t->user.flags |= USER_F_LANG_CHOSEN;
	text_put(reply_edit(&t->reply), turn_lang(t), T_LANGUAGE_SET);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct command cmd_language = { "language", T_CMD_LANGUAGE, 0, run };
const struct tap tap_language = { "l", 0, 0, run_tap };
