/*
 * food.c - meals and own foods in an SQLite shard.
 *
 * A write of a meal is one transaction: a scan of that person's day (rows
 * that lie side by side), which finds a repeated delivery and gives the day's
 * sum, and one insert or update.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <sqlite3.h>
#include <string.h>

#include "models/slot.h"


enum { DAYS_MAX = 62 };

/* What a scan of a day finds. */
struct day_scan {
	struct day_sum sum;
	int rows;		/* undone ones too */
	bool found;		/* the meal asked for is among them */
};

static enum rc day_scan(struct sqlite_store *s, const struct meal *m,
    struct day_scan *out, struct err *e)
{
	const int64_t key[] = { m->slot, m->user_id, m->day };
	struct day_scan d = { .sum.day = m->day };
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_MEAL_SCAN, 3, key, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		struct nutrients n = {
			.cal = sqlite3_column_int64(q, 3),
			.protein = sqlite3_column_int64(q, 4),
			.fat = sqlite3_column_int64(q, 5),
			.carb = sqlite3_column_int64(q, 6),
		};

		d.rows++;
		if (sqlite3_column_int64(q, 0) == m->chat_id &&
		    sqlite3_column_int64(q, 1) == m->message_id)
			d.found = true;
		if (!sqlite3_column_int(q, 2)) {
			d.sum.meals++;
			nutrients_add(&d.sum.sum, &n);
		}
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		*out = d;
	return rc;
}

enum rc sqlite_meal_read(struct sqlite_store *s, sqlite3_stmt *q,
    struct meal *out, struct err *e)
{
	int items = sqlite_columns(meal_columns);
	const void *json = sqlite3_column_text(q, items);
	size_t len = (size_t)sqlite3_column_bytes(q, items);
	enum rc rc;

	rc = sqlite_read(s, q, meal_columns, out, e);
	if (rc == RC_OK && meal_items_decode(out, json ? json : "", len) != RC_OK)
		rc = err_set(e, RC_CORRUPT, "%s: items of message %lld are "
		    "unreadable: restore the backup", s->name,
		    (long long)out->message_id);
	return rc;
}

/* key: slot, user_id, day, chat_id, message_id. */
static enum rc meal_load(struct sqlite_store *s, const int64_t *key,
    struct meal *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_MEAL_GET, 5, key, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && !row)
		rc = err_set(e, RC_NOTFOUND, "no such meal");
	if (rc == RC_OK)
		rc = sqlite_meal_read(s, q, out, e);
	sqlite_reset(q);
	return rc;
}

enum rc sqlite_meal_write(struct sqlite_store *s, enum sql_id id,
    const struct meal *m, int32_t was, struct err *e)
{
	sqlite3_stmt *q = NULL;
	enum rc rc;

	buf_clear(&s->items);
	meal_items_encode(m, &s->items);
	if (buf_over(&s->items))
		return err_set(e, RC_TOOBIG, "the meal is too big");
	rc = sqlite_query(s, id, 0, NULL, &q, e);
	if (rc != RC_OK)
		return rc;
	int n = sqlite_bind(q, meal_columns, m);
	sqlite_bind_text(q, n + 1, s->items.s);
	if (was)
		sqlite_bind_i64(q, n + 2, was);
	return sqlite_done(s, q, e);
}

static enum rc meal_check(struct meal *m, struct err *e)
{
	if (m->nitems < 0 || m->nitems > MEAL_ITEMS_MAX)
		return err_set(e, RC_INVALID, "a meal has at most %d foods",
		    MEAL_ITEMS_MAX);
	m->slot = slot_of(m->user_id);
	return RC_OK;
}

enum rc sqlite_meal_add(struct store *st, struct meal *m, struct day_sum *day,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct day_scan d = { 0 };
	bool found = false;
	enum rc rc;

	rc = meal_check(m, e);
	if (rc == RC_OK)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	m->rev = 1;
	rc = day_scan(s, m, &d, e);
	if (rc == RC_OK && d.found) {
		const int64_t key[] = { m->slot, m->user_id, m->day,
			m->chat_id, m->message_id };

		found = true;
		rc = meal_load(s, key, m, e);
	} else if (rc == RC_OK && d.rows >= MEALS_PER_DAY_MAX) {
		rc = err_set(e, RC_TOOBIG, "%d meals are stored for that day, "
		    "which is the most", d.rows);
	} else if (rc == RC_OK) {
		rc = sqlite_meal_write(s, SQL_MEAL_INSERT, m, 0, e);
		if (rc == RC_OK)
			rc = sqlite_mark(s, m->slot, m->user_id, e);
		if (!m->deleted) {
			d.sum.meals++;
			nutrients_add(&d.sum.sum, &m->sum);
		}
	}
	rc = sqlite_end(s, rc, e);
	if (rc == RC_OK && day)
		*day = d.sum;
	if (rc == RC_OK && found)
		rc = err_set(e, RC_CONFLICT, "the meal is stored already");
	return rc;
}

enum rc sqlite_meal_get(struct store *st, int64_t user_id, int32_t day,
    int64_t chat_id, int64_t message_id, struct meal *out, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t key[] = { slot_of(user_id), user_id, day, chat_id,
		message_id };

	return meal_load(s, key, out, e);
}

