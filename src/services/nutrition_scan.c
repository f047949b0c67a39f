/*
 * nutrition_scan.c - tokens become elements: amounts, foods, unknown words,
 * joints and separators; then every food gets its amount.  Owns no memory.
 */
#include "config.h"

#include <string.h>

#include "services/nutrition_impl.h"

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

static int scan_unknown(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	struct element *el = s->nel > 0 ? &s->el[s->nel - 1] : NULL;
	/* a word after a food may be a brand, a lone one may be anything */
	bool careful = (el != NULL && el->kind == ELEMENT_FOOD) ||
	    (s->amounts == 0 && s->eat == 0);
	int to;

	if (typos_allowed(s) && typo_fix(n, i, careful) &&
	    (to = scan_food(n, i, 1)) > i)
		return to;
	if (el == NULL || el->kind != ELEMENT_UNKNOWN) {
		el = element_add(s, ELEMENT_UNKNOWN, i, i + 1);
		if (el != NULL) {
			el->cyrillic = n->text.tok[i].cyrillic;
			el->am.size = s->size;
		}
		s->size = 1;
	}
	if (el != NULL) {
		el->to = i + 1;
		el->words++;
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

/* "омлет из двух яиц": what a dish is made of is no food beside it; a count
 * tells how much of the dish there is. */
static int skip_composition(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	struct element *dish = s->nel > 0 ? &s->el[s->nel - 1] : NULL;
	const struct token *k = &n->text.tok[i];
	struct amount a;
	int to;

	if (dish == NULL || dish->kind != ELEMENT_FOOD || dish->to != i ||
	    k->end - k->start != 4 ||
	    memcmp(n->text.s + k->start, "из", 4) != 0)
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

static int scan_word(struct nutrition *n, int i)
{
	struct scan *s = &n->scan;
	const struct token *k = &n->text.tok[i];
	int to;

	switch (k->cls) {
	case CLASS_AND:
	case CLASS_WITH:
		element_add(s, ELEMENT_JOIN, i, i + 1);
		return i + 1;
	case CLASS_WITHOUT:
		return skip_without(&n->text, i);
	case CLASS_STOP:
		to = skip_composition(n, i);
		return to > i ? to : i + 1;
	case CLASS_FILL:
	case CLASS_EACH:
	case CLASS_ART:
	case CLASS_TIMES:
	case CLASS_MASS:
	case CLASS_VOL:
	case CLASS_MEAS:
	case CLASS_EAT:
		return i + 1;
	case CLASS_MOD:
		s->size *= k->value;
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
		s->content += k->cls == CLASS_NONE || k->cls == CLASS_COOK ||
		    k->cls == CLASS_CHAT;
	}
}

void scan_text(struct nutrition *n)
{
	struct scan *s = &n->scan;

	s->nel = 0;
	s->eat = s->chat = s->strong = s->neg = 0;
	s->content = s->amounts = s->typos = 0;
	s->question = false;
	s->size = 1;
	scan_counts(n);
	if (s->question || s->strong > 0 || s->neg > 0)
		return;
	for (int i = 0; i < n->text.n;)
		i = scan_token(n, i);
	/* the dog of a hot dog is no small talk */
	for (int i = 0; i < s->nel; i++)
		for (int j = s->el[i].from; s->el[i].kind == ELEMENT_FOOD &&
		    j < s->el[i].to; j++)
			s->chat -= n->text.tok[j].kind == TOKEN_WORD &&
			    n->text.tok[j].cls == CLASS_CHAT;
}

static bool is_target(const struct element *el)
{
	return el->kind == ELEMENT_FOOD || el->kind == ELEMENT_UNKNOWN;
}

bool element_describes(const struct scan *s, int i)
{
	if (s->el[i].kind != ELEMENT_UNKNOWN)
		return false;
	if (s->el[i].cyrillic)
		return i > 0 && s->el[i - 1].kind == ELEMENT_FOOD;
	return i + 1 < s->nel && s->el[i + 1].kind == ELEMENT_FOOD;
}

/* The food an amount at p follows, unless something stands between. */
static struct element *before(struct scan *s, int p)
{
	if (p > 1 && element_describes(s, p - 1))
		p--;
	return p > 0 && is_target(&s->el[p - 1]) ? &s->el[p - 1] : NULL;
}

/* Does the list tell amounts before its foods? */
static bool amounts_lead(const struct scan *s, int p)
{
	while (p > 0 && s->el[p - 1].kind != ELEMENT_SEP)
		p--;
	while (p < s->nel && s->el[p].kind == ELEMENT_JOIN)
		p++;
	return p < s->nel && s->el[p].kind == ELEMENT_AMOUNT;
}

static void amount_give(struct element *el, const struct amount *a)
{
	double size = el->am.size > 0 ? el->am.size : 1;

	el->am = *a;
	el->am.size = a->size * size;
}

/* The amount at i belongs to a food before it, or waits for the next. */
static void amount_place(struct scan *s, int i, struct element *last,
    struct amount *pending)
{
	struct element *el = &s->el[i], *prev = before(s, i);
	bool next = i + 1 < s->nel && is_target(&s->el[i + 1]);

	el->am.after = prev != NULL;
	if (prev != NULL) {
		bool bare = prev->am.kind == AMOUNT_NONE;

		if (bare && (!next || !amounts_lead(s, i)))
			amount_give(prev, &el->am);
		else if (!bare && !next)
			amount_combine(&prev->am, &el->am);
		else
			amount_combine(pending, &el->am);
		return;
	}
	/* "гречка: 200 г" */
	if (!next && pending->kind == AMOUNT_NONE && last != NULL &&
	    last->am.kind == AMOUNT_NONE && i > 0 &&
	    s->el[i - 1].kind == ELEMENT_SEP)
		amount_give(last, &el->am);
	else
		amount_combine(pending, &el->am);
}

void scan_assign(struct nutrition *n)
{
	struct scan *s = &n->scan;
	struct amount pending = { .kind = AMOUNT_NONE };
	struct element *last = NULL;	/* the last food */

	for (int i = 0; i < s->nel; i++) {
		struct element *el = &s->el[i];

		if (el->kind == ELEMENT_AMOUNT)
			amount_place(s, i, last, &pending);
		if (!is_target(el) || element_describes(s, i))
			continue;
		last = el;
		if (pending.kind != AMOUNT_NONE)
			amount_give(el, &pending);
		pending = (struct amount){ .kind = AMOUNT_NONE };
	}
}
