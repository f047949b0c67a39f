/*
 * make-foods.h - what the parts of data/make-foods share.  Runs at build
 * time only; a failure ends it with a message, memory lives until the end.
 */
#ifndef FAMILYBOT_DATA_MAKE_FOODS_H
#define FAMILYBOT_DATA_MAKE_FOODS_H

#include <sqlite3.h>
#include <stdio.h>

#include "services/nutrition/db.h"
#include "services/nutrition/text.h"

enum { LINE_SIZE = 8192, FIELDS_MAX = 12 };

struct table {		/* a TSV file being read */
	FILE *f;
	const char *path;
	int line;
	char buf[LINE_SIZE];
};

void table_open(struct table *t, const char *path);
/* Next row that is no comment: number of its fields, 0 at the end. */
int table_next(struct table *t, char *field[FIELDS_MAX]);
void table_close(struct table *t);
void die(const struct table *t, const char *why) __attribute__((noreturn));

struct usda {
	int32_t id;
	char *name;
	double v[5];		/* kcal, protein, fat, carb, alcohol per 100 g */
	char *measures;
	bool aliased;		/* shown by the name of an alias instead */
};

struct maker {
	sqlite3 *db;
	sqlite3_stmt *word, *word_get, *food, *key, *vocab, *fts, *real_word,
		*first, *first_get, *key_many;
	struct stemmers st;
	struct text text;
	struct usda *usda;
	size_t nusda;
};

void usda_load(struct maker *m, const char *path);
struct usda *usda_find(struct maker *m, int32_t id);
void usda_store(struct maker *m);
/* The survey's foods and their portions; after the everyday ones, whose names
 * win. */
void fndds_store(struct maker *m, const char *foods, const char *portions);
/* path: a .dic file of hunspell, in UTF-8. */
void dictionary_store(struct maker *m, const char *path);
void aliases_store(struct maker *m, const char *path);

/* Reads name into m->text with every word's class. */
void name_read(struct maker *m, const char *name);
/* The key of name, unless another food took it before.  Where that one says the
 * same words in another order, each is found by its own order. */
void key_store(struct maker *m, const char *name, int32_t food);
void vocab_store(struct maker *m, const char *name);
void fts_store(struct maker *m, int32_t food, const char *names);
void food_store(struct maker *m, const struct food *f);
void step(struct maker *m, sqlite3_stmt *st);

#endif
