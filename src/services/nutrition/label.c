/*
 * label.c - what a package says per 100 g, as a person types it.
 * Pure; owns no memory.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "services/nutrition/nutrition.h"
#include "services/nutrition/text.h"

enum field { FIELD_KCAL, FIELD_PROTEIN, FIELD_FAT, FIELD_CARB, FIELD_COUNT,
	FIELD_NONE = FIELD_COUNT };

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* The nutrient that a word names by its beginning. */
static enum field field_of(const char *w, size_t len)
{
	static const struct {
		const char *start;
		enum field field;
	} rows[] = {
		{ "ккал", FIELD_KCAL }, { "кал", FIELD_KCAL },
		{ "энерг", FIELD_KCAL }, { "kcal", FIELD_KCAL },
		{ "cal", FIELD_KCAL }, { "energy", FIELD_KCAL },
		{ "бел", FIELD_PROTEIN }, { "протеин", FIELD_PROTEIN },
		{ "prot", FIELD_PROTEIN }, { "жир", FIELD_FAT },
		{ "fat", FIELD_FAT }, { "угл", FIELD_CARB },
		{ "carb", FIELD_CARB },
	};
	static const struct {
		const char *word;
		enum field field;
	} shorts[] = {
		{ "к", FIELD_KCAL }, { "б", FIELD_PROTEIN },
		{ "ж", FIELD_FAT }, { "у", FIELD_CARB }, { "p", FIELD_PROTEIN },
		{ "f", FIELD_FAT }, { "c", FIELD_CARB },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t l = strlen(rows[i].start);

		if (len >= l && memcmp(w, rows[i].start, l) == 0)
			return rows[i].field;
	}
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
		if (len == strlen(shorts[i].word) &&
		    memcmp(w, shorts[i].word, len) == 0)
			return shorts[i].field;
	return FIELD_NONE;
}

/* Words that may stand in a label without naming a nutrient.  Any other word
 * tells that the text is no label but, say, the next thing that was eaten. */
static bool is_filler(const char *w, size_t len)
{
	static const char *const words[] = { "г", "гр", "грамм", "грамма",
		"граммов", "g", "gr", "gram", "grams", "и", "на", "в", "за",
		"and", "per", "in", "of" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && memcmp(words[i], w, len) == 0)
			return true;
	return false;
}

struct label {
	double v[FIELD_COUNT];
	bool set[FIELD_COUNT];
	double loose[FIELD_COUNT];	/* numbers without a word, in order */
	int nloose;
	bool bad;
};

static void field_set(struct label *l, enum field f, double v)
{
	if (l->set[f]) {
		l->bad = true;
		return;
	}
	l->set[f] = true;
	l->v[f] = v;
}

static size_t number_at(const char *s, size_t i, double *v)
{
	double scale = 0.1;

	for (*v = 0; s[i] >= '0' && s[i] <= '9'; i++)
		*v = *v < 1e9 ? *v * 10 + (s[i] - '0') : *v;
	if ((s[i] == ',' || s[i] == '.') && s[i + 1] >= '0' &&
	    s[i + 1] <= '9') {
		for (i++; s[i] >= '0' && s[i] <= '9'; i++, scale /= 10)
			*v += (s[i] - '0') * scale;
	}
	return i;
}

/* "на 100 г", "per 100 g", "in 100 g": the amount that all figures are of. */
static size_t per_100(const char *s, size_t i)
{
	static const char *const starts[] = { "на 100", "в 100", "за 100",
		"per 100", "in 100" };

	for (size_t k = 0; k < sizeof(starts) / sizeof(starts[0]); k++) {
		size_t n = strlen(starts[k]);

		if (strncmp(s + i, starts[k], n) == 0 &&
		    (s[i + n] < '0' || s[i + n] > '9'))
			return n;
	}
	return 0;
}

/* A number belongs to the word before it, or to the one right after it. */
static size_t number_take(struct label *l, const char *s, size_t i,
    enum field *named)
{
	double v;
	size_t j, end;
	enum field after;

	i = number_at(s, i, &v);
	for (j = i; s[j] == ' ';)
		j++;
	for (end = j; is_alpha(s[end]);)
		end++;
	after = field_of(s + j, end - j);
	if (*named != FIELD_NONE) {
		field_set(l, *named, v);
		*named = FIELD_NONE;
		/* "белки 12 г": the unit says nothing new */
	} else if (after != FIELD_NONE) {
		field_set(l, after, v);
		i = end;
	} else if (l->nloose < FIELD_COUNT) {
		l->loose[l->nloose++] = v;
	} else {
		l->bad = true;
	}
	return i;
}

static void label_read(struct label *l, const char *s)
{
	enum field named = FIELD_NONE;

	for (size_t i = 0; s[i] != '\0';) {
		size_t end = i;

		if (s[i] >= '0' && s[i] <= '9') {
			l->bad |= i > 0 && s[i - 1] == '-';
			i = number_take(l, s, i, &named);
		} else if (per_100(s, i) > 0) {
			i += per_100(s, i);
		} else if (is_alpha(s[i])) {
			while (is_alpha(s[end]))
				end++;
			if (field_of(s + i, end - i) != FIELD_NONE)
				named = field_of(s + i, end - i);
			else if (!is_filler(s + i, end - i))
				l->bad = true;
			i = end;
		} else {
			i++;
		}
	}
	for (int f = 0, k = 0; f < FIELD_COUNT && k < l->nloose; f++)
		if (!l->set[f])
			field_set(l, (enum field)f, l->loose[k++]);
}

bool nutrition_parse_label(const char *text, struct nutrients *per100)
{
	char s[512];
	struct label l = { .nloose = 0 };

	if (strnlen(text, 201) > 200)
		return false;
	text_normalise(text, s, sizeof(s));
	label_read(&l, s);
	if (l.bad || !l.set[FIELD_KCAL] || l.v[FIELD_KCAL] > 900 ||
	    l.v[FIELD_PROTEIN] + l.v[FIELD_FAT] + l.v[FIELD_CARB] > 100)
		return false;
	per100->cal = llround(l.v[FIELD_KCAL] * 1000);
	per100->protein = llround(l.v[FIELD_PROTEIN] * 1000);
	per100->fat = llround(l.v[FIELD_FAT] * 1000);
	per100->carb = llround(l.v[FIELD_CARB] * 1000);
	return true;
}
