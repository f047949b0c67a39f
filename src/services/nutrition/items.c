/*
 * items.c - elements become items and unknowns, and the verdict on
 * the whole text.  Precision first: an ordinary sentence that names a food is
 * no meal.  Owns no memory.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "services/nutrition/impl.h"

/* Numbers of aliases.tsv; those of SR24 end before, those of FNDDS, which has
 * eight digits, begin after. */
enum { ALIAS_FIRST = 100001, ALIAS_LAST = 999999 };

static bool is_everyday(int32_t food)
{
	return food >= ALIAS_FIRST && food <= ALIAS_LAST;
}

/* What was said, from the first word of an element to its last. */
static void said(const struct text *t, const struct element *el,
    char out[FOOD_NAME_SIZE])
{
	size_t from = t->tok[el->from].start, to = t->tok[el->to - 1].end;

	str_copy_n(out, FOOD_NAME_SIZE, t->s + from, to - from);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

void item_fill(const struct nutrition *n, enum lang lang, const struct food *f,
    struct food_item *it)
{
	(void)n;
	str_copy(it->name, sizeof(it->name),
	    lang == LANG_RU && f->ru[0] != '\0' ? f->ru : f->en);
	it->food_id = f->id;
	it->source = f->source;
	it->n = nutrients_for(&f->per100, it->mg);
}

/* An own food weighs what was said; a piece of it is taken as 100 g. */
static void own_as_food(const struct own_food *o, struct food *f)
{
	memset(f, 0, sizeof(*f));
	f->source = FOOD_SRC_OWN;
	f->group = '-';
	f->per100 = o->per100;
	f->mg[MEASURE_USUAL] = 100000;
	str_copy(f->en, sizeof(f->en), o->name);
}

static void item_add(struct nutrition *n, enum lang lang,
    const struct element *el, struct parsed *out)
{
	struct food_item *it;
	struct food f;
	int64_t mg;

	if (el->own >= 0)
		own_as_food(&n->scan.own[el->own], &f);
	else if (!food_db_get(n->db, el->food, &f))
		return;
	mg = amount_mg(&el->am, &f);
	if (mg < 0) {
		out->bad_amount = true;
		return;
	}
	if (out->nitems == MEAL_ITEMS_MAX) {
		out->truncated = true;
		return;
	}
	it = &out->items[out->nitems++];
	it->mg = mg;
	it->guessed = el->am.kind == AMOUNT_NONE;
	said(&n->text, el, it->query);
	item_fill(n, lang, &f, it);
}

static void unknown_add(struct nutrition *n, const struct element *el,
    struct parsed *out)
{
	struct parsed_unknown *u;

	if (out->nunknown == MEAL_ITEMS_MAX) {
		out->truncated = true;
		return;
	}
	u = &out->unknown[out->nunknown];
	if (!key_make(&n->text, el->from, el->to, u->key))
		return;
	said(&n->text, el, u->name);
	u->mg = 0;
	if (el->am.kind == AMOUNT_MASS || el->am.kind == AMOUNT_VOLUME) {
		if (el->am.bad || el->am.n * 1000 < 1 ||
		    el->am.n * 1000 > FOOD_MG_MAX) {
			out->bad_amount = true;
			return;
		}
		u->mg = (int64_t)(el->am.n * 1000 + 0.5);
	}
	out->nunknown++;
}

/* "grabbed 300 g rice", "I savored a banana": what was done. */
static bool english_past(struct nutrition *n, int i)
{
	const struct token *k = &n->text.tok[i];

	return !k->cyrillic && k->end - k->start > 4 &&
	    memcmp(n->text.s + k->end - 2, "ed", 2) == 0 && token_real(n, i);
}

/* Does a Russian word look like a verb of the past or an infinitive? */
static bool verb_like(const struct text *t, const struct token *k)
{
	static const char *const ends[] = { "ла", "ло", "ли", "лся", "лась",
		"лось", "лись", "ть", "ться", "ет", "ют", "ешь", "ется", "ал",
		"ял", "ел", "ил", "ыл", "ул" };
	size_t len = (size_t)(k->end - k->start);

	for (size_t i = 0; k->cyrillic && i < sizeof(ends) / sizeof(ends[0]);
	    i++) {
		size_t l = strlen(ends[i]);

		if (len > l + 2 && memcmp(t->s + k->end - l, ends[i], l) == 0)
			return true;
	}
	return false;
}

/* A word that a person may mean as the name of a food. */
static bool name_like(struct nutrition *n, const struct element *el)
{
	const struct text *t = &n->text;

	if (el->words > 3)
		return false;
	for (int i = el->from; i < el->to; i++) {
		const struct token *k = &t->tok[i];

		if (k->kind != TOKEN_WORD || k->cls != CLASS_NONE)
			continue;
		if (verb_like(t, k) || english_past(n, i) ||
		    k->end - k->start < (k->cyrillic ? 6 : 3))
			return false;
	}
	return true;
}

static bool stands_alone(const struct scan *s, int i)
{
	bool left = i == 0 || s->el[i - 1].kind == ELEMENT_SEP ||
	    s->el[i - 1].kind == ELEMENT_JOIN ||
	    s->el[i - 1].kind == ELEMENT_AMOUNT;
	bool right = i + 1 == s->nel || s->el[i + 1].kind == ELEMENT_SEP ||
	    s->el[i + 1].kind == ELEMENT_JOIN ||
	    s->el[i + 1].kind == ELEMENT_AMOUNT;

	return left && right;
}

struct tally {
	int foods, unknowns, amounts;
	int rare;	/* foods that are in the USDA table only */
	int beside;	/* unknown words that do not describe the food beside */
	int loose;	/* words that nothing explains */
	bool odd;	/* among them one that is no name */
};

static struct tally tally_make(struct nutrition *n)
{
	const struct scan *s = &n->scan;
	struct tally y = { .loose = s->chat };

	for (int i = 0; i < s->nel; i++) {
		const struct element *el = &s->el[i];
		bool told = el->am.kind != AMOUNT_NONE && !el->am.article;

		if (el->kind == ELEMENT_FOOD) {
			y.foods++;
			y.rare += el->own < 0 && !is_everyday(el->food) &&
			    el->to == el->from + 1;
			y.amounts += told;
		} else if (el->kind == ELEMENT_UNKNOWN) {
			y.unknowns++;
			y.amounts += told;
			y.loose += el->words;
			y.odd |= !name_like(n, el);
			y.beside += !stands_alone(s, i) && !element_describes(s, i);
		}
	}
	return y;
}

/* May the words that nothing explains be the name of a food? */
static bool unknown_meant(const struct scan *s, const struct tally *y,
    bool evidence)
{
	if (y->unknowns == 0 || s->chat > 0 || y->odd || s->energy > 0)
		return false;
	return evidence ? y->loose <= 5 : y->loose <= 2 && s->small == 0;
}

static enum parse_verdict verdict(const struct nutrition *n,
    const struct tally *y)
{
	const struct scan *s = &n->scan;
	bool evidence = y->amounts > 0 || s->eat > 0;

	if (s->question || s->strong > 0 || s->neg > 0)
		return PARSE_NOT_FOOD;
	if (y->foods > 0) {
		if (evidence)
			return y->loose > 4 + 3 * y->foods ? PARSE_NOT_FOOD :
			    PARSE_FOOD;
		if (s->chat > 0 || y->odd || y->loose > 2 || y->beside > 0 ||
		    y->rare == y->foods)
			return PARSE_NOT_FOOD;
		return PARSE_FOOD;
	}
	return unknown_meant(s, y, evidence) ? PARSE_UNKNOWN : PARSE_NOT_FOOD;
}

/* An unknown with an amount of its own swallows the known word after it
 * ("200 г хрюмзика сырного"), as an English one does the word before it. */
static bool swallowed(const struct scan *s, int i)
{
	const struct element *el = &s->el[i];
	const struct element *prev = i > 0 ? el - 1 : NULL;
	const struct element *next = i + 1 < s->nel ? el + 1 : NULL;

	if (el->own >= 0)
		return false;
	if (prev != NULL && prev->kind == ELEMENT_UNKNOWN && prev->cyrillic &&
	    prev->am.kind != AMOUNT_NONE && !element_describes(s, i - 1) &&
	    el->am.kind == AMOUNT_NONE)
		return true;
	return next != NULL && next->kind == ELEMENT_UNKNOWN &&
	    !next->cyrillic && !el->cyrillic &&
	    next->am.kind != AMOUNT_NONE && el->am.kind == AMOUNT_NONE;
}

static void collect(struct nutrition *n, enum lang lang, bool sure,
    struct parsed *out)
{
	const struct scan *s = &n->scan;

	for (int i = 0; i < s->nel; i++) {
		const struct element *el = &s->el[i];
		bool told = el->am.kind != AMOUNT_NONE && !el->am.article;

		if (el->kind == ELEMENT_FOOD && !swallowed(s, i))
			item_add(n, lang, el, out);
		else if (el->kind == ELEMENT_UNKNOWN && name_like(n, el)
		    && !element_describes(s, i) && (told || stands_alone(s, i) ||
		    !sure))
			unknown_add(n, el, out);
	}
}

void scan_items(struct nutrition *n, enum lang lang, struct parsed *out)
{
	struct tally y = tally_make(n);
	enum parse_verdict v = verdict(n, &y);

	if (v == PARSE_FOOD || v == PARSE_UNKNOWN)
		collect(n, lang, y.amounts > 0 || n->scan.eat > 0, out);
	out->truncated |= n->text.cut || n->scan.nel == ELEMENTS_MAX;
	out->verdict = out->nitems > 0 ? PARSE_FOOD :
	    out->nunknown > 0 ? PARSE_UNKNOWN : PARSE_NOT_FOOD;
}
