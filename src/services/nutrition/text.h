/*
 * text.h - text of people as tokens: lower case, one alphabet per
 * word, numbers read, words stemmed.  Shared with the maker of foods.db, so
 * that what is looked up is spelt as what was stored.
 *
 * Pure: no database, no memory beyond struct text and the two stemmers.
 */
#ifndef FAMILYBOT_SERVICES_NUTRITION_TEXT_H
#define FAMILYBOT_SERVICES_NUTRITION_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_MAX = 4096, TEXT_TOKENS_MAX = 400, STEM_SIZE = 48,
	WORD_SIZE = 64 };

enum token_kind { TOKEN_WORD, TOKEN_NUM, TOKEN_PERCENT, TOKEN_SEP,
	TOKEN_QUESTION };

/* What kind of word it is; the rows of data/words.tsv. */
enum word_class { CLASS_NONE, CLASS_NUM, CLASS_MUL, CLASS_ART, CLASS_MASS,
	CLASS_VOL, CLASS_MEAS, CLASS_EACH, CLASS_TIMES, CLASS_AND, CLASS_WITH,
	CLASS_WITHOUT, CLASS_STOP, CLASS_FILL, CLASS_EAT, CLASS_MOD, CLASS_COOK,
	CLASS_NEG, CLASS_STRONG, CLASS_CHAT, CLASS_ENERGY, CLASS_COUNT };

struct token {
	uint8_t kind;		/* enum token_kind */
	uint8_t cls;		/* enum word_class, filled by the parser */
	uint8_t meas;		/* enum measure when cls is CLASS_MEAS */
	bool cyrillic;
	bool fraction;		/* a number told as 1/2 */
	bool negative;		/* a number with a minus before it */
	bool known;		/* cls was looked up */
	uint16_t start, end;	/* in text.s */
	double value;		/* a number, per cent, or a word's argument */
	char stem[STEM_SIZE];	/* of a word; of a per cent "2.5%" */
};

struct text {
	char s[TEXT_MAX * 2];	/* normalised */
	size_t len;
	int n;
	bool cut;		/* there was more than fits */
	struct token tok[TEXT_TOKENS_MAX];
};

struct sb_stemmer;

struct stemmers {
	struct sb_stemmer *ru;
	struct sb_stemmer *en;
};

bool stemmers_init(struct stemmers *st);	/* false: not in the library */
void stemmers_release(struct stemmers *st);

/* Lower case, ё as е, one alphabet per word, symbols and bad bytes as
 * spaces.  Returns the length; out is terminated. */
size_t text_normalise(const char *in, char *out, size_t size);

/* Normalises and splits; stems every word. */
void text_read(struct text *t, const struct stemmers *st, const char *in);

/* What the stemmer makes of one normalised word, nearer to how it is spelt
 * (for typos), and the stem that keys are made of. */
void text_stem_raw(const struct stemmers *st, const char *word, size_t len,
    bool cyrillic, char stem[STEM_SIZE]);
void text_stem(const struct stemmers *st, const char *word, size_t len,
    bool cyrillic, char stem[STEM_SIZE]);

/* Pet names of foods get the stem of the plain word: "супчик" is "суп".  Of a
 * stem that nothing else explains: the n-th guess, false when there is no
 * more. */
bool text_diminutive(const char *stem, int n, char plain[STEM_SIZE]);

/* The word as it stands in the normalised text. */
void text_word(const struct text *t, const struct token *k,
    char word[WORD_SIZE]);

#endif
