/*
 * words.h - a whole message that is one word or phrase of a table.  Pure.
 */
#ifndef FAMILYBOT_BOT_WORDS_H
#define FAMILYBOT_BOT_WORDS_H

#include <stddef.h>

enum { WORDS_MAX = 64 };

struct word_row {
	const char *word;	/* normalised: lower case, ё as е; NULL ends */
	int value;		/* above 0 */
};

/* The value of the row that is all of text, whatever its case and the signs
 * around it ("Стоп!", " cancel."); 0: none. */
int words_find(const struct word_row *rows, const char *text);

#endif
