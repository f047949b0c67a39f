/* step_rows.c - see step_rows.h. */
#include "config.h"

#include "handlers/step_rows.h"

#include <string.h>

#include "handlers/meal_view.h"
#include "services/nutrition/text.h"
#include "services/user.h"
#include "utils/validators.h"

enum { HEARD_MAX = 40 };

struct choices {		/* buttons of figures */
	int first, last, by, in_row;
	int jump_at, jump_by;	/* wider steps from jump_at on */
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

/* ---- typed answers ---- */

struct heard_word {
	const char *word;	/* normalised */
	int value;
};

/* The word that text is, as set takes it; rows end with NULL. */
static int hear_word(struct turn *t, const char *text,
    const struct heard_word *w, bool (*set)(struct turn *t, int value))
{
	char s[HEARD_MAX * 2];
	size_t n;

	if (strlen(text) >= HEARD_MAX)
		return -1;
	n = text_normalise(text, s, sizeof(s));
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '.'))
		s[--n] = '\0';
	for (text = s + strspn(s, " "); w->word != NULL; w++)
		if (strcmp(w->word, text) == 0)
			return set(t, w->value) ? 0 : -1;
	return -1;
}

static int hear_language(struct turn *t, const char *text)
{
	static const struct heard_word words[] = {
		{ "русский", LANG_RU }, { "по-русски", LANG_RU },
		{ "рус", LANG_RU }, { "russian", LANG_RU }, { "ru", LANG_RU },
		{ "английский", LANG_EN }, { "по-английски", LANG_EN },
		{ "англ", LANG_EN }, { "english", LANG_EN },
		{ "eng", LANG_EN }, { "en", LANG_EN }, { NULL, 0 } };

	return hear_word(t, text, words, set_language);
}

static int hear_sex(struct turn *t, const char *text)
{
	static const struct heard_word words[] = {
		{ "мужской", SEX_MALE }, { "мужчина", SEX_MALE },
		{ "муж", SEX_MALE }, { "м", SEX_MALE }, { "man", SEX_MALE },
		{ "male", SEX_MALE }, { "m", SEX_MALE },
		{ "женский", SEX_FEMALE }, { "женщина", SEX_FEMALE },
		{ "жен", SEX_FEMALE }, { "ж", SEX_FEMALE },
		{ "woman", SEX_FEMALE }, { "female", SEX_FEMALE },
		{ "f", SEX_FEMALE }, { "w", SEX_FEMALE }, { NULL, 0 } };

	return hear_word(t, text, words, set_sex);
}

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

const struct step_row step_rows[STEP_COUNT] = {
	[STEP_LANGUAGE] = { T_ASK_LANGUAGE, language_buttons, set_language,
		hear_language },
	[STEP_SEX] = { T_ASK_SEX, sex_buttons, set_sex, hear_sex },
	[STEP_AGE] = { T_ASK_AGE, figure_buttons, set_age, hear_age },
	[STEP_HEIGHT] = { T_ASK_HEIGHT, figure_buttons, set_height, hear_height },
	[STEP_WEIGHT] = { T_ASK_WEIGHT, figure_buttons, set_weight, hear_weight },
	[STEP_ACTIVITY] = { T_ASK_ACTIVITY, activity_buttons, set_activity, NULL },
	[STEP_GOAL] = { T_ASK_GOAL, goal_buttons, set_goal, NULL },
	[STEP_TARGET] = { T_ASK_TARGET, target_buttons, set_target, hear_target },
};
