/* cmd_week.c - /week: seven days at a glance. */
#include "config.h"

#include <string.h>

#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/user.h"

enum { DAYS = 7, BAR = 8 };

static void put_bar(struct buf *out, int64_t cal, int64_t most)
{
	int64_t filled = most > 0 ? (cal * BAR + most / 2) / most : 0;

	for (int i = 0; i < BAR; i++)
		buf_puts(out, i < filled ? "▓" : "░");
}

static void put_days(struct turn *t, struct buf *out,
    const struct day_sum *days, int64_t most)
{
	enum lang l = turn_lang(t);

	for (int i = DAYS - 1; i >= 0; i--) {
		buf_printf(out, "<code>%s ",
		    fmt_day_short(t->arena, l, days[i].day));
		put_bar(out, days[i].sum.cal, most);
		buf_printf(out, "</code> %s\n", days[i].meals > 0
		    ? fmt_kcal(t->arena, l, days[i].sum.cal) : "—");
	}
}

static void put_average(struct turn *t, struct buf *out,
    const struct day_sum *total, int kept, int target_kcal)
{
	enum lang l = turn_lang(t);

	buf_putc(out, '\n');
	text_put(out, l, T_WEEK_AVERAGE,
	    fmt_kcal(t->arena, l, total->sum.cal / kept),
	    fmt_int(t->arena, l, kept),
	    fmt_g(t->arena, l, total->sum.protein / kept),
	    fmt_g(t->arena, l, total->sum.fat / kept),
	    fmt_g(t->arena, l, total->sum.carb / kept));
	if (target_kcal == 0)
		return;
	buf_putc(out, '\n');
	text_put(out, l, T_WEEK_TARGET, fmt_int(t->arena, l, target_kcal));
}

static enum rc show(struct turn *t, struct buf *out)
{
	struct day_sum days[DAYS], total;
	int32_t today = turn_today(t);
	enum lang l = turn_lang(t);
	struct energy en;
	int64_t most;
	int kept = 0;
	enum rc rc;

	user_energy(t->bot->users, &t->user, &en);
	most = (int64_t)en.target_kcal * 1000;	/* a full bar is the target */
	rc = food_days(t->bot->foods, t->store, t->user.user_id,
	    today - DAYS + 1, today, days, t->err);
	if (rc != RC_OK)
		return rc;
	memset(&total, 0, sizeof(total));
	for (int i = 0; i < DAYS; i++) {
		nutrients_add(&total.sum, &days[i].sum);
		kept += days[i].meals > 0;
		if (days[i].sum.cal > most)
			most = days[i].sum.cal;
	}
	keyboard_button(reply_keyboard(&t->reply), text_get(l, T_BTN_TODAY), "t");
	history_button(t);
	if (kept == 0) {
		text_put(out, l, T_WEEK_EMPTY);
		return RC_OK;
	}
	text_put(out, l, T_WEEK_TITLE);
	buf_putc(out, '\n');
	put_days(t, out, days, most);
	put_average(t, out, &total, kept, en.target_kcal);
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

const struct command cmd_week = { "week", T_CMD_WEEK,
	CMD_PRIVATE_ONLY | CMD_LINKED, run };
const struct tap tap_week = { "w", CMD_PRIVATE_ONLY, 0, run_tap };
