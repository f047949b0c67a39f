/*
 * make-words.c - the ordinary words of both languages, from Debian's hunspell
 * dictionaries, as stems.  Only so that they are told from misspelt foods:
 * without them "shared" is a shake and "маминой" a raspberry.
 */
#include "config.h"

#include "make-foods.h"

#include <string.h>

#include "utils/buf.h"

/* "апельсин/K": the word, and how it is inflected, which the stemmer undoes. */
static void real_word_store(struct maker *m, char *line)
{
	char stem[STEM_SIZE], *s = m->text.s;
	size_t len;
	bool cyrillic;

	line[strcspn(line, "/\t")] = '\0';
	len = text_normalise(line, s, sizeof(m->text.s));
	cyrillic = (unsigned char)s[0] >= 0xd0 && (unsigned char)s[0] <= 0xd3;
	if (len < (cyrillic ? 6 : 3) || len >= WORD_SIZE || strpbrk(s, " -.'") != NULL)
		return;
	text_stem_raw(&m->st, s, len, cyrillic, stem);
	sqlite3_bind_text(m->real_word, 1, stem, -1, SQLITE_STATIC);
	step(m, m->real_word);
}

void dictionary_store(struct maker *m, const char *path)
{
	struct table t;
	char *field[FIELDS_MAX];

	table_open(&t, path);
	(void)table_next(&t, field);	/* how many words there are, about */
	while (table_next(&t, field) > 0)
		real_word_store(m, field[0]);
	table_close(&t);
}
