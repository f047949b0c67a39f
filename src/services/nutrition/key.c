/*
 * key.c - keys of names.  Pure; owns no memory.
 */
#include "config.h"

#include "services/nutrition/key.h"

#include <string.h>

#include "utils/buf.h"

bool token_in_key(const struct token *k)
{
	if (k->kind == TOKEN_PERCENT)
		return true;
	if (k->kind == TOKEN_NUM)
		return !k->fraction;
	if (k->kind != TOKEN_WORD)
		return false;
	switch (k->cls) {
	case CLASS_STOP:
	case CLASS_WITH:
	case CLASS_MOD:
	case CLASS_ART:
	case CLASS_FILL:
	case CLASS_EACH:
		return false;
	default:
		return k->stem[0] != '\0';
	}
}

static const char *key_stem(const struct token *k)
{
	return k->cls == CLASS_AND && k->kind == TOKEN_WORD ? "&" :
	    k->cls == CLASS_WITHOUT && k->kind == TOKEN_WORD ? "!" : k->stem;
}

/* The same stem twice counts once. */
static int stem_insert(const char **stems, int n, const char *s, bool sorted)
{
	int i = n;

	for (int j = 0; j < n; j++)
		if (strcmp(stems[j], s) == 0)
			return n;
	for (; sorted && i > 0 && strcmp(stems[i - 1], s) > 0; i--)
		stems[i] = stems[i - 1];
	stems[i] = s;
	return n + 1;
}

static bool make(const struct text *t, int from, int to, bool sorted,
    char key[FOOD_NAME_SIZE])
{
	const char *stems[KEY_STEMS_MAX];
	size_t len = sorted ? 0 : 1;
	int n = 0;

	for (int i = from; i < to; i++) {
		if (!token_in_key(&t->tok[i]))
			continue;
		if (n == KEY_STEMS_MAX)
			return false;
		n = stem_insert(stems, n, key_stem(&t->tok[i]), sorted);
	}
	key[0] = '=';
	for (int i = 0; i < n; i++) {
		size_t l = strlen(stems[i]);

		if (len + l + 2 > FOOD_NAME_SIZE)
			return false;
		if (i > 0)
			key[len++] = ' ';
		memcpy(key + len, stems[i], l);
		len += l;
	}
	key[len] = '\0';
	return n > 0;
}

bool key_make(const struct text *t, int from, int to, char key[FOOD_NAME_SIZE])
{
	return make(t, from, to, true, key);
}

bool key_make_ordered(const struct text *t, int from, int to,
    char key[FOOD_NAME_SIZE])
{
	return make(t, from, to, false, key);
}

const char *key_state(const char *name)
{
	static const char *const never[] = { "dry mix", "powder", "condensed",
		"dehydrated", "unprepared", "uncooked", "concentrate" };
	static const char *const cooked[] = { "Rice,", "Beef,", "Pork,",
		"Chicken,", "Turkey,", "Lamb,", "Veal,", "Fish,", "Pasta,",
		"Noodles,", "Game meat" };

	if (strstr(name, "not reconstituted") != NULL)
		return "dry";
	/* "made from concentrate, prepared" is ready */
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strstr(name, never[i]) != NULL &&
		    (strcmp(never[i], "unprepared") == 0 ||
		     strstr(name, " prepared") == NULL) &&
		    strstr(name, "reconstituted") == NULL)
			return never[i];
	for (size_t i = 0; i < sizeof(cooked) / sizeof(cooked[0]); i++)
		if (strncmp(name, cooked[i], strlen(cooked[i])) == 0)
			return strstr(name, " raw") != NULL ? "raw" : NULL;
	return NULL;
}
