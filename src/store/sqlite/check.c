/*
 * check.c - looks at every record of a slot, and mends what can be
 * computed from what is stored.
 *
 * A shard that is served changes meanwhile: what seems to drift is looked at
 * once more, in a transaction that nobody else can write in, before it is told
 * or mended.
 */
#include "config.h"

#include "store/sqlite/sqlite.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "models/slot.h"
#include "utils/xalloc.h"

/* A record whose stored figures are to be looked at again. */
struct suspect {
	enum collection kind;
	int64_t key[5];		/* slot, user_id, day, chat_id, message_id */
};

struct checker {
	struct sqlite_store *s;
	int32_t slot;
	bool repair;
	void (*found)(void *ctx, const struct store_fault *f);
	void *ctx;
	struct record *record;
	struct suspect *suspects;
	size_t n, cap;
};

static void suspect_add(struct checker *c, const struct record *r)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->suspects = xrealloc(c->suspects,
		    c->cap * sizeof(*c->suspects));
	}
	c->suspects[c->n].kind = r->kind;
	c->suspects[c->n].key[0] = c->slot;
	c->suspects[c->n].key[1] = record_user_id(r);
	if (r->kind == COLLECTION_MEALS) {
		c->suspects[c->n].key[2] = r->meal.day;
		c->suspects[c->n].key[3] = r->meal.chat_id;
		c->suspects[c->n].key[4] = r->meal.message_id;
	}
	c->n++;
}

static struct store_fault fault_of(enum store_fault_kind kind,
    const struct record *r)
{
	struct store_fault f = { .kind = kind, .collection = r->kind,
		.user_id = record_user_id(r) };

	record_key(r, f.id, sizeof(f.id));
	return f;
}

static bool sums_agree(const struct meal *m)
{
	struct nutrients sum = { 0, 0, 0, 0 };

	for (int i = 0; i < m->nitems; i++)
		nutrients_add(&sum, &m->items[i].n);
	return memcmp(&sum, &m->sum, sizeof(sum)) == 0;
}

