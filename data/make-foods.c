/*
 * make-foods.c - builds foods.db from the tables of this folder.
 * Usage: make-foods OUT.db usda_sr24.tsv aliases.tsv words.tsv fndds.tsv
 *	fndds_portions.tsv DICTIONARY.dic...
 */
#include "config.h"

#include "make-foods.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/nutrition/key.h"
#include "utils/buf.h"

static const char schema[] =
    "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF; BEGIN;"
    "CREATE TABLE food (id INTEGER PRIMARY KEY, source INT, grp TEXT, ru TEXT,"
    " en TEXT, cal INT, protein INT, fat INT, carb INT, mg TEXT);"
    "CREATE INDEX food_grp ON food (grp, id) WHERE grp <> '-';"
    "CREATE TABLE key (k TEXT PRIMARY KEY, food INT) WITHOUT ROWID;"
    "CREATE TEMP TABLE first (k TEXT PRIMARY KEY, said TEXT, food INT)"
    " WITHOUT ROWID;"
    "CREATE TABLE word (w TEXT PRIMARY KEY, class INT, value REAL, meas INT)"
    " WITHOUT ROWID;"
    "CREATE TABLE vocab (cyrillic INT, len INT, raw TEXT, stem TEXT,"
    " PRIMARY KEY (cyrillic, len, raw)) WITHOUT ROWID;"
    "CREATE INDEX vocab_stem ON vocab (stem);"
    "CREATE TABLE real_word (stem TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE fts USING fts5 (stems, content='',"
    " tokenize=\"unicode61 remove_diacritics 0\");";

static const struct {
	const char *name;
	enum word_class cls;
} classes[] = {
	{ "num", CLASS_NUM }, { "mul", CLASS_MUL }, { "art", CLASS_ART },
	{ "mass", CLASS_MASS }, { "vol", CLASS_VOL }, { "meas", CLASS_MEAS },
	{ "each", CLASS_EACH }, { "times", CLASS_TIMES }, { "and", CLASS_AND },
	{ "with", CLASS_WITH }, { "without", CLASS_WITHOUT },
	{ "stop", CLASS_STOP }, { "fill", CLASS_FILL }, { "eat", CLASS_EAT },
	{ "mod", CLASS_MOD }, { "cook", CLASS_COOK }, { "neg", CLASS_NEG },
	{ "strong", CLASS_STRONG }, { "chat", CLASS_CHAT },
	{ "energy", CLASS_ENERGY },
};

void die(const struct table *t, const char *why)
{
	fprintf(stderr, "make-foods: %s:%d: %s\n", t->path, t->line, why);
	exit(1);
}

void table_open(struct table *t, const char *path)
{
	t->path = path;
	t->line = 0;
	t->f = fopen(path, "r");
	if (t->f == NULL)
		die(t, "cannot open");
}

int table_next(struct table *t, char *field[FIELDS_MAX])
{
	int n = 0;
	char *p;

	do {
		if (fgets(t->buf, sizeof(t->buf), t->f) == NULL)
			return 0;
		t->line++;
		p = strchr(t->buf, '\n');
		if (p == NULL)
			die(t, "the line is too long");
		*p = '\0';
	} while (t->buf[0] == '#' || t->buf[0] == '\0');
	for (p = t->buf; p != NULL && n < FIELDS_MAX;) {
		field[n++] = p;
		p = strchr(p, '\t');
		if (p != NULL)
			*p++ = '\0';
	}
	return n;
}

void table_close(struct table *t)
{
	fclose(t->f);
}

void step(struct maker *m, sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE) {
		fprintf(stderr, "make-foods: %s\n", sqlite3_errmsg(m->db));
		exit(1);
	}
	sqlite3_reset(st);
}

static sqlite3_stmt *prepare(struct maker *m, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(m->db, text, -1, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "make-foods: %s\n", sqlite3_errmsg(m->db));
		exit(1);
	}
	return st;
}

void name_read(struct maker *m, const char *name)
{
	char word[WORD_SIZE];

	text_read(&m->text, &m->st, name);
	for (int i = 0; i < m->text.n; i++) {
		struct token *k = &m->text.tok[i];

		if (k->kind != TOKEN_WORD)
			continue;
		text_word(&m->text, k, word);
		sqlite3_bind_text(m->word_get, 1, word, -1, SQLITE_STATIC);
		if (sqlite3_step(m->word_get) == SQLITE_ROW)
			k->cls = (uint8_t)sqlite3_column_int(m->word_get, 0);
		sqlite3_reset(m->word_get);
	}
}

