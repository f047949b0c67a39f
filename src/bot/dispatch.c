/*
 * dispatch.c - from an update to the row that serves it.
 *
 * Holds the user's slot while a row works.  What cannot be served now is kept
 * for later, see later.h.  A row that lost a compare-and-set
 * is run again on fresh data; nothing was sent by then.
 */
#include "config.h"

#include "bot/bot.h"

#include <string.h>

#include "bot/command.h"
#include "bot/dialogue.h"
#include "bot/heard.h"
#include "bot/intent.h"
#include "bot/later.h"
#include "bot/taps.h"
#include "bot/text.h"
#include "bot/update.h"
#include "services/user.h"
#include "shards/router.h"
#include "utils/timing.h"

enum { ATTEMPTS = 4 };

/* What is private is not done in a group; a button leads to where it is. */
static enum rc refuse_in_group(struct turn *t, const struct command *row)
{
	const char *name = t->bot->username;
	enum lang l = turn_lang(t);

	text_put(reply_send(&t->reply), l, T_PRIVATE_ONLY);
	if (name[0] != '\0')
		keyboard_link(reply_keyboard(&t->reply),
		    text_get(l, T_BTN_PRIVATE), arena_printf(t->arena,
		    row->flags & CMD_LINKED ? "https://t.me/%s?start=go_%s" :
		    "https://t.me/%s", name, row->name));
	return RC_OK;
}

enum rc command_run(struct turn *t, const struct command *row,
    const char *args)
{
	if ((row->flags & CMD_PRIVATE_ONLY) && !t->up->private_chat)
		return refuse_in_group(t, row);
	return row->run(t, args);
}

static enum rc run_command(struct turn *t, const struct heard_command *c,
    struct update_info *info)
{
	const struct command *row = heard_row(t->bot, c);

	info->handler = row->name;
	return command_run(t, row, c->args);
}

static enum rc run_text(struct turn *t, const char *text,
    struct update_info *info)
{
	bool consumed;
	enum rc rc = dialogue_text(t, text, info, &consumed);

	if (rc != RC_OK || consumed)
		return rc;
	return intent_text(t, text, info);
}

static enum rc run_message(struct turn *t, struct update_info *info)
{
	struct heard_command c;
	struct heard h;

	switch (heard_message(t->bot, t->up, t->arena, &h, &c)) {
	case HEARD_COMMAND:
		return run_command(t, &c, info);
	case HEARD_STRANGE_COMMAND:
		info->handler = "unknown_command";
		text_put(reply_send(&t->reply), turn_lang(t),
		    T_UNKNOWN_COMMAND, arena_printf(t->arena, "/%s", c.word));
		return RC_OK;
	case HEARD_EDIT:
		info->handler = "food_edit";
		return handle_food_edit(t, h.text);
	case HEARD_TEXT:
		return run_text(t, h.text, info);
	case HEARD_CONTENT:
		info->handler = "other_content";
		return handle_other_content(t, h.text);
	default:
		return RC_OK;
	}
}

static enum rc run_tap(struct turn *t, struct update_info *info)
{
	enum text_id why = T_TAP_OLD;
	struct tap_data d;
	bool whole = tap_read(t->bot->taps, t->up->data, &d);

	if (d.row == NULL)
		return RC_OK;	/* no button of ours: just stops waiting */
	info->handler = d.row->verb;
	if (whole)
		why = tap_refusal(&d, t->up, clock_ms(t->bot->clock) / 1000);
	if (why == TEXT_COUNT)
		return d.row->run(t, arena_strdup(t->arena, d.args));
	str_copy(t->reply.toast, sizeof(t->reply.toast),
	    text_get(turn_lang(t), why));
	return RC_OK;
}

/* Every button of an answer says for whom it is. */
static bool stamp_button(void *ctx, char *data, size_t size)
{
	struct turn *t = ctx;

	return tap_stamp(t->bot->taps, t->up->user_id,
	    clock_ms(t->bot->clock) / 1000, data, size);
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
	t->reply.stamp = stamp_button;
	t->reply.stamp_ctx = t;
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
	    clock_ms(t->bot->answer_clock), answer, t->err);
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

static enum rc serve(struct turn *t, struct timing *tm, struct buf *answer,
    struct update_info *info)
{
	struct bot *bot = t->bot;
	struct route route;
	enum rc rc = enter(bot->router, t->up->user_id, &route, t->err);

	if (rc != RC_OK)
		return rc;
	info->shard = route.shard;
	t->store = route.store;
	reply_init(&t->reply);
	rc = run_routed(t, tm, answer, info);
	if (rc == RC_UNAVAILABLE)
		router_failed(bot->router, route.shard, t->err);
	router_leave(&route);
	reply_release(&t->reply);
	return rc;
}

/* What of the update there is to do with an empty answer. */
static bool nothing(const struct update *up)
{
	return up->kind == UPDATE_OTHER || up->from_bot ||
	    up->for_chat;
}

enum rc bot_handle(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *tm, struct buf *answer,
    struct update_info *info, struct err *e)
{
	struct turn *t = arena_alloc(arena, sizeof(*t));
	struct update up;
	bool later = false;
	enum rc rc;

	*info = (struct update_info){ .kind = "other", .handler = "-",
		.shard = -1 };
	rc = update_parse(body, len, &up, e);
	if (rc != RC_OK)
		return rc;
	info->kind = update_kind_name(up.kind);
	info->update_id = up.update_id;
	if (nothing(&up)) {
		buf_puts(answer, "{}");
		goto out;
	}
	info->user_id = up.user_id;
	timing_stage(tm, STAGE_ROUTE);
	*t = (struct turn){ .bot = bot, .up = &up, .arena = arena, .err = e };
	rc = later_must(bot, &up, &later, e);
	if (rc == RC_OK && !later)
		rc = serve(t, tm, answer, info);
	if (later || (rc == RC_UNAVAILABLE && later_may(bot)))
		rc = later_keep(bot, &up, body, len, arena, answer, info, e);
out:
	update_release(&up);
	return rc;
}

enum rc bot_apply(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *tm, struct update_info *info,
    struct err *e)
{
	struct turn *t = arena_alloc(arena, sizeof(*t));
	struct update up;
	enum rc rc;

	*info = (struct update_info){ .kind = "other", .handler = "-",
		.shard = -1 };
	rc = update_parse(body, len, &up, e);
	if (rc != RC_OK)
		return rc;
	info->kind = update_kind_name(up.kind);
	info->update_id = up.update_id;
	info->user_id = up.user_id;
	*t = (struct turn){ .bot = bot, .up = &up, .arena = arena, .err = e };
	if (!nothing(&up))
		rc = serve(t, tm, NULL, info);
	update_release(&up);
	return rc;
}
