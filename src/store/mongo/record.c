/*
 * record.c - whole documents of people, foods and jobs, read with care.
 *
 * Owns no memory; what is read is copied into the caller's struct.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <string.h>

#include "utils/buf.h"

void mongo_doc_key(const bson_t *doc, char *out, size_t size)
{
	bson_iter_t it;
	int64_t number;

	if (!bson_iter_init_find(&it, doc, "_id"))
		str_copy(out, size, "?");
	else if (BSON_ITER_HOLDS_UTF8(&it))
		str_copy(out, size, bson_iter_utf8(&it, NULL));
	else if (mongo_iter_i64(&it, &number))
		str_format(out, size, "%" PRId64, number);
	else
		str_copy(out, size, "?");
}

enum rc mongo_corrupt_doc(struct mongo_store *ms, const char *collection,
    const bson_t *doc, struct err *e)
{
	char key[JOB_ID_SIZE];

	mongo_doc_key(doc, key, sizeof(key));
	return err_set(e, RC_CORRUPT, "shard %s: MongoDB: unreadable document "
	    "%s in %s: look at it with familybotctl shards verify", ms->name,
	    key, collection);
}

bool mongo_get_user(const bson_t *doc, struct user *u)
{
	int64_t id;

	memset(u, 0, sizeof(*u));
	return mongo_get_row(doc, user_columns, u) &&
	    mongo_get_i64(doc, "_id", &id) && id == u->user_id && u->rev >= 1;
}

bool mongo_get_own_food(const bson_t *doc, struct own_food *f)
{
	memset(f, 0, sizeof(*f));
	return bson_has_field(doc, "user_id") &&
	    mongo_get_row(doc, own_food_columns, f) && f->key[0] != '\0';
}

bool mongo_get_job(const bson_t *doc, struct job *j)
{
	static const struct column id_column[] = {
		{ "_id", COLUMN_TEXT, offsetof(struct job, id), JOB_ID_SIZE },
		COL_END
	};

	memset(j, 0, sizeof(*j));
	return mongo_get_row(doc, id_column, j) &&
	    mongo_get_row(doc, job_columns, j) && j->id[0] != '\0' &&
	    j->state >= JOB_READY && j->state <= JOB_DEAD;
}

void mongo_list_doc_begin(bson_t *list, uint32_t pos, bson_t *doc)
{
	char number[16];
	const char *key;

	bson_uint32_to_string(pos, &key, number, sizeof(number));
	bson_append_document_begin(list, key, -1, doc);
}

void mongo_list_i64(bson_t *list, uint32_t pos, int64_t value)
{
	char number[16];
	const char *key;

	bson_uint32_to_string(pos, &key, number, sizeof(number));
	bson_append_int64(list, key, -1, value);
}
