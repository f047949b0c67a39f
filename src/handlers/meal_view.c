/* meal_view.c - see meal_view.h. */
#include "config.h"

#include "handlers/meal_view.h"

#include <inttypes.h>
#include <string.h>

#include "bot/text.h"
#include "handlers/table.h"
#include "services/user.h"

int32_t turn_today(const struct turn *t)
{
	return user_day(&t->user, clock_ms(t->bot->clock) / 1000);
}

bool meal_button(struct keyboard *k, const char *label, char op,
    const struct meal *m)
{
	return keyboard_button(k, label, "m:%c:%" PRId32 ":%" PRId64 ":%" PRId64
	    ":%" PRId32, op, m->day, m->chat_id, m->message_id, m->rev);
}

const char *meal_names(struct turn *t, const struct meal *m, size_t max)
{
	struct buf b;
	const char *s;

	buf_init(&b, MEAL_ITEMS_MAX * FOOD_NAME_SIZE * 2);
	for (int i = 0; i < m->nitems; i++) {
		if (i > 0)
			buf_puts(&b, ", ");
		if (b.len > max) {
			buf_puts(&b, "…");
			break;
		}
		buf_puts(&b, m->items[i].name);
	}
	s = arena_strdup(t->arena, b.s);
	buf_release(&b);
	return s;
}

static void put_item(struct turn *t, struct buf *out,
    const struct food_item *it)
{
	enum lang l = turn_lang(t);

	text_put(out, l, it->guessed ? T_ITEM_GUESSED : T_ITEM, it->name,
	    fmt_g(t->arena, l, it->mg));
	buf_putc(out, '\n');
	/* of a food that was taught without them, nothing is known */
	if (it->source == FOOD_SRC_OWN && it->n.protein == 0 && it->n.fat == 0 &&
	    it->n.carb == 0) {
		text_put(out, l, T_ITEM_KCAL, fmt_kcal(t->arena, l, it->n.cal));
		buf_putc(out, '\n');
		return;
	}
	text_put(out, l, T_ITEM_FIGURES, fmt_kcal(t->arena, l, it->n.cal),
	    fmt_g(t->arena, l, it->n.protein), fmt_g(t->arena, l, it->n.fat),
	    fmt_g(t->arena, l, it->n.carb));
	buf_putc(out, '\n');
}

static void put_left(struct turn *t, struct buf *out,
    const struct day_sum *day)
{
	enum lang l = turn_lang(t);
	const char *when = fmt_day(t->arena, l, day->day, turn_today(t));
	const char *eaten = fmt_kcal(t->arena, l, day->sum.cal);
	struct energy en;
	int64_t left;

	/* a group hears of the meal that was told to it, not of the day */
	if (!t->up->private_chat)
		return;
	user_energy(t->bot->users, &t->user, &en);
	if (en.target_kcal == 0) {
		text_put(out, l, T_LEFT_NO_TARGET, when, eaten);
		return;
	}
	left = en.target_kcal - (day->sum.cal + 500) / 1000;
	text_put(out, l, left >= 0 ? T_LEFT : T_LEFT_OVER, when, eaten,
	    fmt_int(t->arena, l, en.target_kcal),
	    fmt_int(t->arena, l, left >= 0 ? left : -left));
}

void meal_sources_put(struct turn *t, struct buf *out, const struct meal *m)
{
	static const enum text_id names[] = { T_SOURCE_USDA, T_SOURCE_OWN,
		T_SOURCE_RECIPE };
	bool seen[3] = { false }, guessed = false;
	struct buf list;

	buf_init(&list, 256);
	for (int i = 0; i < m->nitems; i++) {
		int32_t src = m->items[i].source;
		guessed |= m->items[i].guessed != 0;
		if (src < 0 || src > 2 || seen[src])
			continue;
		seen[src] = true;
		if (list.len > 0)
			buf_puts(&list, ", ");
		buf_puts(&list, text_get(turn_lang(t), names[src]));
	}
	text_put(out, turn_lang(t), guessed ? T_SOURCES_GUESSED : T_SOURCES,
	    list.s);
	buf_release(&list);
}

static void put_title(struct turn *t, struct buf *out, const struct meal *m,
    enum meal_title title)
{
	enum lang l = turn_lang(t);
	int32_t day;
	int minutes;

