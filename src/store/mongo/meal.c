/*
 * meal.c - one meal: record, read, change.
 *
 * Recording is one findAndModify on the day's document that appends the meal,
 * adds to the day's sum and answers it; the filter leaves out a day that
 * holds the meal already, so that the upsert then collides with the day's own
 * _id (11000), which tells a repeated delivery.  Owns no memory beyond a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include "models/slot.h"
#include "utils/buf.h"

enum { ADD_TRIES = 2 };

/* What a meal adds to its day: nothing when it is deleted. */
static struct day_sum share(const struct meal *m)
{
	struct day_sum d = { .day = m->day };

	mongo_day_count(&d, m);
	return d;
}

static void put_inc(bson_t *update, const struct day_sum *d)
{
	bson_t inc;

	BSON_APPEND_DOCUMENT_BEGIN(update, "$inc", &inc);
	BSON_APPEND_INT64(&inc, "total.meals", d->meals);
	BSON_APPEND_INT64(&inc, "total.cal", d->sum.cal);
	BSON_APPEND_INT64(&inc, "total.protein", d->sum.protein);
	BSON_APPEND_INT64(&inc, "total.fat", d->sum.fat);
	BSON_APPEND_INT64(&inc, "total.carb", d->sum.carb);
	bson_append_document_end(update, &inc);
}

/* The end of both commands: answer the day's sum as it is afterwards. */
static void put_answer(bson_t *cmd)
{
	bson_t fields;

	BSON_APPEND_BOOL(cmd, "new", true);
	BSON_APPEND_DOCUMENT_BEGIN(cmd, "fields", &fields);
	BSON_APPEND_INT32(&fields, "total", 1);
	bson_append_document_end(cmd, &fields);
}

static enum rc add_command(bson_t *cmd, const struct meal *m, struct err *e)
{
	char id[MONGO_ID_SIZE], meal_id[MONGO_ID_SIZE], last[32];
	bson_t query, update, part;
	struct day_sum d = share(m);
	enum rc rc;

	mongo_day_id(id, m->user_id, m->day);
	mongo_meal_id(meal_id, m->chat_id, m->message_id);
	str_format(last, sizeof(last), "meals.%d", MEALS_PER_DAY_MAX - 1);
	BSON_APPEND_UTF8(cmd, "findAndModify", MONGO_DAYS);
	BSON_APPEND_DOCUMENT_BEGIN(cmd, "query", &query);
	BSON_APPEND_UTF8(&query, "_id", id);
	BSON_APPEND_INT64(&query, "user_id", m->user_id);
	BSON_APPEND_DOCUMENT_BEGIN(&query, "meals.id", &part);
	BSON_APPEND_UTF8(&part, "$ne", meal_id);
	bson_append_document_end(&query, &part);
	BSON_APPEND_DOCUMENT_BEGIN(&query, last, &part);
	BSON_APPEND_BOOL(&part, "$exists", false);
	bson_append_document_end(&query, &part);
	bson_append_document_end(cmd, &query);
	BSON_APPEND_DOCUMENT_BEGIN(cmd, "update", &update);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$setOnInsert", &part);
	BSON_APPEND_INT32(&part, "slot", m->slot);
	BSON_APPEND_INT32(&part, "day", m->day);
	BSON_APPEND_DATE_TIME(&part, "date", (int64_t)m->day * MONGO_MS_PER_DAY);
	bson_append_document_end(&update, &part);
	put_inc(&update, &d);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$push", &part);
	rc = mongo_put_meal(&part, "meals", m, e);
	bson_append_document_end(&update, &part);
	bson_append_document_end(cmd, &update);
	BSON_APPEND_BOOL(cmd, "upsert", true);
	put_answer(cmd);
	return rc;
}

/* The day's sum in a findAndModify's answer; RC_NOTFOUND: nothing matched. */
static enum rc answer_total(struct mongo_store *ms, const bson_t *reply,
    int32_t day, struct day_sum *out, struct err *e)
{
	bson_t value;

	if (!mongo_get_doc(reply, "value", &value))
		return RC_NOTFOUND;
	if (!mongo_get_total(&value, day, out))
		return mongo_corrupt(ms, "day", e);
	return RC_OK;
}

