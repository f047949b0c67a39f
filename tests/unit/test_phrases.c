/*
 * test_phrases.c - tests/data/phrases.tsv and unseen.tsv: how many texts of
 * people are understood.  The answers of the second were written down before
 * the first run.  Prints both figures of each and fails under 90 %.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/nutrition/nutrition.h"

enum { FIELD_SIZE = 512 };

struct score {
	int right, total;		/* foods and verdicts */
	int near, weighed;		/* grams within 15 % */
	int phrases, russian;
};

static const char *verdict_name(enum parse_verdict v)
{
	switch (v) {
	case PARSE_FOOD: return "FOOD";
	case PARSE_UNKNOWN: return "UNKNOWN";
	case PARSE_SAME_AS_YESTERDAY: return "SAME";
	default: return "NOT_FOOD";
	}
}

/* Is name one of "a|b|c", or is any name good? */
static bool accepted(const char *names, const char *name)
{
	char copy[FIELD_SIZE], *save = NULL;

	assert_true(str_copy(copy, sizeof(copy), names));
	for (char *w = strtok_r(copy, "|", &save); w != NULL;
	    w = strtok_r(NULL, "|", &save))
		if (strcmp(w, name) == 0 || strcmp(w, "*") == 0)
			return true;
	return false;
}

/* One expected "names:grams" against the item in its place. */
static void item_check(struct score *s, const char *phrase, char *want,
    const struct parsed *p, int i)
{
	char *colon = strrchr(want, ':');
	const struct food_item *it = i < p->nitems ? &p->items[i] : NULL;
	double grams;

	assert_non_null(colon);
	*colon = '\0';
	grams = strtod(colon + 1, NULL);
	s->total++;
	if (it != NULL && accepted(want, it->name))
		s->right++;
	else
		print_message("%s: want %s, got %s\n", phrase, want,
		    it != NULL ? it->name : verdict_name(p->verdict));
	if (grams <= 0)
		return;
	s->weighed++;
	if (it != NULL && llabs(it->mg - (int64_t)(grams * 1000)) <=
	    (int64_t)(grams * 150))
		s->near++;
	else
		print_message("%s: want %.0f g of %s, got %.1f g\n", phrase,
		    grams, want, it != NULL ? (double)it->mg / 1000 : 0);
}

static void phrase_check(struct nutrition *n, struct score *s, char *line)
{
	static struct parsed p;
	char *phrase = strchr(line, '\t'), *want, *save = NULL;
	enum lang lang = strncmp(line, "ru", 2) == 0 ? LANG_RU : LANG_EN;
	int i = 0;

	assert_non_null(phrase);
	*phrase++ = '\0';
	want = strchr(phrase, '\t');
	assert_non_null(want);
	*want++ = '\0';
	want[strcspn(want, "\n")] = '\0';
	assert_int_equal(nutrition_parse(n, lang, phrase, NULL, 0, &p, NULL),
	    RC_OK);
	s->phrases++;
	s->russian += lang == LANG_RU;
	if (strchr(want, ':') == NULL) {
		s->total++;
		if (strcmp(want, verdict_name(p.verdict)) == 0)
			s->right++;
		else
			print_message("%s: want %s, got %s (%s)\n", phrase,
			    want, verdict_name(p.verdict),
			    p.nitems > 0 ? p.items[0].name : "-");
		return;
	}
	for (char *w = strtok_r(want, ";", &save); w != NULL;
	    w = strtok_r(NULL, ";", &save))
		item_check(s, phrase, w + strspn(w, " "), &p, i++);
	if (p.nitems > i) {
		s->total += p.nitems - i;
		print_message("%s: also got %s\n", phrase, p.items[i].name);
	}
}

static double percent(int part, int all)
{
	return all > 0 ? 100.0 * part / all : 0;
}

static void table_is_understood(const char *name, int least)
{
	struct score s = { 0, 0, 0, 0, 0, 0 };
	struct nutrition *n = NULL;
	char path[FIELD_SIZE], line[2 * FIELD_SIZE];
	const char *src = getenv("SRCDIR"), *db = getenv("FOODS_DB");
	FILE *f;

	assert_non_null(src);
	assert_non_null(db);
	assert_int_equal(nutrition_open(db, &n, NULL), RC_OK);
	assert_true(str_format(path, sizeof(path),
	    "%s/tests/data/%s", src, name));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (line[0] != '#' && line[0] != '\n')
			phrase_check(n, &s, line);
	fclose(f);
	nutrition_free(n);
	print_message("%s: %d phrases, %d of them Russian\n", name, s.phrases,
	    s.russian);
	print_message("top-1 accuracy: %.1f %% (%d of %d)\n",
	    percent(s.right, s.total), s.right, s.total);
	print_message("grams within 15 %%: %.1f %% (%d of %d)\n",
	    percent(s.near, s.weighed), s.near, s.weighed);
	assert_true(s.phrases >= least);
	assert_true(s.russian * 2 >= s.phrases);
	assert_true(percent(s.right, s.total) >= 90);
	assert_true(percent(s.near, s.weighed) >= 90);
}

static void phrases_are_understood(void **state)
{
	(void)state;
	table_is_understood("phrases.tsv", 240);
}

static void unseen_phrases_are_understood(void **state)
{
	(void)state;
	table_is_understood("unseen.tsv", 330);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrases_are_understood),
		cmocka_unit_test(unseen_phrases_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
