/*
 * meal_view.h - how a meal looks in the chat, and the buttons under it.
 *
 * A button names the meal, the revision that its reader saw, and what is
 * wanted: "m:<op>:<day>:<chat>:<message>:<rev>[:<item>[:<food>]]".
 */
#ifndef FAMILYBOT_HANDLERS_MEAL_VIEW_H
#define FAMILYBOT_HANDLERS_MEAL_VIEW_H

#include "bot/command.h"
#include "models/food.h"
#include "utils/buf.h"

enum { MEAL_OP_UNDO = 'u', MEAL_OP_RESTORE = 'r', MEAL_OP_HALF = 'h',
	MEAL_OP_DOUBLE = 'd', MEAL_OP_ASK_SWAP = 'n', MEAL_OP_CHOOSE_SWAP = 'c',
	MEAL_OP_SWAP = 's', MEAL_OP_ASK_DROP = 'x', MEAL_OP_DROP = 'z',
	MEAL_OP_VIEW = 'v', MEAL_OP_REPEAT = 'a' };

/* The _DAY ones name the day, as it was told with the food ("вчера"). */
enum meal_title { MEAL_TITLE_NEW, MEAL_TITLE_EDITED, MEAL_TITLE_VIEW,
	MEAL_TITLE_DAY, MEAL_TITLE_EDITED_DAY };

/* Rows, total, what is left of the day, sources; HTML. */
void meal_put(struct turn *t, struct buf *out, const struct meal *m,
    const struct day_sum *day, enum meal_title title);
/* Where the figures of its rows come from. */
void meal_sources_put(struct turn *t, struct buf *out, const struct meal *m);
void meal_buttons(struct turn *t, struct keyboard *k, const struct meal *m,
    enum meal_title title);
bool meal_button(struct keyboard *k, const char *label, char op,
    const struct meal *m);

/* "Oatmeal, Banana": names of the rows, cut at about max bytes. */
const char *meal_names(struct turn *t, const struct meal *m, size_t max);

/* "🎯 of 2,000 kcal, 300 left" or nothing; for the lists of a day. */
void day_target_put(struct turn *t, struct buf *out, const struct day_sum *d);
/* "650 kcal · protein …" */
void day_total_put(struct turn *t, struct buf *out, const struct day_sum *d);

int32_t turn_today(const struct turn *t);

#endif
