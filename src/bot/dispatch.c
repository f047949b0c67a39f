/*
 * dispatch.c - from an update to the row that serves it.
 *
 * Holds the user's slot while a row works.  A row that lost a compare-and-set
 * is run again on fresh data; nothing was sent by then.
 */
#include "config.h"

#include "bot/bot.h"

#include <string.h>

#include "bot/command.h"
#include "bot/text.h"
#include "bot/update.h"
#include "services/user.h"
#include "store/router.h"
#include "utils/timing.h"

enum { ATTEMPTS = 4, WORD_MAX = 64 };

/* "/today@familybot args" → word "today", bot name, arguments. */
struct parsed_command {
	char word[WORD_MAX];
	char bot[WORD_MAX];
	const char *args;
};

static bool is_command(const char *text)
{
	return text[0] == '/' && ((text[1] >= 'a' && text[1] <= 'z') ||
	    (text[1] >= 'A' && text[1] <= 'Z'));
}

static void split_command(const char *text, struct parsed_command *c)
{
	size_t n = strcspn(text + 1, " \t\n@");

	str_copy_n(c->word, sizeof(c->word), text + 1, n);
	for (char *p = c->word; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	text += 1 + n;
	c->bot[0] = '\0';
	if (*text == '@') {
		n = strcspn(++text, " \t\n");
		str_copy_n(c->bot, sizeof(c->bot), text, n);
		text += n;
	}
	c->args = text + strspn(text, " \t\n");
}

static bool name_char(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* Finds "@username" in text; returns what is to be read instead of it. */
static const char *without_mention(struct turn *t, const char *text,
    bool *mentioned)
{
	const char *name = t->bot->username;
	size_t n = strlen(name);

	*mentioned = false;
	if (n == 0)
		return text;
	for (const char *p = text; (p = strchr(p, '@')) != NULL; p++) {
		if (strncasecmp(p + 1, name, n) != 0 || name_char(p[1 + n]) ||
		    (p > text && name_char(p[-1])))
			continue;
		char *copy = arena_strdup(t->arena, text);
		memset(copy + (p - text), ' ', n + 1);
		*mentioned = true;
		return copy + strspn(copy, " \t\n,:");
	}
	return text;
}

static enum rc run_command(struct turn *t, const char *text,
    struct update_info *info)
{
	struct parsed_command c;

	split_command(text, &c);
	if (c.bot[0] != '\0' && t->bot->username[0] != '\0' &&
	    strcasecmp(c.bot, t->bot->username) != 0)
		return RC_OK;	/* meant for another bot of the group */
	for (const struct command *const *p = t->bot->commands; *p; p++) {
		if (strcmp((*p)->name, c.word) != 0)
			continue;
		info->handler = (*p)->name;
		if (((*p)->flags & CMD_PRIVATE_ONLY) && !t->up->private_chat) {
			text_put(reply_send(&t->reply), turn_lang(t),
			    T_PRIVATE_ONLY);
			return RC_OK;
		}
		return (*p)->run(t, c.args);
	}
	info->handler = "unknown_command";
	if (t->up->private_chat)
		text_put(reply_send(&t->reply), turn_lang(t),
		    T_UNKNOWN_COMMAND, arena_printf(t->arena, "/%s", c.word));
	return RC_OK;
}

static enum rc run_dialogue(struct turn *t, const char *text,
    struct update_info *info, bool *consumed)
{
	size_t n = strcspn(t->user.dialogue, ":");

	for (const struct dialogue *const *p = t->bot->dialogues; *p; p++)
		if (strlen((*p)->name) == n &&
		    strncmp((*p)->name, t->user.dialogue, n) == 0) {
			info->handler = (*p)->name;
			return (*p)->on_text(t, text, consumed);
		}
	return RC_OK;	/* a dialogue of an older version: forgotten */
}

static enum rc run_text(struct turn *t, const char *text,
    struct update_info *info)
{
	bool consumed = false;
	enum rc rc;

	if (is_command(text))
		return run_command(t, text, info);
	if (t->user.dialogue[0] != '\0') {
		rc = run_dialogue(t, text, info, &consumed);
		if (rc != RC_OK || consumed)
			return rc;
	}
	info->handler = "food";
	return handle_food_text(t, text);
}

static enum rc run_message(struct turn *t, struct update_info *info)
{
	const struct update *u = t->up;
	bool mentioned, addressed;
	const char *text = without_mention(t, u->text, &mentioned);

	addressed = u->private_chat || mentioned || is_command(u->text) ||
	    (t->bot->bot_id != 0 && u->reply_to_user == t->bot->bot_id);
	if (!addressed || u->content == CONTENT_SERVICE)
		return RC_OK;
	if (u->kind == UPDATE_EDITED) {
		if ((u->content != CONTENT_TEXT &&
		    u->content != CONTENT_PHOTO) || text[0] == '\0' ||
		    is_command(text))
			return RC_OK;
		info->handler = "food_edit";
		return handle_food_edit(t, text);
	}
	if (u->content == CONTENT_TEXT)
		return run_text(t, text, info);
	info->handler = "other_content";
	return handle_other_content(t, text);
}

/* In a group everybody sees the buttons, which are for the person whom the
 * bot answered; a client may also send data that no button holds. */
static bool tap_refused(struct turn *t, const struct tap *tap)
{
	const struct update *u = t->up;
	enum text_id why = T_PRIVATE_ONLY;

	if (u->private_chat)
		return false;
	if (u->reply_to_user != 0 && u->reply_to_user != u->user_id)
		why = T_NOT_YOURS;
	else if (!(tap->flags & CMD_PRIVATE_ONLY))
		return false;
	str_copy(t->reply.toast, sizeof(t->reply.toast),
	    text_get(turn_lang(t), why));
	return true;
}

static enum rc run_tap(struct turn *t, struct update_info *info)
{
	const char *data = t->up->data;
	size_t n = strcspn(data, ":");

	for (const struct tap *const *p = t->bot->taps; *p; p++)
		if (strlen((*p)->verb) == n &&
		    strncmp((*p)->verb, data, n) == 0) {
			info->handler = (*p)->verb;
			if (tap_refused(t, *p))
				return RC_OK;
			return (*p)->run(t, data[n] == ':' ? data + n + 1 : "");
		}
	return RC_OK;	/* a button of an older version: just stops waiting */
}

/* Whether the person blocked the bot, or came back. */
static enum rc run_member(struct turn *t, struct update_info *info)
{
	bool gone = strcmp(t->up->member_status, "kicked") == 0;
	bool was = (t->user.flags & USER_F_UNREACHABLE) != 0;

	info->handler = "member";
	if (!t->up->private_chat || t->user.rev == 0 || gone == was)
		return RC_OK;
	t->user.flags ^= USER_F_UNREACHABLE;
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* What Telegram says of a person, until they say otherwise. */
static void refresh_user(struct turn *t)
{
	struct user *u = &t->user;

	if (!(u->flags & USER_F_LANG_CHOSEN) && t->up->language_code[0] != '\0')
		u->lang = lang_from_code(t->up->language_code);
	if (t->up->first_name[0] != '\0')
		str_copy(u->name, sizeof(u->name), t->up->first_name);
}

static enum rc run_once(struct turn *t, struct timing *tm,
    struct update_info *info)
{
	enum rc rc;

	reply_clear(&t->reply);
	timing_stage(tm, STAGE_SHARD);
	rc = user_load(t->bot->users, t->store, t->up->user_id, &t->user,
	    t->err);
	timing_stage(tm, STAGE_HANDLER);
	if (rc != RC_OK)
		return rc;
	refresh_user(t);
	switch (t->up->kind) {
	case UPDATE_CALLBACK:
		return run_tap(t, info);
	case UPDATE_MEMBER:
		return run_member(t, info);
	default:
		return run_message(t, info);
	}
}

static enum rc run_routed(struct turn *t, struct timing *tm,
    struct buf *answer, struct update_info *info)
{
	enum rc rc = RC_CONFLICT;

	for (int i = 0; i < ATTEMPTS && rc == RC_CONFLICT; i++)
		rc = run_once(t, tm, info);
	if (rc == RC_CONFLICT)
		return err_set(t->err, RC_BUSY, "the user's record changes "
		    "faster than this update can be applied");
	if (rc != RC_OK)
		return rc;
	timing_stage(tm, STAGE_REPLY);
	return reply_finish(&t->reply, t->up, t->bot->queue, t->store,
	    clock_ms(t->bot->clock), answer, t->err);
}

/*
 * A shard that cannot be opened (a newer schema, a wrong path, a map of other
 * shards) is no fault of the update: it must come again when that is mended.
 */
static enum rc enter(struct router *r, int64_t user_id, struct route *out,
    struct err *e)
{
	enum rc rc = router_enter(r, user_id, out, e);

	if (rc == RC_INVALID || rc == RC_NOTFOUND || rc == RC_TOOBIG)
		rc = e->rc = RC_UNAVAILABLE;
	return rc;
}

enum rc bot_handle(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *tm, struct buf *answer,
    struct update_info *info, struct err *e)
{
	struct update up;
	struct route route;
	struct turn *t = arena_alloc(arena, sizeof(*t));
	enum rc rc;

	*info = (struct update_info){ .kind = "other", .handler = "-",
		.shard = -1 };
	rc = update_parse(body, len, &up, e);
	if (rc != RC_OK)
		return rc;
	info->kind = update_kind_name(up.kind);
	info->update_id = up.update_id;
	if (up.kind == UPDATE_OTHER || up.from_bot) {
		buf_puts(answer, "{}");
		goto out;
	}
	info->user_id = up.user_id;
	timing_stage(tm, STAGE_ROUTE);
	rc = enter(bot->router, up.user_id, &route, e);
	if (rc != RC_OK)
		goto out;
	info->shard = route.shard;
	*t = (struct turn){ .bot = bot, .up = &up, .arena = arena,
		.store = route.store, .err = e };
	reply_init(&t->reply);
	rc = run_routed(t, tm, answer, info);
	if (rc == RC_UNAVAILABLE)
		router_failed(bot->router, route.shard, e);
	router_leave(&route);
	reply_release(&t->reply);
out:
	update_release(&up);
	return rc;
}
