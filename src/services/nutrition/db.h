/*
 * db.h - foods.db: the only file of the service that speaks SQL.
 *
 * Tables (made by data/make-foods): food (a row per food), key (sorted stems
 * of a name → food), word (classes of words.tsv), vocab (stems of everyday
 * names, for typos), fts (stems of all names).  Opened read-only and
 * immutable: foods.db is replaced, never changed, under a running process.
 */
#ifndef FAMILYBOT_SERVICES_NUTRITION_DB_H
#define FAMILYBOT_SERVICES_NUTRITION_DB_H

#include "models/food.h"
#include "services/nutrition/text.h"
#include "utils/err.h"

/* Household measures, in the order in which foods.db stores their weights. */
enum measure { MEASURE_PIECE, MEASURE_SLICE, MEASURE_CUP, MEASURE_GLASS,
	MEASURE_TBSP, MEASURE_TSP, MEASURE_PORTION, MEASURE_BOWL, MEASURE_HAND,
	MEASURE_BOTTLE, MEASURE_CAN, MEASURE_PACK, MEASURE_SHOT, MEASURE_SCOOP,
	MEASURE_CLOVE, MEASURE_BAR, MEASURE_WHOLE, MEASURE_PINCH,
	MEASURE_USUAL, MEASURE_ML, MEASURE_COUNT };

/* "pc", "sl", ...: as in aliases.tsv and words.tsv; -1 when there is none. */
int measure_named(const char *name);

struct food {
	int32_t id;
	int32_t source;			/* enum food_source */
	char group;			/* of aliases.tsv, '-' for others */
	char ru[FOOD_NAME_SIZE];	/* empty when it has none */
	char en[FOOD_NAME_SIZE];
	struct nutrients per100;
	int64_t mg[MEASURE_COUNT];	/* 0 unknown; ML: of one millilitre */
};

/* Weight of one measure, by the nearest that is known when the food has no
 * such measure of its own. */
int64_t food_measure(const struct food *f, enum measure m);

struct food_db;

MUST_CHECK enum rc food_db_open(const char *path, struct food_db **out,
    struct err *e);
void food_db_free(struct food_db *db);

/* Food whose name has exactly these sorted stems; false when there is none. */
bool food_db_key(struct food_db *db, const char *key, int32_t *id);
bool food_db_get(struct food_db *db, int32_t id, struct food *f);
/* Class of a normalised word; false when words.tsv does not list it. */
bool food_db_word(struct food_db *db, const char *word, struct token *k);

/* Is the stem in any name of an everyday food? */
/* A word of the language, by its raw stem, as a dictionary knows it: "shared"
 * is no misspelt "shake". */
bool food_db_real_word(struct food_db *db, const char *stem);
bool food_db_in_vocab(struct food_db *db, const char *stem);
/* Calls each() for every everyday stem of lo..hi letters of that alphabet. */
void food_db_vocab(struct food_db *db, bool cyrillic, int lo, int hi,
    void (*each)(void *ctx, const char *raw, const char *stem), void *ctx);

enum { FOOD_DB_HITS_MAX = 40 };

/* Best full-text matches first; query in FTS5's syntax.  Returns how many. */
int food_db_search(struct food_db *db, const char *query, int max,
    int32_t ids[FOOD_DB_HITS_MAX]);
/* Everyday foods of a group near id in the table's order. */
int food_db_neighbours(struct food_db *db, char group, int32_t id, int max,
    int32_t ids[FOOD_DB_HITS_MAX]);

#endif
