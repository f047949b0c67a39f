/*
 * make-fndds-rows.c - the foods of the USDA's national survey (FNDDS), as they
 * are eaten, with the portions that people name: fndds.tsv joined with
 * fndds_portions.tsv.  Both are sorted by code.
 */
#include "config.h"

#include "make-foods.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "services/nutrition/key.h"
#include "utils/buf.h"

enum { PARTS_MAX = 12, COLUMNS = 11 };

/* "NFS", "NS as to fat content": not further specified, so said by nobody. */
static bool says_nothing(const char *part)
{
	return strcmp(part, "NFS") == 0 || strncmp(part, "NS as", 5) == 0 ||
	    strcmp(part, "any source") == 0 || strcmp(part, "from raw") == 0;
}

/* The parts between commas that say something; *whole: all of them did. */
static int parts_split(char *name, char *part[PARTS_MAX], bool *whole)
{
	int n = 0;

	*whole = true;
	for (char *p = name, *next; p != NULL && n < PARTS_MAX; p = next) {
		next = strstr(p, ", ");
		if (next != NULL) {
			*next = '\0';
			next += 2;
		}
		if (says_nothing(p))
			*whole = false;
		else
			part[n++] = p;
	}
	return n;
}

/* "Chicken or turkey, potatoes, corn, and cheese, with gravy" is no chicken. */
static bool parts_matter(const char *name)
{
	const char *rest = strchr(name, ',');

	return rest != NULL && (strstr(rest, " and ") != NULL ||
	    strstr(rest, "with ") != NULL);
}

/* "Milk", "Milk whole": the beginning of a name stands for the food, but never
 * for one that is dry or raw without saying so. */
static void keys_store(struct maker *m, int32_t id, const char *name)
{
	char copy[LINE_SIZE], *part[PARTS_MAX];
	const char *state = key_state(name);
	struct buf b;
	bool whole;
	int n;

	str_copy(copy, sizeof(copy), name);
	n = parts_split(copy, part, &whole);
	buf_init(&b, 1024);
	for (int i = 0; i < n; i++) {
		buf_puts(&b, i > 0 ? " " : "");
		buf_puts(&b, part[i]);
		if (i + 1 < n && (parts_matter(name) ||
		    (i == 0 && strstr(part[0], " or ") != NULL)))
			continue;
		if (i < 4 && (state == NULL || strstr(b.s, state) != NULL))
			key_store(m, b.s, id);
	}
	buf_release(&b);
}

/* The measure that a portion's name begins with, -1 when it is none of ours. */
static int measure_of(const char *name)
{
	static const struct {
		const char *start;
		int meas;
	} rows[] = {
		{ "Quantity not specified", MEASURE_USUAL }, { "cup", MEASURE_CUP },
		{ "tablespoon", MEASURE_TBSP }, { "teaspoon", MEASURE_TSP },
		{ "fl oz", MEASURE_ML }, { "slice", MEASURE_SLICE },
		{ "regular slice", MEASURE_SLICE }, { "medium slice", MEASURE_SLICE },
		{ "medium or regular slice", MEASURE_SLICE },
		{ "bowl", MEASURE_BOWL }, { "bottle", MEASURE_BOTTLE },
		{ "can", MEASURE_CAN }, { "bar", MEASURE_BAR },
		{ "package", MEASURE_PACK }, { "individual container", MEASURE_PACK },
		{ "packet", MEASURE_PACK }, { "pouch", MEASURE_PACK },
		{ "medium single serving bag", MEASURE_PACK },
		{ "single serving bag", MEASURE_PACK }, { "scoop", MEASURE_SCOOP },
		{ "oz", -1 }, { "cubic inch", -1 }, { "surface inch", -1 },
		{ "Guideline", -1 }, { "small", -1 }, { "large", -1 },
		{ "extra", -1 }, { "mini", -1 }, { "100 calorie", -1 },
		{ "thin", -1 }, { "whole fish", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t l = strlen(rows[i].start);

		if (strncmp(name, rows[i].start, l) == 0 && (name[l] == '\0' ||
		    strchr(" ,(", name[l]) != NULL))
			return rows[i].meas;
	}
	return MEASURE_PIECE;
}

/* "1 cup", "1/2 cup": how much of the measure; moves *name to its name. */
static double how_many(char **name)
{
	double n = strtod(*name, name), d;

	if (**name == '/') {
		d = strtod(*name + 1, name);
		n = d > 0 ? n / d : 0;
	}
	while (**name == ' ')
		(*name)++;
	return n;
}

/* "piece" and "medium" are a piece before any other name that is one food's
 * own ("egg", "whole pan of cornbread"). */
static bool plainly_piece(const char *name)
{
	return strncmp(name, "piece", 5) == 0 || strncmp(name, "medium", 6) == 0 ||
	    strcmp(name, "item, any size") == 0 || strcmp(name, "regular") == 0;
}

static void portion_take(struct food *f, char *portion, double grams,
    bool *plain)
{
	char *name = portion;
	double n = strncmp(portion, "Quantity", 8) == 0 ? 1 : how_many(&name);
	int meas = measure_of(name);
	bool better = meas == MEASURE_PIECE && plainly_piece(name) && !*plain;

	if (grams <= 0 || n <= 0 || meas < 0 || (f->mg[meas] > 0 && !better))
		return;
	*plain |= better;
	if (meas == MEASURE_ML)
		grams /= 29.57;
	f->mg[meas] = llround(grams / n * 1000);
}

/* The portions of code; the first row of the next food stays in field. */
static void portions_take(struct table *t, char *field[FIELDS_MAX], int *n,
    const char *code, struct food *f)
{
	bool plain = false;

	for (; *n == 3 && strcmp(field[0], code) == 0; *n = table_next(t, field))
		portion_take(f, field[1], strtod(field[2], NULL), &plain);
	if (f->mg[MEASURE_USUAL] == 0)
		f->mg[MEASURE_USUAL] = f->mg[MEASURE_PIECE] > 0 ?
		    f->mg[MEASURE_PIECE] : 100000;
}

/* One word that people say before the noun: "fried", "Cheddar", "whole". */
static bool describes(const char *part)
{
	static const char *const no[] = { "raw", "NFS", "canned", "frozen", "plain" };

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strcmp(part, no[i]) == 0)
			return false;
	return part[0] != '\0' && strpbrk(part, " %()/0123456789") == NULL;
}

