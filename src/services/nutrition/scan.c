/*
 * scan.c - tokens become elements: amounts, foods, unknown words,
 * joints and separators.  Owns no memory.
 */
#include "config.h"

#include <string.h>

#include "services/nutrition/impl.h"

enum { PASSES_MAX = 8 };	/* corrections of words in one text */

static struct element *element_add(struct scan *s, enum element_kind kind,
    int from, int to)
{
	struct element *el;

	if (s->nel == ELEMENTS_MAX)
		return NULL;
	el = &s->el[s->nel++];
	memset(el, 0, sizeof(*el));
	el->kind = kind;
	el->from = from;
	el->to = to;
	el->own = -1;
	return el;
}

static bool counted(const struct scan *s)
{
	const struct element *el = s->nel > 0 ? &s->el[s->nel - 1] : NULL;

	return el != NULL && el->kind == ELEMENT_AMOUNT &&
	    el->am.kind == AMOUNT_COUNT && el->am.n >= 2;
}

static int scan_food(struct nutrition *n, int i, int least_stems)
{
	struct element el = { .kind = ELEMENT_FOOD, .own = -1 };
	struct element *added;
	int to = food_find(n, i, counted(&n->scan), least_stems, &el);

	if (to == i)
		return i;
	added = element_add(&n->scan, ELEMENT_FOOD, i, to);
	if (added != NULL) {
		el.am.size = n->scan.size;
		*added = el;
	}
	n->scan.size = 1;
	return to;
}

/* "cup noodles" is a food of its own, "can of tuna" is a can of it. */
static bool names_food(struct nutrition *n, int i)
{
	struct element whole = { .own = -1 }, rest = { .own = -1 };

	if (food_find(n, i, false, 2, &whole) == i)
		return false;
	return food_find(n, i + 1, false, 1, &rest) == i + 1 ||
	    rest.food != whole.food;
}

static bool stem_is(const struct text *t, int i, const char *stem)
{
	return t->tok[i].kind == TOKEN_WORD && strcmp(t->tok[i].stem, stem) == 0;
}

/* "яичница 2 яйца": the eggs are in it. */
static bool eggs_of_dish(const struct nutrition *n, const struct amount *a,
    int to)
{
	static const char *const dishes[] = { "яичниц", "омлет", "глазун",
		"скрэмбл", "скрембл", "болтун", "omelett", "omelet" };
	const struct scan *s = &n->scan;
	const struct element *dish = s->nel > 0 ? &s->el[s->nel - 1] : NULL;

	if (to >= n->text.n || a->kind != AMOUNT_COUNT || dish == NULL ||
	    dish->kind != ELEMENT_FOOD || dish->to != dish->from + 1 ||
	    (!stem_is(&n->text, to, "яйц") && !stem_is(&n->text, to, "egg")))
		return false;
	for (size_t i = 0; i < sizeof(dishes) / sizeof(dishes[0]); i++)
		if (stem_is(&n->text, dish->from, dishes[i]))
			return true;
	return false;
}

static int scan_amount(struct nutrition *n, int i)
{
	struct amount a;
	struct element *el;
	const struct token *k = &n->text.tok[i];
	int to;

	if (k->kind == TOKEN_WORD && k->cls == CLASS_MEAS &&
	    names_food(n, i))
		return scan_food(n, i, 2);
	to = amount_parse(&n->text, i, &a);
	if (to == i)
		return i;
	if (eggs_of_dish(n, &a, to)) {
		n->scan.el[n->scan.nel - 1].am = a;
		n->scan.amounts++;
		return to + 1;
	}
	/* "гречка -200 г": a dash, not a minus */
	if (a.bad && a.n > 0 && n->scan.nel > 0 &&
	    n->scan.el[n->scan.nel - 1].kind == ELEMENT_FOOD)
		a.bad = false;
	a.size *= n->scan.size;
	n->scan.size = 1;
	el = element_add(&n->scan, ELEMENT_AMOUNT, i, to);
	if (el != NULL)
		el->am = a;
	if (!a.article)
		n->scan.amounts++;
	return to;
}

/* May a word of this text be taken for another that is spelt nearly so? */
static bool typos_allowed(const struct scan *s)
{
	return s->amounts > 0 || s->eat > 0 || (s->content <= 3 && s->chat == 0);
}

