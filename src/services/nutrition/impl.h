/*
 * impl.h - what the parts of the nutrition service share: text →
 * tokens with classes → elements (amounts, foods, unknown words) → items.
 * All memory is inside struct nutrition and reused by every parse.
 */
#ifndef FAMILYBOT_SERVICES_NUTRITION_IMPL_H
#define FAMILYBOT_SERVICES_NUTRITION_IMPL_H

#include "services/nutrition/nutrition.h"
#include "services/nutrition/db.h"
#include "services/nutrition/key.h"
#include "services/nutrition/text.h"

enum amount_kind { AMOUNT_NONE, AMOUNT_COUNT, AMOUNT_MASS, AMOUNT_VOLUME,
	AMOUNT_MEASURE, AMOUNT_ENERGY };

struct amount {
	enum amount_kind kind;
	double n;		/* how many, grams, millilitres, kcal */
	enum measure meas;	/* of AMOUNT_MEASURE */
	double size;		/* 1; 1.3 large; 0.75 small */
	bool each;		/* "по 60 г", "x2": multiplies the other amount */
	bool article;		/* only "a" was said */
	bool decimal;		/* "0,5": of a drink these are litres */
	bool dozens;		/* counted by tens or dozens: surely pieces */
	bool bad;		/* zero, negative */
	bool after;		/* said after the food */
	bool spoon;		/* some spoon, not said which */
};

enum element_kind { ELEMENT_AMOUNT, ELEMENT_FOOD, ELEMENT_UNKNOWN,
	ELEMENT_JOIN, ELEMENT_OR, ELEMENT_SEP };

enum { ELEMENTS_MAX = 160 };

struct element {
	enum element_kind kind;
	int from, to;		/* tokens */
	struct amount am;	/* of an amount; later of a food, an unknown */
	int32_t food;		/* id in foods.db */
	int own;		/* index of an own food, or -1 */
	int words;		/* words of an unknown */
	bool adjective;		/* an unknown all of adjectives: "маминой" */
	bool cyrillic;
};

struct scan {
	struct element el[ELEMENTS_MAX];
	int nel;
	int eat, chat, strong, neg;
	int content;		/* words that are no small words */
	int amounts;
	int typos;		/* searches for a misspelt word so far */
	int energy;		/* "300 ккал" */
	int small;		/* small words, which names of foods lack */
	bool again;		/* a word was corrected: its neighbours may join */
	bool question;
	double size;		/* of the adjective just read */
	const struct own_food *own;
	size_t nown;
};

struct nutrition {
	struct food_db *db;
	struct stemmers st;
	struct text text;
	struct scan scan;
};

/* nutrition_classify.c: classes of all words; splits "полбанана". */
void words_classify(struct nutrition *n);

/* nutrition_amount.c: an amount at token i; returns the token after it, or i
 * when there is none. */
int amount_parse(const struct text *t, int i, struct amount *a);
/* The same food had two amounts: "2 банки по 330 мл". */
void amount_combine(struct amount *a, const struct amount *b);
/* Weight, or -1 when it is absurd. */
int64_t amount_mg(const struct amount *a, const struct food *f);

/* nutrition_find.c: the longest known name at token i; returns the token
 * after it, or i.  counted: two or more of something were said before. */
int food_find(struct nutrition *n, int i, bool counted, int least,
    struct element *el);
/* The very name that tokens from..to-1 are: el->own or el->food. */
bool food_lookup(struct nutrition *n, int from, int to, struct element *el);
/* The food whose name holds all words of elements from..to-1, or 0. */
int32_t food_search(struct nutrition *n, int from, int to);
/* dish.c: elements from..to-1 become one food. */
void elements_replace(struct scan *s, int from, int to, int32_t food);
/* Several words for one dish become one element. */
void dishes_join(struct nutrition *n);
/* Replaces unknown words by full-text matches where all words fit. */
void scan_search(struct nutrition *n);

/* nutrition_typo.c: true when the word at i was misspelt and now has the stem
 * of a known one.  careful: nothing but the word itself speaks for food. */
bool typo_fix(struct nutrition *n, int i, bool careful);
/* The same of a pet name: "супчик". */
bool diminutive_fix(struct nutrition *n, int i);

/* Is the word at i one of the language's, though no food's? */
bool token_real(struct nutrition *n, int i);

/* nutrition_scan.c: fills n->scan from n->text. */
void scan_text(struct nutrition *n);
/* Does the unknown i only describe the food beside it?  After it in Russian
 * ("йогурт чудо") or before it as an adjective ("маминой гречки"), before it in
 * English ("chobani yogurt"). */
bool element_describes(const struct scan *s, int i);
/* nutrition_assign.c: gives each food and unknown its amount. */
void scan_assign(struct nutrition *n);

/* nutrition_items.c */
void item_fill(const struct nutrition *n, enum lang lang,
    const struct food *f, struct food_item *it);
void scan_items(struct nutrition *n, enum lang lang, struct parsed *out);

#endif
