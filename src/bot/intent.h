/*
 * intent.h - what is meant by text that is no command and answers no question.
 *
 * Each reader of a table says how sure it is, and why; the clearest one is
 * run.  Of two that are about as sure the person is asked, with buttons: a
 * number that was only asked about must not be written down.  A new reading
 * (water, weight, a film) is one row.
 */
#ifndef FAMILYBOT_BOT_INTENT_H
#define FAMILYBOT_BOT_INTENT_H

#include <stdbool.h>

#include "bot/command.h"

enum {
	INTENT_NO = 0,
	INTENT_LAST = 50,	/* answers when nobody else understands */
	INTENT_MAYBE = 400,
	INTENT_LIKELY = 700,
	INTENT_CLEAR = 850,
	INTENT_SURE = 950,	/* no other reader is asked */
	INTENT_MARGIN = 100	/* nearer ones are a tie */
};

struct guess {
	int score;		/* INTENT_NO … 1000 */
	const char *reason;	/* a few words for whoever looks for one */
	const char *text;	/* as it was read, in the arena or the caller's */
	void *found;		/* for run: what read found out already … */
	const void *row;	/* … or a row of its own table */
};

struct reader {
	const char *name;	/* handler of the log and the metrics */
	enum text_id choice;	/* its button when the person is asked */
	/* Changes nothing; *out comes with the text and INTENT_NO. */
	enum rc (*read)(struct turn *t, const char *text, struct guess *out);
	enum rc (*run)(struct turn *t, const struct guess *g);
};

struct intent {
	const struct reader *best, *second;	/* second NULL: clear */
	struct guess guess;			/* of best */
};

/* best is NULL when no reader wants the text. */
MUST_CHECK enum rc intent_read(struct turn *t, const char *text,
    struct intent *out);

/* Reads and runs, or asks which of two was meant. */
MUST_CHECK enum rc intent_text(struct turn *t, const char *text,
    struct update_info *info);

/* Runs the reader of that name, as chosen by the person; *known false: there
 * is none of that name that wants the text. */
MUST_CHECK enum rc intent_chosen(struct turn *t, const char *name,
    const char *text, bool *known);

#endif
