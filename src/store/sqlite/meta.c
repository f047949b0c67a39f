/*
 * meta.c - small named values in an SQLite shard, by compare-and-set.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>
#include <string.h>

enum { VALUE_MAX = 1 << 20 };

enum rc sqlite_meta_get(struct store *st, const char *key, struct buf *value,
    int64_t *version, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_META_GET, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, key);
	rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && !row)
		rc = err_set(e, RC_NOTFOUND, "%s: nothing is agreed under %s",
		    s->name, key);
	if (rc == RC_OK) {
		const void *bytes = sqlite3_column_blob(q, 1);
		size_t len = (size_t)sqlite3_column_bytes(q, 1);

		if (value && len > value->max)
			rc = err_set(e, RC_TOOBIG, "%s: %s has %zu bytes",
			    s->name, key, len);
		else
			*version = sqlite3_column_int64(q, 0);
		if (value && rc == RC_OK) {
			buf_clear(value);
			buf_add(value, bytes ? bytes : "", len);
		}
	}
	sqlite_reset(q);
	return rc;
}

enum rc sqlite_meta_put(struct store *st, const char *key, const void *value,
    size_t len, int64_t *version, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	if (len > VALUE_MAX)
		return err_set(e, RC_TOOBIG, "%s: %s: a value has at most %d "
		    "bytes", s->name, key, VALUE_MAX);
	rc = sqlite_query(s, *version ? SQL_META_UPDATE : SQL_META_INSERT, 0,
	    NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, key);
	(void)sqlite3_bind_blob(q, 2, len ? value : "", (int)len,
	    SQLITE_STATIC);
	if (*version)
		sqlite_bind_i64(q, 3, *version);
	rc = sqlite_done(s, q, e);
	if (rc == RC_OK && sqlite_changed(s) == 0)
		rc = err_set(e, RC_CONFLICT, "%s: another changed %s first: "
		    "read again", s->name, key);
	if (rc == RC_OK)
		++*version;
	return rc;
}

enum rc sqlite_meta_list(struct store *st, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_META_LIST, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, prefix);
	rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		const void *bytes = sqlite3_column_blob(q, 2);
		struct meta_item item = {
			.key = (const char *)sqlite3_column_text(q, 0),
			.version = sqlite3_column_int64(q, 1),
			.value = bytes ? bytes : "",
			.len = (size_t)sqlite3_column_bytes(q, 2),
		};

		if (!item.key || strncmp(item.key, prefix, strlen(prefix)) != 0)
			break;	/* behind the last of them */
		each(ctx, &item);
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

enum rc sqlite_meta_delete(struct store *st, const char *key,
    int64_t version, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_META_DELETE, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	sqlite_bind_text(q, 1, key);
	sqlite_bind_i64(q, 2, version);
	rc = sqlite_done(s, q, e);
	return rc == RC_OK && sqlite_changed(s) == 0 ? err_set(e, RC_CONFLICT,
	    "%s: another changed %s first: read again", s->name, key) : rc;
}
