/*
 * fuzz_food.c - what a person says they ate: nutrition_parse, and what can be
 * asked of its answer.  FOODS_DB names the table.
 */
#include "config.h"

#include "fuzz.h"

#include "services/nutrition/nutrition.h"
#include "utils/buf.h"

enum { TEXT_MAX = 4096, OTHERS = 5 };

static struct nutrition *table(void)
{
	static struct nutrition *n;
	struct err e = { .text = "" };

	if (n == NULL && nutrition_open(getenv("FOODS_DB"), &n, &e) != RC_OK) {
		fprintf(stderr, "FOODS_DB: %s\n", e.text);
		abort();
	}
	return n;
}

static void check_item(const struct food_item *i)
{
	MUST(memchr(i->name, '\0', sizeof(i->name)) != NULL);
	MUST(memchr(i->query, '\0', sizeof(i->query)) != NULL);
	MUST(i->name[0] != '\0');
	MUST(i->mg > 0 && i->mg <= FOOD_MG_MAX);
	MUST(i->n.cal >= 0 && i->n.protein >= 0);
	MUST(i->n.fat >= 0 && i->n.carb >= 0);
}

static void check_parsed(const struct parsed *p)
{
	MUST(p->nitems >= 0 && p->nitems <= MEAL_ITEMS_MAX);
	MUST(p->nunknown >= 0 && p->nunknown <= MEAL_ITEMS_MAX);
	MUST(p->verdict != PARSE_FOOD || p->nitems > 0 || p->bad_amount);
	for (int i = 0; i < p->nitems; i++)
		check_item(&p->items[i]);
	for (int i = 0; i < p->nunknown; i++)
		MUST(p->unknown[i].mg >= 0 && p->unknown[i].mg <= FOOD_MG_MAX);
}

static void check_others(enum lang lang, const struct food_item *item)
{
	struct food_item others[OTHERS];
	size_t count = 0;
	struct err e = { .text = "" };

	MUST(nutrition_alternatives(table(), lang, item, OTHERS, others,
	    &count, &e) == RC_OK);
	MUST(count <= OTHERS);
	for (size_t i = 0; i < count; i++) {
		check_item(&others[i]);
		MUST(others[i].mg == item->mg);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parsed p;
	struct own_food own = { .user_id = 1 };
	struct err e = { .text = "" };
	enum lang lang;
	char *text;

	if (size < 1 || size > TEXT_MAX)
		return 0;
	lang = data[0] & 1 ? LANG_EN : LANG_RU;
	text = fuzz_text(data + 1, size - 1);
	own.per100.cal = 350000;
	str_copy(own.name, sizeof(own.name), text);
	nutrition_key(table(), text, own.key);
	MUST(memchr(own.key, '\0', sizeof(own.key)) != NULL);
	MUST(nutrition_parse(table(), lang, text, &own,
	    data[0] & 2 && own.name[0] != '\0' ? 1 : 0, &p, &e) == RC_OK);
	check_parsed(&p);
	if (p.nitems > 0)
		check_others(lang, &p.items[0]);
	free(text);
	return 0;
}
