/*
 * sql.c - every SQL statement of the SQLite backend, in one table.
 *
 * In the texts {cols} stands for the names of the model's columns, {marks}
 * for their parameters ?1 ... ?n, {sets} for "name = ?i" of each column that
 * is no key, and {name} for the parameter of that column.  In the runs, {table},
 * {key} and {owner} are those of the kind, {all} its columns and its tail.  :named parameters
 * come after them.  No value ever becomes part of a text.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <string.h>

#define OWNER	" slot = ?1 AND user_id = ?2"

struct sql_text {
	const char *text;
	const struct column *cols;
};

/*
 * The literal "state < 2" and "state >= 2" beside the wanted state are what
 * lets SQLite use the partial indexes.
 */
static const struct sql_text texts[SQL_FIXED] = {
	[SQL_BEGIN] = { "BEGIN IMMEDIATE", NULL },
	[SQL_COMMIT] = { "COMMIT", NULL },
	[SQL_ROLLBACK] = { "ROLLBACK", NULL },
	[SQL_PING] = { "SELECT 1 FROM meta LIMIT 1", NULL },
	[SQL_STATS] = { "SELECT (SELECT count(*) FROM users),"
	    " (SELECT count(*) FROM food_analysis),"
	    " (SELECT count(*) FROM own_foods)", NULL },
	[SQL_JOB_STATS] = { "SELECT"
	    " (SELECT count(*) FROM jobs WHERE state < 2 AND state = 0),"
	    " (SELECT count(*) FROM jobs WHERE state < 2 AND state = 1),"
	    " (SELECT count(*) FROM jobs WHERE state >= 2 AND state = 3),"
	    " (SELECT coalesce(min(run_at), 0) FROM jobs"
	    "  WHERE state < 2 AND state = 0)", NULL },

	[SQL_USER_GET] = { "SELECT {cols} FROM users WHERE user_id = ?1",
	    user_columns },
	[SQL_USER_INSERT] = { "INSERT INTO users ({cols}) VALUES ({marks})"
	    " ON CONFLICT DO NOTHING", user_columns },
	[SQL_USER_UPDATE] = { "UPDATE users SET {sets}"
	    " WHERE user_id = {user_id} AND rev = :was", user_columns },

	[SQL_MEAL_SCAN] = { "SELECT chat_id, message_id, deleted, cal, protein,"
	    " fat, carb FROM food_analysis WHERE" OWNER " AND day = ?3", NULL },
	[SQL_MEAL_GET] = { "SELECT {cols}, items FROM food_analysis WHERE" OWNER
	    " AND day = ?3 AND chat_id = ?4 AND message_id = ?5",
	    meal_columns },
	[SQL_MEAL_INSERT] = { "INSERT INTO food_analysis ({cols}, items)"
	    " VALUES ({marks}, :items)", meal_columns },
	[SQL_MEAL_UPDATE] = { "UPDATE food_analysis SET {sets}, items = :items"
	    " WHERE slot = {slot} AND user_id = {user_id} AND day = {day}"
	    " AND chat_id = {chat_id} AND message_id = {message_id}"
	    " AND rev = :was", meal_columns },
	[SQL_MEAL_PAGE] = { "SELECT {cols}, items FROM food_analysis WHERE" OWNER
	    " AND deleted = 0 AND day <= ?3"
	    " AND (day, at, chat_id, message_id) < (?3, ?4, ?5, ?6)"
	    " ORDER BY day DESC, at DESC, chat_id DESC, message_id DESC"
	    " LIMIT ?7", meal_columns },
	[SQL_MEAL_DAY] = { "SELECT {cols}, items FROM food_analysis WHERE" OWNER
	    " AND day = ?3 AND deleted = 0"
	    " ORDER BY at, chat_id, message_id LIMIT ?4", meal_columns },
	[SQL_DAY_SUMS] = { "SELECT day, count(*), sum(cal), sum(protein),"
	    " sum(fat), sum(carb) FROM food_analysis WHERE" OWNER
	    " AND day BETWEEN ?3 AND ?4 AND deleted = 0 GROUP BY day", NULL },

	[SQL_OWN_PUT] = { "INSERT OR REPLACE INTO own_foods ({cols})"
	    " VALUES ({marks})", own_food_columns },
	[SQL_OWN_LIST] = { "SELECT {cols} FROM own_foods WHERE" OWNER
	    " ORDER BY updated_at DESC, key LIMIT ?3", own_food_columns },

	[SQL_JOB_ADD] = { "INSERT INTO jobs ({cols}) VALUES ({marks})"
	    " ON CONFLICT DO NOTHING", job_columns },
	[SQL_JOB_DUE_ANY] = { "SELECT 1 FROM jobs WHERE state < 2"
	    " AND state = 0 AND run_at <= ?1 UNION ALL SELECT 1 FROM jobs"
	    " WHERE state < 2 AND state = 1"
	    " AND (lease_until < ?1 OR lease_token = ?2) LIMIT 1",
	    NULL },
	[SQL_JOB_DUE] = { "SELECT id, slot, user_id FROM jobs WHERE id IN"
	    " (SELECT id FROM (SELECT id, run_at FROM (SELECT id, run_at"
	    "   FROM jobs WHERE state < 2 AND state = 0 AND run_at <= ?1"
	    "   ORDER BY run_at LIMIT ?2)"
	    "  UNION ALL SELECT id, run_at FROM jobs"
	    "   WHERE state < 2 AND state = 1"
	    "   AND (lease_until < ?1 OR lease_token = ?3)"
	    "  ORDER BY run_at LIMIT ?2)) ORDER BY run_at, id", NULL },
	[SQL_JOB_LEASE] = { "UPDATE jobs SET state = 1, lease_token = ?2,"
	    " lease_until = ?3 WHERE id = ?1 RETURNING {cols}", job_columns },
	[SQL_JOB_SETTLE] = { "UPDATE jobs SET state = {state},"
	    " run_at = {run_at}, tries = {tries}, last_error = {last_error},"
	    " done_at = {done_at}, lease_token = 0, lease_until = 0,"
	    " payload = CASE {state} WHEN 2 THEN '' ELSE payload END"
	    " WHERE id = {id} AND state = 1 AND lease_token = {lease_token}",
	    job_columns },
	[SQL_JOB_OPEN] = { "SELECT {cols} FROM jobs WHERE state < 2"
	    " AND state = ?1 ORDER BY created_at DESC, id LIMIT ?2",
	    job_columns },
	[SQL_JOB_CLOSED] = { "SELECT {cols} FROM jobs WHERE state >= 2"
	    " AND state = ?1 ORDER BY created_at DESC, id LIMIT ?2",
	    job_columns },
	[SQL_JOB_REVIVE] = { "UPDATE jobs SET state = 0, tries = 0,"
	    " run_at = ?2, done_at = 0 WHERE id = ?1 AND state = 3"
	    " RETURNING slot, user_id", NULL },
	[SQL_JOB_DROP] = { "DELETE FROM jobs WHERE id = ?1 AND state = 3"
	    " RETURNING slot, user_id", NULL },
	[SQL_JOB_PURGE] = { "DELETE FROM jobs WHERE state >= 2 AND state = 2"
	    " AND done_at < ?1 AND NOT slot_moves(slot)", NULL },

	[SQL_SNAPSHOT] = { "BEGIN", NULL },
	[SQL_SLOT_USERS] = { "SELECT min(u) FROM ({trees})", NULL },
	[SQL_PAGES] = { "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat AS d"
	    " JOIN sqlite_schema AS m ON m.name = d.name"
	    " WHERE d.aggregate = TRUE GROUP BY m.tbl_name", NULL },
	[SQL_SCHEMA] = { "PRAGMA user_version", NULL },
	[SQL_OWN_COUNT] = { "SELECT count(*) FROM own_foods WHERE" OWNER, NULL },
	[SQL_MEND_USER] = { "UPDATE users SET rev = rev + 1, own_foods ="
	    " (SELECT count(*) FROM own_foods WHERE" OWNER ")"
	    " WHERE" OWNER, NULL },
	[SQL_MEND_MEAL] = { "UPDATE food_analysis SET cal = {cal},"
	    " protein = {protein}, fat = {fat}, carb = {carb}, rev = rev + 1"
	    " WHERE slot = {slot} AND user_id = {user_id} AND day = {day}"
	    " AND chat_id = {chat_id} AND message_id = {message_id}"
	    " AND rev = {rev}", meal_columns },

	[SQL_MARK] = { "INSERT INTO dirty (slot, user_id) VALUES (?1, ?2)"
	    " ON CONFLICT DO NOTHING", NULL },
	[SQL_MARKS] = { "SELECT user_id FROM dirty WHERE slot = ?1 LIMIT ?2",
	    NULL },
	[SQL_MARK_DROP] = { "DELETE FROM dirty WHERE" OWNER, NULL },
	[SQL_MARKS_CLEAR] = { "DELETE FROM dirty WHERE slot = ?1", NULL },
	[SQL_META_GET] = { "SELECT version, value FROM agreed WHERE key = ?1",
	    NULL },
	[SQL_META_INSERT] = { "INSERT INTO agreed (key, version, value)"
	    " VALUES (?1, 1, ?2) ON CONFLICT DO NOTHING", NULL },
	[SQL_META_UPDATE] = { "UPDATE agreed SET value = ?2,"
	    " version = version + 1 WHERE key = ?1 AND version = ?3", NULL },
	[SQL_META_LIST] = { "SELECT key, version, value FROM agreed"
	    " WHERE key >= ?1 ORDER BY key", NULL },
	[SQL_META_DELETE] = { "DELETE FROM agreed WHERE key = ?1 "
	    "AND version = ?2", NULL },
};

