/*
 * dish.c - one dish told by several known words: which word is its head, and
 * what is only a part of it.  Owns no memory.
 */
#include "config.h"

#include <string.h>

#include "services/nutrition/impl.h"

enum { COMPOUND_UNKNOWN = -1 };

/* Elements from..to-1 become one. */
static void elements_drop(struct scan *s, int from, int to)
{
	s->el[from].to = s->el[to - 1].to;
	memmove(&s->el[from + 1], &s->el[to],
	    (size_t)(s->nel - to) * sizeof(s->el[0]));
	s->nel -= to - from - 1;
}

void elements_replace(struct scan *s, int from, int to, int32_t food)
{
	s->el[from].kind = ELEMENT_FOOD;
	s->el[from].food = food;
	s->el[from].own = -1;
	elements_drop(s, from, to);
}

/* Words for a whole kind: what follows says which of it. */
static bool is_kind(const struct text *t, const struct element *el)
{
	static const char kinds[] = " орех орешк рыб рыбк мяс каш суп "
	    "сыр чай коф колбас салат сок хлеб печенье конфет вин "
	    "паст торт пирог ягод фрукт овощ сосиск йогурт ";
	char stem[STEM_SIZE + 2];

	return el->to == el->from + 1 && str_format(stem, sizeof(stem), " %s ",
	    t->tok[el->from].stem) && strstr(kinds, stem) != NULL;
}

/* "eggs": what only describes the next noun stands in the singular. */
static bool is_plural(const struct text *t, const struct element *el)
{
	const struct token *k = &t->tok[el->to - 1];
	const char *end = t->s + k->end;

	return k->end - k->start > 3 && end[-1] == 's' && end[-2] != 's';
}

/* Of two English foods that no name joins: 'a' when the second is only a cut of
 * the first ("halibut steak"), 'b' when the first only describes the second
 * ("honey peanuts", "banana yogurt", "apple jam"), 0 when both were eaten
 * ("bacon toast coffee"). */
static char head_of(const struct text *t, const struct element *x,
    const struct food *a, const struct food *b)
{
	if (is_plural(t, x))
		return 0;
	/* a rare word before an everyday food: "iced latte" is no icing */
	if (a->group == '-' && b->group != '-')
		return 'b';
	if (a->group == 'k' || strchr("fnt", a->group) != NULL)
		return strchr("trdkmcn", b->group) != NULL ? 'b' :
		    a->group == b->group ? 'a' : 0;
	if (a->group == 'm' && strchr("td", b->group) != NULL)
		return 'b';
	if (a->group == 'e' && strchr("trdk", b->group) != NULL)
		return 'b';
	return a->group == b->group || a->group == '-' || b->group == '-' ? 'a' : 0;
}

/* Of two foods one after another, with nothing between: which only describes
 * the other?  "lentil salad" is a salad, "halibut steak" is halibut, "орешки
 * кешью" are cashews.  0 when both are meant. */
static int32_t compound(struct nutrition *n, const struct element *x,
    const struct element *y)
{
	struct element both = { .own = -1 };
	struct food a, b;

	if (x->kind != ELEMENT_FOOD || y->kind != ELEMENT_FOOD ||
	    x->own >= 0 || y->own >= 0 || x->cyrillic != y->cyrillic ||
	    x->to != y->from || !food_db_get(n->db, x->food, &a) ||
	    !food_db_get(n->db, y->food, &b))
		return 0;
	if (a.id == b.id)
		return a.id;
	if (x->cyrillic)
		return a.group == b.group && is_kind(&n->text, x) ? b.id : 0;
	/* the rest of such a dish is not told by the words for its kind */
	if (strchr("lsx", b.group) == NULL) {
		char head = head_of(&n->text, x, &a, &b);

		return head == 'a' ? a.id : head == 'b' ? b.id : 0;
	}
	/* "grilled chicken salad": the nearest word may make a name */
	return food_lookup(n, x->to - 1, y->to, &both) && both.own < 0 ?
	    both.food : COMPOUND_UNKNOWN;
}

static void compounds_join(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 0; i + 1 < s->nel; i++) {
		int32_t food = compound(n, &s->el[i], &s->el[i + 1]);

		if (food == COMPOUND_UNKNOWN) {
			food = food_search(n, i, i + 2);
			if (food == 0) {
				s->el[i].kind = ELEMENT_UNKNOWN;
				s->el[i].words = 2;
				s->el[i].am.size = 1;
				elements_drop(s, i, i + 2);
				continue;
			}
		}
		if (food != 0)
			elements_replace(s, i, i + 2, food);
	}
}

static void element_remove(struct scan *s, int i)
{
	memmove(&s->el[i], &s->el[i + 1],
	    (size_t)(s->nel - i - 1) * sizeof(s->el[0]));
	s->nel--;
}

/* "turkey or chicken sausage": one of them was eaten; the last is written. */
static void alternatives_drop(struct scan *s)
{
	for (int i = 1; i + 1 < s->nel; i++) {
		if (s->el[i].kind != ELEMENT_OR)
			continue;
		if (s->el[i - 1].kind == ELEMENT_FOOD &&
		    s->el[i + 1].kind == ELEMENT_FOOD) {
			element_remove(s, i);
			element_remove(s, i - 1);
			i--;
		} else {
			s->el[i].kind = ELEMENT_SEP;
		}
	}
}

/* Is the food at i, from 2 on, joined to the one before by this word? */
static bool joined_by(const struct nutrition *n, int i, enum word_class cls)
{
	const struct scan *s = &n->scan;

	return s->el[i].kind == ELEMENT_FOOD && s->el[i].own < 0 &&
	    s->el[i - 1].kind == ELEMENT_JOIN && s->el[i - 2].kind == ELEMENT_FOOD &&
	    n->text.tok[s->el[i - 1].from].cls == cls;
}

static char element_group(struct nutrition *n, const struct element *el)
{
	struct food f;

	return el->own < 0 && food_db_get(n->db, el->food, &f) ? f.group : '-';
}

/* "борщ с говядиной 300 г" is borscht: meat that is in a soup is no second
 * dish.  Sour cream is, as it is added. */
static void soup_parts_drop(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 2; i < s->nel; i++)
		if (joined_by(n, i, CLASS_WITH) &&
		    element_group(n, &s->el[i - 2]) == 's' &&
		    strchr("ae", element_group(n, &s->el[i])) != NULL) {
			s->el[i - 2].to = s->el[i].to;
			element_remove(s, i);
			element_remove(s, i - 1);
			i--;
		}
}

/* "sandwich on whole wheat bread": it is in the sandwich. */
static void sandwich_bread_drop(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 1; i < s->nel; i++) {
		const struct element *x = &s->el[i - 1], *y = &s->el[i];
		const struct token *k = &n->text.tok[x->to - 1];

		if (x->kind == ELEMENT_FOOD && y->kind == ELEMENT_FOOD &&
		    y->from == x->to + 1 && element_group(n, x) == 'x' &&
		    element_group(n, y) == 'r' &&
		    (memcmp(k[1].stem, "on", 3) == 0 || memcmp(k[1].stem, "на", 5) == 0)) {
			s->el[i - 1].to = y->to;
			element_remove(s, i);
			i--;
		}
	}
}

void dishes_join(struct nutrition *n)
{
	compounds_join(n);
	alternatives_drop(&n->scan);
	soup_parts_drop(n);
	sandwich_bread_drop(n);
}
