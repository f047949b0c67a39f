/* steps.c - see steps.h. */
#include "config.h"

#include "handlers/steps.h"

#include <stdlib.h>
#include <string.h>

#include "bot/memory.h"
#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/step_rows.h"
#include "handlers/table.h"
#include "services/user.h"
#include "utils/validators.h"

void step_ask(struct turn *t, struct buf *out, enum step_mode mode,
    enum step step)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);

	if (mode == STEP_MODE_START) {
		text_put(out, l, T_STEP, arena_printf(t->arena, "%d", step + 1));
		buf_putc(out, '\n');
	}
	text_put(out, l, step_rows[step].ask);
	step_rows[step].buttons(t, mode, step);
	keyboard_row(k);
	keyboard_button(k, text_get(l, mode == STEP_MODE_START ? T_SKIP : T_BACK),
	    "s:%c:%d:-", mode, step);
	str_format(t->user.dialogue, sizeof(t->user.dialogue), "step:%c:%d",
	    mode, step);
	memory_open_set(&t->user, dialogue_step.name, mode, step);
}

static void put_start_done(struct turn *t, struct buf *out)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);

	text_put(out, l, T_START_DONE);
	buf_puts(out, "\n\n");
	energy_put(t, out);
	buf_puts(out, "\n\n");
	text_put(out, l, T_START_TRY);
	keyboard_button(k, text_get(l, T_FIELD_TARGET), "s:p:%d:?", STEP_TARGET);
	keyboard_button(k, text_get(l, T_FIELD_ZONE), "z");
}

/* The message after a step: the next question, or the end. */
static void go_on(struct turn *t, struct buf *out, enum step_mode mode,
    enum step step)
{
	bool end = mode == STEP_MODE_PROFILE || step + 1 >= STEP_START_COUNT;

	if (!end) {
		step_ask(t, out, mode, step + 1);
		return;
	}
	/* keeps listening for a repeated delivery of the last figure only */
	str_format(t->user.dialogue, sizeof(t->user.dialogue), "step:%c:-1",
	    mode);
	memory_open_set(&t->user, dialogue_step.name, mode, -1);
	if (mode == STEP_MODE_START)
		put_start_done(t, out);
	else
		profile_put(t, out);
}

/*
 * Is the question open whose button was tapped?  Else it was answered, and
 * others after it: the weight chosen under a question of last month would
 * overwrite today's.  A record of an older version does not know.
 */
static bool open_question(const struct turn *t, enum step_mode mode, int step)
{
	char state[USER_DIALOGUE_SIZE];
	struct memory m;

	if (memory_same(t, &m) && strcmp(m.what, dialogue_step.name) == 0)
		return true;	/* the tap came again */
	if (memory_open(&t->user, &m))
		return strcmp(m.what, dialogue_step.name) == 0 &&
		    m.v[0] == mode && m.v[1] == step;
	str_format(state, sizeof(state), "step:%c:%d", mode, step);
	return strncmp(t->user.dialogue, "step:", 5) != 0 ||
	    strcmp(t->user.dialogue, state) == 0;
}

