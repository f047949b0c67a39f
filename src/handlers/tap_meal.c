/*
 * tap_meal.c - the buttons under a meal.
 *
 * A tap names the revision that the person saw: one that is repeated, or
 * that comes after another change, changes nothing and shows what is so now.
 */
#include "config.h"

#include "handlers/meal_view.h"

#include <inttypes.h>
#include <string.h>

#include "bot/text.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/nutrition/nutrition.h"
#include "utils/validators.h"

enum { CHOICES_MAX = 6, DAY_MAX = 3000000 /* of the year 10183 */,
	TAP_LIVES_S = 180 /* Telegram drops a tap after 150 s */ };

struct meal_tap {
	char op;
	struct meal *m;		/* named by day, chat and message */
	int32_t rev;
	int item;
	int32_t food_id;
};

static bool within(int64_t v, int64_t low, int64_t high)
{
	return v >= low && v <= high;
}

static bool parse_tap(struct turn *t, const char *args, struct meal_tap *tap)
{
	int64_t v[6] = { 0, 0, 0, 0, -1, 0 };
	int n;

	if (args[0] == '\0' || args[1] != ':')
		return false;
	n = ints_parse(args + 2, v, 6);
	/* one more than rev is counted with; a client may send what it likes */
	if (n < 4 || !within(v[0], -DAY_MAX, DAY_MAX) ||
	    !within(v[3], 1, INT32_MAX - 1) ||
	    !within(v[4], -1, MEAL_ITEMS_MAX - 1) ||
	    !within(v[5], 0, INT32_MAX))
		return false;
	/* what was told in another chat is not shown to this group */
	if (!t->up->private_chat && v[1] != t->up->chat_id)
		return false;
	tap->op = args[0];
	tap->m = arena_alloc(t->arena, sizeof(*tap->m));
	food_meal_init(&t->user, v[1], v[2], 0, tap->m);
	tap->m->day = (int32_t)v[0];
	tap->rev = (int32_t)v[3];
	tap->item = (int)v[4];
	tap->food_id = (int32_t)v[5];
	return true;
}

static void toast(struct turn *t, enum text_id id)
{
	str_copy(t->reply.toast, sizeof(t->reply.toast),
	    text_get(turn_lang(t), id));
}

static void show(struct turn *t, const struct meal *m,
    const struct day_sum *day, enum meal_title title)
{
	meal_put(t, reply_edit(&t->reply), m, day, title);
	meal_buttons(t, reply_keyboard(&t->reply), m, title);
}

static enum rc change(struct turn *t, struct meal_tap *tap,
    enum meal_change what, enum text_id done)
{
	struct day_sum day;
	bool applied;
	bool repeated;
	enum rc rc;

	rc = food_change(t->bot->foods, t->store, &t->user, tap->m, tap->rev,
	    what, tap->item, tap->food_id, &applied, &day, t->err);
	if (rc == RC_NOTFOUND) {
		toast(t, T_TOAST_GONE);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	repeated = !applied && tap->m->rev == tap->rev + 1;
	if (!applied && tap->m->rev == tap->rev)
		done = T_TOAST_LIMIT;
	else if (!applied && !repeated)
		done = T_TOAST_STALE;
	toast(t, done);
	show(t, tap->m, &day, MEAL_TITLE_VIEW);
	return RC_OK;
}

static enum rc load(struct turn *t, struct meal_tap *tap, struct day_sum *day,
    bool *found)
{
	enum rc rc = food_get(t->bot->foods, t->store, tap->m, day, t->err);

	*found = rc == RC_OK;
	if (rc != RC_NOTFOUND)
		return rc;
	toast(t, T_TOAST_GONE);
	return RC_OK;
}

static enum rc view(struct turn *t, struct meal_tap *tap)
{
	struct day_sum day;
	bool found;
	enum rc rc = load(t, tap, &day, &found);

	if (rc == RC_OK && found)
		show(t, tap->m, &day, MEAL_TITLE_VIEW);
	return rc;
}

static void item_button(struct turn *t, char op, const struct meal *m, int i)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);

	const char *label = text_plain(t->arena, l, T_ROW_BUTTON,
	    (const char *const[]){ m->items[i].name,
	    fmt_g(t->arena, l, m->items[i].mg), NULL });

	keyboard_row(k);
	keyboard_button(k, label, "m:%c:%" PRId32 ":%" PRId64 ":%" PRId64
	    ":%" PRId32 ":%d", op, m->day, m->chat_id, m->message_id, m->rev,
	    i);
}

static void back_button(struct turn *t, const struct meal *m)
{
	struct keyboard *k = reply_keyboard(&t->reply);

	keyboard_row(k);
	meal_button(k, text_get(turn_lang(t), T_BACK), MEAL_OP_VIEW, m);
}

static enum rc choose_swap(struct turn *t, const struct meal *m, int item)
{
	struct food_item found[CHOICES_MAX];
	struct keyboard *k;
	size_t n = 0;
	enum lang l = turn_lang(t);
	enum rc rc;