/* Reads a meal with its day's sum.  RC_NOTFOUND: the day or the meal is not
 * there. */
static enum rc meal_read(struct mongo_store *ms, const struct meal *key,
    struct meal *out, struct day_sum *sum, struct err *e)
{
	bson_t filter = BSON_INITIALIZER, *fields, reply, doc, list, el;
	struct mongo_find f = { MONGO_DAYS, &filter, NULL, NULL, 1 };
	char id[MONGO_ID_SIZE], meal_id[MONGO_ID_SIZE];
	bson_iter_t batch, it;
	enum rc rc;

	mongo_day_id(id, key->user_id, key->day);
	mongo_meal_id(meal_id, key->chat_id, key->message_id);
	BSON_APPEND_UTF8(&filter, "_id", id);
	BSON_APPEND_INT64(&filter, "user_id", key->user_id);
	fields = BCON_NEW("user_id", BCON_INT32(1), "slot", BCON_INT32(1),
	    "day", BCON_INT32(1), "total", BCON_INT32(1),
	    "meals", "{", "$elemMatch", "{", "id", BCON_UTF8(meal_id), "}",
	    "}");
	f.projection = fields;
	rc = mongo_find(ms, &f, &reply, e);
	if (rc == RC_OK)
		rc = mongo_batch_init(ms, &reply, &batch, e);
	if (rc != RC_OK)
		goto out;
	if (!mongo_batch_next(&batch, &doc) ||
	    !mongo_get_doc(&doc, "meals", &list) ||
	    !bson_iter_init(&it, &list) || !bson_iter_next(&it))
		rc = err_set(e, RC_NOTFOUND, "no such meal");
	else if (!mongo_iter_doc(&it, &el) ||
	    !mongo_get_total(&doc, key->day, sum) ||
	    !mongo_get_meal(&doc, &el, out))
		rc = mongo_corrupt(ms, "meal", e);
out:
	bson_destroy(&reply);
	bson_destroy(fields);
	bson_destroy(&filter);
	return rc;
}

/* One try to append.  RC_CONFLICT: the day holds the meal, or is full, or
 * another made the day's document meanwhile. */
