/* cmd_today.c - /today: the day's entries, its total, what is left. */
#include "config.h"

#include <string.h>

#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"

enum { SHOWN_MAX = 24 };

static const char *time_of(struct turn *t, const struct meal *m)
{
	int32_t day;
	int minutes;

	zone_local(t->user.zone, m->at, &day, &minutes);
	return arena_printf(t->arena, "%02d:%02d", minutes / 60, minutes % 60);
}

static enum rc show(struct turn *t, struct buf *out)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	struct meal *meals = arena_alloc(t->arena, sizeof(*meals) * SHOWN_MAX);
	int32_t today = turn_today(t);
	enum lang l = turn_lang(t);
	struct day_sum sum;
	size_t n;
	enum rc rc;

	rc = food_day(t->bot->foods, t->store, t->user.user_id, today, SHOWN_MAX,
	    meals, &n, t->err);
	if (rc == RC_OK)
		rc = food_days(t->bot->foods, t->store, t->user.user_id, today,
		    today, &sum, t->err);
	if (rc != RC_OK)
		return rc;
	text_put(out, l, T_DAY_TITLE, fmt_day(t->arena, l, today, today));
	buf_putc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		text_put(out, l, T_DAY_ROW, time_of(t, &meals[i]),
		    meal_names(t, &meals[i], 60),
		    fmt_kcal(t->arena, l, meals[i].sum.cal));
		buf_putc(out, '\n');
	}
	if (sum.meals > (int32_t)n) {
		text_put(out, l, T_DAY_MORE,
		    fmt_int(t->arena, l, sum.meals - (int32_t)n));
		buf_putc(out, '\n');
	}
	if (n > 0)
		buf_putc(out, '\n');
	if (n == 0)
		text_put(out, l, T_DAY_EMPTY);
	else
		day_total_put(t, out, &sum);
	day_target_put(t, out, &sum);
	keyboard_button(k, text_get(l, T_BTN_WEEK), "w");
	history_button(t);
	return RC_OK;
}

static enum rc run(struct turn *t, const char *args)
{
	(void)args;
	return show(t, reply_send(&t->reply));
}

static enum rc run_tap(struct turn *t, const char *args)
{
	(void)args;
	return show(t, reply_edit(&t->reply));
}

const struct command cmd_today = { "today", T_CMD_TODAY,
	CMD_PRIVATE_ONLY | CMD_LINKED, run };
const struct tap tap_today = { "t", CMD_PRIVATE_ONLY, 0, run_tap };
