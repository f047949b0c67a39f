/*
 * find.c - names of foods in a row of words: the longest one that
 * foods.db or the user's own foods know, then full-text search where a row
 * of words was left unknown.  Owns no memory.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "services/nutrition/impl.h"

enum { SPAN_STEMS_MAX = 7, COMPOUND_UNKNOWN = -1 };

static bool ends_span(const struct token *k)
{
	if (k->kind == TOKEN_SEP || k->kind == TOKEN_QUESTION ||
	    k->kind == TOKEN_NUM)
		return true;
	if (k->kind == TOKEN_PERCENT)
		return false;
	switch (k->cls) {
	case CLASS_NUM:
	case CLASS_MUL:
	case CLASS_MASS:
	case CLASS_VOL:
	case CLASS_TIMES:
	case CLASS_EAT:
	case CLASS_STRONG:
	case CLASS_NEG:
		return true;
	default:
		return false;
	}
}

static bool is_join(const struct token *k)
{
	return k->kind == TOKEN_WORD && (k->cls == CLASS_AND ||
	    k->cls == CLASS_WITH || k->cls == CLASS_WITHOUT);
}

/* Ends of possible names that start at i, shortest first. */
static int span_ends(const struct text *t, int i, int ends[SPAN_STEMS_MAX])
{
	int n = 0, stems = 0;

	for (int j = i; j < t->n && n < SPAN_STEMS_MAX; j++) {
		const struct token *k = &t->tok[j];

		if (ends_span(k) || stems > SPAN_STEMS_MAX)
			break;
		if (!token_in_key(k))
			continue;
		stems++;
		if (!is_join(k))
			ends[n++] = j + 1;
	}
	return n;
}

static bool lookup(struct nutrition *n, int from, int to, struct element *el)
{
	char key[FOOD_NAME_SIZE];
	int32_t other;

	if (!key_make(&n->text, from, to, key))
		return false;
	el->own = -1;
	for (size_t i = 0; i < n->scan.nown; i++) {
		if (strcmp(n->scan.own[i].key, key) == 0) {
			el->own = (int)i;
			el->food = 0;
			return true;
		}
	}
	if (!food_db_key(n->db, key, &el->food))
		return false;
	if (el->food > 0)
		return true;
	/* other foods have the same words in another order */
	el->food = -el->food;
	if (key_make_ordered(&n->text, from, to, key) &&
	    food_db_key(n->db, key, &other))
		el->food = other;
	return true;
}

/* "2 eggs and bacon" counts eggs: with a number before, "and" joins foods
 * only when its first part is none that comes in pieces. */
static bool counts_first_part(struct nutrition *n, int from, int to)
{
	struct element el = { .own = -1 };
	struct food f;

	for (int j = from + 1; j < to; j++)
		if (n->text.tok[j].kind == TOKEN_WORD &&
		    n->text.tok[j].cls == CLASS_AND)
			return lookup(n, from, j, &el) && el.own < 0 &&
			    food_db_get(n->db, el.food, &f) &&
			    f.mg[MEASURE_PIECE] > 0;
	return false;
}

/* "творог 7%": the nearest per cent that the table has. */
static bool lookup_percent(struct nutrition *n, int from, int to,
    struct element *el)
{
	static const double usual[] = { 0, 0.5, 1, 1.5, 1.8, 2, 2.5, 3, 3.2,
		3.5, 4, 5, 8, 9, 10, 15, 18, 20, 25, 30, 33, 35, 70, 72, 82 };
	struct token *k = NULL, was;
	double best = 99;
	struct element hit;

	for (int j = from; j < to; j++)
		if (n->text.tok[j].kind == TOKEN_PERCENT)
			k = &n->text.tok[j];
	if (k == NULL)
		return false;
	was = *k;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		double d = fabs(usual[i] - was.value);

		if (d >= best || d > 3 + was.value / 4)
			continue;
		str_format(k->stem, sizeof(k->stem), "%.4g%%", usual[i]);
		hit = *el;
		if (lookup(n, from, to, &hit)) {
			*el = hit;
			best = d;
		}
	}
	*k = was;
	return best < 99;
}

int food_find(struct nutrition *n, int i, bool counted, int minimum,
    struct element *el)
{
	int ends[SPAN_STEMS_MAX];
	int count = span_ends(&n->text, i, ends);

	for (int c = count - 1; c >= minimum - 1 && c >= 0; c--) {
		if (!lookup(n, i, ends[c], el) &&
		    !lookup_percent(n, i, ends[c], el))
			continue;
		if (counted && counts_first_part(n, i, ends[c]))
			continue;
		el->kind = ELEMENT_FOOD;
		el->from = i;
		el->to = ends[c];
		el->cyrillic = n->text.tok[i].cyrillic;
		return ends[c];
	}
	return i;
}