static const char *const runs[SQL_RUN_COUNT] = {
	[SQL_SLOT_READ] = "SELECT {all} FROM {table} WHERE slot = ?1",
	[SQL_ONE_READ] = "SELECT {all} FROM {table} WHERE" OWNER,
	[SQL_ONE_DROP] = "DELETE FROM {table} WHERE" OWNER,
	[SQL_EXACT] = "INSERT OR REPLACE INTO {table} ({all}) VALUES ({values})",
	[SQL_CLEAR] = "DELETE FROM {table} WHERE ({key}) IN"
	    " (SELECT {key} FROM {table} WHERE slot = ?1 LIMIT ?2)",
	[SQL_CENSUS] = "SELECT slot, count(*) FROM {table} GROUP BY slot",
	[SQL_TOTAL] = "SELECT count(*) FROM {table}",
	[SQL_ERASE] = "DELETE FROM {table} WHERE{owner}",
};

/* Is it a word of "slot, user_id, day"? */
static bool lists(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(list, name); p != NULL;
	    p = strstr(p + 1, name))
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ','))
			return true;
	return false;
}

/* A key never changes; setting it again would only touch its indexes. */
static bool is_key(const struct column *cols, const char *name)
{
	const struct kind *kind = kind_with(cols);

	return strcmp(name, "slot") == 0 || strcmp(name, "user_id") == 0 ||
	    (kind != NULL && lists(kind->key, name));
}