static enum rc add_once(struct mongo_store *ms, const struct meal *m,
    struct day_sum *sum, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, reply = BSON_INITIALIZER;
	enum rc rc;

	rc = add_command(&cmd, m, e);
	if (rc == RC_OK) {
		bson_destroy(&reply);
		rc = mongo_write(ms, &cmd, &reply, e);
	}
	if (rc == RC_OK)
		rc = answer_total(ms, &reply, m->day, sum, e);
	if (rc == RC_NOTFOUND)
		rc = mongo_corrupt(ms, "answer", e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

enum rc mongo_meal_add(struct store *s, struct meal *m, struct day_sum *day,
    struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct meal stored;
	struct day_sum sum;
	enum rc rc;

	rc = mongo_mark(ms, m->user_id, e);
	if (rc != RC_OK)
		return rc;
	m->slot = slot_of(m->user_id);
	m->rev = 1;
	/* The second try is for a day that another began at the same moment;
	 * a day that still refuses then is full. */
	for (int tries = 0; tries < ADD_TRIES; tries++) {
		rc = add_once(ms, m, &sum, e);
		if (rc == RC_OK && day != NULL)
			*day = sum;
		if (rc != RC_CONFLICT)
			return rc;
		rc = meal_read(ms, m, &stored, &sum, e);
		if (rc == RC_OK) {
			*m = stored;
			if (day != NULL)
				*day = sum;
			return err_set(e, RC_CONFLICT,
			    "the meal is stored already");
		}
		if (rc != RC_NOTFOUND)
			return rc;
	}
	return err_set(e, RC_TOOBIG, "%d meals are stored for that day, which "
	    "is the most", MEALS_PER_DAY_MAX);
}

enum rc mongo_meal_get(struct store *s, int64_t user_id, int32_t day,
    int64_t chat_id, int64_t message_id, struct meal *out, struct err *e)
{
	struct meal key = { .user_id = user_id, .day = day,
		.chat_id = chat_id, .message_id = message_id };
	struct meal stored;
	struct day_sum sum;
	enum rc rc;

	rc = meal_read(mongo_begin(s), &key, &stored, &sum, e);
	if (rc == RC_OK)
		*out = stored;
	return rc;
}

/* Sets the element whose rev is was, and adds diff to the day's sum. */
static enum rc replace_command(bson_t *cmd, const struct meal *m, int32_t was,
    const struct day_sum *diff, struct err *e)
{
	char id[MONGO_ID_SIZE], meal_id[MONGO_ID_SIZE];
	bson_t query, update, part, match;
	enum rc rc;

	mongo_day_id(id, m->user_id, m->day);
	mongo_meal_id(meal_id, m->chat_id, m->message_id);
	BSON_APPEND_UTF8(cmd, "findAndModify", MONGO_DAYS);
	BSON_APPEND_DOCUMENT_BEGIN(cmd, "query", &query);
	BSON_APPEND_UTF8(&query, "_id", id);
	BSON_APPEND_INT64(&query, "user_id", m->user_id);
	BSON_APPEND_DOCUMENT_BEGIN(&query, "meals", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "$elemMatch", &match);
	BSON_APPEND_UTF8(&match, "id", meal_id);
	BSON_APPEND_INT32(&match, "rev", was);
	bson_append_document_end(&part, &match);
	bson_append_document_end(&query, &part);
	bson_append_document_end(cmd, &query);
	BSON_APPEND_DOCUMENT_BEGIN(cmd, "update", &update);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &part);
	rc = mongo_put_meal(&part, "meals.$[m]", m, e);
	bson_append_document_end(&update, &part);
	put_inc(&update, diff);
	bson_append_document_end(cmd, &update);
	BSON_APPEND_ARRAY_BEGIN(cmd, "arrayFilters", &part);
	BSON_APPEND_DOCUMENT_BEGIN(&part, "0", &match);
	BSON_APPEND_UTF8(&match, "m.id", meal_id);
	bson_append_document_end(&part, &match);
	bson_append_array_end(cmd, &part);
	put_answer(cmd);
	return rc;
}

static enum rc replace_once(struct mongo_store *ms, const struct meal *m,
    int32_t was, const struct day_sum *diff, struct day_sum *sum,
    struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, reply = BSON_INITIALIZER;
	enum rc rc;

	rc = replace_command(&cmd, m, was, diff, e);
	if (rc == RC_OK) {
		bson_destroy(&reply);
		rc = mongo_write(ms, &cmd, &reply, e);
	}
	if (rc == RC_OK)
		rc = answer_total(ms, &reply, m->day, sum, e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

static enum rc lost(struct err *e)
{
	return err_set(e, RC_CONFLICT, "the meal was changed by another "
	    "request: read it again");
}

/*
 * The difference is taken from the meal as it was read at m->rev, and written
 * only if it still has that rev: nobody can have changed it between.
 */
enum rc mongo_meal_replace(struct store *s, struct meal *m,
    struct day_sum *day, struct err *e)
{
	struct mongo_store *ms = mongo_begin(s);
	struct day_sum diff, before, sum;
	struct meal next = *m, stored;
	enum rc rc;

	if (m->rev <= 0)
		return err_set(e, RC_INVALID, "a meal that is not stored "
		    "cannot be replaced");
	rc = meal_read(ms, m, &stored, &sum, e);
	if (rc != RC_OK)
		return rc;
	if (stored.rev != m->rev)
		return lost(e);
	next.slot = slot_of(m->user_id);
	next.rev = m->rev + 1;
	diff = share(&next);
	before = share(&stored);
	diff.meals -= before.meals;
	nutrients_sub(&diff.sum, &before.sum);
	rc = mongo_mark(ms, m->user_id, e);
	if (rc == RC_OK)
		rc = replace_once(ms, &next, m->rev, &diff, &sum, e);
	if (rc == RC_NOTFOUND)
		return lost(e);
	if (rc == RC_OK) {
		*m = next;
		if (day != NULL)
			*day = sum;
	}
	return rc;
}
