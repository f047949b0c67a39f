/*
 * teach.c - see teach.h.
 *
 * The draft (see columns below) holds: the message that told of the food (chat, msg,
 * at, text), the food asked for (name, key), and of the figures applied last
 * the message (heard), the food (learned) and its energy (cal).  Figures are
 * applied in an order that a repeated delivery completes: the food, the meal,
 * then the draft.  After that the dialogue
 * stays at "teach:done" so that a repetition shows the same meal.
 */
#include "config.h"

#include "handlers/teach.h"

#include <inttypes.h>
#include <string.h>

#include "bot/draft.h"
#include "bot/memory.h"
#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/user.h"
#include "utils/validators.h"

struct draft {
	int64_t chat, msg, at, edit, heard, cal, ask;
	char learned[FOOD_NAME_SIZE];
	char name[FOOD_NAME_SIZE];
	char key[FOOD_NAME_SIZE];
	char text[1024];
};

static const struct draft_column columns[] = {
	DRAFT_INT_COLUMN(struct draft, chat, INT64_MIN, INT64_MAX),
	DRAFT_INT_COLUMN(struct draft, msg, INT64_MIN, INT64_MAX),
	DRAFT_INT_COLUMN(struct draft, at, INT64_MIN, INT64_MAX),
	DRAFT_INT_COLUMN(struct draft, edit, 0, INT64_MAX),
	DRAFT_INT_COLUMN(struct draft, heard, 0, INT64_MAX),
	DRAFT_INT_COLUMN(struct draft, cal, 0, 900000),
	/* later than the others: the question's number, in its button */
	{ "ask", DRAFT_INT, offsetof(struct draft, ask), 0, 0, UINT32_MAX,
	    true },
	DRAFT_TEXT_COLUMN(struct draft, learned),
	DRAFT_TEXT_COLUMN(struct draft, name),
	DRAFT_TEXT_COLUMN(struct draft, key),
	DRAFT_TEXT_COLUMN(struct draft, text),
	{ .name = NULL },
};

static bool draft_try(struct user *u, const struct draft *d, const char *state)
{
	return draft_write(u, columns, d) &&
	    str_copy(u->dialogue, sizeof(u->dialogue), state);
}

/* Text that does not fit into the user's record is cut.  False: not even so. */
static bool draft_store(struct user *u, struct draft *d, const char *state)
{
	while (!draft_try(u, d, state)) {
		if (d->text[0] == '\0')
			return false;
		str_copy_n(d->text, strlen(d->text) / 2 + 1, d->text,
		    strlen(d->text));
	}
	return true;
}

/* Never 0, which stands for a question without a number.  Of one message two
 * foods may be asked for, and an edited one asks again. */
static int64_t question_number(const struct turn *t, const char *key)
{
	uint32_t h = UINT32_C(2166136261) ^ (uint32_t)t->up->message_id ^
	    (uint32_t)t->up->edit_date;

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * UINT32_C(16777619);
	return h == 0 ? 1 : h;
}

static void put_question(struct turn *t, const struct draft *d)
{
	text_put(reply_send(&t->reply), turn_lang(t), T_ASK_UNKNOWN, d->name);
	keyboard_button(reply_keyboard(&t->reply), text_get(turn_lang(t),
	    T_FORGET_IT), "k:no:%" PRId64, d->ask);
}