/* Elements from..to-1 as an FTS5 query of quoted stems that must all be
 * there.  Returns how many. */
static int query_make(struct nutrition *n, int from, int to, struct buf *q)
{
	const struct element *el = n->scan.el;
	int stems = 0;

	for (int i = el[from].from; i < el[to - 1].to; i++) {
		const struct token *k = &n->text.tok[i];

		if (k->kind != TOKEN_WORD || !token_in_key(k) || is_join(k))
			continue;
		if (strchr(k->stem, '"') != NULL)
			continue;
		buf_printf(q, "\"%s\" ", k->stem);
		stems++;
	}
	return stems;
}

/* The noun of "Cookies, oatmeal, dry mix": a row whose noun nobody said only
 * mentions what was said.  The query holds quoted stems. */
static bool head_asked(struct nutrition *n, const char *query, const char *name)
{
	size_t end = strcspn(name, ","), start = end;
	char word[WORD_SIZE], stem[STEM_SIZE], quoted[STEM_SIZE + 2];

	while (start > 0 && name[start - 1] != ' ')
		start--;
	if (end - start >= WORD_SIZE)
		return false;
	str_copy_n(word, sizeof(word), name + start, end - start);
	for (char *p = word; *p != '\0'; p++)
		*p |= *p >= 'A' && *p <= 'Z' ? 0x20 : 0;
	text_stem(&n->st, word, strlen(word), false, stem);
	return str_format(quoted, sizeof(quoted), "\"%s\"", stem) &&
	    strstr(query, quoted) != NULL;
}

/* Everyday foods first, then the shortest name. */
static int32_t best_hit(struct nutrition *n, const char *query)
{
	int32_t ids[FOOD_DB_HITS_MAX];
	int count = food_db_search(n->db, query, 12, ids);
	int32_t best = 0;
	size_t best_len = 0;
	struct food f;

	for (int i = 0; i < count; i++) {
		size_t len;

		if (!food_db_get(n->db, ids[i], &f))
			continue;
		if (f.group == '-' && !head_asked(n, query, f.en))
			continue;
		len = strlen(f.en) + (f.group == '-' ? 100 : 0);
		if (best == 0 || len < best_len) {
			best = f.id;
			best_len = len;
		}
	}
	return best;
}

/* Elements from..to-1 become one. */
static void elements_drop(struct scan *s, int from, int to)
{
	s->el[from].to = s->el[to - 1].to;
	memmove(&s->el[from + 1], &s->el[to],
	    (size_t)(s->nel - to) * sizeof(s->el[0]));
	s->nel -= to - from - 1;
}

static void elements_replace(struct scan *s, int from, int to, int32_t food)
{
	s->el[from].kind = ELEMENT_FOOD;
	s->el[from].food = food;
	s->el[from].own = -1;
	elements_drop(s, from, to);
}

static bool is_name(const struct element *el)
{
	return el->kind == ELEMENT_UNKNOWN ||
	    (el->kind == ELEMENT_FOOD && el->own < 0);
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
	if (strchr("lsx", b.group) == NULL)
		return strchr("trd", b.group) != NULL ? b.id : a.id;
	/* "grilled chicken salad": the nearest word may make a name */
	return lookup(n, x->to - 1, y->to, &both) && both.own < 0 ?
	    both.food : COMPOUND_UNKNOWN;
}

/* The food whose name holds all words of elements from..to-1, or 0. */
static int32_t search(struct nutrition *n, int from, int to)
{
	struct buf q;
	int32_t food = 0;

	buf_init(&q, 1024);
	if (query_make(n, from, to, &q) >= 2 && !buf_over(&q))
		food = best_hit(n, q.s);
	buf_release(&q);
	return food;
}

static void compounds_join(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 0; i + 1 < s->nel; i++) {
		int32_t food = compound(n, &s->el[i], &s->el[i + 1]);

		if (food == COMPOUND_UNKNOWN) {
			food = search(n, i, i + 2);
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

void scan_search(struct nutrition *n)
{
	struct scan *s = &n->scan;

	for (int i = 0; i < s->nel; i++) {
		int to = i, unknown = 0;
		int32_t food = 0;

		for (; to < s->nel && is_name(&s->el[to]); to++)
			unknown += s->el[to].kind == ELEMENT_UNKNOWN ?
			    s->el[to].words : 0;
		if (unknown > 0 && unknown <= 4)
			food = search(n, i, to);
		if (food != 0)
			elements_replace(s, i, to, food);
		else if (to > i)
			i = to - 1;
	}
	compounds_join(n);
}
