/*
 * bind.c - records to parameters and from rows, by the models' columns.
 *
 * Owns no memory: what is bound stays the caller's until the statement ran.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>
#include <string.h>

void sqlite_bind_i64(sqlite3_stmt *q, int i, int64_t v)
{
	(void)sqlite3_bind_int64(q, i, v);
}

void sqlite_bind_text(sqlite3_stmt *q, int i, const char *s)
{
	(void)sqlite3_bind_text(q, i, s, -1, SQLITE_STATIC);
}

int sqlite_columns(const struct column *cols)
{
	int n = 0;

	while (cols[n].name)
		n++;
	return n;
}

int sqlite_bind(sqlite3_stmt *q, const struct column *cols, const void *rec)
{
	int i;

	for (i = 0; cols[i].name; i++) {
		const char *p = (const char *)rec + cols[i].offset;

		switch (cols[i].type) {
		case COLUMN_I32:
			sqlite_bind_i64(q, i + 1, *(const int32_t *)(const void *)p);
			break;
		case COLUMN_I64:
			sqlite_bind_i64(q, i + 1, *(const int64_t *)(const void *)p);
			break;
		case COLUMN_TEXT:
			(void)sqlite3_bind_text(q, i + 1, p,
			    (int)strnlen(p, cols[i].size - 1), SQLITE_STATIC);
			break;
		}
	}
	return i;
}

enum rc sqlite_read(struct sqlite_store *s, sqlite3_stmt *q,
    const struct column *cols, void *rec, struct err *e)
{
	for (int i = 0; cols[i].name; i++) {
		char *p = (char *)rec + cols[i].offset;
		const void *text;
		size_t len;

		switch (cols[i].type) {
		case COLUMN_I32:
			*(int32_t *)(void *)p = sqlite3_column_int(q, i);
			break;
		case COLUMN_I64:
			*(int64_t *)(void *)p = sqlite3_column_int64(q, i);
			break;
		case COLUMN_TEXT:
			text = sqlite3_column_text(q, i);
			len = (size_t)sqlite3_column_bytes(q, i);
			if (!text || len >= cols[i].size)
				return err_set(e, RC_CORRUPT, "%s: stored %s is "
				    "unreadable: restore the backup", s->name,
				    cols[i].name);
			memcpy(p, text, len);
			p[len] = '\0';
			break;
		}
	}
	return RC_OK;
}