/* word: what stands between the braces. */
static void expand(const struct column *cols, const char *word, size_t len,
    struct buf *out)
{
	const char *comma = "";

	for (int i = 0; cols[i].name; i++) {
		const char *name = cols[i].name;

		if (len == strlen(name) && memcmp(word, name, len) == 0) {
			buf_printf(out, "?%d", i + 1);
			return;
		}
	}
	for (int i = 0; cols[i].name; i++) {
		const char *name = cols[i].name;

		if (word[0] == 's' && is_key(cols, name))
			continue;
		buf_puts(out, comma);
		comma = ", ";
		if (word[0] != 'm')
			buf_puts(out, name);
		if (word[0] == 's')
			buf_puts(out, " = ");
		if (word[0] != 'c')
			buf_printf(out, "?%d", i + 1);
	}
}

/* One step in each kind's tree, however many records a person has. */
static void expand_trees(struct buf *out)
{
	for (int k = 0; k < COLLECTION_COUNT; k++)
		buf_printf(out, "%sSELECT min(user_id)%s FROM %s"
		    " WHERE slot = ?1 AND user_id >= ?2",
		    k > 0 ? " UNION ALL " : "", k > 0 ? "" : " AS u",
		    kind_of(k)->name);
}

/* The words of runs; true when it was one. */
static bool expand_kind(const struct kind *kind, const char *word, size_t len,
    struct buf *out)
{
	if (len == 5 && memcmp(word, "table", len) == 0) {
		buf_puts(out, kind->name);
	} else if (len == 3 && memcmp(word, "key", len) == 0) {
		buf_puts(out, kind->key);
	} else if (len == 5 && memcmp(word, "owner", len) == 0) {
		/* a person has one row: its slot may be wrong, it goes alike */
		buf_puts(out, strcmp(kind->key, "user_id") == 0 ?
		    " user_id = ?2" : OWNER);
	} else if (len == 3 && memcmp(word, "all", len) == 0) {
		expand(kind->columns, "cols", 4, out);
		if (kind->tail != NULL)
			buf_printf(out, ", %s", kind->tail);
	} else if (len == 6 && memcmp(word, "values", len) == 0) {
		expand(kind->columns, "marks", 5, out);
		if (kind->tail != NULL)
			buf_printf(out, ", :%s", kind->tail);
	} else {
		return false;
	}
	return true;
}

void sqlite_sql(enum sql_id id, struct buf *out)
{
	int run = (int)id - SQL_FIXED;
	const struct kind *kind = run < 0 ? NULL :
	    kind_of(run % COLLECTION_COUNT);
	const char *p = kind != NULL ? runs[run / COLLECTION_COUNT] :
	    texts[id].text;

	while (*p) {
		size_t n = strcspn(p, "{");

		buf_add(out, p, n);
		p += n;
		if (*p != '{')
			continue;
		n = strcspn(p, "}");
		if (n == 6 && memcmp(p, "{trees", n) == 0)
			expand_trees(out);
		else if (kind == NULL || !expand_kind(kind, p + 1, n - 1, out))
			expand(texts[id].cols, p + 1, n - 1, out);
		p += n + 1;
	}
}
