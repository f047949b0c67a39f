/* cmd_profile.c - /profile: what the bot knows, and the arithmetic. */
#include "config.h"

#include <math.h>

#include "bot/text.h"
#include "handlers/steps.h"
#include "handlers/table.h"
#include "services/user.h"

static void put_basal(struct turn *t, struct buf *out, const struct energy *en)
{
	enum lang l = turn_lang(t);

	text_put(out, l, t->user.sex == SEX_MALE ? T_ENERGY_BASAL_MALE
	    : T_ENERGY_BASAL_FEMALE,
	    fmt_num(t->arena, l, t->user.weight_g / 1000.0, 1),
	    fmt_int(t->arena, l, t->user.height_cm),
	    fmt_int(t->arena, l, en->age), fmt_int(t->arena, l, lround(en->basal)));
	buf_putc(out, '\n');
	text_put(out, l, T_ENERGY_TOTAL, fmt_num(t->arena, l, en->factor, 3),
	    fmt_int(t->arena, l, lround(en->total)));
	buf_putc(out, '\n');
	if (en->goal_percent != 0) {
		text_put(out, l, en->goal_percent < 0 ? T_ENERGY_LOSE
		    : T_ENERGY_GAIN);
		buf_putc(out, '\n');
	} else if (en->minor && t->user.goal == GOAL_LOSE) {
		text_put(out, l, T_ENERGY_MINOR);
		buf_putc(out, '\n');
	}
}

void energy_put(struct turn *t, struct buf *out)
{
	enum lang l = turn_lang(t);
	struct energy en;

	user_energy(t->bot->users, &t->user, &en);
	if (en.known)
		put_basal(t, out, &en);
	if (en.target_kcal == 0) {
		text_put(out, l, T_ENERGY_UNKNOWN);
		return;
	}
	text_put(out, l, en.own ? T_ENERGY_OWN : T_ENERGY_TARGET,
	    fmt_int(t->arena, l, en.target_kcal));
	if (en.known && en.own && en.target_kcal < en.basal) {
		buf_putc(out, '\n');
		text_put(out, l, T_ENERGY_LOW);
	}
	if (en.known) {
		buf_putc(out, '\n');
		text_put(out, l, T_ENERGY_FORMULA);
	}
}

static void put_line(struct turn *t, struct buf *out, enum text_id name,
    const char *value)
{
	enum lang l = turn_lang(t);

	text_put(out, l, T_PROFILE_LINE, text_get(l, name),
	    value != NULL ? value : text_get(l, T_PROFILE_UNSET));
	buf_putc(out, '\n');
}

static const char *with_unit(struct turn *t, enum text_id unit, int known,
    const char *figure)
{
	return known == 0 ? NULL : text_plain(t->arena, turn_lang(t), unit,
	    (const char *const[]){ figure, NULL });
}

/* One of a list of texts; value 0 is unset. */
static const char *choice(struct turn *t, enum text_id first, int value)
{
	return value == 0 ? NULL
	    : text_get(turn_lang(t), first + (enum text_id)(value - 1));
}

static void put_lines(struct turn *t, struct buf *out)
{
	const struct user *u = &t->user;
	enum lang l = turn_lang(t);
	struct energy en;

	user_energy(t->bot->users, u, &en);
	put_line(t, out, T_FIELD_LANGUAGE, language_of(l)->name);
	put_line(t, out, T_FIELD_SEX, choice(t, T_SEX_MALE, u->sex));
	put_line(t, out, T_FIELD_AGE, with_unit(t, T_VALUE_AGE, u->birth_year,
	    fmt_int(t->arena, l, en.age)));
	put_line(t, out, T_FIELD_HEIGHT, with_unit(t, T_VALUE_CM, u->height_cm,
	    fmt_int(t->arena, l, u->height_cm)));
	put_line(t, out, T_FIELD_WEIGHT, with_unit(t, T_VALUE_KG, u->weight_g,
	    fmt_num(t->arena, l, u->weight_g / 1000.0, 1)));
	put_line(t, out, T_FIELD_ACTIVITY, choice(t, T_ACTIVITY_1, u->activity));
	put_line(t, out, T_FIELD_GOAL, choice(t, T_GOAL_1, u->goal));
	put_line(t, out, T_FIELD_ZONE, u->zone);
}

void profile_put(struct turn *t, struct buf *out)
{
	static const struct { enum step step; enum text_id name; } fields[] = {
		{ STEP_SEX, T_FIELD_SEX }, { STEP_AGE, T_FIELD_AGE },
		{ STEP_HEIGHT, T_FIELD_HEIGHT }, { STEP_WEIGHT, T_FIELD_WEIGHT },
		{ STEP_ACTIVITY, T_FIELD_ACTIVITY }, { STEP_GOAL, T_FIELD_GOAL },
		{ STEP_TARGET, T_FIELD_TARGET },
	};
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);

	text_put(out, l, T_PROFILE_TITLE);
	buf_putc(out, '\n');
	put_lines(t, out);
	buf_putc(out, '\n');
	energy_put(t, out);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (i % 3 == 0)
			keyboard_row(k);
		keyboard_button(k, text_get(l, fields[i].name), "s:p:%d:?",
		    fields[i].step);
	}
	keyboard_button(k, text_get(l, T_FIELD_LANGUAGE), "l");
	keyboard_button(k, text_get(l, T_FIELD_ZONE), "z");
}

static enum rc run(struct turn *t, const char *args)
{
	(void)args;
	profile_put(t, reply_send(&t->reply));
	return RC_OK;
}

const struct command cmd_profile = { "profile", T_CMD_PROFILE,
	CMD_PRIVATE_ONLY | CMD_LINKED, run };

static enum rc run_tap(struct turn *t, const char *args)
{
	(void)args;
	profile_put(t, reply_edit(&t->reply));
	return RC_OK;
}

const struct tap tap_profile = { "p", CMD_PRIVATE_ONLY, 0, run_tap };