/* "маминой", "диетический": words of the language that end so. */
static bool adjective_like(struct nutrition *n, int i)
{
	static const char *const ends[] = { "ый", "ий", "ой", "ая", "яя", "ое",
		"ее", "ые", "ие", "ого", "его", "ую", "юю", "ым", "ых" };
	const struct token *k = &n->text.tok[i];
	size_t len = (size_t)(k->end - k->start);

	for (size_t e = 0; k->cyrillic && e < sizeof(ends) / sizeof(ends[0]);
	    e++) {
		size_t l = strlen(ends[e]);

		if (len > l + 4 &&
		    memcmp(n->text.s + k->end - l, ends[e], l) == 0)
			return token_real(n, i);
	}
	return false;
}

static int scan_unknown(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	struct element *el = s->nel > 0 ? &s->el[s->nel - 1] : NULL;
	/* a word after a food may be a brand, a lone one may be anything */
	bool careful = (el != NULL && el->kind == ELEMENT_FOOD) ||
	    (s->amounts == 0 && s->eat == 0);

	if (typos_allowed(s) && (diminutive_fix(n, i) ||
	    typo_fix(n, i, careful))) {
		s->again = true;
		return n->text.n;
	}
	if (el == NULL || el->kind != ELEMENT_UNKNOWN) {
		el = element_add(s, ELEMENT_UNKNOWN, i, i + 1);
		if (el != NULL) {
			el->cyrillic = n->text.tok[i].cyrillic;
			el->adjective = true;
			el->am.size = s->size;
		}
		s->size = 1;
	}
	if (el != NULL) {
		el->to = i + 1;
		el->words++;
		el->adjective = el->adjective && adjective_like(n, i);
	}
	return i + 1;
}

/* "без сахара": the next word is what was not eaten. */
static int skip_without(const struct text *t, int i)
{
	for (i++; i < t->n && t->tok[i].kind == TOKEN_WORD; i++)
		if (token_in_key(&t->tok[i]))
			return i + 1;
	return i;
}

static bool word_is(const struct text *t, int i, const char *s)
{
	const struct token *k = &t->tok[i];
	size_t len = strlen(s);

	return (size_t)(k->end - k->start) == len &&
	    memcmp(t->s + k->start, s, len) == 0;
}

/* "омлет из двух яиц": what a dish is made of is no food beside it; a count
 * tells how much of the dish there is. */
static int skip_composition(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	struct element *dish = s->nel > 0 ? &s->el[s->nel - 1] : NULL;
	struct amount a;
	int to;

	if (dish == NULL || dish->kind != ELEMENT_FOOD || dish->to != i ||
	    !word_is(&n->text, i, "из"))
		return i;
	to = amount_parse(&n->text, i + 1, &a);
	if (to > i + 1 && a.kind == AMOUNT_COUNT) {
		dish->am = a;
		dish->am.size = 1;
		s->amounts++;
	}
	for (; to < n->text.n && n->text.tok[to].kind == TOKEN_WORD &&
	    n->text.tok[to].cls <= CLASS_NONE; to++)
		dish->to = to + 1;
	return to > i + 1 ? to : i + 1;
}

/* "сушка к чаю": no tea was drunk; "в 5" and "at 5" are times. */
static int skip_occasion(struct nutrition *n, int i)
{
	struct element el;
	const struct token *next = &n->text.tok[i + 1];

	if (i + 1 == n->text.n)
		return i + 1;
	if (word_is(&n->text, i, "к") && n->scan.nel > 0 &&
	    food_find(n, i + 1, false, 1, &el) == i + 2)
		return i + 2;
	if ((word_is(&n->text, i, "в") || word_is(&n->text, i, "at")) &&
	    next->kind == TOKEN_NUM && next->value <= 24 &&
	    (i + 2 == n->text.n || next[1].kind != TOKEN_WORD ||
	    next[1].cls == CLASS_NONE || next[1].cls >= CLASS_STOP))
		return i + 2;
	return i + 1;
}

/* "шаурма большая": after the last word of a food the size is its own. */
static void size_take(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	struct element *el = s->nel > 0 ? &s->el[s->nel - 1] : NULL;
	bool last = i + 1 == n->text.n || n->text.tok[i + 1].kind == TOKEN_SEP;

	if (el != NULL && el->kind == ELEMENT_FOOD && el->to == i && last)
		el->am.size = (el->am.size > 0 ? el->am.size : 1) *
		    n->text.tok[i].value;
	else
		s->size *= n->text.tok[i].value;
}

