/*
 * classify.c - what kind of word each token is, and words that are
 * two in one ("полбанана", "ст. л.", "fl oz").  Owns no memory.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "services/nutrition/impl.h"

/* Makes room for one more token at i. */
static bool token_insert(struct text *t, int i)
{
	if (t->n == TEXT_TOKENS_MAX)
		return false;
	memmove(&t->tok[i + 1], &t->tok[i],
	    (size_t)(t->n - i) * sizeof(t->tok[0]));
	t->n++;
	return true;
}

static bool word_is(const struct text *t, int i, const char *s)
{
	const struct token *k = &t->tok[i];
	size_t len = strlen(s);

	return i < t->n && k->kind == TOKEN_WORD &&
	    (size_t)(k->end - k->start) == len &&
	    memcmp(t->s + k->start, s, len) == 0;
}

/* "полбанана" is "пол банана" when that is a food or a unit. */
static void half_split(struct nutrition *n, int i)
{
	static const char half[] = "пол";
	struct text *t = &n->text;
	struct token rest = t->tok[i];
	char word[WORD_SIZE];
	int32_t id;

	if (!rest.cyrillic || rest.end - rest.start < 6 + 6 ||
	    memcmp(t->s + rest.start, half, 6) != 0)
		return;
	if (food_db_key(n->db, rest.stem, &id) ||
	    food_db_in_vocab(n->db, rest.stem))
		return;
	rest.start = (uint16_t)(rest.start + 6);
	text_word(t, &rest, word);
	text_stem(&n->st, word, strlen(word), true, rest.stem);
	if (!food_db_word(n->db, word, &rest) &&
	    !food_db_key(n->db, rest.stem, &id) &&
	    !food_db_in_vocab(n->db, rest.stem))
		return;
	if (!token_insert(t, i))
		return;
	t->tok[i].cls = CLASS_NUM;
	t->tok[i].value = 0.5;
	t->tok[i].end = rest.start;
	t->tok[i + 1] = rest;
}

/* "ст. л.", "ч.л.", "ст ложка", "fl oz". */
static void unit_pair(struct text *t, int i)
{
	bool spoon = word_is(t, i + 1, "л") || (i + 1 < t->n &&
	    t->tok[i + 1].cls == CLASS_MEAS &&
	    t->tok[i + 1].meas == MEASURE_TBSP);

	if (spoon && (word_is(t, i, "ст") || word_is(t, i, "ч"))) {
		t->tok[i + 1].cls = CLASS_MEAS;
		t->tok[i + 1].meas = word_is(t, i, "ст") ? MEASURE_TBSP :
		    MEASURE_TSP;
		t->tok[i + 1].value = 1;
		t->tok[i].cls = CLASS_STOP;
	} else if (word_is(t, i, "fl") && i + 1 < t->n &&
	    t->tok[i + 1].cls == CLASS_MASS) {
		t->tok[i].cls = CLASS_STOP;
		t->tok[i + 1].cls = CLASS_VOL;
		t->tok[i + 1].value = 29.57;
	}
}

/* "300 ккал" tells something, "сколько калорий" asks. */
static bool after_number(const struct text *t, int i)
{
	const struct token *k = &t->tok[i > 0 ? i - 1 : 0];

	return i > 0 && (k->kind == TOKEN_NUM || (k->kind == TOKEN_WORD &&
	    (k->cls == CLASS_NUM || k->cls == CLASS_MUL)));
}

/* "на пару" is steamed, "на пол" is the floor; "+" and "*" are words too. */
static void word_in_place(struct text *t, int i)
{
	struct token *k = &t->tok[i];

	if (word_is(t, i, "+") || word_is(t, i, "&"))
		k->cls = CLASS_AND;
	else if (word_is(t, i, "*"))
		k->cls = CLASS_TIMES;
	else if (i > 0 && word_is(t, i, "пару") && word_is(t, i - 1, "на"))
		k->cls = CLASS_COOK;
	else if (k->cls == CLASS_ENERGY && !after_number(t, i))
		k->cls = CLASS_STRONG;
	else if (i > 0 && word_is(t, i, "пол") && word_is(t, i - 1, "на"))
		k->cls = CLASS_CHAT;
}

/* "10k" and "5р": letters glued to a number that are no unit. */
static void glued_nonsense(struct text *t, int i)
{
	struct token *k = &t->tok[i];

	if (i > 0 && t->tok[i - 1].kind == TOKEN_NUM &&
	    t->tok[i - 1].end == k->start && k->cls == CLASS_NONE &&
	    k->end - k->start <= (k->cyrillic ? 4 : 2))
		k->cls = CLASS_STRONG;
}

