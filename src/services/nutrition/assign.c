/*
 * assign.c - every food gets the amount that was said for it: before
 * it, after it, with a spoon in its cup, or its share of a total.  Owns no
 * memory.
 */
#include "config.h"

#include "services/nutrition/impl.h"

static bool is_target(const struct element *el)
{
	return el->kind == ELEMENT_FOOD || el->kind == ELEMENT_UNKNOWN;
}

bool element_describes(const struct scan *s, int i)
{
	if (s->el[i].kind != ELEMENT_UNKNOWN)
		return false;
	if (s->el[i].adjective && i + 1 < s->nel &&
	    s->el[i + 1].kind == ELEMENT_FOOD)
		return true;
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

static char group_of(struct nutrition *n, const struct element *el)
{
	struct food f;

	return el->kind == ELEMENT_FOOD && el->own < 0 &&
	    food_db_get(n->db, el->food, &f) ? f.group : '-';
}

/* "чай 2 ложки сахара": spoons measure what is added, not what it is added
 * to. */
static bool spoons_of_next(struct nutrition *n, const struct element *el,
    const struct element *prev)
{
	return el->am.kind == AMOUNT_MEASURE && (el->am.meas == MEASURE_TBSP ||
	    el->am.meas == MEASURE_TSP) && group_of(n, el + 1) == 'k' &&
	    group_of(n, prev) != 'k';
}

/* A spoon in a cup is a small one. */
static void spoons_in_drinks(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 1; i < s->nel; i++) {
		int j = i - 1;

		if (!s->el[i].am.spoon || s->el[i].kind != ELEMENT_FOOD)
			continue;
		while (j > 0 && (s->el[j].kind == ELEMENT_AMOUNT ||
		    s->el[j].kind == ELEMENT_JOIN))
			j--;
		if (group_of(n, &s->el[j]) == 'd')
			s->el[i].am.meas = MEASURE_TSP;
	}
}

/* "взвесил 300 г риса", "grabbed 300 g rice": a word that the language has and
 * no table of foods does is what was done, not what was eaten; the amount is of
 * the food behind it.  But "ватрушка 200 г, рис" and "шмурдяк 200 г рис 100 г"
 * tell amounts after names. */
static bool verb_before(struct nutrition *n, int i)
{
	const struct scan *s = &n->scan;
	const struct element *prev = &s->el[i - 1];

	if (prev->kind != ELEMENT_UNKNOWN || s->el[i + 1].kind != ELEMENT_FOOD ||
	    (i + 2 < s->nel && s->el[i + 2].kind == ELEMENT_AMOUNT))
		return false;
	for (int k = prev->from; k < prev->to; k++)
		if (!token_real(n, k))
			return false;
	return true;
}

/* The amount at i belongs to a food before it, or waits for the next. */
static void amount_place(struct nutrition *n, int i, struct element *last,
    struct amount *pending)
{
	struct scan *s = &n->scan;
	struct element *el = &s->el[i], *prev = before(s, i);
	bool next = i + 1 < s->nel && is_target(&s->el[i + 1]);

	el->am.after = prev != NULL;
	if (prev != NULL) {
		bool bare = prev->am.kind == AMOUNT_NONE;

		if (bare && next && verb_before(n, i))
			amount_combine(pending, &el->am);
		else if (bare && (!next || (!amounts_lead(s, i) &&
		    !spoons_of_next(n, el, prev))))
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

/* Grams, or a bare number that can be nothing else. */
static bool is_weight(const struct amount *a)
{
	return a->kind == AMOUNT_MASS ||
	    (a->kind == AMOUNT_COUNT && a->n >= 100);
}

/* "творог с вареньем 200 г" weighs 200 g in all: each by its usual share. */
static void totals_share(struct nutrition *n)
{
	struct scan *s = &n->scan;
	struct food a, b;

	for (int i = 2; i < s->nel; i++) {
		struct element *x = &s->el[i - 2], *y = &s->el[i];
		const struct token *joint = &n->text.tok[s->el[i - 1].from];
		double ua, ub;

		if (!is_weight(&y->am) || !y->am.after || y->am.each ||
		    x->am.kind != AMOUNT_NONE || x->kind != ELEMENT_FOOD ||
		    y->kind != ELEMENT_FOOD || x->own >= 0 || y->own >= 0 ||
		    s->el[i - 1].kind != ELEMENT_JOIN ||
		    joint->cls != CLASS_WITH ||
		    !food_db_get(n->db, x->food, &a) ||
		    !food_db_get(n->db, y->food, &b))
			continue;
		ua = (double)food_measure(&a, MEASURE_USUAL);
		ub = (double)food_measure(&b, MEASURE_USUAL);
		if (y->am.n * 1000 < ua)
			continue;	/* of the second alone */
		y->am.kind = AMOUNT_MASS;
		x->am = y->am;
		x->am.n *= ua / (ua + ub);
		y->am.n *= ub / (ua + ub);
	}
}

void scan_assign(struct nutrition *n)
{
	struct scan *s = &n->scan;
	struct amount pending = { .kind = AMOUNT_NONE };
	struct element *last = NULL;	/* the last food */

	for (int i = 0; i < s->nel; i++) {
		struct element *el = &s->el[i];

		if (el->kind == ELEMENT_AMOUNT)
			amount_place(n, i, last, &pending);
		if (!is_target(el) || element_describes(s, i))
			continue;
		last = el;
		if (pending.kind != AMOUNT_NONE)
			amount_give(el, &pending);
		pending = (struct amount){ .kind = AMOUNT_NONE };
	}
	spoons_in_drinks(n);
	totals_share(n);
}
