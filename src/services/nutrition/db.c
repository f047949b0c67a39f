/*
 * db.c - prepared statements over foods.db.  The statements and the
 * connection belong to struct food_db; nothing is cached beyond SQLite's own
 * few pages, so that a process stays small.
 */
#include "config.h"

#include "services/nutrition/db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "utils/xalloc.h"

enum stmt { STMT_KEY, STMT_GET, STMT_WORD, STMT_IN_VOCAB, STMT_REAL, STMT_VOCAB, STMT_FTS,
	STMT_NEIGHBOURS, STMT_COUNT };

static const char *const sql[STMT_COUNT] = {
	[STMT_KEY] = "SELECT food FROM key WHERE k = ?",
	[STMT_GET] = "SELECT source, grp, ru, en, cal, protein, fat, carb, mg "
	    "FROM food WHERE id = ?",
	[STMT_WORD] = "SELECT class, value, meas FROM word WHERE w = ?",
	[STMT_IN_VOCAB] = "SELECT 1 FROM vocab WHERE stem = ? LIMIT 1",
	[STMT_REAL] = "SELECT 1 FROM real_word WHERE stem = ?",
	[STMT_VOCAB] = "SELECT raw, stem FROM vocab "
	    "WHERE cyrillic = ? AND len BETWEEN ? AND ?",
	[STMT_FTS] = "SELECT rowid FROM fts WHERE fts MATCH ? "
	    "ORDER BY bm25(fts), rowid LIMIT ?",
	[STMT_NEIGHBOURS] = "SELECT id FROM food WHERE grp = ? AND id <> ? "
	    "ORDER BY abs(id - ?), id LIMIT ?",
};

struct food_db {
	sqlite3 *db;
	sqlite3_stmt *st[STMT_COUNT];
};

static const char *const measure_names[MEASURE_COUNT] = { "pc", "sl", "cup",
	"glass", "tbsp", "tsp", "por", "bowl", "hand", "bottle", "can", "pack",
	"shot", "scoop", "clove", "bar", "whole", "pinch", "use", "ml" };

int measure_named(const char *name)
{
	for (int i = 0; i < MEASURE_COUNT; i++)
		if (strcmp(measure_names[i], name) == 0)
			return i;
	return -1;
}

static int64_t ml(const struct food *f, int64_t n)
{
	return (f->mg[MEASURE_ML] > 0 ? f->mg[MEASURE_ML] : 1000) * n;
}

static int64_t first_known(const struct food *f, enum measure a,
    enum measure b, enum measure c)
{
	if (f->mg[a] > 0)
		return f->mg[a];
	if (f->mg[b] > 0)
		return f->mg[b];
	return f->mg[c] > 0 ? f->mg[c] : 100000;
}

int64_t food_measure(const struct food *f, enum measure m)
{
	if (f->mg[m] > 0)
		return f->mg[m];
	switch (m) {
	case MEASURE_PIECE:
		return first_known(f, MEASURE_PORTION, MEASURE_USUAL,
		    MEASURE_USUAL);
	case MEASURE_SLICE:
	case MEASURE_BAR:
	case MEASURE_CLOVE:
	case MEASURE_WHOLE:
		return first_known(f, MEASURE_PIECE, MEASURE_PORTION,
		    MEASURE_USUAL);
	case MEASURE_CUP:
		return ml(f, 240);
	case MEASURE_GLASS:
		return food_measure(f, MEASURE_CUP);
	case MEASURE_TBSP:
		return ml(f, 15);
	case MEASURE_TSP:
		return f->mg[MEASURE_TBSP] > 0 ? f->mg[MEASURE_TBSP] / 3 :
		    ml(f, 5);
	case MEASURE_SHOT:
		return ml(f, 50);
	case MEASURE_HAND:
		return 40000;
	case MEASURE_BOTTLE:
		return ml(f, 500);
	case MEASURE_CAN:
		return ml(f, 330);
	case MEASURE_PACK:
		return first_known(f, MEASURE_PIECE, MEASURE_PORTION,
		    MEASURE_USUAL);
	case MEASURE_SCOOP:
		return 50000;
	case MEASURE_PINCH:
		return 500;
	case MEASURE_ML:
		return 1000;
	default:
		return first_known(f, MEASURE_PORTION, MEASURE_USUAL,
		    MEASURE_PIECE);
	}
}

/* A file: URI; what has a meaning in one is escaped. */
static void uri_of(struct buf *out, const char *path)
{
	buf_puts(out, "file:");
	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) != NULL)
			buf_printf(out, "%%%02X", (unsigned)*path);
		else
			buf_putc(out, *path);
	}
	buf_puts(out, "?immutable=1");
}

enum rc food_db_open(const char *path, struct food_db **out, struct err *e)
{
	struct food_db *db = xcalloc(1, sizeof(*db));
	struct buf uri;
	enum rc rc = RC_OK;

