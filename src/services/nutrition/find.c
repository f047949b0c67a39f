/*
 * find.c - names of foods in a row of words: the longest one that
 * foods.db or the user's own foods know, then full-text search where a row
 * of words was left unknown.  Owns no memory.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "services/nutrition/impl.h"

enum { SPAN_STEMS_MAX = 7 };

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

bool food_lookup(struct nutrition *n, int from, int to, struct element *el)
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
			return food_lookup(n, from, j, &el) && el.own < 0 &&
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
		if (food_lookup(n, from, to, &hit)) {
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
		if (!food_lookup(n, i, ends[c], el) &&
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
	static const char *const after[] = { " with ", " made ", " on ", " in ",
		" and ", " from ", " of " };
	size_t end = strcspn(name, ","), start;
	char word[WORD_SIZE], stem[STEM_SIZE], quoted[STEM_SIZE + 2];

	/* "Cake made with rice" is cake */
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		const char *p = strstr(name, after[i]);

		if (p != NULL && (size_t)(p - name) < end)
			end = (size_t)(p - name);
	}
	start = end;
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

/* Was the state of such a row ("dry mix", "raw") not asked for? */
static bool state_unsaid(const char *query, const char *name)
{
	const char *state = key_state(name);
	char quoted[16];

	/* "dry mix" is asked for by "dry", whose stem is "dri" */
	return state != NULL && !(str_format(quoted, sizeof(quoted), "\"%.3s",
	    strcmp(state, "dry mix") == 0 ? "dri" : state) &&
	    strstr(query, quoted) != NULL);
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
		if (f.group == '-' && (!head_asked(n, query, f.en) ||
		    state_unsaid(query, f.en)))
			continue;
		len = strlen(f.en) + (f.group == '-' ? 100 : 0);
		if (best == 0 || len < best_len) {
			best = f.id;
			best_len = len;
		}
	}
	return best;
}

static bool is_name(const struct element *el)
{
	return el->kind == ELEMENT_UNKNOWN ||
	    (el->kind == ELEMENT_FOOD && el->own < 0);
}

int32_t food_search(struct nutrition *n, int from, int to)
{
	struct buf q;
	int32_t food = 0;

	buf_init(&q, 1024);
	if (query_make(n, from, to, &q) >= 2 && !buf_over(&q))
		food = best_hit(n, q.s);
	buf_release(&q);
	return food;
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
			food = food_search(n, i, to);
		if (food != 0)
			elements_replace(s, i, to, food);
		else if (to > i)
			i = to - 1;
	}
	dishes_join(n);
}
