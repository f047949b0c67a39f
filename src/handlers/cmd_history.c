/*
 * cmd_history.c - /history: pages of entries, newest first.
 *
 * A page is asked for by the last entry of the one before ("h:day:at:chat:
 * message"), so that it costs the same however old the diary is.
 */
#include "config.h"

#include <inttypes.h>

#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"
#include "utils/validators.h"

enum { PAGE = 6 };

static void put_rows(struct turn *t, struct buf *out, const struct meal *m,
    size_t n)
{
	enum lang l = turn_lang(t);
	int32_t today = turn_today(t);

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || m[i].day != m[i - 1].day) {
			buf_puts(out, "\n<b>");
			html_escape(out, fmt_day(t->arena, l, m[i].day, today));
			buf_puts(out, "</b>\n");
		}
		text_put(out, l, T_DAY_ROW, arena_printf(t->arena, "%zu.",
		    i + 1), meal_names(t, &m[i], 60),
		    fmt_kcal(t->arena, l, m[i].sum.cal));
		buf_putc(out, '\n');
	}
}

static void put_buttons(struct turn *t, const struct meal *m, size_t n,
    bool more, bool first)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	const struct meal *last = &m[n - 1];
	enum lang l = turn_lang(t);

	for (size_t i = 0; i < n; i++)
		meal_button(k, arena_printf(t->arena, "%zu", i + 1),
		    MEAL_OP_VIEW, &m[i]);
	keyboard_row(k);
	if (!first)
		keyboard_button(k, text_get(l, T_BTN_NEWEST), "h");
	if (more)
		keyboard_button(k, text_get(l, T_BTN_OLDER), "h:%" PRId32 ":%"
		    PRId64 ":%" PRId64 ":%" PRId64, last->day, last->at,
		    last->chat_id, last->message_id);
}

static enum rc show(struct turn *t, struct buf *out,
    const struct meal_cursor *from)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m) * (PAGE + 1));
	enum lang l = turn_lang(t);
	bool more;
	size_t n;
	enum rc rc;

	/* one more than shown tells whether there is an older page */
	rc = food_page(t->bot->foods, t->store, t->user.user_id, from, PAGE + 1,
	    m, &n, t->err);
	if (rc != RC_OK)
		return rc;
	if (n == 0) {
		text_put(out, l, from ? T_HISTORY_EMPTY : T_HISTORY_NONE);
		return RC_OK;
	}
	more = n > PAGE;
	n = more ? PAGE : n;
	text_put(out, l, T_HISTORY_TITLE);
	buf_putc(out, '\n');
	put_rows(t, out, m, n);
	put_buttons(t, m, n, more, from == NULL);
	return RC_OK;
}

static enum rc run(struct turn *t, const char *args)
{
	(void)args;
	return show(t, reply_send(&t->reply), NULL);
}

static enum rc run_tap(struct turn *t, const char *args)
{
	struct meal_cursor from;
	int64_t v[4];

	if (ints_parse(args, v, 4) != 4)
		return show(t, reply_edit(&t->reply), NULL);
	from = (struct meal_cursor){ (int32_t)v[0], v[1], v[2], v[3] };
	return show(t, reply_edit(&t->reply), &from);
}

void history_button(struct turn *t)
{
	if (t->up->private_chat)
		keyboard_button(reply_keyboard(&t->reply),
		    text_get(turn_lang(t), T_BTN_HISTORY), "h");
}

const struct command cmd_history = { "history", T_CMD_HISTORY,
	CMD_PRIVATE_ONLY | CMD_LINKED, run };
const struct tap tap_history = { "h", CMD_PRIVATE_ONLY, 0, run_tap };
