/* words.c - see words.h. */
#include "config.h"

#include "bot/words.h"

#include <stdbool.h>
#include <string.h>

#include "services/nutrition/text.h"

static bool sign(char c)
{
	return c != '\0' && strchr(" \t\n.,!?:;()", c) != NULL;
}

int words_find(const struct word_row *rows, const char *text)
{
	char clean[WORDS_MAX * 2];
	const char *s = clean;
	size_t n;

	while (sign(*text))
		text++;
	/* most messages are longer than any word, or begin with a number */
	if (*text == '\0' || (*text >= '0' && *text <= '9') ||
	    strnlen(text, WORDS_MAX) == WORDS_MAX)
		return 0;
	n = text_normalise(text, clean, sizeof(clean));
	while (n > 0 && sign(clean[n - 1]))
		clean[--n] = '\0';
	while (sign(*s))
		s++;
	for (; rows->word != NULL; rows++)
		if (strcmp(rows->word, s) == 0)
			return rows->value;
	return 0;
}