static enum rc answer_tap(struct turn *t, enum step_mode mode, int step,
    const char *value)
{
	int64_t v;

	if (!open_question(t, mode, step)) {
		str_copy(t->reply.toast, sizeof(t->reply.toast),
		    text_get(turn_lang(t), T_TAP_OLD));
		return RC_OK;
	}
	if (ints_parse(value, &v, 1) == 1 && v >= 0 && v < 1000 &&
	    step_rows[step].set(t, (int)v))
		str_copy(t->reply.toast, sizeof(t->reply.toast), "👌");
	memory_keep(t, dialogue_step.name, NULL);
	go_on(t, reply_edit(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

static enum rc run_tap(struct turn *t, const char *args)
{
	enum step_mode mode = args[0] == 's' ? STEP_MODE_START
	    : STEP_MODE_PROFILE;
	const char *value;
	char number[8];
	int64_t step;

	if (args[0] == '\0' || args[1] != ':' ||
	    (value = strchr(args + 2, ':')) == NULL ||
	    !str_copy_n(number, sizeof(number), args + 2,
	    (size_t)(value - args - 2)) || ints_parse(number, &step, 1) != 1 ||
	    step < 0 || step >= STEP_COUNT)
		return RC_OK;
	value++;
	if (strcmp(value, "?") != 0)
		return answer_tap(t, mode, (int)step, value);
	step_ask(t, reply_edit(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct tap tap_step = { "s", CMD_PRIVATE_ONLY, 0, run_tap };

static void put_refusal(struct turn *t, enum text_id why, enum step step)
{
	static const int limits[STEP_COUNT][2] = {
		[STEP_AGE] = { AGE_MIN, AGE_MAX },
		[STEP_HEIGHT] = { HEIGHT_CM_MIN, HEIGHT_CM_MAX },
		[STEP_WEIGHT] = { WEIGHT_G_MIN / 1000, WEIGHT_G_MAX / 1000 },
		[STEP_TARGET] = { TARGET_KCAL_MIN, TARGET_KCAL_MAX },
	};
	struct user computed = t->user;
	struct energy en;
	int low = limits[step][0];

	if (why == T_BAD_TARGET_MINOR) {
		computed.target_kcal = 0;
		user_energy(t->bot->users, &computed, &en);
		low = en.target_kcal;
	}
	text_put(reply_send(&t->reply), turn_lang(t), why,
	    fmt_int(t->arena, turn_lang(t), low),
	    fmt_int(t->arena, turn_lang(t), limits[step][1]));
}

/* Its repetition is not to be taken for the answer to the next question: 175,
 * heard twice, would be a height and a weight.  Before there were lines of
 * memory the draft was the message's number. */
static bool heard_before(const struct turn *t)
{
	struct memory m;

	return (memory_same(t, &m) && strcmp(m.what, dialogue_step.name) == 0) ||
	    strtoll(t->user.draft, NULL, 10) == t->up->message_id;
}

static enum rc again(struct turn *t, enum step_mode mode, long step)
{
	struct buf *out = reply_send(&t->reply);

	if (step >= 0 && step < STEP_COUNT)
		step_ask(t, out, mode, (enum step)step);
	else if (mode == STEP_MODE_START)
		put_start_done(t, out);
	else
		profile_put(t, out);
	return RC_OK;
}

static enum rc on_text(struct turn *t, const char *text, bool *consumed)
{
	const char *d = t->user.dialogue;
	enum step_mode mode;
	long step;
	int why;

	/* what is asked in private is not answered before others */
	if (strlen(d) < 8 || !t->up->private_chat)
		return RC_OK;
	mode = d[5] == 's' ? STEP_MODE_START : STEP_MODE_PROFILE;
	step = strtol(d + 7, NULL, 10);
	if (heard_before(t)) {
		*consumed = true;
		return again(t, mode, step);
	}
	if (step < 0 || step >= STEP_COUNT || step_rows[step].hear == NULL)
		return RC_OK;
	why = step_rows[step].hear(t, text);
	if (why < 0)
		return RC_OK;
	*consumed = true;
	if (why > 0) {
		put_refusal(t, (enum text_id)why, (enum step)step);
		return RC_OK;
	}
	memory_keep(t, dialogue_step.name, NULL);
	go_on(t, reply_send(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

static bool pending(const struct turn *t)
{
	const char *d = t->user.dialogue;

	return t->up->private_chat && strlen(d) >= 8 && d[7] != '-';
}

static enum rc skip(struct turn *t)
{
	const char *d = t->user.dialogue;
	enum step_mode mode = d[5] == 's' ? STEP_MODE_START : STEP_MODE_PROFILE;
	long step = strtol(d + 7, NULL, 10);

	if (step < 0 || step >= STEP_COUNT)
		return RC_OK;
	memory_keep(t, dialogue_step.name, NULL);
	go_on(t, reply_send(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct dialogue dialogue_step = { "step", T_CANCELLED, pending, skip,
	on_text };
