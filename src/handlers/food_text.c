/*
 * food_text.c - free text: usually something that was eaten.
 *
 * The meal's key is the message's, so a repeated delivery stores nothing more
 * and gives the same answer.  What is unknown is asked for (see teach.c).
 */
#include "config.h"

#include <string.h>

#include "bot/intent.h"
#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "handlers/teach.h"
#include "services/food.h"

enum { TEXT_MAX = 4096, YESTERDAY_MEALS = 40 };

enum rc food_refused(struct turn *t, enum rc rc)
{
	if (rc != RC_TOOBIG)
		return rc;
	reply_clear(&t->reply);
	text_put(reply_send(&t->reply), turn_lang(t), T_DAY_FULL,
	    fmt_int(t->arena, turn_lang(t), MEALS_PER_DAY_MAX));
	return RC_OK;
}

static void show_meal(struct turn *t, const struct meal *m,
    const struct day_sum *day, enum meal_title title, const struct parsed *p)
{
	struct buf *out = reply_send(&t->reply);

	meal_put(t, out, m, day, title);
	if (p->bad_amount) {
		buf_puts(out, "\n\n");
		text_put(out, turn_lang(t), T_BAD_AMOUNT);
	}
	if (p->truncated) {
		buf_putc(out, '\n');
		text_put(out, turn_lang(t), T_TRUNCATED,
		    fmt_int(t->arena, turn_lang(t), MEAL_ITEMS_MAX));
	}
	meal_buttons(t, reply_keyboard(&t->reply), m, title);
}

static void answer_not_food(struct turn *t, const struct parsed *p)
{
	struct keyboard *k;

	text_put(reply_send(&t->reply), turn_lang(t), p->bad_amount
	    ? T_BAD_AMOUNT : T_NOT_FOOD);
	if (!t->up->private_chat)
		return;
	k = reply_keyboard(&t->reply);
	keyboard_button(k, text_get(turn_lang(t), T_BTN_TODAY), "t");
	history_button(t);
}

/* All rows of the day before the message's, as one meal. */
static enum rc same_as_yesterday(struct turn *t, struct parsed *p)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	struct meal *day = arena_alloc(t->arena,
	    sizeof(*day) * YESTERDAY_MEALS);
	struct day_sum sum;
	size_t n;
	enum rc rc;

	food_meal_init(&t->user, t->up->chat_id, t->up->message_id, t->up->date,
	    m);
	rc = food_day(t->bot->foods, t->store, t->user.user_id, m->day - 1,
	    YESTERDAY_MEALS, day, &n, t->err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		for (int j = 0; j < day[i].nitems; j++) {
			p->truncated |= m->nitems == MEAL_ITEMS_MAX;
			if (m->nitems < MEAL_ITEMS_MAX)
				m->items[m->nitems++] = day[i].items[j];
		}
	if (m->nitems == 0) {
		text_put(reply_send(&t->reply), turn_lang(t),
		    T_NOTHING_YESTERDAY);
		return RC_OK;
	}
	rc = food_add(t->bot->foods, t->store, m, &sum, t->err);
	if (rc != RC_OK)
		return food_refused(t, rc);
	show_meal(t, m, &sum, MEAL_TITLE_NEW, p);
	return RC_OK;
}

static enum rc store_food(struct turn *t, const char *text,
    const struct parsed *p)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	struct day_sum day;
	enum rc rc;

	food_meal_init_back(&t->user, t->up->chat_id, t->up->message_id,
	    t->up->date, p->days_back, m);
	m->nitems = p->nitems;
	memcpy(m->items, p->items, sizeof(p->items[0]) * (size_t)p->nitems);
	rc = food_add(t->bot->foods, t->store, m, &day, t->err);
	if (rc != RC_OK)
		return food_refused(t, rc);
	show_meal(t, m, &day, p->days_back > 0 ? MEAL_TITLE_DAY :
	    MEAL_TITLE_NEW, p);
	if (p->nunknown > 0)
		return teach_ask(t, text, &p->unknown[0]);
	return RC_OK;
}

static enum rc parse(struct turn *t, const char *text, struct parsed **out)
{
	struct parsed *p = arena_alloc(t->arena, sizeof(*p));
	char cut[TEXT_MAX];
	enum rc rc;

	str_copy(cut, sizeof(cut), text);
	rc = food_parse(t->bot->foods, t->store, &t->user, cut, p, t->err);
	if (rc == RC_OK)
		*out = p;
	return rc;
}

static enum rc apply(struct turn *t, const char *text, struct parsed *p)
{
	if (p->days_back > 1 && (p->verdict == PARSE_FOOD ||
	    p->verdict == PARSE_UNKNOWN)) {
		text_put(reply_send(&t->reply), turn_lang(t), T_TOO_LONG_AGO);
		return RC_OK;
	}
	switch (p->verdict) {
	case PARSE_FOOD:
		return store_food(t, text, p);
	case PARSE_UNKNOWN:
		return teach_ask(t, text, &p->unknown[0]);
	case PARSE_SAME_AS_YESTERDAY:
		/* nobody else needs to know what yesterday was */
		if (!t->up->private_chat) {
			text_put(reply_send(&t->reply), turn_lang(t),
			    T_PRIVATE_ONLY);
			return RC_OK;
		}
		return same_as_yesterday(t, p);
	default:
		answer_not_food(t, p);
		return RC_OK;
	}
}