/* Words around a meal, and units without a number. */
static bool says_nothing(const struct token *k)
{
	static const uint8_t classes[] = { CLASS_FILL, CLASS_EACH, CLASS_ART,
		CLASS_TIMES, CLASS_MASS, CLASS_VOL, CLASS_MEAS };

	return memchr(classes, k->cls, sizeof(classes)) != NULL;
}

static int scan_word(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	const struct token *k = &n->text.tok[i];
	int to;

	if (s->nel > 0 && s->el[s->nel - 1].kind == ELEMENT_FOOD &&
	    (word_is(&n->text, i, "or") || word_is(&n->text, i, "или"))) {
		element_add(s, ELEMENT_OR, i, i + 1);
		return i + 1;
	}
	if (says_nothing(k))
		return i + 1;
	switch (k->cls) {
	case CLASS_AND:
	case CLASS_WITH:
		element_add(s, ELEMENT_JOIN, i, i + 1);
		return i + 1;
	case CLASS_WITHOUT:
		return skip_without(&n->text, i);
	case CLASS_ENERGY:
		s->energy++;
		if (s->nel > 0 && s->el[s->nel - 1].kind == ELEMENT_AMOUNT)
			s->el[s->nel - 1].am.kind = AMOUNT_ENERGY;
		return i + 1;
	case CLASS_STOP:
		to = skip_composition(n, i);
		return to > i ? to : skip_occasion(n, i);
	case CLASS_EAT:
		element_add(s, ELEMENT_SEP, i, i + 1);
		return i + 1;
	case CLASS_MOD:
		size_take(n, i);
		return i + 1;
	case CLASS_CHAT:
	case CLASS_COOK:
		to = scan_food(n, i, 2);
		return to > i ? to : i + 1;
	default:
		to = scan_food(n, i, 1);
		return to > i ? to : scan_unknown(n, i);
	}
}

static int scan_token(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	const struct token *k = &n->text.tok[i];
	int to;

	if (k->kind == TOKEN_SEP || k->kind == TOKEN_QUESTION) {
		element_add(s, ELEMENT_SEP, i, i + 1);
		s->size = 1;
		return i + 1;
	}
	if (k->kind == TOKEN_PERCENT) {
		to = scan_food(n, i, 2);
		return to > i ? to : i + 1;
	}
	to = scan_amount(n, i);
	if (to > i)
		return to;
	if (k->kind == TOKEN_NUM)
		return i + 1;
	return scan_word(n, i);
}

static void scan_counts(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 0; i < n->text.n; i++) {
		const struct token *k = &n->text.tok[i];

		s->question |= k->kind == TOKEN_QUESTION;
		if (k->kind != TOKEN_WORD)
			continue;
		s->eat += k->cls == CLASS_EAT;
		s->chat += k->cls == CLASS_CHAT;
		s->strong += k->cls == CLASS_STRONG;
		s->neg += k->cls == CLASS_NEG;
		s->small += k->cls == CLASS_FILL || k->cls == CLASS_STOP ||
		    k->cls == CLASS_WITH;
		s->content += k->cls == CLASS_NONE || k->cls == CLASS_COOK ||
		    k->cls == CLASS_CHAT;
	}
}

static void scan_begin(struct nutrition *n)
{
	struct scan *s = &n->scan;

	s->nel = 0;
	s->eat = s->chat = s->strong = s->neg = 0;
	s->content = s->amounts = s->energy = s->small = 0;
	s->question = s->again = false;
	s->size = 1;
	scan_counts(n);
}

void scan_text(struct nutrition *n)
{
	struct scan *s = &n->scan;

	s->typos = 0;
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		scan_begin(n);
		if (s->question || s->strong > 0 || s->neg > 0)
			return;
		for (int i = 0; i < n->text.n;)
			i = scan_token(n, i);
		if (!s->again)
			break;
	}
	/* the dog of a hot dog is no small talk */
	for (int i = 0; i < s->nel; i++)
		for (int j = s->el[i].from; s->el[i].kind == ELEMENT_FOOD &&
		    j < s->el[i].to; j++)
			s->chat -= n->text.tok[j].kind == TOKEN_WORD &&
			    n->text.tok[j].cls == CLASS_CHAT;
}
