/*
 * make-usda-rows.c - the rows of usda_sr24.tsv that no alias shows: readable
 * names, keys of their general words, household measures.
 */
#include "config.h"

#include "make-foods.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "services/nutrition/key.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { PARTS_MAX = 8, SHOWN_MAX = 64 };

void usda_load(struct maker *m, const char *path)
{
	struct table t;
	char *field[FIELDS_MAX];
	size_t size = 0;

	table_open(&t, path);
	for (int n; (n = table_next(&t, field)) > 0;) {
		struct usda *u;

		if (n != 8)
			die(&t, "eight fields are expected");
		if (m->nusda == size) {
			size = size != 0 ? size * 2 : 1024;
			m->usda = xrealloc(m->usda, size * sizeof(*m->usda));
		}
		u = &m->usda[m->nusda++];
		memset(u, 0, sizeof(*u));
		u->id = (int32_t)strtol(field[0], NULL, 10);
		u->name = xstrdup(field[1]);
		for (int i = 0; i < 5; i++)
			u->v[i] = strtod(field[2 + i], NULL);
		u->measures = xstrdup(field[7]);
		if (m->nusda > 1 && u[-1].id >= u->id)
			die(&t, "rows are not sorted by number");
	}
	table_close(&t);
}

static int by_id(const void *key, const void *row)
{
	int32_t a = *(const int32_t *)key, b = ((const struct usda *)row)->id;

	return (a > b) - (a < b);
}

struct usda *usda_find(struct maker *m, int32_t id)
{
	return bsearch(&id, m->usda, m->nusda, sizeof(*m->usda), by_id);
}

/* Groups whose own name says less than what follows it. */
static bool is_category(const char *part)
{
	static const char *const names[] = { "Fish", "Nuts", "Seeds", "Spices",
		"Mollusks", "Crustaceans", "Candies", "Game meat", "Snacks",
		"Beverages", "Fast foods", "Fast Foods", "Cereals",
		"Cereals ready-to-eat", "Babyfood", "Entrees", "Side dishes",
		"Alcoholic beverage", "Alcoholic Beverage",
		"Carbonated beverage", "Desserts", "Leavening agents",
		"Poultry food products" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(part, names[i]) == 0)
			return true;
	return false;
}

static bool is_brand(const char *name)
{
	int upper = 0;

	for (; *name != '\0'; name++) {
		upper = isupper((unsigned char)*name) ? upper + 1 : 0;
		if (upper == 3)
			return true;
	}
	return false;
}

static int parts_split(char *name, char *part[PARTS_MAX])
{
	int n = 0;

	for (char *p = name; p != NULL && n < PARTS_MAX;) {
		part[n++] = p;
		p = strstr(p, ", ");
		if (p != NULL) {
			*p = '\0';
			p += 2;
		}
	}
	return n;
}

/* Without brackets; runs of capitals become capitalised words. */
static void tidy(const char *name, struct buf *out)
{
	int depth = 0;
	bool letter = false;

	for (const char *p = name; *p != '\0'; p++) {
		char c = *p;

		depth += c == '(';
		if (depth == 0 && !(c == ' ' && p[1] == '('))
			buf_putc(out, letter && isupper((unsigned char)c) ?
			    (char)tolower((unsigned char)c) : c);
		depth -= c == ')' && depth > 0;
		letter = isalpha((unsigned char)c) || c == '\'';
	}
}

static void shown_name(const char *name, char shown[FOOD_NAME_SIZE])
{
	struct buf b, out;
	char *part[PARTS_MAX];
	int n, from;

	buf_init(&b, 512);
	buf_init(&out, 512);
	tidy(name, &b);
	n = parts_split(b.s, part);
	from = n > 1 && is_category(part[0]) ? 1 : 0;
	for (int i = from; i < n; i++) {
		if (i > from && out.len + strlen(part[i]) > SHOWN_MAX)
			break;
		buf_puts(&out, i > from ? ", " : "");
		buf_puts(&out, part[i]);
	}
	out.s[0] = (char)toupper((unsigned char)out.s[0]);
	str_copy(shown, FOOD_NAME_SIZE, out.s);
	buf_release(&b);
	buf_release(&out);
}

/* A name without the state that is in the whole: "potato soup" is no dry mix. */
static void short_key_store(struct maker *m, const struct usda *u,
    const char *name)
{
	const char *state = key_state(u->name);

	if (state == NULL || strstr(name, state) != NULL)
		key_store(m, name, u->id);
}

