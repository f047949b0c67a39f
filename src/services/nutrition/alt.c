/*
 * alt.c - "not this": the next best foods for the words that found
 * one.  First what shares most of the words, then what shares any, then what
 * is of the same kind.  Owns no memory.
 */
#include "config.h"

#include <string.h>

#include "services/nutrition/impl.h"

enum { ALT_MAX = 12 };

struct alternatives {
	struct nutrition *n;
	enum lang lang;
	const struct food_item *item;
	char group;	/* of the food that was found */
	size_t max, count;
	struct food_item *out;
};

static bool taken(const struct alternatives *a, const struct food *f,
    const char *name)
{
	if (f->id == a->item->food_id || strcmp(name, a->item->name) == 0)
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (a->out[i].food_id == f->id ||
		    strcmp(a->out[i].name, name) == 0)
			return true;
	return false;
}

/* everyday: only foods that have a name in the user's language. */
static void offer(struct alternatives *a, int32_t id, bool everyday)
{
	struct food_item it;
	struct food f;

	if (a->count >= a->max || !food_db_get(a->n->db, id, &f) ||
	    (everyday && f.group == '-'))
		return;
	memset(&it, 0, sizeof(it));
	it.mg = a->item->mg;
	it.guessed = a->item->guessed;
	str_copy(it.query, sizeof(it.query), a->item->query);
	item_fill(a->n, a->lang, &f, &it);
	if (!taken(a, &f, it.name))
		a->out[a->count++] = it;
}

struct hit {
	int32_t id;
	int score;	/* less is better */
};

static int words_in(const char *name)
{
	int n = 1;

	for (; *name != '\0'; name++)
		n += *name == ' ';
	return n;
}

/* Short names of the same kind come before dishes that only contain it. */
static int hit_score(struct alternatives *a, int32_t id, int rank)
{
	struct food f;

	if (!food_db_get(a->n->db, id, &f))
		return 1000;
	return rank + 8 * words_in(a->lang == LANG_RU && f.ru[0] != '\0' ?
	    f.ru : f.en) - (f.group == a->group ? 12 : 0);
}

static void search(struct alternatives *a, const char *query, bool everyday)
{
	int32_t ids[FOOD_DB_HITS_MAX];
	struct hit hits[FOOD_DB_HITS_MAX];
	int n = food_db_search(a->n->db, query, FOOD_DB_HITS_MAX, ids);

	for (int i = 0; i < n; i++) {
		struct hit h = { ids[i], hit_score(a, ids[i], i) };
		int j = i;

		for (; j > 0 && hits[j - 1].score > h.score; j--)
			hits[j] = hits[j - 1];
		hits[j] = h;
	}
	for (int i = 0; i < n; i++)
		offer(a, hits[i].id, everyday);
}

/* The words of a name as an FTS5 query: all of them, or any. */
static int query_of(struct nutrition *n, const char *name, const char *op,
    struct buf *q)
{
	int stems = 0;

	text_read(&n->text, &n->st, name);
	words_classify(n);
	buf_clear(q);
	for (int i = 0; i < n->text.n && stems < KEY_STEMS_MAX; i++) {
		const struct token *k = &n->text.tok[i];

		if (k->kind != TOKEN_WORD || strchr(k->stem, '"') != NULL ||
		    (k->cls != CLASS_NONE && k->cls != CLASS_COOK))
			continue;
		buf_printf(q, "%s\"%s\"", stems > 0 ? op : "", k->stem);
		stems++;
	}
	return stems;
}

static void by_words(struct alternatives *a, const char *name, struct buf *q)
{
	if (query_of(a->n, name, " ", q) > 1 && !buf_over(q))
		search(a, q->s, true);
	if (query_of(a->n, name, " OR ", q) > 0 && !buf_over(q))
		search(a, q->s, true);
}

enum rc nutrition_alternatives(struct nutrition *n, enum lang lang,
    const struct food_item *item, size_t max, struct food_item *out,
    size_t *count, struct err *e)
{
	struct alternatives a = { .n = n, .lang = lang, .item = item,
		.max = max < ALT_MAX ? max : ALT_MAX, .out = out };
	int32_t ids[FOOD_DB_HITS_MAX];
	struct food f = { .group = '-' };
	struct buf q;
	bool known;

	(void)e;
	buf_init(&q, 2048);
	known = item->food_id != 0 && food_db_get(n->db, item->food_id, &f);
	a.group = f.group;
	by_words(&a, item->query, &q);
	if (query_of(n, item->query, " ", &q) > 0 && !buf_over(&q))
		search(&a, q.s, false);
	if (known)
		by_words(&a, lang == LANG_RU && f.ru[0] != '\0' ? f.ru : f.en,
		    &q);
	if (known && f.group != '-') {
		int got = food_db_neighbours(n->db, f.group, f.id,
		    FOOD_DB_HITS_MAX, ids);

		for (int i = 0; i < got; i++)
			offer(&a, ids[i], true);
	}
	buf_release(&q);
	*count = a.count;
	return RC_OK;
}
