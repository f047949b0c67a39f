/*
 * step_rows.h - what each step of /start and /profile asks, offers and takes.
 */
#ifndef FAMILYBOT_HANDLERS_STEP_ROWS_H
#define FAMILYBOT_HANDLERS_STEP_ROWS_H

#include <stdbool.h>

#include "bot/text.h"
#include "handlers/steps.h"

struct step_row {
	enum text_id ask;
	void (*buttons)(struct turn *t, enum step_mode mode, enum step step);
	/* from a tap; RC-free: wrong values are ignored */
	bool (*set)(struct turn *t, int value);
	/* from text: 0 = set, -1 = no answer to this, else the text that says why */
	int (*hear)(struct turn *t, const char *text);
};

extern const struct step_row step_rows[STEP_COUNT];

#endif