static void keys_store(struct maker *m, const struct usda *u)
{
	char *copy = xstrdup(u->name), *part[PARTS_MAX] = { NULL };
	int n = parts_split(copy, part), from;
	struct buf b;

	key_store(m, u->name, u->id);
	from = n > 1 && is_category(part[0]) ? 1 : 0;
	if (strncmp(u->name, "Babyfood", 8) != 0 && !is_brand(u->name)) {
		buf_init(&b, 512);
		buf_puts(&b, part[from]);
		short_key_store(m, u, b.s);
		for (int i = from + 1; i < n && i < from + 3; i++) {
			buf_printf(&b, " %s", part[i]);
			short_key_store(m, u, b.s);
		}
		buf_release(&b);
	}
	free(copy);
}

static int measure_of(const char *name)
{
	static const struct {
		const char *start;
		int meas;	/* -1: no measure */
	} rows[] = {
		{ "cup", MEASURE_CUP }, { "tbsp", MEASURE_TBSP },
		{ "tsp", MEASURE_TSP }, { "slice", MEASURE_SLICE },
		{ "serving", MEASURE_PORTION }, { "bottle", MEASURE_BOTTLE },
		{ "can", MEASURE_CAN }, { "package", MEASURE_PACK },
		{ "bar", MEASURE_BAR }, { "oz", -1 }, { "lb", -1 },
		{ "fl oz", MEASURE_ML }, { "cubic inch", -1 }, { "dash", -1 },
		{ "quart", -1 }, { "pint", -1 }, { "liter", -1 },
		{ "gallon", -1 }, { "container", MEASURE_PACK },
		{ "yield", -1 }, { "pouch", MEASURE_PACK }, { "jigger", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(name, rows[i].start, strlen(rows[i].start)) == 0)
			return rows[i].meas;
	return MEASURE_PIECE;
}

static void measures_read(char *s, struct food *f)
{
	char *save = NULL;

	for (char *w = strtok_r(s, "|", &save); w != NULL;
	    w = strtok_r(NULL, "|", &save)) {
		char *name, *eq = strchr(w, '=');
		double amount = strtod(w, &name);
		double grams = eq != NULL ? strtod(eq + 1, NULL) : 0;
		int meas;

		if (grams <= 0 || amount <= 0 || *name != ' ')
			continue;
		meas = measure_of(name + 1);
		if (meas == MEASURE_ML)
			grams /= 29.57;
		if (meas >= 0 && f->mg[meas] == 0)
			f->mg[meas] = llround(grams / amount * 1000);
	}
	f->mg[MEASURE_USUAL] = f->mg[MEASURE_PORTION] > 0 ?
	    f->mg[MEASURE_PORTION] : f->mg[MEASURE_PIECE] > 0 &&
	    f->mg[MEASURE_PIECE] < 400000 ? f->mg[MEASURE_PIECE] : 100000;
}

static int by_length(const void *a, const void *b)
{
	const struct usda *x = *(const struct usda *const *)a;
	const struct usda *y = *(const struct usda *const *)b;
	size_t lx = strlen(x->name), ly = strlen(y->name);

	return lx != ly ? (lx > ly) - (lx < ly) : (x->id > y->id) -
	    (x->id < y->id);
}

/* Shorter names first: they are the more general, and take the key. */
void usda_store(struct maker *m)
{
	struct usda **rows = xcalloc(m->nusda, sizeof(*rows));

	for (size_t i = 0; i < m->nusda; i++)
		rows[i] = &m->usda[i];
	qsort(rows, m->nusda, sizeof(*rows), by_length);
	for (size_t i = 0; i < m->nusda; i++) {
		struct usda *u = rows[i];
		struct food f = { .id = u->id, .source = FOOD_SRC_USDA,
			.group = '-' };

		if (u->aliased)
			continue;
		f.per100.cal = llround(u->v[0] * 1000);
		f.per100.protein = llround(u->v[1] * 1000);
		f.per100.fat = llround(u->v[2] * 1000);
		f.per100.carb = llround(u->v[3] * 1000);
		shown_name(u->name, f.en);
		measures_read(u->measures, &f);
		keys_store(m, u);
		fts_store(m, u->id, u->name);
		food_store(m, &f);
	}
	free(rows);
}