	if (m->deleted) {
		text_put(out, l, T_MEAL_TITLE_UNDONE);
	} else if (title == MEAL_TITLE_VIEW) {
		zone_local(t->user.zone, m->at, &day, &minutes);
		text_put(out, l, T_MEAL_TITLE_VIEW, arena_printf(t->arena,
		    "%s, %02d:%02d", fmt_day(t->arena, l, m->day,
		    turn_today(t)), minutes / 60, minutes % 60));
	} else {
		text_put(out, l, title == MEAL_TITLE_EDITED ||
		    title == MEAL_TITLE_EDITED_DAY ?
		    T_MEAL_TITLE_EDITED : T_MEAL_TITLE);
		if (title == MEAL_TITLE_DAY || title == MEAL_TITLE_EDITED_DAY)
			buf_printf(out, " · %s", fmt_day(t->arena, l, m->day,
			    user_day(&t->user, t->up->date)));
	}
	buf_putc(out, '\n');
}

void meal_put(struct turn *t, struct buf *out, const struct meal *m,
    const struct day_sum *day, enum meal_title title)
{
	enum lang l = turn_lang(t);

	put_title(t, out, m, title);
	if (m->deleted) {
		buf_puts(out, "<s>");
		html_escape(out, meal_names(t, m, 200));
		buf_puts(out, "</s>\n");
		put_left(t, out, day);
		return;
	}
	for (int i = 0; i < m->nitems; i++)
		put_item(t, out, &m->items[i]);
	buf_putc(out, '\n');
	if (m->nitems > 1) {
		text_put(out, l, T_MEAL_TOTAL, fmt_kcal(t->arena, l, m->sum.cal),
		    fmt_g(t->arena, l, m->sum.protein),
		    fmt_g(t->arena, l, m->sum.fat),
		    fmt_g(t->arena, l, m->sum.carb));
		buf_putc(out, '\n');
	}
	put_left(t, out, day);
	if (t->up->private_chat)
		buf_putc(out, '\n');
	meal_sources_put(t, out, m);
}

void meal_buttons(struct turn *t, struct keyboard *k, const struct meal *m,
    enum meal_title title)
{
	enum lang l = turn_lang(t);

	if (m->deleted) {
		meal_button(k, text_get(l, T_BTN_RESTORE), MEAL_OP_RESTORE, m);
		return;
	}
	meal_button(k, text_get(l, T_BTN_UNDO), MEAL_OP_UNDO, m);
	meal_button(k, text_get(l, T_BTN_HALF), MEAL_OP_HALF, m);
	meal_button(k, text_get(l, T_BTN_DOUBLE), MEAL_OP_DOUBLE, m);
	keyboard_row(k);
	meal_button(k, text_get(l, T_BTN_NOT_THIS), MEAL_OP_ASK_SWAP, m);
	if (m->nitems > 1)
		meal_button(k, text_get(l, T_BTN_DROP), MEAL_OP_ASK_DROP, m);
	if (title == MEAL_TITLE_VIEW) {
		keyboard_row(k);
		meal_button(k, text_get(l, T_BTN_REPEAT), MEAL_OP_REPEAT, m);
		history_button(t);
	}
}

void day_total_put(struct turn *t, struct buf *out, const struct day_sum *d)
{
	enum lang l = turn_lang(t);

	text_put(out, l, T_DAY_TOTAL, fmt_kcal(t->arena, l, d->sum.cal),
	    fmt_g(t->arena, l, d->sum.protein), fmt_g(t->arena, l, d->sum.fat),
	    fmt_g(t->arena, l, d->sum.carb));
}

void day_target_put(struct turn *t, struct buf *out, const struct day_sum *d)
{
	enum lang l = turn_lang(t);
	struct energy en;
	int64_t left;

	user_energy(t->bot->users, &t->user, &en);
	if (en.target_kcal == 0)
		return;
	left = en.target_kcal - (d->sum.cal + 500) / 1000;
	buf_putc(out, '\n');
	text_put(out, l, left >= 0 ? T_DAY_TARGET_LEFT : T_DAY_TARGET_OVER,
	    fmt_int(t->arena, l, en.target_kcal),
	    fmt_int(t->arena, l, left >= 0 ? left : -left));
}
