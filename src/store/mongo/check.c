/*
 * check.c - looks at every document of a slot, and mends what can be
 * computed from the rest of it.
 *
 * A repair is a compare-and-set on what was looked at: a document that
 * somebody changed meanwhile is left as it is, and is found again if it is
 * still wrong.  Owns the counts of own foods during a call.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/slot.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

void mongo_check_tell(const struct mongo_checker *c, struct store_fault *f,
    const bson_t *doc, const char *words)
{
	if (f->id[0] == '\0')
		mongo_doc_key(doc, f->id, sizeof(f->id));
	str_copy(f->words, sizeof(f->words), words);
	c->found(c->ctx, f);
}

void mongo_check_unreadable(const struct mongo_checker *c, enum collection kind,
    const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_UNREADABLE,
		.collection = kind };

	if (!mongo_get_i64(doc, "user_id", &f.user_id))
		f.user_id = 0;
	mongo_check_tell(c, &f, doc, "a field is missing, or is not as it was written");
}

void mongo_check_slot(const struct mongo_checker *c, enum collection kind,
    const bson_t *doc, int64_t user_id)
{
	struct store_fault f = { .kind = STORE_WRONG_SLOT,
		.collection = kind, .user_id = user_id };
	char words[sizeof(f.words)];

	if (slot_of(user_id) == c->slot)
		return;
	str_format(words, sizeof(words), "stored in slot %" PRId32
	    ", belongs to slot %" PRId32, c->slot, slot_of(user_id));
	mongo_check_tell(c, &f, doc, words);
}

/* Runs an update; was a document changed? */
bool mongo_check_mend(const struct mongo_checker *c, const char *collection,
    const bson_t *query, const bson_t *set)
{
	int64_t n = 0;
	bson_t *cmd, reply;
	enum rc rc;

	cmd = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{",
	    "q", BCON_DOCUMENT(query),
	    "u", "{", "$set", BCON_DOCUMENT(set), "}", "}", "]");
	rc = mongo_write(mongo_begin(&c->ms->store), cmd, &reply, NULL);
	if (rc == RC_OK && !mongo_get_i64(&reply, "n", &n))
		n = 0;
	bson_destroy(&reply);
	bson_destroy(cmd);
	return n == 1;
}

static int64_t foods_of(const struct mongo_checker *c, int64_t user_id)
{
	size_t low = 0, high = c->nfoods;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->foods[mid].user_id < user_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->nfoods && c->foods[low].user_id == user_id ?
	    c->foods[low].n : 0;
}

/* A shard that is served changes meanwhile: who seems to have other foods than
 * their record says is looked at once more, and drifts only if the record was
 * the same before and after the count. */
static bool user_drifts(const struct mongo_checker *c, struct user *u, int64_t *n)
{
	struct store *s = &c->ms->store;
	struct user before;
	bson_t *query;
	enum rc rc;

	rc = s->ops->user_get(s, u->user_id, &before, NULL);
	query = BCON_NEW("user_id", BCON_INT64(u->user_id),
	    "slot", BCON_INT32(c->slot));
	if (rc == RC_OK)
		rc = mongo_count(c->ms, MONGO_FOODS, query, n, NULL);
	bson_destroy(query);
	if (rc == RC_OK)
		rc = s->ops->user_get(s, u->user_id, u, NULL);
	return rc == RC_OK && before.rev == u->rev && *n != u->own_foods;
}

static bool mend_user(const struct mongo_checker *c, const struct user *u, int64_t n)
{
	bson_t *query, *set;
	bool done;

	if (!c->repair)
		return false;
	query = BCON_NEW("_id", BCON_INT64(u->user_id),
	    "user_id", BCON_INT64(u->user_id), "rev", BCON_INT32(u->rev));
	set = BCON_NEW("own_foods", BCON_INT32((int32_t)n),
	    "rev", BCON_INT32(u->rev + 1));
	done = mongo_check_mend(c, MONGO_USERS, query, set);
	bson_destroy(set);
	bson_destroy(query);
	return done;
}

