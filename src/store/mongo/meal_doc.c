/*
 * meal_doc.c - meals inside the document of a day, to and fro.
 *
 * Pure: no server is asked here.  Owns no memory; what is read is copied.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <string.h>

#include "utils/buf.h"

/* Said once, in the day's document. */
static const char *const day_fields[] = { "user_id", "slot", "day", NULL };

void mongo_day_id(char id[MONGO_ID_SIZE], int64_t user_id, int32_t day)
{
	str_format(id, MONGO_ID_SIZE, "%" PRId64 ":%" PRId32, user_id, day);
}

void mongo_meal_id(char id[MONGO_ID_SIZE], int64_t chat_id, int64_t message_id)
{
	str_format(id, MONGO_ID_SIZE, "%" PRId64 ":%" PRId64, chat_id,
	    message_id);
}

static enum rc put_items(bson_t *doc, const struct meal *m, struct err *e)
{
	bson_t list, item;
	char number[16];
	const char *pos;
	enum rc rc = RC_OK;

	BSON_APPEND_ARRAY_BEGIN(doc, "items", &list);
	for (int i = 0; i < m->nitems && rc == RC_OK; i++) {
		bson_uint32_to_string((uint32_t)i, &pos, number,
		    sizeof(number));
		bson_append_document_begin(&list, pos, -1, &item);
		rc = mongo_put_row(&item, food_item_columns, NULL,
		    &m->items[i], e);
		bson_append_document_end(&list, &item);
	}
	bson_append_array_end(doc, &list);
	return rc;
}

enum rc mongo_put_meal(bson_t *doc, const char *key, const struct meal *m,
    struct err *e)
{
	char id[MONGO_ID_SIZE];
	enum rc rc;
	bson_t el;

	if (m->nitems < 0 || m->nitems > MEAL_ITEMS_MAX)
		return err_set(e, RC_INVALID, "a meal of %" PRId32 " items",
		    m->nitems);
	mongo_meal_id(id, m->chat_id, m->message_id);
	bson_append_document_begin(doc, key, -1, &el);
	BSON_APPEND_UTF8(&el, "id", id);
	rc = mongo_put_row(&el, meal_columns, day_fields, m, e);
	if (rc == RC_OK)
		rc = put_items(&el, m, e);
	bson_append_document_end(doc, &el);
	return rc;
}

static bool get_items(const bson_t *el, struct meal *m)
{
	bson_iter_t it;
	bson_t list, item;
	int n = 0;

	if (!mongo_get_doc(el, "items", &list) || !bson_iter_init(&it, &list))
		return false;
	for (; bson_iter_next(&it); n++) {
		if (n >= MEAL_ITEMS_MAX || !mongo_iter_doc(&it, &item) ||
		    !mongo_get_row(&item, food_item_columns, &m->items[n]))
			return false;
	}
	m->nitems = n;
	return it.err_off == 0;
}

bool mongo_get_meal(const bson_t *day_doc, const bson_t *el, struct meal *m)
{
	int64_t user_id, slot, day;

	memset(m, 0, sizeof(*m));
	if (!mongo_get_i64(day_doc, "user_id", &user_id) ||
	    !mongo_get_i64(day_doc, "slot", &slot) ||
	    !mongo_get_i64(day_doc, "day", &day))
		return false;
	m->user_id = user_id;
	m->slot = (int32_t)slot;
	m->day = (int32_t)day;
	return mongo_get_row(el, meal_columns, m) && get_items(el, m);
}

bool mongo_get_total(const bson_t *day_doc, int32_t day, struct day_sum *out)
{
	struct day_sum sum = { .day = day };
	int64_t meals;
	bson_t total;

	if (!mongo_get_doc(day_doc, "total", &total) ||
	    !mongo_get_i64(&total, "meals", &meals) ||
	    meals < 0 || meals > MEALS_PER_DAY_MAX ||
	    !mongo_get_i64(&total, "cal", &sum.sum.cal) ||
	    !mongo_get_i64(&total, "protein", &sum.sum.protein) ||
	    !mongo_get_i64(&total, "fat", &sum.sum.fat) ||
	    !mongo_get_i64(&total, "carb", &sum.sum.carb))
		return false;
	sum.meals = (int32_t)meals;
	*out = sum;
	return true;
}

void mongo_day_count(struct day_sum *day, const struct meal *m)
{
	if (m->deleted)
		return;
	day->meals++;
	nutrients_add(&day->sum, &m->sum);
}

void mongo_put_total(bson_t *doc, const struct day_sum *day)
{
	bson_t total;

	BSON_APPEND_DOCUMENT_BEGIN(doc, "total", &total);
	BSON_APPEND_INT64(&total, "meals", day->meals);
	BSON_APPEND_INT64(&total, "cal", day->sum.cal);
	BSON_APPEND_INT64(&total, "protein", day->sum.protein);
	BSON_APPEND_INT64(&total, "fat", day->sum.fat);
	BSON_APPEND_INT64(&total, "carb", day->sum.carb);
	bson_append_document_end(doc, &total);
}
