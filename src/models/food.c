/*
 * food.c - sums of nutrients, and meals as they are stored.
 *
 * Items are stored as one JSON array of arrays, a row per item in the order
 * name, query, food_id, source, guessed, mg, cal, protein, fat, carb: short,
 * and the same bytes for the same meal, so that digests can be compared.
 * Owns no memory; may not know any backend.
 */
#include "config.h"

#include "models/food.h"

#include <inttypes.h>
#include <string.h>

#include "utils/json.h"

enum { ITEM_FIELDS = 10 };

/* Larger than any meal can sum up to; keeps decoded sums from overflowing. */
#define AMOUNT_MAX INT64_C(1000000000000)

/* The four figures of field f, of struct nutrients, in struct s. */
#define COL_NUTRIENTS(s, f) \
	{ "cal", COLUMN_I64, offsetof(struct s, f.cal), 8 }, \
	{ "protein", COLUMN_I64, offsetof(struct s, f.protein), 8 }, \
	{ "fat", COLUMN_I64, offsetof(struct s, f.fat), 8 }, \
	{ "carb", COLUMN_I64, offsetof(struct s, f.carb), 8 }

const struct column meal_columns[] = {
	COL_I64(meal, user_id),
	COL_I32(meal, slot),
	COL_I32(meal, day),
	COL_I64(meal, chat_id),
	COL_I64(meal, message_id),
	COL_I64(meal, at),
	COL_I64(meal, edit_date),
	COL_I32(meal, rev),
	COL_I32(meal, deleted),
	COL_NUTRIENTS(meal, sum),
	COL_END
};

const struct column food_item_columns[] = {
	COL_TEXT(food_item, name),
	COL_TEXT(food_item, query),
	COL_I32(food_item, food_id),
	COL_I32(food_item, source),
	COL_I32(food_item, guessed),
	COL_I64(food_item, mg),
	COL_NUTRIENTS(food_item, n),
	COL_END
};

const struct column own_food_columns[] = {
	COL_I64(own_food, user_id),
	COL_I32(own_food, slot),
	COL_TEXT(own_food, key),
	COL_TEXT(own_food, name),
	COL_NUTRIENTS(own_food, per100),
	COL_I64(own_food, updated_at),
	COL_END
};

void nutrients_add(struct nutrients *sum, const struct nutrients *n)
{
	sum->cal += n->cal;
	sum->protein += n->protein;
	sum->fat += n->fat;
	sum->carb += n->carb;
}

void nutrients_sub(struct nutrients *sum, const struct nutrients *n)
{
	sum->cal -= n->cal;
	sum->protein -= n->protein;
	sum->fat -= n->fat;
	sum->carb -= n->carb;
}

/* A part of a value per 100 g, for mg >= 0, rounded to nearest. */
static int64_t part(int64_t per100, int64_t mg)
{
	return (per100 * mg + 50000) / 100000;
}

struct nutrients nutrients_for(const struct nutrients *per100, int64_t mg)
{
	return (struct nutrients){
		.cal = part(per100->cal, mg),
		.protein = part(per100->protein, mg),
		.fat = part(per100->fat, mg),
		.carb = part(per100->carb, mg),
	};
}

void meal_sum(struct meal *m)
{
	struct nutrients sum = { 0, 0, 0, 0 };

	for (int i = 0; i < m->nitems; i++)
		nutrients_add(&sum, &m->items[i].n);
	m->sum = sum;
}

