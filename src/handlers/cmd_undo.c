/*
 * cmd_undo.c - /undo: takes back the entry that was told last, whichever day it is
 * of ("вчера 2 яйца" is older than what was eaten since, but told after it).
 *
 * Which entry that was is written down first (see memory.h), so that a repeated
 * delivery of the same message takes back the same one, not another.  A question
 * that waits for an answer goes on waiting.
 */
#include "config.h"

#include <string.h>

#include "bot/memory.h"
#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/user.h"
#include "utils/validators.h"

enum { LOOKED_AT = 20 };	/* newest entries by the time of the meal */

static const char undo[] = "undo";

/* Of the version before: dialogue "undone", and the draft is "chat:message:
 * day:meal's chat:meal's message". */
static bool recall_old(const struct turn *t, struct memory *m)
{
	int64_t v[5];

	if (strcmp(t->user.dialogue, "undone") != 0 ||
	    ints_parse(t->user.draft, v, 5) != 5 || v[0] != t->up->chat_id ||
	    v[1] != t->up->message_id)
		return false;
	memcpy(m->v, v + 2, sizeof(m->v));
	return true;
}

static bool recall(const struct turn *t, struct meal *m)
{
	struct memory did;

	if (!recall_old(t, &did) && (!memory_same(t, &did) ||
	    strcmp(did.what, undo) != 0))
		return false;
	food_meal_init(&t->user, did.v[1], did.v[2], 0, m);
	m->day = (int32_t)did.v[0];
	return true;
}

/* Of one chat a later message has a higher number. */
static void told_last(const struct turn *t, const struct meal *page, size_t n,
    struct meal *out)
{
	const struct meal *last = &page[0];

	for (size_t i = 0; i < n; i++)
		if (page[i].chat_id == t->up->chat_id &&
		    (last->chat_id != t->up->chat_id ||
		     page[i].message_id > last->message_id))
			last = &page[i];
	*out = *last;
}

static enum rc choose(struct turn *t, struct meal *m, bool *found)
{
	struct meal *page = arena_alloc(t->arena, sizeof(*page) * LOOKED_AT);
	size_t n;
	enum rc rc;

	*found = recall(t, m);
	if (*found)
		return RC_OK;
	rc = food_page(t->bot->foods, t->store, t->user.user_id, NULL,
	    LOOKED_AT, page, &n, t->err);
	if (rc != RC_OK || n == 0)
		return rc;
	told_last(t, page, n, m);
	*found = true;
	memory_keep(t, undo, (const int64_t[]){ m->day, m->chat_id,
	    m->message_id });
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

static enum rc run(struct turn *t, const char *args)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	struct day_sum day;
	bool found, applied;
	enum rc rc;

	(void)args;
	rc = choose(t, m, &found);
	if (rc == RC_OK && found)
		rc = food_change(t->bot->foods, t->store, &t->user, m, m->rev,
		    MEAL_UNDO, -1, 0, &applied, &day, t->err);
	if (rc == RC_OK && found) {
		meal_put(t, reply_send(&t->reply), m, &day, MEAL_TITLE_VIEW);
		meal_buttons(t, reply_keyboard(&t->reply), m, MEAL_TITLE_VIEW);
		return RC_OK;
	}
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		text_put(reply_send(&t->reply), turn_lang(t), T_UNDO_NOTHING);
		return RC_OK;
	}
	return rc;
}

const struct command cmd_undo = { "undo", T_CMD_UNDO, CMD_PRIVATE_ONLY, run };
