/* steps.c - see steps.h. */
#include "config.h"

#include "handlers/steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/user.h"
#include "utils/validators.h"

struct choices {		/* buttons of figures */
	int first, last, by, in_row;
	int jump_at, jump_by;	/* wider steps from jump_at on */
};

struct step_row {
	enum text_id ask;
	void (*buttons)(struct turn *t, enum step_mode mode, enum step step);
	/* from a tap; RC-free: wrong values are ignored */
	bool (*set)(struct turn *t, int value);
	/* from text: 0 = set, -1 = not a figure, else the text that says why */
	int (*hear)(struct turn *t, const char *text);
};

static void button(struct turn *t, const char *label, enum step_mode mode,
    enum step step, int value)
{
	keyboard_button(reply_keyboard(&t->reply), label, "s:%c:%d:%d", mode,
	    step, value);
}

/* ---- buttons ---- */

static void texts_buttons(struct turn *t, enum step_mode mode, enum step step,
    enum text_id first, int n, bool rows)
{
	for (int i = 0; i < n; i++) {
		if (rows)
			keyboard_row(reply_keyboard(&t->reply));
		button(t, text_get(turn_lang(t), first + (enum text_id)i), mode,
		    step, i + 1);
	}
}

static void language_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	bool russian = turn_lang(t) == LANG_RU;

	/* The person's own first: most just tap it. */
	if (russian)
		button(t, "🇷🇺 Русский", mode, s, LANG_RU);
	button(t, "🇬🇧 English", mode, s, LANG_EN);
	if (!russian)
		button(t, "🇷🇺 Русский", mode, s, LANG_RU);
}

static void sex_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	button(t, text_get(turn_lang(t), T_SEX_MALE), mode, s, SEX_MALE);
	button(t, text_get(turn_lang(t), T_SEX_FEMALE), mode, s, SEX_FEMALE);
}

static void activity_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	texts_buttons(t, mode, s, T_ACTIVITY_1, ACTIVITY_COUNT - 1, true);
}

static void goal_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	texts_buttons(t, mode, s, T_GOAL_1, GOAL_COUNT - 1, true);
}

static void figure_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	static const struct choices all[STEP_COUNT] = {
		[STEP_AGE] = { 10, 75, 2, 6, 20, 5 },
		[STEP_HEIGHT] = { 145, 200, 5, 6, 999, 5 },
		[STEP_WEIGHT] = { 40, 130, 5, 6, 100, 10 },
	};
	const struct choices *c = &all[s];
	int n = 0;

	for (int v = c->first; v <= c->last;
	    v += v >= c->jump_at ? c->jump_by : c->by) {
		if (n++ % c->in_row == 0)
			keyboard_row(reply_keyboard(&t->reply));
		button(t, arena_printf(t->arena, "%d", v), mode, s, v);
	}
}

static void target_buttons(struct turn *t, enum step_mode mode, enum step s)
{
	button(t, text_get(turn_lang(t), T_TARGET_COMPUTED), mode, s, 0);
}

/* ---- setting ---- */

static int this_year(struct turn *t)
{
	int y, m, d;

	day_to_ymd(turn_today(t), &y, &m, &d);
	return y;
}

static bool within(int v, int low, int high)
{
	return v >= low && v <= high;
}

static bool set_language(struct turn *t, int v)
{
	if (!within(v, 0, LANG_COUNT - 1))
		return false;
	t->user.lang = v;
	t->user.flags |= USER_F_LANG_CHOSEN;
	return true;
}

static bool set_sex(struct turn *t, int v)
{
	if (!within(v, SEX_MALE, SEX_FEMALE))
		return false;
	t->user.sex = v;
	return true;
}

static bool set_age(struct turn *t, int v)
{
	if (!within(v, AGE_MIN, AGE_MAX))
		return false;
	t->user.birth_year = this_year(t) - v;
	return true;
}

static bool set_height(struct turn *t, int v)
{
	if (!within(v, HEIGHT_CM_MIN, HEIGHT_CM_MAX))
		return false;
	t->user.height_cm = v;
	return true;
}

static bool set_weight(struct turn *t, int v)
{
	if (!within(v, WEIGHT_G_MIN / 1000, WEIGHT_G_MAX / 1000))
		return false;
	t->user.weight_g = v * 1000;
	return true;
}

static bool set_activity(struct turn *t, int v)
{
	if (!within(v, 1, ACTIVITY_COUNT - 1))
		return false;
	t->user.activity = v;
	return true;
}

static bool set_goal(struct turn *t, int v)
{
	if (!within(v, 1, GOAL_COUNT - 1))
		return false;
	t->user.goal = v;
	return true;
}

static bool set_target(struct turn *t, int v)
{
	if (v != 0)
		return false;
	t->user.target_kcal = 0;
	return true;
}

/* ---- typed figures ---- */

static int hear_age(struct turn *t, const char *text)
{
	static const char *const units[] = { "лет", "год", "года", "years",
		"year", "y", "y.o", NULL };
	const char *rest;
	double v;

	if (!figure_parse(text, &v, &rest) || !unit_is(rest, units))
		return -1;
	return set_age(t, (int)v) ? 0 : T_BAD_AGE;
}