	buf_init(&uri, 4096);
	uri_of(&uri, path);
	if (sqlite3_open_v2(uri.s, &db->db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = err_set(e, RC_NOTFOUND, "cannot open foods.db at %s", path);
		goto out;
	}
	sqlite3_exec(db->db, "PRAGMA cache_size = -192; "
	    "PRAGMA temp_store = memory", NULL, NULL, NULL);
	for (int i = 0; i < STMT_COUNT; i++) {
		if (sqlite3_prepare_v3(db->db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->st[i], NULL) != SQLITE_OK) {
			rc = err_set(e, RC_CORRUPT, "%s is not a foods.db of "
			    "this version: %s", path, sqlite3_errmsg(db->db));
			goto out;
		}
	}
	*out = db;
	db = NULL;
out:
	buf_release(&uri);
	food_db_free(db);
	return rc;
}

void food_db_free(struct food_db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(db->st[i]);
	sqlite3_close(db->db);
	free(db);
}

static sqlite3_stmt *bind_text(struct food_db *db, enum stmt which,
    const char *s)
{
	sqlite3_stmt *st = db->st[which];

	sqlite3_bind_text(st, 1, s, -1, SQLITE_STATIC);
	return st;
}

bool food_db_key(struct food_db *db, const char *key, int32_t *id)
{
	sqlite3_stmt *st = bind_text(db, STMT_KEY, key);
	bool found = sqlite3_step(st) == SQLITE_ROW;

	if (found)
		*id = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	return found;
}

bool food_db_word(struct food_db *db, const char *word, struct token *k)
{
	sqlite3_stmt *st = bind_text(db, STMT_WORD, word);
	bool found = sqlite3_step(st) == SQLITE_ROW;

	if (found) {
		k->cls = (uint8_t)sqlite3_column_int(st, 0);
		k->value = sqlite3_column_double(st, 1);
		k->meas = (uint8_t)sqlite3_column_int(st, 2);
	}
	sqlite3_reset(st);
	return found;
}

bool food_db_in_vocab(struct food_db *db, const char *stem)
{
	sqlite3_stmt *st = bind_text(db, STMT_IN_VOCAB, stem);
	bool found = sqlite3_step(st) == SQLITE_ROW;

	sqlite3_reset(st);
	return found;
}

bool food_db_real_word(struct food_db *db, const char *stem)
{
	sqlite3_stmt *st = bind_text(db, STMT_REAL, stem);
	bool found = sqlite3_step(st) == SQLITE_ROW;

	sqlite3_reset(st);
	return found;
}

static void column_text(sqlite3_stmt *st, int col, char *dst, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(st, col);

	str_copy(dst, size, s != NULL ? s : "");
}

static void measures_read(const char *s, int64_t mg[MEASURE_COUNT])
{
	char *end;

	for (int i = 0; i < MEASURE_COUNT; i++) {
		mg[i] = s != NULL ? strtoll(s, &end, 10) : 0;
		if (s != NULL)
			s = end;
	}
}

bool food_db_get(struct food_db *db, int32_t id, struct food *f)
{
	sqlite3_stmt *st = db->st[STMT_GET];
	bool found;
	const char *grp;

	sqlite3_bind_int(st, 1, id);
	found = sqlite3_step(st) == SQLITE_ROW;
	if (found) {
		f->id = id;
		f->source = sqlite3_column_int(st, 0);
		grp = (const char *)sqlite3_column_text(st, 1);
		f->group = grp != NULL && grp[0] != '\0' ? grp[0] : '-';
		column_text(st, 2, f->ru, sizeof(f->ru));
		column_text(st, 3, f->en, sizeof(f->en));
		f->per100.cal = sqlite3_column_int64(st, 4);
		f->per100.protein = sqlite3_column_int64(st, 5);
		f->per100.fat = sqlite3_column_int64(st, 6);
		f->per100.carb = sqlite3_column_int64(st, 7);
		measures_read((const char *)sqlite3_column_text(st, 8), f->mg);
	}
	sqlite3_reset(st);
	return found;
}

void food_db_vocab(struct food_db *db, bool cyrillic, int lo, int hi,
    void (*each)(void *ctx, const char *raw, const char *stem), void *ctx)
{
	sqlite3_stmt *st = db->st[STMT_VOCAB];

	sqlite3_bind_int(st, 1, cyrillic);
	sqlite3_bind_int(st, 2, lo);
	sqlite3_bind_int(st, 3, hi);
	while (sqlite3_step(st) == SQLITE_ROW)
		each(ctx, (const char *)sqlite3_column_text(st, 0),
		    (const char *)sqlite3_column_text(st, 1));
	sqlite3_reset(st);
}

static int ids_read(sqlite3_stmt *st, int32_t ids[FOOD_DB_HITS_MAX])
{
	int n = 0;

	while (n < FOOD_DB_HITS_MAX && sqlite3_step(st) == SQLITE_ROW)
		ids[n++] = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	return n;
}

int food_db_search(struct food_db *db, const char *query, int max,
    int32_t ids[FOOD_DB_HITS_MAX])
{
	sqlite3_stmt *st = bind_text(db, STMT_FTS, query);

	sqlite3_bind_int(st, 2, max < FOOD_DB_HITS_MAX ? max :
	    FOOD_DB_HITS_MAX);
	return ids_read(st, ids);
}

int food_db_neighbours(struct food_db *db, char group, int32_t id, int max,
    int32_t ids[FOOD_DB_HITS_MAX])
{
	char g[2] = { group, '\0' };
	sqlite3_stmt *st = bind_text(db, STMT_NEIGHBOURS, g);

	sqlite3_bind_int(st, 2, id);
	sqlite3_bind_int(st, 3, id);
	sqlite3_bind_int(st, 4, max < FOOD_DB_HITS_MAX ? max :
	    FOOD_DB_HITS_MAX);
	return ids_read(st, ids);
}
