/*
 * info.c - what lies in an SQLite shard: by slot, and as a whole.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "models/slot.h"
#include "store/migrate.h"
#include "utils/xalloc.h"

/* Bytes of the file and of its log. */
static int64_t bytes_on_disk(struct sqlite_store *s)
{
	const char *names[2];
	struct stat st;
	int64_t sum = 0;

	names[0] = sqlite3_db_filename(s->db, "main");
	names[1] = sqlite3_filename_wal(names[0]);
	for (int i = 0; i < 2; i++)
		if (stat(names[i], &st) == 0)
			sum += st.st_size;
	return sum;
}

enum rc sqlite_stats(struct store *st, struct store_stats *out,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_STATS, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row) {
		out->users = sqlite3_column_int64(q, 0);
		out->meals = sqlite3_column_int64(q, 1);
		out->own_foods = sqlite3_column_int64(q, 2);
		out->bytes = bytes_on_disk(s);
	}
	sqlite_reset(q);
	return rc == RC_OK ? sqlite_job_stats(st, out, e) : rc;
}

static enum rc census_of(struct sqlite_store *s, enum collection kind,
    struct slot_census *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, sql_of(SQL_CENSUS, kind), 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		int64_t slot = sqlite3_column_int64(q, 0);

		/* A record with slot 9999 is in no slot's count; the check
		 * of verify tells of it. */
		if (slot >= 0 && slot < SLOT_COUNT)
			out[slot].records[kind] =
			    (uint32_t)sqlite3_column_int64(q, 1);
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

enum rc sqlite_census(struct store *st, struct slot_census *out,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct slot_census *c = xcalloc(SLOT_COUNT, sizeof(*c));
	enum rc rc = sqlite_look(s, e);

	if (rc == RC_OK) {
		for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
			rc = census_of(s, k, c, e);
		rc = sqlite_seen(s, rc, e);
	}
	if (rc == RC_OK) {
		for (int i = 0; i < SLOT_COUNT; i++)
			c[i].users = c[i].records[COLLECTION_USERS];
		memcpy(out, c, SLOT_COUNT * sizeof(*c));
	}
	free(c);
	return rc;
}

static enum rc number(struct sqlite_store *s, enum sql_id id, int64_t *out,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, id, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row)
		*out = sqlite3_column_int64(q, 0);
	sqlite_reset(q);
	return rc;
}

/* Needs SQLite's dbstat, which Debian's has; without it sizes are unknown. */
static enum rc bytes_of(struct sqlite_store *s, struct store_info *out,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	for (int k = 0; k < COLLECTION_COUNT; k++)
		out->bytes[k] = -1;
	if (!sqlite3_compileoption_used("ENABLE_DBSTAT_VTAB"))
		return RC_OK;
	rc = sqlite_query(s, SQL_PAGES, 0, NULL, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		const char *name = (const char *)sqlite3_column_text(q, 0);

		for (int k = 0; k < COLLECTION_COUNT; k++)
			if (name && strcmp(name, collection_name(k)) == 0)
				out->bytes[k] = sqlite3_column_int64(q, 1);
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

static int64_t disk_free(struct sqlite_store *s)
{
	struct statvfs v;

	if (statvfs(sqlite3_db_filename(s->db, "main"), &v) != 0)
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

enum rc sqlite_info(struct store *st, struct store_info *out, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct store_info i = { .schema_known = migrate_latest(),
		.disk_free = disk_free(s) };
	int64_t schema = 0;
	enum rc rc;

	(void)str_copy(i.backend, sizeof(i.backend), "sqlite");
	(void)str_format(i.version, sizeof(i.version), "%s",
	    sqlite3_libversion());
	rc = number(s, SQL_SCHEMA, &schema, e);
	for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
		rc = number(s, sql_of(SQL_TOTAL, k), &i.records[k], e);
	if (rc == RC_OK)
		rc = bytes_of(s, &i, e);
	if (rc != RC_OK)
		return rc;
	i.schema = (int)schema;
	*out = i;
	return RC_OK;
}