static int hear_height(struct turn *t, const char *text)
{
	static const char *const cm[] = { "см", "cm", NULL };
	static const char *const metres[] = { "м", "m", NULL };
	const char *rest;
	double v;

	if (!figure_parse(text, &v, &rest) ||
	    (!unit_is(rest, cm) && !unit_is(rest, metres)))
		return -1;
	if (v < 3)
		v *= 100;	/* 1.75 m */
	return set_height(t, (int)(v + 0.5)) ? 0 : T_BAD_HEIGHT;
}

static int hear_weight(struct turn *t, const char *text)
{
	static const char *const units[] = { "кг", "kg", "kilo", "кило", NULL };
	const char *rest;
	double v;

	if (!figure_parse(text, &v, &rest) || !unit_is(rest, units))
		return -1;
	if (v * 1000 < WEIGHT_G_MIN || v * 1000 > WEIGHT_G_MAX)
		return T_BAD_WEIGHT;
	t->user.weight_g = (int32_t)(v * 1000 + 0.5);
	return 0;
}

static int hear_target(struct turn *t, const char *text)
{
	static const char *const units[] = { "ккал", "kcal", "cal", "кал", NULL };
	struct user computed = t->user;
	struct energy en;
	const char *rest;
	double v;

	if (!figure_parse(text, &v, &rest) || !unit_is(rest, units))
		return -1;
	if (v < TARGET_KCAL_MIN || v > TARGET_KCAL_MAX)
		return T_BAD_TARGET;
	computed.target_kcal = 0;
	user_energy(t->bot->users, &computed, &en);
	if (en.minor && en.known && (int)v < en.target_kcal)
		return T_BAD_TARGET_MINOR;
	t->user.target_kcal = (int32_t)v;
	return 0;
}

static const struct step_row rows[STEP_COUNT] = {
	[STEP_LANGUAGE] = { T_ASK_LANGUAGE, language_buttons, set_language, NULL },
	[STEP_SEX] = { T_ASK_SEX, sex_buttons, set_sex, NULL },
	[STEP_AGE] = { T_ASK_AGE, figure_buttons, set_age, hear_age },
	[STEP_HEIGHT] = { T_ASK_HEIGHT, figure_buttons, set_height, hear_height },
	[STEP_WEIGHT] = { T_ASK_WEIGHT, figure_buttons, set_weight, hear_weight },
	[STEP_ACTIVITY] = { T_ASK_ACTIVITY, activity_buttons, set_activity, NULL },
	[STEP_GOAL] = { T_ASK_GOAL, goal_buttons, set_goal, NULL },
	[STEP_TARGET] = { T_ASK_TARGET, target_buttons, set_target, hear_target },
};

/* ---- asking and going on ---- */

void step_ask(struct turn *t, struct buf *out, enum step_mode mode,
    enum step step)
{
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);

	if (mode == STEP_MODE_START) {
		text_put(out, l, T_STEP, arena_printf(t->arena, "%d", step + 1));
		buf_putc(out, '\n');
	}
	text_put(out, l, rows[step].ask);
	rows[step].buttons(t, mode, step);
	keyboard_row(k);
	keyboard_button(k, text_get(l, mode == STEP_MODE_START ? T_SKIP : T_BACK),
	    "s:%c:%d:-", mode, step);
	str_format(t->user.dialogue, sizeof(t->user.dialogue), "step:%c:%d",
	    mode, step);
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
	if (mode == STEP_MODE_START)
		put_start_done(t, out);
	else
		profile_put(t, out);
}

static enum rc run_tap(struct turn *t, const char *args)
{
	enum step_mode mode = args[0] == 's' ? STEP_MODE_START
	    : STEP_MODE_PROFILE;
	const char *value;
	int64_t step, v;

	if (args[0] == '\0' || args[1] != ':' ||
	    (value = strchr(args + 2, ':')) == NULL)
		return RC_OK;
	step = strtoll(args + 2, NULL, 10);
	value++;
	if (step < 0 || step >= STEP_COUNT)
		return RC_OK;
	if (strcmp(value, "?") == 0) {
		step_ask(t, reply_edit(&t->reply), mode, (enum step)step);
		return user_save(t->bot->users, t->store, &t->user, t->err);
	}
	if (ints_parse(value, &v, 1) == 1 && v >= 0 && v < 1000 &&
	    rows[step].set(t, (int)v))
		str_copy(t->reply.toast, sizeof(t->reply.toast), "👌");
	go_on(t, reply_edit(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct tap tap_step = { "s", CMD_PRIVATE_ONLY, run_tap };

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

/* The draft holds the message heard last, so that its repetition is not taken
 * for the answer to the next question. */
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
	if (strtoll(t->user.draft, NULL, 10) == t->up->message_id) {
		*consumed = true;
		if (step < 0)
			profile_put(t, reply_send(&t->reply));
		else
			step_ask(t, reply_send(&t->reply), mode, (enum step)step);
		return RC_OK;
	}
	if (step < 0 || step >= STEP_COUNT || rows[step].hear == NULL)
		return RC_OK;
	why = rows[step].hear(t, text);
	if (why < 0)
		return RC_OK;
	*consumed = true;
	if (why > 0) {
		put_refusal(t, (enum text_id)why, (enum step)step);
		return RC_OK;
	}
	str_format(t->user.draft, sizeof(t->user.draft), "%" PRId64,
	    t->up->message_id);
	go_on(t, reply_send(&t->reply), mode, (enum step)step);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

const struct dialogue dialogue_step = { "step", on_text };