static void look_user(struct mongo_checker *c, const bson_t *doc)
{
	struct store_fault f = { .kind = STORE_DRIFT };
	char words[sizeof(f.words)];
	struct user u;
	int64_t n;

	if (!mongo_get_user(doc, &u)) {
		mongo_check_unreadable(c, COLLECTION_USERS, doc);
		return;
	}
	mongo_check_slot(c, COLLECTION_USERS, doc, u.user_id);
	n = foods_of(c, u.user_id);
	if (n == u.own_foods || !user_drifts(c, &u, &n))
		return;
	f.user_id = u.user_id;
	f.repaired = mend_user(c, &u, n);
	str_format(words, sizeof(words), "own_foods says %" PRId32
	    ", %" PRId64 " are stored", u.own_foods, n);
	mongo_check_tell(c, &f, doc, words);
}

static void look_own_food(struct mongo_checker *c, const bson_t *doc)
{
	struct own_food own;

	if (mongo_get_own_food(doc, &own))
		mongo_check_slot(c, COLLECTION_OWN_FOODS, doc, own.user_id);
	else
		mongo_check_unreadable(c, COLLECTION_OWN_FOODS, doc);
}

static void look_job(struct mongo_checker *c, const bson_t *doc)
{
	struct job *j = xmalloc(sizeof(*j));

	if (mongo_get_job(doc, j))
		mongo_check_slot(c, COLLECTION_JOBS, doc, j->user_id);
	else
		mongo_check_unreadable(c, COLLECTION_JOBS, doc);
	free(j);
}

static enum rc look_at_all(struct mongo_checker *c, enum collection kind,
    void (*look)(struct mongo_checker *c, const bson_t *doc), struct err *e)
{
	bson_t *filter = mongo_slot_filter(c->slot, NULL, 0);
	struct mongo_find f = { .collection = collection_name(kind),
		.filter = filter };
	struct mongo_cursor cursor = { 0 };
	const bson_t *doc;
	enum rc rc;

	mongo_cursor_find(&cursor, c->ms, &f);
	while ((rc = mongo_cursor_next(&cursor, false, &doc, e)) == RC_OK)
		look(c, doc);
	mongo_cursor_release(&cursor);
	bson_destroy(filter);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* How many own foods each has, by user_id. */
static enum rc count_foods(struct mongo_checker *c, struct err *e)
{
	struct mongo_cursor cursor = { 0 };
	struct mongo_count_of one;
	const bson_t *doc;
	bson_t *pipeline;
	size_t room = 0;
	enum rc rc;

	pipeline = BCON_NEW("pipeline", "[",
	    "{", "$match", "{", "slot", BCON_INT32(c->slot), "}", "}",
	    "{", "$group", "{", "_id", BCON_UTF8("$user_id"),
		"n", "{", "$sum", BCON_INT32(1), "}", "}", "}",
	    "{", "$sort", "{", "_id", BCON_INT32(1), "}", "}", "]");
	mongo_cursor_aggregate(&cursor, c->ms, MONGO_FOODS, pipeline);
	while ((rc = mongo_cursor_next(&cursor, false, &doc, e)) == RC_OK) {
		/* Who cannot be read is told when the food is looked at. */
		if (!mongo_get_i64(doc, "_id", &one.user_id) ||
		    !mongo_get_i64(doc, "n", &one.n))
			continue;
		if (c->nfoods == room) {
			room = room > 0 ? 2 * room : 64;
			c->foods = xrealloc(c->foods, room * sizeof(one));
		}
		c->foods[c->nfoods++] = one;
	}
	mongo_cursor_release(&cursor);
	bson_destroy(pipeline);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc mongo_check(struct store *s, int32_t slot, bool repair,
    void (*found)(void *ctx, const struct store_fault *f), void *ctx,
    struct err *e)
{
	static void (*const looks[])(struct mongo_checker *c,
	    const bson_t *doc) = {
		[COLLECTION_USERS] = look_user,
		[COLLECTION_MEALS] = mongo_check_day,
		[COLLECTION_OWN_FOODS] = look_own_food,
		[COLLECTION_JOBS] = look_job,
	};
	_Static_assert(sizeof(looks) / sizeof(looks[0]) == COLLECTION_COUNT,
	    "documents of each kind are looked at");
	struct mongo_checker c = { .ms = mongo_begin(s), .slot = slot,
		.repair = repair, .found = found, .ctx = ctx };
	enum rc rc;

	rc = count_foods(&c, e);
	for (int k = 0; k < COLLECTION_COUNT && rc == RC_OK; k++)
		rc = look_at_all(&c, (enum collection)k, looks[k], e);
	free(c.foods);
	return rc;
}
