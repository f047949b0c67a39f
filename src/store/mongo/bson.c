/*
 * bson.c - structs to documents and back, by their tables of columns.
 *
 * Owns no memory: what is read borrows from the document or is copied into
 * the caller's struct.  Nothing that a server sends may end the process.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

#include "utils/buf.h"

static bool skipped(const char *const *skip, const char *name)
{
	for (; skip != NULL && *skip != NULL; skip++)
		if (strcmp(*skip, name) == 0)
			return true;
	return false;
}

enum rc mongo_put_row(bson_t *doc, const struct column *columns,
    const char *const *skip, const void *row, struct err *e)
{
	const struct column *c;

	for (c = columns; c->name != NULL; c++) {
		const char *field = (const char *)row + c->offset;
		int32_t i32;
		int64_t i64;
		size_t len;

		if (skipped(skip, c->name))
			continue;
		switch (c->type) {
		case COLUMN_I32:
			memcpy(&i32, field, sizeof(i32));
			bson_append_int32(doc, c->name, -1, i32);
			break;
		case COLUMN_I64:
			memcpy(&i64, field, sizeof(i64));
			bson_append_int64(doc, c->name, -1, i64);
			break;
		case COLUMN_TEXT:
			len = strnlen(field, c->size);
			if (!bson_utf8_validate(field, len, false))
				return err_set(e, RC_INVALID,
				    "%s is not valid UTF-8", c->name);
			bson_append_utf8(doc, c->name, -1, field, (int)len);
			break;
		}
	}
	return RC_OK;
}

bool mongo_iter_i64(const bson_iter_t *it, int64_t *out)
{
	if (!BSON_ITER_HOLDS_INT32(it) && !BSON_ITER_HOLDS_INT64(it))
		return false;
	*out = bson_iter_as_int64(it);
	return true;
}

static bool get_field(const bson_iter_t *it, const struct column *c, void *row)
{
	char *field = (char *)row + c->offset;
	const char *text;
	uint32_t len;
	int64_t i64;
	int32_t i32;

	if (c->type == COLUMN_TEXT) {
		if (!BSON_ITER_HOLDS_UTF8(it))
			return false;
		text = bson_iter_utf8(it, &len);
		if (len >= c->size || strlen(text) != len ||
		    !bson_utf8_validate(text, len, false))
			return false;
		return str_copy_n(field, c->size, text, len);
	}
	if (!mongo_iter_i64(it, &i64))
		return false;
	if (c->type == COLUMN_I64) {
		memcpy(field, &i64, sizeof(i64));
		return true;
	}
	if (i64 < INT32_MIN || i64 > INT32_MAX)
		return false;
	i32 = (int32_t)i64;
	memcpy(field, &i32, sizeof(i32));
	return true;
}

/* Fields mostly come in the order of the table: the search goes on where the
 * last one was found. */
static const struct column *find_column(const struct column *columns,
    const struct column *next, const char *name)
{
	const struct column *c;

	for (c = next; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	for (c = columns; c != next; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

bool mongo_get_row(const bson_t *doc, const struct column *columns, void *row)
{
	const struct column *next = columns, *c;
	bson_iter_t it;

	if (!bson_iter_init(&it, doc))
		return false;
	while (bson_iter_next(&it)) {
		c = find_column(columns, next, bson_iter_key(&it));
		if (c == NULL)
			continue;
		if (!get_field(&it, c, row))
			return false;
		next = c + 1;
	}
	return it.err_off == 0;
}

bool mongo_get_i64(const bson_t *doc, const char *dotted, int64_t *out)
{
	bson_iter_t it, found;

	return bson_iter_init(&it, doc) &&
	    bson_iter_find_descendant(&it, dotted, &found) &&
	    mongo_iter_i64(&found, out);
}

bool mongo_iter_doc(const bson_iter_t *it, bson_t *out)
{
	const uint8_t *data;
	uint32_t len;

	if (BSON_ITER_HOLDS_DOCUMENT(it))
		bson_iter_document(it, &len, &data);
	else if (BSON_ITER_HOLDS_ARRAY(it))
		bson_iter_array(it, &len, &data);
	else
		return false;
	return bson_init_static(out, data, len);
}

bool mongo_get_doc(const bson_t *doc, const char *key, bson_t *out)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && mongo_iter_doc(&it, out);
}
