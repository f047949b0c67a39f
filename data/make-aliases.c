/*
 * make-aliases.c - the rows of aliases.tsv: everyday foods with their names,
 * household weights, and nutrients from USDA, a recipe, or typical values.
 */
#include "config.h"

#include "make-foods.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"

static void per100_set(struct food *f, const double v[4])
{
	f->per100.cal = llround(v[0] * 1000);
	f->per100.protein = llround(v[1] * 1000);
	f->per100.fat = llround(v[2] * 1000);
	f->per100.carb = llround(v[3] * 1000);
}

/* number:grams,number:grams[/cooked grams] */
static void recipe_read(struct maker *m, struct table *t, char *s, double v[4])
{
	double sum = 0, yield;
	char *slash = strchr(s, '/');

	while (*s != '\0' && *s != '/') {
		const struct usda *u = usda_find(m, (int32_t)strtol(s, &s, 10));
		double grams = *s == ':' ? strtod(s + 1, &s) : 0;

		if (u == NULL || grams <= 0)
			die(t, "no such food or weight in the recipe");
		for (int i = 0; i < 4; i++)
			v[i] += u->v[i] * grams;
		sum += grams;
		if (*s == ',')
			s++;
	}
	yield = slash != NULL ? strtod(slash + 1, NULL) : sum;
	if (yield <= 0)
		die(t, "the recipe weighs nothing");
	for (int i = 0; i < 4; i++)
		v[i] /= yield;
}

static void source_read(struct maker *m, struct table *t, char *s,
    struct food *f)
{
	double v[4] = { 0, 0, 0, 0 };
	struct usda *u;

	f->source = FOOD_SRC_RECIPE;
	if (s[0] == '=') {
		recipe_read(m, t, s + 1, v);
	} else if (s[0] == '~') {
		s++;
		for (int i = 0; i < 4; i++) {
			v[i] = strtod(s, &s);
			if (*s == '/')
				s++;
		}
	} else {
		u = usda_find(m, (int32_t)strtol(s, NULL, 10));
		if (u == NULL)
			die(t, "no such USDA number");
		u->aliased = true;
		f->source = FOOD_SRC_USDA;
		memcpy(v, u->v, sizeof(v));
	}
	if (v[0] < 0 || v[0] > 905 || v[1] + v[2] + v[3] > 101)
		die(t, "no food has such nutrients");
	per100_set(f, v);
}

static void measures_parse(struct table *t, char *s, struct food *f)
{
	char *save = NULL;

	for (char *w = strtok_r(s, " ", &save); w != NULL;
	    w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');
		int meas;

		if (eq == NULL)
			die(t, "measures are written name=grams");
		*eq = '\0';
		meas = measure_named(w);
		if (meas < 0)
			die(t, "no such measure");
		f->mg[meas] = llround(strtod(eq + 1, NULL) * 1000);
	}
	if (f->mg[MEASURE_USUAL] <= 0)
		die(t, "the usual portion (use=) is missing");
}

/* Keys, vocabulary and the name shown of "first;second;..." */
static void names_store(struct maker *m, struct table *t, char *names,
    int32_t id, char shown[FOOD_NAME_SIZE])
{
	char *save = NULL;
	bool first = true;

	for (char *w = strtok_r(names, ";", &save); w != NULL;
	    w = strtok_r(NULL, ";", &save)) {
		if (first && !str_copy(shown, FOOD_NAME_SIZE, w))
			die(t, "the name is too long");
		first = false;
		key_store(m, w, id);
		vocab_store(m, w);
	}
	if (first)
		die(t, "a name is missing");
}

void aliases_store(struct maker *m, const char *path)
{
	struct table t;
	char *field[FIELDS_MAX];
	struct buf names;

	table_open(&t, path);
	for (int n; (n = table_next(&t, field)) > 0;) {
		struct food f = { .id = 0 };

		if (n != 6)
			die(&t, "six fields are expected");
		f.id = (int32_t)strtol(field[0], NULL, 10);
		f.group = field[1][0];
		source_read(m, &t, field[2], &f);
		measures_parse(&t, field[5], &f);
		buf_init(&names, LINE_SIZE);
		buf_printf(&names, "%s;%s", field[3], field[4]);
		fts_store(m, f.id, names.s);
		buf_release(&names);
		names_store(m, &t, field[3], f.id, f.ru);
		names_store(m, &t, field[4], f.id, f.en);
		food_store(m, &f);
	}
	table_close(&t);
}
