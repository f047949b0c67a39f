/*
 * question.c - "сколько калорий в банане?": the figures of a food, without an
 * entry.  "2 банана?" may be meant as one; then the person is asked.
 */
#include "config.h"

#include <string.h>

#include "bot/intent.h"
#include "bot/text.h"
#include "handlers/meal_view.h"
#include "handlers/table.h"
#include "services/food.h"
#include "services/nutrition/text.h"

enum { QUESTION_MAX = 200 };

/* Before the food; of two that begin alike the longer first. */
static const char *const beginnings[] = {
	"сколько калорий в ", "сколько калорий во ", "сколько калорий у ",
	"сколько ккал в ", "сколько ккал во ", "сколько белка в ",
	"сколько белков в ", "сколько жира в ", "сколько жиров в ",
	"сколько углеводов в ", "какая калорийность у ", "какая калорийность ",
	"калорийность ", "how many calories are there in ",
	"how many calories are in ", "how many calories in ",
	"how many kcal in ", "how many carbs are in ", "how many carbs in ",
	"how much protein is in ", "how much protein in ",
	"how much fat is in ", "how much fat in ", "calories in ",
};

static const char *after_beginning(const char *s)
{
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(s, beginnings[i], strlen(beginnings[i])) == 0)
			return s + strlen(beginnings[i]);
	return NULL;
}

/* What the question is about, in the arena; NULL: it is none.  *plain: there
 * are no words of asking, only the sign. */
static const char *asked_for(struct turn *t, const char *text, bool *plain)
{
	char clean[QUESTION_MAX * 2];
	const char *s = clean, *rest;
	size_t n = strnlen(text, QUESTION_MAX);
	bool sign;

	if (n == QUESTION_MAX)
		return NULL;
	while (n > 0 && strchr(" \t\n", text[n - 1]) != NULL)
		n--;
	sign = n > 0 && text[n - 1] == '?';
	if (!sign && text[0] >= '0' && text[0] <= '9')
		return NULL;	/* "100 г гречки", as most are */
	while (n > 0 && strchr("?! .\t\n", text[n - 1]) != NULL)
		n--;
	str_copy_n(clean, sizeof(clean), text, n);
	rest = arena_strdup(t->arena, clean);
	text_normalise(rest, clean, sizeof(clean));
	s += strspn(s, " ");
	*plain = (s = after_beginning(s)) == NULL;
	return !*plain ? arena_strdup(t->arena, s) : sign ? rest : NULL;
}

static enum rc read_question(struct turn *t, const char *text,
    struct guess *out)
{
	bool plain;
	const char *about = asked_for(t, text, &plain);
	struct parsed *p;
	enum rc rc;

	if (about == NULL)
		return RC_OK;
	p = arena_alloc(t->arena, sizeof(*p));
	rc = food_parse(t->bot->foods, t->store, &t->user, about, p, t->err);
	if (rc != RC_OK)
		return rc;
	if (p->verdict == PARSE_FOOD)
		out->score = plain ? INTENT_LIKELY : INTENT_SURE;
	else if (p->verdict == PARSE_UNKNOWN && !plain)
		out->score = INTENT_CLEAR;
	out->reason = plain ? "a food with a question mark" :
	    "asks for figures";
	out->text = about;
	out->found = p;
	return RC_OK;
}

static void put_figures(struct turn *t, struct buf *out,
    const struct food_item *it)
{
	enum lang l = turn_lang(t);
	double per = it->mg > 0 ? 100000.0 / (double)it->mg : 0;
	struct nutrients n = { .cal = (int64_t)((double)it->n.cal * per + 0.5),
		.protein = (int64_t)((double)it->n.protein * per + 0.5),
		.fat = (int64_t)((double)it->n.fat * per + 0.5),
		.carb = (int64_t)((double)it->n.carb * per + 0.5) };

	text_put(out, l, T_QUESTION_ROW, it->name, fmt_kcal(t->arena, l, n.cal));
	/* of a food that was taught without them, nothing is known */
	if (it->source != FOOD_SRC_OWN || n.protein != 0 || n.fat != 0 ||
	    n.carb != 0)
		text_put(out, l, T_QUESTION_MACROS, fmt_g(t->arena, l, n.protein),
		    fmt_g(t->arena, l, n.fat), fmt_g(t->arena, l, n.carb));
	buf_putc(out, '\n');
	text_put(out, l, it->guessed ? T_QUESTION_PORTION : T_QUESTION_AMOUNT,
	    fmt_g(t->arena, l, it->mg), fmt_kcal(t->arena, l, it->n.cal));
	buf_putc(out, '\n');
}

static enum rc run_question(struct turn *t, const struct guess *g)
{
	struct meal *m = arena_alloc(t->arena, sizeof(*m));
	const struct parsed *p = g->found;
	struct buf *out = reply_send(&t->reply);
	enum lang l = turn_lang(t);

	if (p->verdict != PARSE_FOOD) {
		text_put(out, l, T_QUESTION_UNKNOWN, p->unknown[0].name);
		return RC_OK;
	}
	memset(m, 0, sizeof(*m));
	m->nitems = p->nitems;
	for (int i = 0; i < p->nitems; i++) {
		m->items[i] = p->items[i];
		put_figures(t, out, &p->items[i]);
	}
	for (int i = 0; i < p->nunknown; i++) {
		text_put(out, l, T_QUESTION_UNKNOWN, p->unknown[i].name);
		buf_putc(out, '\n');
	}
	buf_putc(out, '\n');
	meal_sources_put(t, out, m);
	buf_putc(out, '\n');
	text_put(out, l, T_QUESTION_END);
	return RC_OK;
}

const struct reader reader_question = { "question", T_READ_QUESTION,
	read_question, run_question };