static void key_put(struct maker *m, const char *key, int32_t food)
{
	sqlite3_bind_text(m->key, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int(m->key, 2, food);
	step(m, m->key);
}

/* Numbers of aliases.tsv begin here; USDA's names put the noun first ("Bread,
 * white"), so that their order tells nothing. */
enum { ALIAS_FIRST = 100001, ALIAS_LAST = 999999 };

/* Did another everyday food say these words first, in another order? */
static bool said_otherwise(struct maker *m, const char *key, const char *said,
    int32_t food)
{
	bool otherwise = false;

	if (food < ALIAS_FIRST || food > ALIAS_LAST)
		return false;
	sqlite3_bind_text(m->first_get, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(m->first_get) == SQLITE_ROW)
		otherwise = sqlite3_column_int(m->first_get, 1) != food &&
		    strcmp((const char *)sqlite3_column_text(m->first_get, 0), said) != 0;
	sqlite3_reset(m->first_get);
	return otherwise;
}

void key_store(struct maker *m, const char *name, int32_t food)
{
	char key[FOOD_NAME_SIZE], said[FOOD_NAME_SIZE];

	name_read(m, name);
	if (!key_make(&m->text, 0, m->text.n, key))
		return;
	if (!key_make_ordered(&m->text, 0, m->text.n, said))
		return;
	if (said_otherwise(m, key, said, food)) {
		key_put(m, said, food);
		sqlite3_bind_text(m->key_many, 1, key, -1, SQLITE_STATIC);
		step(m, m->key_many);
		return;
	}
	key_put(m, key, food);
	sqlite3_bind_text(m->first, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(m->first, 2, said, -1, SQLITE_STATIC);
	sqlite3_bind_int(m->first, 3, food);
	step(m, m->first);
}

void vocab_store(struct maker *m, const char *name)
{
	char raw[STEM_SIZE];
	int len = 0;

	name_read(m, name);
	for (int i = 0; i < m->text.n; i++) {
		const struct token *k = &m->text.tok[i];

		if (k->kind != TOKEN_WORD || k->cls != CLASS_NONE)
			continue;
		text_stem_raw(&m->st, m->text.s + k->start,
		    (size_t)(k->end - k->start), k->cyrillic, raw);
		len = 0;
		for (const char *p = raw; *p != '\0'; p++)
			len += ((unsigned char)*p & 0xc0) != 0x80;
		sqlite3_bind_int(m->vocab, 1, k->cyrillic);
		sqlite3_bind_int(m->vocab, 2, len);
		sqlite3_bind_text(m->vocab, 3, raw, -1, SQLITE_STATIC);
		sqlite3_bind_text(m->vocab, 4, k->stem, -1, SQLITE_STATIC);
		step(m, m->vocab);
	}
}

void fts_store(struct maker *m, int32_t food, const char *names)
{
	struct buf b;

	buf_init(&b, LINE_SIZE * 2);
	name_read(m, names);
	for (int i = 0; i < m->text.n; i++) {
		const struct token *k = &m->text.tok[i];

		if (k->kind == TOKEN_WORD && token_in_key(k) &&
		    k->cls != CLASS_AND && k->cls != CLASS_WITHOUT) {
			buf_puts(&b, k->stem);
			buf_putc(&b, ' ');
		}
	}
	sqlite3_bind_int(m->fts, 1, food);
	sqlite3_bind_text(m->fts, 2, b.s, -1, SQLITE_STATIC);
	step(m, m->fts);
	buf_release(&b);
}

void food_store(struct maker *m, const struct food *f)
{
	char grp[2] = { f->group, '\0' };
	struct buf b;

	buf_init(&b, 1024);
	for (int i = 0; i < MEASURE_COUNT; i++)
		buf_printf(&b, "%lld ", (long long)f->mg[i]);
	sqlite3_bind_int(m->food, 1, f->id);
	sqlite3_bind_int(m->food, 2, f->source);
	sqlite3_bind_text(m->food, 3, grp, -1, SQLITE_STATIC);
	sqlite3_bind_text(m->food, 4, f->ru, -1, SQLITE_STATIC);
	sqlite3_bind_text(m->food, 5, f->en, -1, SQLITE_STATIC);
	sqlite3_bind_int64(m->food, 6, f->per100.cal);
	sqlite3_bind_int64(m->food, 7, f->per100.protein);
	sqlite3_bind_int64(m->food, 8, f->per100.fat);
	sqlite3_bind_int64(m->food, 9, f->per100.carb);
	sqlite3_bind_text(m->food, 10, b.s, -1, SQLITE_STATIC);
	step(m, m->food);
	buf_release(&b);
}

static void word_store(struct maker *m, struct table *t, char *field[])
{
	char *factor = strchr(field[1], '*'), *save = NULL;
	int cls = -1, meas = 0;
	double value = 0;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i].name, field[0]) == 0)
			cls = classes[i].cls;
	if (factor != NULL)
		*factor++ = '\0';
	if (cls == CLASS_MEAS)
		meas = measure_named(field[1]);
	value = strtod(factor != NULL ? factor : field[1], NULL);
	if (cls < 0 || meas < 0 || value <= 0)
		die(t, "no such kind, measure or value");
	for (char *w = strtok_r(field[2], " ", &save); w != NULL;
	    w = strtok_r(NULL, " ", &save)) {
		text_normalise(w, m->text.s, sizeof(m->text.s));
		sqlite3_bind_text(m->word, 1, m->text.s, -1, SQLITE_STATIC);
		sqlite3_bind_int(m->word, 2, cls);
		sqlite3_bind_double(m->word, 3, value);
		sqlite3_bind_int(m->word, 4, meas);
		step(m, m->word);
	}
}