static enum rc own_count(struct sqlite_store *s, const int64_t *owner,
    int64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(s, SQL_OWN_COUNT, 2, owner, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(s, q, &row, e);
	if (rc == RC_OK && row)
		*out = sqlite3_column_int64(q, 0);
	sqlite_reset(q);
	return rc;
}

/* Of which *drifts says whether its figures are not what they count. */
static enum rc drift_look(struct checker *c, const struct record *r,
    bool *drifts, struct err *e)
{
	const int64_t owner[] = { c->slot, record_user_id(r) };
	int64_t count = 0;
	enum rc rc = RC_OK;

	*drifts = false;
	if (r->kind == COLLECTION_MEALS)
		*drifts = !sums_agree(&r->meal);
	if (r->kind == COLLECTION_USERS) {
		rc = own_count(c->s, owner, &count, e);
		*drifts = rc == RC_OK && count != r->user.own_foods;
	}
	return rc;
}

/* Of an unreadable row only what can be read is told: begun with zeros, the
 * record holds the columns before the one that cannot. */
static void unreadable(struct checker *c, const struct err *why)
{
	struct store_fault f = fault_of(STORE_UNREADABLE, c->record);

	(void)str_copy(f.words, sizeof(f.words), why->text);
	c->found(c->ctx, &f);
}

static enum rc row_check(struct checker *c, sqlite3_stmt *q,
    enum collection kind, struct err *e)
{
	struct record *r = c->record;
	struct err why = { RC_OK, "" };
	bool drifts = false;
	enum rc rc;

	memset(r, 0, sizeof(*r));
	rc = sqlite_record_read(c->s, q, kind, r, &why);
	if (rc != RC_OK) {
		unreadable(c, &why);
		return RC_OK;
	}
	if (slot_of(record_user_id(r)) != c->slot) {
		struct store_fault f = fault_of(STORE_WRONG_SLOT, r);

		(void)str_format(f.words, sizeof(f.words), "stored in slot %d, "
		    "belongs to slot %d", (int)c->slot,
		    (int)slot_of(record_user_id(r)));
		c->found(c->ctx, &f);
		/* What it should count is elsewhere. */
		return RC_OK;
	}
	rc = drift_look(c, r, &drifts, e);
	if (drifts)
		suspect_add(c, r);
	return rc;
}

static enum rc rows_check(struct checker *c, enum collection kind,
    struct err *e)
{
	const int64_t slot = c->slot;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(c->s, sql_of(SQL_SLOT_READ, kind), 1, &slot, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(c->s, q, &row, e);
	while (rc == RC_OK && row) {
		rc = row_check(c, q, kind, e);
		if (rc == RC_OK)
			rc = sqlite_row(c->s, q, &row, e);
	}
	sqlite_reset(q);
	return rc;
}

/* The record as it is now; RC_NOTFOUND: it has gone. */
static enum rc suspect_read(struct checker *c, const struct suspect *p,
    struct err *e)
{
	bool meal = p->kind == COLLECTION_MEALS;
	sqlite3_stmt *q = NULL;
	bool row = false;
	enum rc rc;

	rc = sqlite_query(c->s, meal ? SQL_MEAL_GET : sql_of(SQL_ONE_READ,
	    COLLECTION_USERS),
	    meal ? 5 : 2, p->key, &q, e);
	if (rc == RC_OK)
		rc = sqlite_row(c->s, q, &row, e);
	if (rc == RC_OK && !row)
		rc = RC_NOTFOUND;
	if (rc == RC_OK)
		rc = sqlite_record_read(c->s, q, p->kind, c->record, e);
	sqlite_reset(q);
	return rc;
}

/* The revision counts up: who read the record before must read it again. */
static enum rc mend(struct checker *c, const struct suspect *p, struct err *e)
{
	struct meal *m = &c->record->meal;
	sqlite3_stmt *q = NULL;
	enum rc rc;

	if (p->kind == COLLECTION_USERS) {
		rc = sqlite_exec(c->s, SQL_MEND_USER, 2, p->key, e);
	} else {
		meal_sum(m);
		rc = sqlite_query(c->s, SQL_MEND_MEAL, 0, NULL, &q, e);
		if (rc != RC_OK)
			return rc;
		(void)sqlite_bind(q, meal_columns, m);
		rc = sqlite_done(c->s, q, e);
	}
	return rc == RC_OK ? sqlite_mark(c->s, c->slot, p->key[1], e) : rc;
}

static enum rc suspect_check(struct checker *c, const struct suspect *p,
    bool *drifts, struct err *e)
{
	enum rc rc = suspect_read(c, p, e);

	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc == RC_OK)
		rc = drift_look(c, c->record, drifts, e);
	if (rc == RC_OK && *drifts && c->repair)
		rc = mend(c, p, e);
	return rc;
}

static enum rc suspect_settle(struct checker *c, const struct suspect *p,
    struct err *e)
{
	struct store_fault f;
	bool drifts = false;
	enum rc rc = sqlite_begin(c->s, e);

	if (rc != RC_OK)
		return rc;
	rc = sqlite_end(c->s, suspect_check(c, p, &drifts, e), e);
	if (rc != RC_OK || !drifts)
		return rc;
	f = fault_of(STORE_DRIFT, c->record);
	f.repaired = c->repair;
	(void)str_copy(f.words, sizeof(f.words), p->kind == COLLECTION_USERS ?
	    "own_foods is not the number of own foods stored" :
	    "the sums are not those of the items");
	c->found(c->ctx, &f);
	return RC_OK;
}

enum rc sqlite_check(struct store *st, int32_t slot, bool repair,
    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
    struct err *e)
{
	struct checker c = { .s = (struct sqlite_store *)st, .slot = slot,
		.repair = repair, .found = found, .ctx = ctx };
	enum rc rc = sqlite_look(c.s, e);

	if (rc != RC_OK)
		return rc;
	c.record = xmalloc(sizeof(*c.record));
	for (int k = 0; rc == RC_OK && k < COLLECTION_COUNT; k++)
		rc = rows_check(&c, k, e);
	rc = sqlite_seen(c.s, rc, e);
	for (size_t i = 0; rc == RC_OK && i < c.n; i++)
		rc = suspect_settle(&c, &c.suspects[i], e);
	free(c.record);
	free(c.suspects);
	return rc;
}