/* ",v" without printf: every meal that is written passes here. */
static char *put_number(char *to, int64_t v)
{
	char digits[20];
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = 0;

	*to++ = ',';
	if (v < 0)
		*to++ = '-';
	do {
		digits[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (n > 0)
		*to++ = digits[--n];
	return to;
}

void meal_items_encode(const struct meal *m, struct buf *out)
{
	buf_putc(out, '[');
	for (int i = 0; i < m->nitems; i++) {
		const struct food_item *it = &m->items[i];
		char numbers[8 * 22], *end = numbers;

		buf_puts(out, i > 0 ? ",[" : "[");
		json_put_str(out, it->name);
		buf_putc(out, ',');
		json_put_str(out, it->query);
		end = put_number(end, it->food_id);
		end = put_number(end, it->source);
		end = put_number(end, it->guessed);
		end = put_number(end, it->mg);
		end = put_number(end, it->n.cal);
		end = put_number(end, it->n.protein);
		end = put_number(end, it->n.fat);
		end = put_number(end, it->n.carb);
		*end++ = ']';
		buf_add(out, numbers, (size_t)(end - numbers));
	}
	buf_putc(out, ']');
}

static bool text_decode(struct json_object *j, char *dst, size_t size)
{
	const char *s = json_str_value(j);

	return s != NULL && strlen(s) < size && str_copy(dst, size, s);
}

static bool number_decode(struct json_object *j, int64_t max, int64_t *out)
{
	int64_t v;

	if (!json_i64_value(j, &v) || v < 0 || v > max)
		return false;
	*out = v;
	return true;
}

static bool item_decode(struct json_object *j, struct food_item *it)
{
	int64_t v[ITEM_FIELDS] = { 0 };

	memset(it, 0, sizeof(*it));
	if (j == NULL || json_len(j) != ITEM_FIELDS)
		return false;
	if (!text_decode(json_at(j, 0), it->name, sizeof(it->name)) ||
	    !text_decode(json_at(j, 1), it->query, sizeof(it->query)))
		return false;
	for (size_t i = 2; i < ITEM_FIELDS; i++)
		if (!number_decode(json_at(j, i),
		    i < 5 ? INT32_MAX : AMOUNT_MAX, &v[i]))
			return false;
	if (v[3] > FOOD_SRC_RECIPE || v[4] > 1)
		return false;
	it->food_id = (int32_t)v[2];
	it->source = (int32_t)v[3];
	it->guessed = (int32_t)v[4];
	it->mg = v[5];
	it->n = (struct nutrients){ v[6], v[7], v[8], v[9] };
	return true;
}

/*
 * What meal_items_encode wrote, read without building a tree: reading is most
 * of what moving a slot costs.  It takes less than JSON allows; what it does
 * not take (an escape, a damage) is left to the parser, which has the last word.
 */
struct plain {
	const char *p, *end;
};

static bool plain_is(struct plain *in, char c)
{
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static bool plain_text(struct plain *in, char *out, size_t size)
{
	const char *s;
	bool ascii = true;
	size_t len;

	if (!plain_is(in, '"'))
		return false;
	for (s = in->p; in->p < in->end && *in->p != '"'; in->p++) {
		unsigned char c = (unsigned char)*in->p;

		if (c < 0x20 || c == '\\')
			return false;
		ascii &= c < 0x80;
	}
	len = (size_t)(in->p - s);
	if (len >= size || !plain_is(in, '"') || (!ascii && !json_utf8(s, len)))
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

static bool plain_number(struct plain *in, int64_t max, int64_t *out)
{
	const char *s = in->p;
	int64_t v = 0;

	while (in->p < in->end && *in->p >= '0' && *in->p <= '9' && v <= max)
		v = v * 10 + (*in->p++ - '0');
	*out = v;
	return in->p > s && v <= max && (*s != '0' || in->p == s + 1);
}

static bool plain_item(struct plain *in, struct food_item *it)
{
	static const int64_t most[ITEM_FIELDS - 2] = { INT32_MAX,
		FOOD_SRC_RECIPE, 1, AMOUNT_MAX, AMOUNT_MAX, AMOUNT_MAX,
		AMOUNT_MAX, AMOUNT_MAX };
	int64_t v[ITEM_FIELDS - 2];

	memset(it, 0, sizeof(*it));
	if (!plain_is(in, '[') ||
	    !plain_text(in, it->name, sizeof(it->name)) || !plain_is(in, ',') ||
	    !plain_text(in, it->query, sizeof(it->query)))
		return false;
	for (size_t i = 0; i < ITEM_FIELDS - 2; i++)
		if (!plain_is(in, ',') || !plain_number(in, most[i], &v[i]))
			return false;
	it->food_id = (int32_t)v[0];
	it->source = (int32_t)v[1];
	it->guessed = (int32_t)v[2];
	it->mg = v[3];
	it->n = (struct nutrients){ v[4], v[5], v[6], v[7] };
	return plain_is(in, ']');
}

/* n: how many items there are. */
static bool plain_items(const char *json, size_t len,
    struct food_item items[MEAL_ITEMS_MAX], size_t *n)
{
	struct plain in = { json, json + len };

	if (!plain_is(&in, '['))
		return false;
	*n = 0;
	if (!plain_is(&in, ']')) {
		do {
			if (*n == MEAL_ITEMS_MAX ||
			    !plain_item(&in, &items[*n]))
				return false;
			++*n;
		} while (plain_is(&in, ','));
		if (!plain_is(&in, ']'))
			return false;
	}
	return in.p == in.end;
}

enum rc meal_items_decode(struct meal *m, const char *json, size_t len)
{
	struct json_object *j = NULL;
	struct food_item items[MEAL_ITEMS_MAX];
	enum rc rc = RC_CORRUPT;
	size_t n;

	if (!plain_items(json, len, items, &n)) {
		if (json_parse(json, len, &j, NULL) != RC_OK)
			goto out;
		if (len == 0 || json[0] != '[')
			goto out;
		n = json_len(j);
		if (n > MEAL_ITEMS_MAX)
			goto out;
		for (size_t i = 0; i < n; i++)
			if (!item_decode(json_at(j, i), &items[i]))
				goto out;
	}
	memcpy(m->items, items, n * sizeof(items[0]));
	m->nitems = (int)n;
	rc = RC_OK;
out:
	json_free(j);
	return rc;
}