/* "Rice, fried, with pork" is shown as "Fried rice with pork". */
static void shown_name(const char *name, char shown[FOOD_NAME_SIZE])
{
	char copy[LINE_SIZE], *part[PARTS_MAX];
	struct buf b;
	bool whole;
	int n, from = 0;

	str_copy(copy, sizeof(copy), name);
	n = parts_split(copy, part, &whole);
	buf_init(&b, 1024);
	if (n > 1 && describes(part[1])) {
		char *noun = part[0];

		part[1][0] = (char)toupper((unsigned char)part[1][0]);
		if (islower((unsigned char)noun[1]))
			noun[0] = (char)tolower((unsigned char)noun[0]);
		buf_printf(&b, "%s %s", part[1], noun);
		from = 2;
	} else if (n > 1 && strcmp(part[1], "raw") == 0) {
		buf_puts(&b, part[0]);
		from = 2;
	}
	for (int i = from; i < n; i++) {
		if (i > 0 && b.len + strlen(part[i]) > 60)
			break;
		buf_puts(&b, i == 0 ? "" : strncmp(part[i], "with", 4) == 0 ?
		    " " : ", ");
		buf_puts(&b, part[i]);
	}
	str_copy(shown, FOOD_NAME_SIZE, b.s);
	buf_release(&b);
}

static void row_store(struct maker *m, char *field[FIELDS_MAX], struct food *f)
{
	f->group = '-';
	f->source = FOOD_SRC_USDA;
	f->per100.cal = llround(strtod(field[3], NULL) * 1000);
	f->per100.protein = llround(strtod(field[4], NULL) * 1000);
	f->per100.fat = llround(strtod(field[5], NULL) * 1000);
	f->per100.carb = llround(strtod(field[6], NULL) * 1000);
	shown_name(field[1], f->en);
	food_store(m, f);
	fts_store(m, f->id, f->en);
}

static void keys_pass(struct maker *m, const char *path, bool general)
{
	struct table t;
	char *field[FIELDS_MAX];

	table_open(&t, path);
	(void)table_next(&t, field);
	while (table_next(&t, field) == COLUMNS) {
		bool is_general = strstr(field[1], ", NFS") != NULL ||
		    strstr(field[1], ", NS as") != NULL;

		if (is_general == general)
			keys_store(m, (int32_t)strtol(field[0], NULL, 10), field[1]);
	}
	table_close(&t);
}

void fndds_store(struct maker *m, const char *foods, const char *portions)
{
	static struct table t, p;
	char *field[FIELDS_MAX], *portion[FIELDS_MAX];
	int n;

	table_open(&t, foods);
	table_open(&p, portions);
	(void)table_next(&t, field);
	(void)table_next(&p, portion);
	n = table_next(&p, portion);
	while (table_next(&t, field) > 0) {
		struct food f = { .id = (int32_t)strtol(field[0], NULL, 10) };

		portions_take(&p, portion, &n, field[0], &f);
		row_store(m, field, &f);
	}
	table_close(&t);
	table_close(&p);
	/* "Milk, NFS" is milk rather than the first of many kinds */
	keys_pass(m, foods, true);
	keys_pass(m, foods, false);
}