static bool amount_stated(const struct parsed *p)
{
	for (int i = 0; i < p->nitems; i++)
		if (!p->items[i].guessed)
			return true;
	return false;
}

/* "2 банана?": whoever tells an amount may have eaten it, the sign says that
 * they are not sure themselves. */
static enum rc read_unsure(struct turn *t, const char *text, struct guess *out)
{
	size_t n = strlen(text);
	struct parsed *p;
	char *said;
	enum rc rc;

	while (n > 0 && strchr(" \t\n", text[n - 1]) != NULL)
		n--;
	if (n == 0 || text[n - 1] != '?')
		return RC_OK;
	said = arena_strdup(t->arena, text);
	said[n - 1] = '\0';
	rc = parse(t, said, &p);
	if (rc != RC_OK || p->verdict != PARSE_FOOD || !amount_stated(p))
		return rc;
	*out = (struct guess){ .score = INTENT_LIKELY, .text = said, .found = p,
		.reason = "an amount and a question mark" };
	return RC_OK;
}

static enum rc read_food(struct turn *t, const char *text, struct guess *out)
{
	static const struct { int score; const char *reason; } by_verdict[] = {
		[PARSE_FOOD] = { INTENT_CLEAR, "a food that is known" },
		[PARSE_UNKNOWN] = { INTENT_MAYBE, "looks like a food" },
		[PARSE_SAME_AS_YESTERDAY] = { INTENT_CLEAR, "as yesterday" },
		[PARSE_NOT_FOOD] = { INTENT_LAST, "no food is told" },
	};
	struct parsed *p;
	enum rc rc = parse(t, text, &p);

	if (rc != RC_OK)
		return rc;
	out->score = by_verdict[p->verdict].score;
	out->reason = by_verdict[p->verdict].reason;
	out->found = p;
	return p->verdict == PARSE_NOT_FOOD ? read_unsure(t, text, out) : RC_OK;
}

static enum rc run_food(struct turn *t, const struct guess *g)
{
	return apply(t, g->text, g->found);
}

const struct reader reader_food = { "food", T_READ_FOOD, read_food, run_food };

/* The entry stays when the new words tell no food: better kept than lost. */
static enum rc edit_without_food(struct turn *t, struct meal *m)
{
	struct day_sum day;
	enum rc rc = food_get(t->bot->foods, t->store, m, &day, t->err);

	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	text_put(reply_send(&t->reply), turn_lang(t), T_EDIT_NO_FOOD);
	meal_button(reply_keyboard(&t->reply), text_get(turn_lang(t),
	    T_BTN_UNDO), MEAL_OP_UNDO, m);
	return RC_OK;
}

enum rc handle_food_edit(struct turn *t, const char *text)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	struct parsed *p;
	struct day_sum day;
	enum rc rc = parse(t, text, &p);

	if (rc != RC_OK)
		return rc;
	food_meal_init_back(&t->user, t->up->chat_id, t->up->message_id,
	    t->up->date, p->days_back, m);
	if (p->verdict == PARSE_UNKNOWN)
		return teach_ask(t, text, &p->unknown[0]);
	if (p->verdict != PARSE_FOOD)
		return edit_without_food(t, m);
	m->edit_date = t->up->edit_date;
	m->nitems = p->nitems;
	memcpy(m->items, p->items, sizeof(p->items[0]) * (size_t)p->nitems);
	rc = food_edit(t->bot->foods, t->store, m, &day, t->err);
	if (rc != RC_OK)
		return food_refused(t, rc);
	show_meal(t, m, &day, p->days_back > 0 ? MEAL_TITLE_EDITED_DAY :
	    MEAL_TITLE_EDITED, p);
	if (p->nunknown > 0)
		return teach_ask(t, text, &p->unknown[0]);
	return RC_OK;
}

static enum rc handle_caption(struct turn *t, const char *caption)
{
	struct parsed *p;
	enum rc rc = parse(t, caption, &p);

	return rc == RC_OK ? apply(t, caption, p) : rc;
}

enum rc handle_other_content(struct turn *t, const char *caption)
{
	static const enum text_id answers[] = {
		[CONTENT_OTHER] = T_NO_OTHER_CONTENT,
		[CONTENT_TEXT] = T_NO_OTHER_CONTENT,
		[CONTENT_PHOTO] = T_NO_PHOTO,
		[CONTENT_STICKER] = T_NO_STICKER,
		[CONTENT_LOCATION] = T_NO_LOCATION,
		[CONTENT_VOICE] = T_NO_VOICE,
		[CONTENT_SERVICE] = T_NO_OTHER_CONTENT,
	};

	/* what a photo's caption tells is as good as a message */
	if (t->up->content == CONTENT_PHOTO && caption[0] != '\0')
		return handle_caption(t, caption);
	text_put(reply_send(&t->reply), turn_lang(t), answers[t->up->content]);
	return RC_OK;
}