static bool is_unit(const struct text *t, int i)
{
	return i < t->n && t->tok[i].kind == TOKEN_WORD &&
	    (t->tok[i].cls == CLASS_MASS || t->tok[i].cls == CLASS_VOL ||
	     t->tok[i].cls == CLASS_ENERGY);
}

static bool is_name(const struct text *t, int i)
{
	return i >= 0 && i < t->n && t->tok[i].kind == TOKEN_WORD &&
	    t->tok[i].cls == CLASS_NONE;
}

/* The token with the three digits that may go on the number at i: after one
 * space ("1 500") or a comma ("1,500"); 0 when there is none. */
static int thousands_at(const struct text *t, int i)
{
	const struct token *k = &t->tok[i];
	int j = i + 1;

	if (k->kind != TOKEN_NUM || k->end - k->start > 3 || k->value < 1 ||
	    k->value > floor(k->value) || j >= t->n)
		return 0;
	if (t->tok[j].kind == TOKEN_SEP && t->s[k->end] == ',' &&
	    t->tok[j].end == k->end + 1)
		j++;
	if (j >= t->n || t->tok[j].kind != TOKEN_NUM ||
	    t->tok[j].start != k->end + 1 ||
	    t->tok[j].end - t->tok[j].start != 3 || !is_unit(t, j + 1))
		return 0;
	for (int d = t->tok[j].start; d < t->tok[j].end; d++)
		if (t->s[d] < '0' || t->s[d] > '9')
			return 0;
	return j;
}

/*
 * "1 500 г арбуза", "1,500 ml": one number.  But "яйца 2 200 г риса" counts
 * eggs and weighs rice, and of "1,500 кг" the comma is a decimal one.
 */
static void thousands_join(struct text *t, int i)
{
	int j = thousands_at(t, i);
	struct token *k = &t->tok[i];
	bool large;

	if (j == 0 || (j == i + 1 && is_name(t, i - 1) && is_name(t, j + 2)))
		return;
	large = t->tok[j + 1].cls != CLASS_ENERGY && t->tok[j + 1].value >= 1000;
	if (j == i + 2 && large)
		k->value += t->tok[j].value / 1000;
	else
		k->value = k->value * 1000 + t->tok[j].value;
	k->end = t->tok[j].end;
	memmove(k + 1, &t->tok[j + 1], (size_t)(t->n - j - 1) * sizeof(*k));
	t->n -= j - i;
}

/* "кефир 3,2": its fat per cent, as it is said in shops, and no number of
 * cups. */
static void fat_percent(struct text *t, int i)
{
	static const char dairy[] = " молок кефир ряженк йогурт простокваш айран "
	    "сливк milk kefir yogurt yoghurt ";
	struct token *k = &t->tok[i];
	char stem[STEM_SIZE + 2];

	if (k->kind != TOKEN_NUM || k->fraction || k->value >= 10 ||
	    k->value <= floor(k->value) || k->value < 0.5 || !is_name(t, i - 1) ||
	    is_unit(t, i + 1) || (i + 1 < t->n && t->tok[i + 1].kind == TOKEN_WORD
	    && t->tok[i + 1].cls == CLASS_MEAS))
		return;
	if (!str_format(stem, sizeof(stem), " %s ", t->tok[i - 1].stem) ||
	    strstr(dairy, stem) == NULL)
		return;
	k->kind = TOKEN_PERCENT;
	str_format(k->stem, sizeof(k->stem), "%.4g%%", k->value);
}

void words_classify(struct nutrition *n)
{
	struct text *t = &n->text;
	char word[WORD_SIZE];

	for (int i = 0; i < t->n; i++) {
		if (t->tok[i].kind != TOKEN_WORD || t->tok[i].known)
			continue;
		t->tok[i].known = true;
		text_word(t, &t->tok[i], word);
		if (!food_db_word(n->db, word, &t->tok[i]))
			half_split(n, i);
	}
	for (int i = 0; i < t->n; i++) {
		thousands_join(t, i);
		fat_percent(t, i);
	}
	for (int i = 0; i < t->n; i++) {
		if (t->tok[i].kind != TOKEN_WORD)
			continue;
		word_in_place(t, i);
		unit_pair(t, i);
		glued_nonsense(t, i);
	}
}