enum rc teach_ask(struct turn *t, const char *text,
    const struct parsed_unknown *unknown)
{
	struct draft d = { .chat = t->up->chat_id, .msg = t->up->message_id,
		.at = t->up->date, .edit = t->up->edit_date };
	char before[USER_DRAFT_SIZE];

	str_copy(d.text, sizeof(d.text), text);
	str_copy(d.name, sizeof(d.name), unknown->name);
	str_copy(d.key, sizeof(d.key), unknown->key);
	d.ask = question_number(t, d.key);
	put_question(t, &d);
	str_copy(before, sizeof(before), t->user.draft);
	if (!draft_store(&t->user, &d, "teach:ask"))
		return RC_OK;
	if (strcmp(before, t->user.draft) == 0)
		return RC_OK;	/* a repeated delivery: asked already */
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* Counts the food in the message that told of it, now that it is known. */
static enum rc count_again(struct turn *t, struct draft *d,
    struct parsed *p, struct meal *m, struct day_sum *day)
{
	enum rc rc = food_parse(t->bot->foods, t->store, &t->user, d->text, p,
	    t->err);
	int64_t stamp;

	if (rc != RC_OK || p->verdict != PARSE_FOOD)
		return rc;
	food_meal_init_back(&t->user, d->chat, d->msg, d->at, p->days_back, m);
	m->nitems = p->nitems;
	memcpy(m->items, p->items, sizeof(p->items[0]) * (size_t)p->nitems);
	/* later than the message's own edit: this reading has seen the food */
	stamp = t->up->date > d->edit ? t->up->date : d->edit + 1;
	m->edit_date = stamp;
	rc = food_reread(t->bot->foods, t->store, m, d->edit, d->name, day,
	    t->err);
	d->edit = stamp;
	return rc;
}

/* What was learned, the meal that it belongs to, and the next question. */
static void put_learned(struct turn *t, const struct draft *d,
    const struct meal *m, const struct day_sum *day)
{
	struct buf *out = reply_send(&t->reply);
	enum lang l = turn_lang(t);

	text_put(out, l, T_LEARNED, d->learned, fmt_kcal(t->arena, l, d->cal));
	if (m != NULL) {
		buf_puts(out, "\n\n");
		meal_put(t, out, m, day, MEAL_TITLE_NEW);
		meal_buttons(t, reply_keyboard(&t->reply), m, MEAL_TITLE_NEW);
	}
	if (strcmp(t->user.dialogue, "teach:ask") == 0)
		put_question(t, d);
}

static enum rc learn(struct turn *t, struct draft *d,
    const struct nutrients *per100)
{
	struct parsed *p = arena_alloc(t->arena, sizeof(*p));
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	enum lang l = turn_lang(t);
	struct day_sum day;
	bool more;
	enum rc rc;

	if (t->user.own_foods >= OWN_FOODS_MAX) {
		text_put(reply_send(&t->reply), l, T_OWN_FULL,
		    fmt_int(t->arena, l, OWN_FOODS_MAX));
		return RC_OK;
	}
	rc = food_teach(t->bot->foods, t->store, &t->user, d->key, d->name,
	    per100, t->err);
	if (rc == RC_OK)
		rc = count_again(t, d, p, m, &day);
	if (rc != RC_OK)
		return food_refused(t, rc);
	str_copy(d->learned, sizeof(d->learned), d->name);
	d->cal = per100->cal;
	d->heard = t->up->message_id;
	more = p->nunknown > 0 && strcmp(p->unknown[0].key, d->key) != 0;
	if (more) {
		str_copy(d->name, sizeof(d->name), p->unknown[0].name);
		str_copy(d->key, sizeof(d->key), p->unknown[0].key);
		d->ask = question_number(t, d->key);
	}
	draft_store(&t->user, d, more ? "teach:ask" : "teach:done");
	put_learned(t, d, p->verdict == PARSE_FOOD ? m : NULL, &day);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* The figures came again: show what the first delivery made of them. */
static enum rc show_again(struct turn *t, const struct draft *d)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	struct day_sum day;
	enum rc rc;

	food_meal_init(&t->user, d->chat, d->msg, d->at, m);
	rc = food_get(t->bot->foods, t->store, m, &day, t->err);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		put_learned(t, d, rc == RC_OK ? m : NULL, &day);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static bool only_figures(const char *text)
{
	return strspn(text, "0123456789., \t\n-") == strlen(text);
}

static enum rc on_text(struct turn *t, const char *text, bool *consumed)
{
	struct nutrients per100;
	struct draft d;

	if (!draft_read(&t->user, columns, &d))
		return RC_OK;
	if (d.heard == t->up->message_id && d.chat == t->up->chat_id) {
		*consumed = true;
		return show_again(t, &d);
	}
	if (strcmp(t->user.dialogue, "teach:ask") != 0 ||
	    d.chat != t->up->chat_id)
		return RC_OK;
	if (nutrition_parse_label(text, &per100)) {
		*consumed = true;
		return learn(t, &d, &per100);
	}
	if (only_figures(text)) {
		*consumed = true;
		text_put(reply_send(&t->reply), turn_lang(t),
		    T_ASK_UNKNOWN_AGAIN);
	}
	return RC_OK;
}

static bool asking(const struct turn *t)
{
	return strcmp(t->user.dialogue, "teach:ask") == 0;
}

static bool pending(const struct turn *t)
{
	struct draft d;

	return asking(t) && draft_read(&t->user, columns, &d) &&
	    d.chat == t->up->chat_id;
}

const struct dialogue dialogue_teach = { "teach", T_SKIPPED, pending, NULL,
	on_text };

/* Is it the button of the question that is open?  One made before questions
 * had numbers takes away a question of then only. */
static bool mine(const struct turn *t, const char *args)
{
	struct draft d;
	int64_t ask = 0;

	if (strncmp(args, "no:", 3) == 0 && ints_parse(args + 3, &ask, 1) != 1)
		return false;
	return draft_read(&t->user, columns, &d) && d.ask == ask;
}

/* "Never mind": the question goes away.  When none is open the tap came again,
 * or the question was answered: nothing is lost. */
static enum rc run_tap(struct turn *t, const char *args)
{
	if (asking(t) && !mine(t, args)) {
		str_copy(t->reply.toast, sizeof(t->reply.toast),
		    text_get(turn_lang(t), T_TAP_OLD));
		return RC_OK;
	}
	text_put(reply_edit(&t->reply), turn_lang(t), T_SKIPPED);
	if (!asking(t))
		return RC_OK;
	draft_body_clear(&t->user);
	t->user.dialogue[0] = '\0';
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct tap tap_teach = { "k", 0, 0, run_tap };