	if (item < 0 || item >= m->nitems)
		return RC_OK;
	rc = nutrition_alternatives(food_nutrition(t->bot->foods), l,
	    &m->items[item], CHOICES_MAX, found, &n, t->err);
	if (rc != RC_OK)
		return rc;
	text_put(reply_edit(&t->reply), l, n > 0 ? T_CHOOSE_SWAP : T_NO_OTHER,
	    m->items[item].name);
	k = reply_keyboard(&t->reply);
	for (size_t i = 0; i < n; i++) {
		keyboard_row(k);
		keyboard_button(k, text_plain(t->arena, l, T_FOOD_BUTTON,
		    (const char *const[]){ found[i].name,
		    fmt_kcal(t->arena, l, found[i].n.cal), NULL }), "m:%c:%" PRId32 ":%" PRId64
		    ":%" PRId64 ":%" PRId32 ":%d:%" PRId32, MEAL_OP_SWAP, m->day,
		    m->chat_id, m->message_id, m->rev, item, found[i].food_id);
	}
	back_button(t, m);
	return RC_OK;
}

static enum rc ask_item(struct turn *t, struct meal_tap *tap)
{
	bool swap = tap->op == MEAL_OP_ASK_SWAP;
	struct day_sum day;
	bool found;
	enum rc rc = load(t, tap, &day, &found);

	if (rc != RC_OK || !found)
		return rc;
	if (tap->m->deleted) {
		show(t, tap->m, &day, MEAL_TITLE_VIEW);
		return RC_OK;
	}
	if (tap->op == MEAL_OP_CHOOSE_SWAP)
		return choose_swap(t, tap->m, tap->item);
	if (swap && tap->m->nitems == 1)
		return choose_swap(t, tap->m, 0);
	text_put(reply_edit(&t->reply), turn_lang(t),
	    swap ? T_CHOOSE_SWAP_ITEM : T_CHOOSE_DROP);
	for (int i = 0; i < tap->m->nitems; i++)
		item_button(t, swap ? MEAL_OP_CHOOSE_SWAP : MEAL_OP_DROP, tap->m,
		    i);
	back_button(t, tap->m);
	return RC_OK;
}

/* A tap's id as the number of a message that nobody wrote: below zero.  They
 * are numbers, which nobody has promised: others are hashed (FNV-1a). */
static int64_t tap_key(const char *id)
{
	uint64_t h = UINT64_C(14695981039346656037);
	int64_t v;

	if (ints_parse(id, &v, 1) == 1 && v > 0)
		return -v;
	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return -(int64_t)(h >> 2) - 1;
}

/* Names the meal that a tap of now makes.  True: it is there already, made
 * when the tap was delivered first, before midnight. */
static enum rc repeat_begin(struct turn *t, struct meal *again,
    struct day_sum *day, bool *there)
{
	int64_t key = tap_key(t->up->callback_id);
	int64_t now = clock_ms(t->bot->clock) / 1000;
	int32_t today = user_day(&t->user, now);
	enum rc rc = RC_NOTFOUND;

	food_meal_init(&t->user, t->up->chat_id, key, now - TAP_LIVES_S, again);
	if (again->day != today)
		rc = food_get(t->bot->foods, t->store, again, day, t->err);
	*there = rc == RC_OK;
	if (rc == RC_NOTFOUND)
		food_meal_init(&t->user, t->up->chat_id, key, now, again);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* A new meal today with the same rows; its key is the tap itself. */
static enum rc repeat(struct turn *t, struct meal_tap *tap)
{
	struct meal *again = arena_alloc(t->arena, sizeof(*again));
	struct day_sum day;
	bool found, there;
	enum rc rc = load(t, tap, &day, &found);

	if (rc != RC_OK || !found)
		return rc;
	rc = repeat_begin(t, again, &day, &there);
	if (rc == RC_OK && !there) {
		again->nitems = tap->m->nitems;
		memcpy(again->items, tap->m->items,
		    sizeof(again->items[0]) * (size_t)again->nitems);
		rc = food_add(t->bot->foods, t->store, again, &day, t->err);
	}
	if (rc != RC_OK)
		return food_refused(t, rc);
	toast(t, T_TOAST_REPEATED);
	meal_put(t, reply_send(&t->reply), again, &day, MEAL_TITLE_NEW);
	meal_buttons(t, reply_keyboard(&t->reply), again, MEAL_TITLE_NEW);
	return RC_OK;
}

static enum rc run(struct turn *t, const char *args)
{
	struct meal_tap tap;

	if (!parse_tap(t, args, &tap)) {
		toast(t, T_TAP_OLD);
		return RC_OK;
	}
	switch (tap.op) {
	case MEAL_OP_UNDO:
		return change(t, &tap, MEAL_UNDO, T_TOAST_UNDONE);
	case MEAL_OP_RESTORE:
		return change(t, &tap, MEAL_RESTORE, T_TOAST_RESTORED);
	case MEAL_OP_HALF:
		return change(t, &tap, MEAL_HALF, T_TOAST_CHANGED);
	case MEAL_OP_DOUBLE:
		return change(t, &tap, MEAL_DOUBLE, T_TOAST_CHANGED);
	case MEAL_OP_SWAP:
		return change(t, &tap, MEAL_SWAP_ITEM, T_TOAST_CHANGED);
	case MEAL_OP_DROP:
		return change(t, &tap, MEAL_DROP_ITEM, T_TOAST_CHANGED);
	case MEAL_OP_ASK_SWAP:
	case MEAL_OP_CHOOSE_SWAP:
	case MEAL_OP_ASK_DROP:
		return ask_item(t, &tap);
	case MEAL_OP_VIEW:
		return view(t, &tap);
	case MEAL_OP_REPEAT:
		return repeat(t, &tap);
	default:
		return RC_OK;
	}
}

const struct tap tap_meal = { "m", 0, 0, run };
