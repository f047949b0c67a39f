/*
 * text.c - splitting normalised text into words and numbers, and
 * stemming.  Pure; the stemmers belong to the caller of stemmers_init().
 */
#include "config.h"

#include "services/nutrition/text.h"

#include <libstemmer.h>
#include <string.h>

#include "utils/buf.h"

bool stemmers_init(struct stemmers *st)
{
	st->ru = sb_stemmer_new("russian", "UTF_8");
	st->en = sb_stemmer_new("english", "UTF_8");
	return st->ru != NULL && st->en != NULL;
}

void stemmers_release(struct stemmers *st)
{
	sb_stemmer_delete(st->ru);
	sb_stemmer_delete(st->en);
	st->ru = st->en = NULL;
}

/* Words whose stems the algorithm confuses with those of other foods. */
static const struct {
	const char *word, *stem;
} special[] = {
	{ "печенье", "печенье" }, { "печенья", "печенье" },
	{ "печеньем", "печенье" }, { "печеньев", "печенье" },
	{ "печений", "печенье" }, { "печеньки", "печеньк" },
	{ "сырой", "сырой" }, { "сырая", "сырой" }, { "сырое", "сырой" },
	{ "сырые", "сырой" }, { "сырых", "сырой" }, { "сырую", "сырой" },
	{ "сырого", "сырой" }, { "сырым", "сырой" }, { "яиц", "яйц" },
	{ "чая", "чай" }, { "чаю", "чай" }, { "чаем", "чай" },
	{ "чай", "чай" }, { "чаи", "чай" }, { "щи", "щи" }, { "щей", "щи" },
	{ "щами", "щи" }, { "щах", "щи" }, { "уха", "уха" }, { "ухи", "уха" },
	{ "уху", "уха" }, { "ухой", "уха" }, { "ухе", "уха" },
	{ "вишен", "вишн" }, { "черешен", "черешн" }, { "вафель", "вафл" },
	{ "вафелька", "вафл" }, { "вафельки", "вафл" },
	{ "пастила", "пастил" }, { "пастилы", "пастил" },
	{ "пастилу", "пастил" }, { "капель", "капл" },
	{ "салями", "салями" },
};

/* "орешек" and "орешка", "перец" and "перца" get one stem. */
static void drop_fleeting_vowel(char *stem)
{
	static const char *const tail[] = { "ек", "ок", "ец" };
	size_t len = strlen(stem);

	if (len < 10)	/* five letters */
		return;
	for (size_t i = 0; i < sizeof(tail) / sizeof(tail[0]); i++) {
		if (memcmp(stem + len - 4, tail[i], 4) == 0) {
			memmove(stem + len - 4, stem + len - 2, 3);
			return;
		}
	}
}

