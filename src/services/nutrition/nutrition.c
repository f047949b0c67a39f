/*
 * nutrition.c - opening foods.db and parsing a text, step by step.
 * struct nutrition owns the connection, the stemmers and the working space;
 * it serves one thread.
 */
#include "config.h"

#include "services/nutrition/nutrition.h"

#include <stdlib.h>
#include <string.h>

#include "services/nutrition/impl.h"
#include "utils/xalloc.h"

enum rc nutrition_open(const char *path, struct nutrition **out, struct err *e)
{
	struct nutrition *n = xcalloc(1, sizeof(*n));
	enum rc rc;

	if (!stemmers_init(&n->st)) {
		rc = err_set(e, RC_SYSTEM, "libstemmer lacks Russian or English");
		goto out;
	}
	rc = food_db_open(path, &n->db, e);
	if (rc != RC_OK)
		goto out;
	*out = n;
	n = NULL;
out:
	nutrition_free(n);
	return rc;
}

void nutrition_free(struct nutrition *n)
{
	if (n == NULL)
		return;
	food_db_free(n->db);
	stemmers_release(&n->st);
	free(n);
}

/* "как вчера", "same as yesterday": the words, one after another, each whole:
 * "12 pizzas yesterday" only ends like one of these. */
static bool same_as_yesterday(const struct nutrition *n)
{
	static const char *const said[] = { " как вчера", " как и вчера",
		" что вчера", " что и вчера", " вчерашнее меню",
		" повтори вчера", " повторить вчера", " same as yesterday",
		" same yesterday", " like yesterday", " as yesterday",
		" repeat yesterday", " same thing as yesterday",
		" same thing yesterday" };
	const struct text *t = &n->text;
	char flat[256];
	size_t len = 0;

	if (t->n > 9)
		return false;
	for (int i = 0; i < t->n; i++) {
		const struct token *k = &t->tok[i];
		size_t l = (size_t)(k->end - k->start);

		if (k->kind == TOKEN_QUESTION)
			return false;
		if (k->kind != TOKEN_WORD || len + l + 2 > sizeof(flat))
			continue;
		flat[len++] = ' ';
		memcpy(flat + len, t->s + k->start, l);
		len += l;
	}
	flat[len] = '\0';
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (strstr(flat, said[i]) != NULL)
			return true;
	return false;
}

/* "вчера съел 200 г гречки": whole words, as "вчерашний борщ" is eaten today. */
static int days_back(const struct nutrition *n)
{
	static const struct {
		const char *word;
		int days;
	} rows[] = { { "вчера", 1 }, { "yesterday", 1 }, { "позавчера", 2 } };
	int days = 0;
	char word[WORD_SIZE];

	for (int i = 0; i < n->text.n; i++) {
		if (n->text.tok[i].kind != TOKEN_WORD)
			continue;
		text_word(&n->text, &n->text.tok[i], word);
		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
			if (strcmp(word, rows[r].word) == 0)
				days = days > rows[r].days ? days : rows[r].days;
		/* "the day before yesterday" */
		if (i > 0 && strcmp(word, "yesterday") == 0 &&
		    strcmp(n->text.tok[i - 1].stem, "befor") == 0)
			days = 2;
	}
	return days;
}

enum rc nutrition_parse(struct nutrition *n, enum lang lang, const char *text,
    const struct own_food *own, size_t nown, struct parsed *out, struct err *e)
{
	struct parsed *p = out;

	(void)e;
	memset(p, 0, sizeof(*p));
	n->scan.own = own;
	n->scan.nown = nown;
	text_read(&n->text, &n->st, text);
	if (same_as_yesterday(n)) {
		p->verdict = PARSE_SAME_AS_YESTERDAY;
		return RC_OK;
	}
	p->days_back = days_back(n);
	words_classify(n);
	scan_text(n);
	scan_search(n);
	scan_assign(n);
	scan_items(n, lang, p);
	return RC_OK;
}

void nutrition_key(struct nutrition *n, const char *name,
    char key[FOOD_NAME_SIZE])
{
	text_read(&n->text, &n->st, name);
	words_classify(n);
	key[0] = '\0';
	while (n->text.n > 0 && !key_make(&n->text, 0, n->text.n, key))
		n->text.n--;
}