static void words_store(struct maker *m, const char *path)
{
	struct table t;
	char *field[FIELDS_MAX];

	table_open(&t, path);
	for (int n; (n = table_next(&t, field)) > 0;) {
		if (n != 3)
			die(&t, "three fields are expected");
		word_store(m, &t, field);
	}
	table_close(&t);
}

static void maker_open(struct maker *m, const char *path)
{
	unlink(path);
	if (!stemmers_init(&m->st) || sqlite3_open(path, &m->db) != SQLITE_OK ||
	    sqlite3_exec(m->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "make-foods: cannot make %s: %s\n", path,
		    sqlite3_errmsg(m->db));
		exit(1);
	}
	m->word = prepare(m, "INSERT OR IGNORE INTO word VALUES (?, ?, ?, ?)");
	m->word_get = prepare(m, "SELECT class FROM word WHERE w = ?");
	m->food = prepare(m, "INSERT INTO food VALUES (?,?,?,?,?,?,?,?,?,?)");
	m->key = prepare(m, "INSERT OR IGNORE INTO key VALUES (?, ?)");
	m->vocab = prepare(m,
	    "INSERT OR IGNORE INTO vocab VALUES (?, ?, ?, ?)");
	m->first = prepare(m, "INSERT OR IGNORE INTO first VALUES (?, ?, ?)");
	m->first_get = prepare(m, "SELECT said, food FROM first WHERE k = ?");
	m->key_many = prepare(m, "UPDATE key SET food = -abs(food) WHERE k = ?");
	m->real_word = prepare(m, "INSERT OR IGNORE INTO real_word VALUES (?)");
	m->fts = prepare(m, "INSERT INTO fts (rowid, stems) VALUES (?, ?)");
}

static int maker_finish(struct maker *m)
{
	sqlite3_stmt *st[] = { m->word, m->word_get, m->food, m->key, m->vocab,
		m->fts, m->real_word, m->first, m->first_get, m->key_many };
	int rc = sqlite3_exec(m->db, "INSERT INTO fts (fts) VALUES "
	    "('optimize'); COMMIT; VACUUM", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		fprintf(stderr, "make-foods: %s\n", sqlite3_errmsg(m->db));
	for (size_t i = 0; i < sizeof(st) / sizeof(st[0]); i++)
		sqlite3_finalize(st[i]);
	sqlite3_close(m->db);
	stemmers_release(&m->st);
	for (size_t i = 0; i < m->nusda; i++) {
		free(m->usda[i].name);
		free(m->usda[i].measures);
	}
	free(m->usda);
	return rc == SQLITE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct maker m;

	if (argc < 7) {
		fprintf(stderr, "usage: make-foods OUT.db usda_sr24.tsv "
		    "aliases.tsv words.tsv fndds.tsv fndds_portions.tsv "
		    "DICTIONARY.dic...\n");
		return 2;
	}
	maker_open(&m, argv[1]);
	words_store(&m, argv[4]);
	usda_load(&m, argv[2]);
	aliases_store(&m, argv[3]);
	fndds_store(&m, argv[5], argv[6]);
	usda_store(&m);
	for (int i = 7; i < argc; i++)
		dictionary_store(&m, argv[i]);
	return maker_finish(&m);
}
