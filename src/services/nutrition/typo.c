/*
 * typo.c - misspelt food words: weighted Damerau-Levenshtein over
 * the stems of everyday names.  Bounded: few words a text, and only stems of
 * about the same length are looked at.  Owns no memory.
 */
#include "config.h"

#include <string.h>

#include "services/nutrition/impl.h"

enum { LETTERS_MAX = 24, TYPOS_MAX = 4, STEP = 2 };

struct typo {
	uint16_t word[LETTERS_MAX];
	int len;
	int best;		/* cost of the best so far, in halves */
	int limit;
	char stem[STEM_SIZE];
};

static int letters(const char *s, uint16_t out[LETTERS_MAX])
{
	const unsigned char *p = (const unsigned char *)s;
	int n = 0;

	while (*p != '\0' && n < LETTERS_MAX) {
		if (*p < 0x80) {
			out[n++] = *p++;
		} else if (p[1] != '\0') {
			out[n++] = (uint16_t)((p[0] & 0x1f) << 6 | (p[1] & 0x3f));
			p += 2;
		} else {
			break;
		}
	}
	return n;
}

/* Letters that people mix up by ear cost half. */
static int swap_cost(uint16_t a, uint16_t b)
{
	static const char pairs[] = "аоаяеиеэиыеятдбпзсгкжшвфшщёоую";
	uint16_t p[sizeof(pairs)];
	int n = 0;

	if (a == b)
		return 0;
	for (const unsigned char *s = (const unsigned char *)pairs; *s != '\0';
	    s += 2)
		p[n++] = (uint16_t)((s[0] & 0x1f) << 6 | (s[1] & 0x3f));
	for (int i = 0; i + 1 < n; i += 2)
		if ((p[i] == a && p[i + 1] == b) || (p[i] == b && p[i + 1] == a))
			return STEP / 2;
	return STEP;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static bool is_soft(uint16_t c)
{
	return c == 0x44a || c == 0x44c;
}

/* Of a letter too many: half when it doubles the one before it, or is silent. */
static int extra_cost(const uint16_t *w, int i)
{
	return (i > 1 && w[i - 1] == w[i - 2]) || is_soft(w[i - 1]) ? STEP / 2 :
	    STEP;
}

/* Distance in halves, or limit + 1 when it is above the limit. */
static int distance(const uint16_t *a, int na, const uint16_t *b, int nb,
    int limit)
{
	int d[LETTERS_MAX + 1][LETTERS_MAX + 1];

	for (int j = 0; j <= nb; j++)
		d[0][j] = j * STEP;
	for (int i = 1; i <= na; i++) {
		int row = d[i][0] = i * STEP;

		for (int j = 1; j <= nb; j++) {
			int c = d[i - 1][j - 1] + swap_cost(a[i - 1], b[j - 1]);

			c = least(c, d[i - 1][j] + extra_cost(a, i));
			c = least(c, d[i][j - 1] + extra_cost(b, j));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				c = least(c, d[i - 2][j - 2] + STEP);
			d[i][j] = c;
			row = least(row, c);
		}
		if (row > limit)
			return limit + 1;
	}
	return d[na][nb];
}

static void compare(void *ctx, const char *raw, const char *stem)
{
	struct typo *y = ctx;
	uint16_t b[LETTERS_MAX];
	int nb = letters(raw, b), cost;

	cost = distance(y->word, y->len, b, nb, y->limit);
	/* the first letter is rarely wrong */
	if (nb > 0 && b[0] != y->word[0])
		cost++;
	if (cost > y->limit || cost > y->best)
		return;
	if (cost < y->best || strcmp(stem, y->stem) < 0) {
		y->best = cost;
		str_copy(y->stem, sizeof(y->stem), stem);
	}
}

/* The stemmer keeps the ending of a word whose only vowel it is. */
static int ending_dropped(const uint16_t *w, int len)
{
	static const uint16_t vowels[] = { 0x430, 0x435, 0x438, 0x43e, 0x443,
		0x44b, 0x44d, 0x44e, 0x44f, 0 };
	int found = 0, last = 0;

	for (int i = 0; i < len; i++) {
		for (const uint16_t *v = vowels; *v != 0; v++) {
			if (w[i] == *v) {
				found++;
				last = i;
			}
		}
	}
	return found == 1 && last == len - 1 ? len - 1 : len;
}

bool diminutive_fix(struct nutrition *n, int i)
{
	struct token *k = &n->text.tok[i];
	char plain[STEM_SIZE];

	if (k->kind != TOKEN_WORD || !k->cyrillic ||
	    food_db_in_vocab(n->db, k->stem))
		return false;
	for (int g = 0; text_diminutive(k->stem, g, plain); g++) {
		if (food_db_in_vocab(n->db, plain)) {
			str_copy(k->stem, sizeof(k->stem), plain);
			return true;
		}
	}
	return false;
}

bool token_real(struct nutrition *n, int i)
{
	const struct token *k = &n->text.tok[i];
	char raw[STEM_SIZE];

	if (k->kind != TOKEN_WORD)
		return false;
	text_stem_raw(&n->st, n->text.s + k->start,
	    (size_t)(k->end - k->start), k->cyrillic, raw);
	return food_db_real_word(n->db, raw);
}

bool typo_fix(struct nutrition *n, int i, bool careful)
{
	struct token *k = &n->text.tok[i];
	struct typo y = { .best = 99 };
	char raw[STEM_SIZE];

	if (k->kind != TOKEN_WORD || n->scan.typos >= TYPOS_MAX ||
	    food_db_in_vocab(n->db, k->stem))
		return false;
	text_stem_raw(&n->st, n->text.s + k->start,
	    (size_t)(k->end - k->start), k->cyrillic, raw);
	if (food_db_real_word(n->db, raw))
		return false;
	y.len = letters(raw, y.word);
	y.len = ending_dropped(y.word, y.len);
	if (y.len < (careful ? 5 : 4) || y.len >= LETTERS_MAX - 2)
		return false;
	n->scan.typos++;
	y.limit = y.len >= 7 ? 2 * STEP : y.len >= 5 ? STEP + 1 : STEP / 2;
	if (careful && y.len >= 5)
		y.limit = y.len >= 7 ? STEP + 1 : STEP;
	food_db_vocab(n->db, k->cyrillic, y.len > 6 ? y.len - 2 : 4,
	    y.len + 2, compare, &y);
	if (y.best > y.limit)
		return false;
	str_copy(k->stem, sizeof(k->stem), y.stem);
	return true;
}