/* Different words for one thing, by their stems, sorted. */
static void same_food(char *stem)
{
	static const char *const rows[][2] = {
		{ "бананчик", "банан" }, { "блинчик", "блин" },
		{ "бутер", "бутерброд" }, { "водочк", "водк" },
		{ "греч", "гречк" }, { "картошк", "картофел" },
		{ "кашк", "каш" }, { "кефирчик", "кефир" },
		{ "клубничк", "клубник" }, { "компотик", "компот" },
		{ "конфетк", "конфет" }, { "котлетк", "котлет" },
		{ "курочк", "куриц" }, { "макарошк", "макарон" },
		{ "мандаринк", "мандарин" }, { "мандаринчик", "мандарин" },
		{ "маслиц", "масл" },
		{ "морковк", "морков" }, { "морсик", "морс" },
		{ "огурчик", "огурц" }, { "оладушк", "олад" },
		{ "орех", "орешк" }, { "пельмешк", "пельмен" },
		{ "печеньк", "печенье" }, { "печенюшк", "печенье" },
		{ "помидорк", "помидор" }, { "помидорчик", "помидор" },
		{ "пюрешк", "пюр" }, { "рожк", "макарон" },
		{ "рыбк", "рыб" }, { "сгух", "сгущенк" },
		{ "селедк", "сельд" }, { "сметанк", "сметан" },
		{ "тортик", "торт" }, { "хлебушк", "хлеб" },
		{ "чаек", "чай" }, { "шав", "шаурм" },
		{ "шаверм", "шаурм" }, { "шашлычк", "шашлык" },
		{ "шоколадк", "шоколад" }, { "яблочк", "яблк" },
		{ "яичк", "яйц" },
	};
	size_t lo = 0, hi = sizeof(rows) / sizeof(rows[0]);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(stem, rows[mid][0]);

		if (c == 0) {
			str_copy(stem, STEM_SIZE, rows[mid][1]);
			return;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
}

/* Nouns in -ing, whose stem would be that of another word: whiting is a fish and
 * not white, icing is sweet and not iced.  Their plural goes with them. */
static bool noun_in_ing(const char *word, size_t len, char stem[STEM_SIZE])
{
	static const char nouns[] = " whiting icing dressing topping stuffing "
	    "pudding herring filling frosting seasoning shortening spring ";
	char quoted[WORD_SIZE + 2];

	len -= len > 0 && word[len - 1] == 's';
	if (len < 5 || memcmp(word + len - 3, "ing", 3) != 0 ||
	    !str_copy_n(stem, STEM_SIZE, word, len) ||
	    !str_format(quoted, sizeof(quoted), " %s ", stem))
		return false;
	return strstr(nouns, quoted) != NULL;
}

void text_stem_raw(const struct stemmers *st, const char *word, size_t len,
    bool cyrillic, char stem[STEM_SIZE])
{
	const sb_symbol *r;
	size_t n;

	if (cyrillic) {
		for (size_t i = 0; i < sizeof(special) / sizeof(special[0]);
		    i++) {
			if (strlen(special[i].word) == len &&
			    memcmp(special[i].word, word, len) == 0) {
				str_copy(stem, STEM_SIZE, special[i].stem);
				return;
			}
		}
	}
	if (!cyrillic && noun_in_ing(word, len, stem))
		return;
	r = sb_stemmer_stem(cyrillic ? st->ru : st->en,
	    (const sb_symbol *)word, (int)len);
	if (r == NULL) {
		str_copy_n(stem, STEM_SIZE, word, len);
		return;
	}
	n = (size_t)sb_stemmer_length(cyrillic ? st->ru : st->en);
	/* "банан-ы" and "смета-на" would lose the letter only in some cases */
	if (cyrillic && n >= 6 && n + 2 <= len &&
	    memcmp(word + n - 2, "ан", 4) == 0)
		str_copy_n(stem, STEM_SIZE, word, n + 2);
	else
		str_copy_n(stem, STEM_SIZE, (const char *)r, n);
}

void text_stem(const struct stemmers *st, const char *word, size_t len,
    bool cyrillic, char stem[STEM_SIZE])
{
	text_stem_raw(st, word, len, cyrillic, stem);
	if (!cyrillic)
		return;
	drop_fleeting_vowel(stem);
	same_food(stem);
}

void text_word(const struct text *t, const struct token *k,
    char word[WORD_SIZE])
{
	str_copy_n(word, WORD_SIZE, t->s + k->start,
	    (size_t)(k->end - k->start));
}

bool text_diminutive(const char *stem, int n, char plain[STEM_SIZE])
{
	static const struct {
		const char *tail, *instead;
	} rows[] = {
		{ "ичк", "ик" }, { "ичк", "иц" }, { "очк", "к" }, { "ечк", "к" },
		{ "очк", "" }, { "ечк", "" }, { "чик", "" }, { "ик", "" },
		{ "ушк", "" }, { "ишк", "" }, { "еньк", "" }, { "чик", "к" },
		{ "к", "" }, { "чик", "ц" },
	};
	size_t len = strlen(stem);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t l = strlen(rows[i].tail);

		if (len < l + 6 || strcmp(stem + len - l, rows[i].tail) != 0 ||
		    n-- > 0)
			continue;
		str_copy_n(plain, STEM_SIZE, stem, len - l);
		str_copy(plain + len - l, STEM_SIZE - (len - l),
		    rows[i].instead);
		same_food(plain);
		return true;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static struct token *token_add(struct text *t, enum token_kind kind,
    size_t start, size_t end)
{
	struct token *k;

	if (t->n == TEXT_TOKENS_MAX) {
		t->cut = true;
		return NULL;
	}
	k = &t->tok[t->n++];
	memset(k, 0, sizeof(*k));
	k->kind = (uint8_t)kind;
	k->start = (uint16_t)start;
	k->end = (uint16_t)end;
	return k;
}

/* Digits at *p with at most one decimal point or comma; moves *p. */
static double digits(const char *s, size_t *p)
{
	size_t i = *p;
	double v = 0, scale = 0.1;
	size_t d;

	for (; is_digit(s[i]); i++)
		if (v < 1e12)
			v = v * 10 + (s[i] - '0');
	for (d = 0; (s[i] == '.' || s[i] == ',') && is_digit(s[i + 1 + d]);)
		d++;
	/* "200,300" is a list, "2,5" and "0.125" are numbers */
	if (d > 0 && (s[i] == '.' || d <= 2)) {
		for (i++; is_digit(s[i]); i++, scale /= 10)
			v += (s[i] - '0') * scale;
	}
	*p = i;
	return v;
}

static size_t skip_spaces(const char *s, size_t i)
{
	while (s[i] == ' ')
		i++;
	return i;
}

/* "1/2" and "2-3" after a number v that ended at i. */
static bool number_pair(const char *s, size_t *p, double *v, bool *fraction)
{
	size_t i = skip_spaces(s, *p);
	char op = s[i];
	double w;

	if (op != '/' && op != '-')
		return false;
	i = skip_spaces(s, i + 1);
	if (!is_digit(s[i]))
		return false;
	w = digits(s, &i);
	if (op == '/') {
		if (w < 1 || w > 100 || *v > 100)
			return false;
		*v /= w;
		*fraction = *v < 1;
	} else {
		if (w < *v)
			return false;
		*v = (*v + w) / 2;
	}
	*p = i;
	return true;
}

/* A minus that touches the number and nothing before it. */
static bool negative_at(const char *s, size_t start)
{
	if (start == 0 || s[start - 1] != '-')
		return false;
	return start == 1 || s[start - 2] == ' ' || s[start - 2] == '\n' ||
	    s[start - 2] == ',';
}

/* "15:00" is no amount of anything. */
static bool time_at(const char *s, size_t start, size_t i)
{
	return i - start <= 2 && s[i] == ':' && is_digit(s[i + 1]) &&
	    is_digit(s[i + 2]) && !is_digit(s[i + 3]);
}

/* "3 в 1" after a name is one word of it. */
static void join_n_in_one(struct text *t)
{
	struct token *k;

	if (t->n < 4)
		return;
	k = &t->tok[t->n - 3];
	if (k->kind != TOKEN_NUM || k->value < 2 || k->value > 5 ||
	    k[1].kind != TOKEN_WORD || k[2].kind != TOKEN_NUM ||
	    k[2].value != 1 || (strcmp(k[1].stem, "в") != 0 &&
	    strcmp(k[1].stem, "in") != 0))
		return;
	k->kind = TOKEN_WORD;
	k->cyrillic = k[1].cyrillic;
	k->end = k[2].end;
	str_format(k->stem, sizeof(k->stem), "%.0fв1", k->value);
	t->n -= 2;
}

/* "говядина 80/20": lean and fat, no amount.  The position after it, or i. */
static size_t lean_ratio(const char *s, size_t i, double lean)
{
	double fat;

	if (s[i] != '/' || !is_digit(s[i + 1]) || lean < 50)
		return i;
	i++;
	fat = digits(s, &i);
	return lean + fat > 99.5 && lean + fat < 100.5 ? i : 0;
}

static size_t number_read(struct text *t, size_t i)
{
	size_t start = i, after;
	double v = digits(t->s, &i);
	bool fraction = false;
	struct token *k;

	if (time_at(t->s, start, i)) {
		token_add(t, TOKEN_SEP, start, i + 3);
		return i + 3;
	}
	after = lean_ratio(t->s, i, v);
	if (after > i)
		return after;
	number_pair(t->s, &i, &v, &fraction);
	after = skip_spaces(t->s, i);
	if (t->s[after] == '%') {
		k = token_add(t, TOKEN_PERCENT, start, after + 1);
		if (k != NULL) {
			k->value = v;
			str_format(k->stem, sizeof(k->stem), "%.4g%%", v);
		}
		return after + 1;
	}
	k = token_add(t, TOKEN_NUM, start, i);
	if (k != NULL) {
		k->value = v;
		k->fraction = fraction;
		k->negative = negative_at(t->s, start);
		str_format(k->stem, sizeof(k->stem), "%.4g", v);
		join_n_in_one(t);
	}
	return i;
}

static size_t word_read(struct text *t, const struct stemmers *st, size_t i)
{
	size_t start = i, end;
	struct token *k;

	while (is_letter(t->s[i]) || (t->s[i] == '\'' && is_letter(t->s[i + 1])))
		i++;
	end = i;
	if (end - start >= WORD_SIZE)
		end = start + WORD_SIZE - 2;
	k = token_add(t, TOKEN_WORD, start, end);
	if (k != NULL) {
		k->cyrillic = (unsigned char)t->s[start] >= 0xd0 &&
		    (unsigned char)t->s[start] <= 0xd3;
		text_stem(st, t->s + start, end - start, k->cyrillic, k->stem);
	}
	return i;
}

/* A full stop ends a sentence unless it shortens a word ("ст. л."). */
static bool dot_separates(const struct text *t, size_t i)
{
	const struct token *k = t->n > 0 ? &t->tok[t->n - 1] : NULL;

	if (k == NULL || k->kind != TOKEN_WORD || k->end != i)
		return true;
	return k->end - k->start > 6;
}

static void separator(struct text *t, size_t i)
{
	if (t->n > 0 && t->tok[t->n - 1].kind == TOKEN_SEP)
		return;
	token_add(t, TOKEN_SEP, i, i + 1);
}

static size_t punctuation(struct text *t, size_t i)
{
	struct token *k;

	switch (t->s[i]) {
	case '?':
		token_add(t, TOKEN_QUESTION, i, i + 1);
		break;
	case '.':
		if (dot_separates(t, i))
			separator(t, i);
		break;
	case ',': case ';': case '\n': case '!': case ':': case '|':
		separator(t, i);
		break;
	case '+': case '&':
		k = token_add(t, TOKEN_WORD, i, i + 1);
		if (k != NULL)
			str_copy(k->stem, sizeof(k->stem), "&");
		break;
	case '*':
		token_add(t, TOKEN_WORD, i, i + 1);
		break;
	default:
		break;
	}
	return i + 1;
}

/* The place after "2. " or "2) " at i, when that is the number asked for. */
static size_t list_number(const struct text *t, size_t i, unsigned int want)
{
	size_t p = skip_spaces(t->s, i), start = p;
	double v = is_digit(t->s[p]) ? digits(t->s, &p) : 0;

	if (p == start || p - start > 2 || v > want || v < want ||
	    (t->s[p] != '.' && t->s[p] != ')') || is_digit(t->s[p + 1]))
		return i;
	return p + 1;
}

/* "1. rice 200 g\n2. eggs": the numbers of a list are no amounts.  One line
 * alone may be anything, so a second must follow. */
static bool numbered(const struct text *t)
{
	const char *line = t->s;

	if (list_number(t, 0, 1) == 0)
		return false;
	while ((line = strchr(line, '\n')) != NULL) {
		size_t at = (size_t)(++line - t->s);

		if (list_number(t, at, 2) > at)
			return true;
	}
	return false;
}

void text_read(struct text *t, const struct stemmers *st, const char *in)
{
	size_t i = 0, line = 0;
	unsigned int number = 1;
	bool list;

	t->n = 0;
	t->cut = false;
	t->len = text_normalise(in, t->s, sizeof(t->s));
	list = numbered(t);
	while (i < t->len && !t->cut) {
		if (list && i == line) {
			i = list_number(t, i, number);
			number += i > line;
		}
		line = t->s[i] == '\n' ? i + 1 : line;
		if (is_digit(t->s[i]))
			i = number_read(t, i);
		else if (is_letter(t->s[i]))
			i = word_read(t, st, i);
		else
			i = punctuation(t, i);
	}
}