enum rc sqlite_meal_replace(struct store *st, struct meal *m,
    struct day_sum *day, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct day_scan d = { 0 };
	int32_t was = m->rev;
	enum rc rc;

	rc = meal_check(m, e);
	if (rc == RC_OK && was <= 0)
		rc = err_set(e, RC_INVALID, "a meal that is not stored cannot "
		    "be replaced");
	if (rc == RC_OK)
		rc = sqlite_begin(s, e);
	if (rc != RC_OK)
		return rc;
	m->rev = was + 1;
	rc = sqlite_meal_write(s, SQL_MEAL_UPDATE, m, was, e);
	bool changed = rc == RC_OK && sqlite_changed(s) > 0;
	if (changed)
		rc = sqlite_mark(s, m->slot, m->user_id, e);
	if (rc == RC_OK)
		rc = day_scan(s, m, &d, e);
	if (rc == RC_OK && !changed)
		rc = d.found ?
		    err_set(e, RC_CONFLICT, "the meal was changed by another "
			"request: read it again") :
		    err_set(e, RC_NOTFOUND, "no such meal");
	rc = sqlite_end(s, rc, e);
	if (rc != RC_OK)
		m->rev = was;
	else if (day)
		*day = d.sum;
	return rc;
}

static enum rc meals_read(struct sqlite_store *s, sqlite3_stmt *q,
    struct meal *out, size_t *n, struct err *e)
{
	bool row = false;
	size_t i = 0;
	enum rc rc;

	rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		rc = sqlite_meal_read(s, q, &out[i++], e);
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		*n = i;
	return rc;
}

enum rc sqlite_meal_page(struct store *st, int64_t user_id,
    const struct meal_cursor *from, size_t max, struct meal *out, size_t *n,
    struct err *e)
{
	static const struct meal_cursor newest = { INT32_MAX, INT64_MAX,
		INT64_MAX, INT64_MAX };
	struct sqlite_store *s = (struct sqlite_store *)st;
	const struct meal_cursor *c = from ? from : &newest;
	const int64_t v[] = { slot_of(user_id), user_id, c->day, c->at,
		c->chat_id, c->message_id, (int64_t)max };
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_MEAL_PAGE, 7, v, &q, e);
	return rc == RC_OK ? meals_read(s, q, out, n, e) : rc;
}

enum rc sqlite_meal_day(struct store *st, int64_t user_id, int32_t day,
    size_t max, struct meal *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { slot_of(user_id), user_id, day, (int64_t)max };
	sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = sqlite_query(s, SQL_MEAL_DAY, 4, v, &q, e);
	return rc == RC_OK ? meals_read(s, q, out, n, e) : rc;
}

enum rc sqlite_day_sums(struct store *st, int64_t user_id, int32_t first,
    int32_t last, struct day_sum *out, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { slot_of(user_id), user_id, first, last };
	struct day_sum sums[DAYS_MAX] = { 0 };
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	if (last < first || (int64_t)last - first >= DAYS_MAX)
		return err_set(e, RC_INVALID, "ask for 1 to %d days", DAYS_MAX);
	for (int32_t i = 0; i <= last - first; i++)
		sums[i].day = first + i;
	rc = sqlite_query(s, SQL_DAY_SUMS, 4, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		struct day_sum *d = &sums[sqlite3_column_int(q, 0) - first];

		d->meals = sqlite3_column_int(q, 1);
		d->sum.cal = sqlite3_column_int64(q, 2);
		d->sum.protein = sqlite3_column_int64(q, 3);
		d->sum.fat = sqlite3_column_int64(q, 4);
		d->sum.carb = sqlite3_column_int64(q, 5);
		rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		memcpy(out, sums, (size_t)(last - first + 1) * sizeof(*out));
	return rc;
}

enum rc sqlite_own_food_put(struct store *st, const struct own_food *f,
    struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct own_food own = *f;
	sqlite3_stmt *q = NULL;
	bool open = false;
	enum rc rc;

	own.slot = slot_of(own.user_id);
	rc = sqlite_write_begin(s, own.slot, own.user_id, &open, e);
	if (rc == RC_OK)
		rc = sqlite_query(s, SQL_OWN_PUT, 0, NULL, &q, e);
	if (rc == RC_OK) {
		(void)sqlite_bind(q, own_food_columns, &own);
		rc = sqlite_done(s, q, e);
	}
	return sqlite_write_end(s, open, rc, e);
}

enum rc sqlite_own_food_list(struct store *st, int64_t user_id, size_t max,
    struct own_food *out, size_t *n, struct err *e)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	const int64_t v[] = { slot_of(user_id), user_id, (int64_t)max };
	sqlite3_stmt *q = NULL;
	bool row = false;
	size_t i = 0;
	enum rc rc;

	rc = sqlite_query(s, SQL_OWN_LIST, 3, v, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	while (rc == RC_OK && row) {
		rc = sqlite_read(s, q, own_food_columns, &out[i++], e);
		if (rc == RC_OK)
			rc = sqlite_row(s, q, &row, e);
	}
	sqlite_reset(q);
	if (rc == RC_OK)
		*n = i;
	return rc;
}
