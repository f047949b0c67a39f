/*
 * mongo_slots.c - slots on MongoDB: marks that come first, days that are put
 * together again, damage that does not stop a check, and what a move costs.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mongo_proxy.h"
#include "shards/router.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { WHO = 7, DAY = 20000, PEOPLE = 200, DAYS_EACH = 10 };

#define OK(call)	assert_int_equal((call), RC_OK)

static struct store *open_empty(void)
{
	struct store_conf c = { .name = "test", .uri = mongo_test_uri(),
		.create = true };
	struct store *s = NULL;
	struct err e;

	OK(store_mongo_ops.open(&c, &s, &e));
	OK(s->ops->slot_clear(s, WHO, &e));
	return s;
}

static struct meal meal(int64_t user_id, int32_t day, int64_t message_id)
{
	struct meal m = { .user_id = user_id, .day = day, .chat_id = -5,
		.message_id = message_id, .at = 1000 + message_id,
		.nitems = 2 };

	for (int i = 0; i < m.nitems; i++) {
		str_copy(m.items[i].name, FOOD_NAME_SIZE, "гречка");
		str_copy(m.items[i].query, FOOD_NAME_SIZE, "гречк");
		m.items[i].mg = 100000;
		m.items[i].n = (struct nutrients){ 92000, 3380, 620, 19940 };
	}
	meal_sum(&m);
	return m;
}

static bool always(void *ctx, int32_t slot)
{
	(void)slot;
	return *(bool *)ctx;
}

/* Which collections commands named, in order. */
struct trace {
	char names[512];
};

static void note_command(const mongoc_apm_command_started_t *event)
{
	struct trace *t = mongoc_apm_command_started_get_context(event);
	const bson_t *cmd = mongoc_apm_command_started_get_command(event);
	size_t used = strlen(t->names);
	bson_iter_t it;

	if (bson_iter_init(&it, cmd) && bson_iter_next(&it) &&
	    BSON_ITER_HOLDS_UTF8(&it))
		str_format(t->names + used, sizeof(t->names) - used, "%s %s;",
		    bson_iter_key(&it), bson_iter_utf8(&it, NULL));
}

/* Given a slot that rests, when its people write, then nothing more is said to
 * the server; given one that moves, then the mark is said first. */
static void test_mark_comes_first(void **state)
{
	struct store *s = open_empty();
	mongoc_apm_callbacks_t *cb = mongoc_apm_callbacks_new();
	struct trace t = { "" };
	struct meal m = meal(WHO, DAY, 1);
	struct user u = { .user_id = WHO };
	bool moving = false;
	struct err e;

	(void)state;
	s->slots = (struct store_slots){ .moving = always,
		.ctx = &moving };
	mongoc_apm_set_command_started_cb(cb, note_command);
	assert_true(mongoc_client_set_apm_callbacks(mongo_of(s)->client, cb,
	    &t));
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->user_put(s, &u, &e));
	assert_string_equal(t.names,
	    "findAndModify food_analysis;findAndModify users;");
	moving = true;
	t.names[0] = '\0';
	m = meal(WHO, DAY, 2);
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->user_put(s, &u, &e));
	assert_string_equal(t.names,
	    "update dirty;findAndModify food_analysis;"
	    "update dirty;findAndModify users;");
	mongoc_apm_callbacks_destroy(cb);
	s->ops->close(s);
}

static bool serves(void *ctx)
{
	return !*(bool *)ctx;
}

/* Given a host whose lease ran out after a request had come in, when it comes
 * to its writes, then none is sent. */
static void test_nothing_is_written_without_a_lease(void **state)
{
	struct store *s = open_empty();
	struct meal m = meal(WHO, DAY, 1), found;
	struct user u = { .user_id = WHO };
	struct own_food food = { .user_id = WHO, .slot = WHO };
	struct job job = { .user_id = WHO, .slot = WHO, .state = JOB_READY };
	bool over = true;
	struct err e;

	(void)state;
	str_copy(job.id, sizeof(job.id), "lease-1");
	str_copy(job.kind, sizeof(job.kind), "send");
	s->slots = (struct store_slots){ .moving = always, .serving = serves,
		.ctx = &over };
	assert_int_equal(s->ops->meal_add(s, &m, NULL, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "its lease was not renewed"));
	assert_int_equal(s->ops->user_put(s, &u, &e), RC_UNAVAILABLE);
	assert_int_equal(s->ops->own_food_put(s, &food, &e), RC_UNAVAILABLE);
	assert_int_equal(s->ops->job_add(s, &job, 1, &e), RC_UNAVAILABLE);
	assert_int_equal(s->ops->erase(s, WHO, &e), RC_UNAVAILABLE);
	assert_int_equal(s->ops->meal_get(s, WHO, DAY, m.chat_id, m.message_id,
	    &found, &e), RC_NOTFOUND);
	over = false;
	OK(s->ops->meal_add(s, &m, NULL, &e));
	over = true;
	assert_int_equal(s->ops->meal_replace(s, &m, NULL, &e),
	    RC_UNAVAILABLE);
	s->ops->close(s);
}

static bson_t *fetch_day(struct store *s)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t filter = BSON_INITIALIZER, reply, doc, *copy;
	struct mongo_find f = { MONGO_DAYS, &filter, NULL, NULL, 1 };
	bson_iter_t batch;

	BSON_APPEND_INT64(&filter, "user_id", WHO);
	OK(mongo_find(ms, &f, &reply, NULL));
	OK(mongo_batch_init(ms, &reply, &batch, NULL));
	assert_true(mongo_batch_next(&batch, &doc));
	copy = bson_copy(&doc);
	bson_destroy(&reply);
	bson_destroy(&filter);
	return copy;
}

/* The same fields of the same types and values, in whatever order. */
static void assert_same_fields(const bson_t *a, const bson_t *b)
{
	bson_iter_t x, y;
	bson_t in_a, in_b;

	assert_int_equal(bson_count_keys(a), bson_count_keys(b));
	assert_true(bson_iter_init(&x, a));
	while (bson_iter_next(&x)) {
		const bson_value_t *v = bson_iter_value(&x), *w;

		if (!bson_iter_init_find(&y, b, bson_iter_key(&x)))
			fail_msg("%s is missing", bson_iter_key(&x));
		w = bson_iter_value(&y);
		assert_int_equal(v->value_type, w->value_type);
		if (mongo_iter_doc(&x, &in_a) && mongo_iter_doc(&y, &in_b))
			assert_same_fields(&in_a, &in_b);
		else if (v->value_type == BSON_TYPE_UTF8)
			assert_string_equal(v->value.v_utf8.str,
			    w->value.v_utf8.str);
		else
			assert_int_equal(bson_iter_as_int64(&x),
			    bson_iter_as_int64(&y));
	}
}

static enum rc collect(void *ctx, const struct record *r, struct err *e)
{
	return record_pack_add(ctx, r, e);
}

/* Given a day with a meal undone, when it is moved, then its document is as
 * the one that recording made. */
static void test_day_is_as_recorded(void **state)
{
	struct store *s = open_empty();
	const int64_t who = WHO;
	struct record_pack p;
	bson_t *before, *after;
	struct meal m;
	struct err e;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		m = meal(WHO, DAY, i);
		OK(s->ops->meal_add(s, &m, NULL, &e));
	}
	m.deleted = 1;
	OK(s->ops->meal_replace(s, &m, NULL, &e));
	before = fetch_day(s);
	record_pack_init(&p);
	OK(s->ops->slot_read(s, WHO, NULL, 0, collect, &p, &e));
	assert_int_equal(p.n, 3);
	OK(s->ops->slot_write(s, WHO, &who, 1, &p, &e));
	after = fetch_day(s);
	assert_same_fields(before, after);
	record_pack_release(&p);
	bson_destroy(before);
	bson_destroy(after);
	s->ops->close(s);
}

static void set_field(struct store *s, const char *collection,
    const char *field, const bson_value_t *value)
{
	struct mongo_store *ms = mongo_begin(s);
	bson_t update = BSON_INITIALIZER, set, query = BSON_INITIALIZER;
	mongoc_collection_t *c;

	BSON_APPEND_INT64(&query, "user_id", WHO);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
	BSON_APPEND_VALUE(&set, field, value);
	bson_append_document_end(&update, &set);
	c = mongoc_client_get_collection(ms->client, ms->db, collection);
	assert_true(mongoc_collection_update_one(c, &query, &update, NULL,
	    NULL, NULL));
	mongoc_collection_destroy(c);
	bson_destroy(&query);
	bson_destroy(&update);
}

struct faults {
	struct store_fault f[8];
	int n;
};

static void keep(void *ctx, const struct store_fault *f)
{
	struct faults *all = ctx;

	assert_true(all->n < 8);
	all->f[all->n++] = *f;
}

/* Given a day's total that was spoilt, when it is checked, then it is told,
 * and repaired only when asked for. */
static void test_day_total_is_mended(void **state)
{
	static const bson_value_t wrong = { .value_type = BSON_TYPE_INT64,
		.value.v_int64 = 5 };
	static const bson_value_t none = { .value_type = BSON_TYPE_UTF8,
		.value.v_utf8 = { (char *)"x", 1 } };
	struct store *s = open_empty();
	struct meal m = meal(WHO, DAY, 1);
	struct day_sum day;
	struct err e;

	(void)state;
	OK(s->ops->meal_add(s, &m, NULL, &e));
	set_field(s, MONGO_DAYS, "total.cal", &wrong);
	for (int i = 0; i < 6; i++) {	/* seen, mended, gone; twice */
		struct faults all = { .n = 0 };

		if (i == 3)
			set_field(s, MONGO_DAYS, "total", &none);
		OK(s->ops->check(s, WHO, i % 3 == 1, keep, &all, &e));
		assert_int_equal(all.n, i % 3 < 2);
		if (all.n == 0)
			continue;
		assert_int_equal(all.f[0].kind, STORE_DRIFT);
		assert_int_equal(all.f[0].collection, COLLECTION_MEALS);
		assert_string_equal(all.f[0].id, "7:20000");
		assert_int_equal(all.f[0].repaired, i % 3 == 1);
	}
	OK(s->ops->day_sums(s, WHO, DAY, DAY, &day, &e));
	assert_int_equal(day.meals, 1);
	assert_int_equal(day.sum.cal, m.sum.cal);
	s->ops->close(s);
}

/* Given unreadable documents, when the slot is read, then it ends with the
 * key; when it is checked, then all are told of, and what is behind them. */
static void test_unreadable_is_named(void **state)
{
	static const bson_value_t wrong = { .value_type = BSON_TYPE_DOUBLE,
		.value.v_double = 0.5 };
	struct store *s = open_empty();
	struct meal m = meal(WHO, DAY, 1);
	struct user u = { .user_id = WHO };
	struct job j = { .id = "one", .user_id = WHO };
	struct faults all = { .n = 0 };
	struct record_pack p;
	struct err e;

	(void)state;
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->job_add(s, &j, 1, &e));
	set_field(s, MONGO_DAYS, "meals.0.items.1.mg", &wrong);
	set_field(s, MONGO_JOBS, "tries", &wrong);
	record_pack_init(&p);
	assert_int_equal(s->ops->slot_read(s, WHO, NULL, 0, collect, &p, &e),
	    RC_CORRUPT);
	assert_non_null(strstr(e.text, "7:20000"));
	record_pack_release(&p);
	OK(s->ops->check(s, WHO, true, keep, &all, &e));
	assert_int_equal(all.n, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(all.f[i].kind, STORE_UNREADABLE);
		assert_int_equal(all.f[i].user_id, WHO);
		assert_string_equal(all.f[i].id, i ? "one" : "7:20000");
		assert_false(all.f[i].repaired);
	}
	s->ops->close(s);
}

static void fill_pack(struct record_pack *p, int64_t *users)
{
	struct record *r = calloc(1, sizeof(*r));
	struct err e;

	for (int i = 0; i < PEOPLE; i++) {
		users[i] = WHO + (int64_t)i * SLOT_COUNT;
		memset(r, 0, sizeof(*r));
		r->kind = COLLECTION_USERS;
		r->user = (struct user){ .user_id = users[i], .slot = WHO,
			.rev = 1 };
		OK(record_pack_add(p, r, &e));
		for (int k = 0; k < DAYS_EACH * 4; k++) {
			r->kind = COLLECTION_MEALS;
			r->meal = meal(users[i], DAY + k / 4, k);
			r->meal.slot = WHO;
			r->meal.rev = 1;
			OK(record_pack_add(p, r, &e));
		}
	}
	free(r);
}

static void print_speed(const char *what, size_t n, int64_t since)
{
	int64_t took = clock_mono_us() - since;

	print_message("%s: %zu records, %" PRId64 " ms, %" PRId64
	    " records/s\n", what, n, took / 1000,
	    (int64_t)n * 1000000 / (took > 0 ? took : 1));
}

/* What is written is what is read; the speed is shown for people. */
static void test_many_at_once(void **state)
{
	struct store *s = open_empty();
	int64_t *users = calloc(PEOPLE, sizeof(*users)), start;
	struct record_pack p, back;
	struct err e;

	(void)state;
	record_pack_init(&p);
	record_pack_init(&back);
	fill_pack(&p, users);
	for (int i = 0; i < 2; i++) {	/* twice is as once */
		start = clock_mono_us();
		OK(s->ops->slot_write(s, WHO, users, PEOPLE, &p, &e));
		print_speed(i ? "slot_write over what is there" : "slot_write",
		    p.n, start);
	}
	start = clock_mono_us();
	OK(s->ops->slot_write(s, WHO, NULL, 0, &p, &e));
	print_speed("slot_write after a lost answer", p.n, start);
	start = clock_mono_us();
	OK(s->ops->slot_read(s, WHO, users, PEOPLE, collect, &back, &e));
	print_speed("slot_read", back.n, start);
	assert_int_equal(back.n, p.n);
	assert_true(digests_equal(&back.digests, &p.digests));
	start = clock_mono_us();
	OK(s->ops->slot_clear(s, WHO, &e));
	print_speed("slot_clear", p.n, start);
	record_pack_release(&p);
	record_pack_release(&back);
	free(users);
	s->ops->close(s);
}

const struct CMUnitTest mongo_slots[] = {
	cmocka_unit_test(test_mark_comes_first),
	cmocka_unit_test(test_nothing_is_written_without_a_lease),
	cmocka_unit_test(test_day_is_as_recorded),
	cmocka_unit_test(test_day_total_is_mended),
	cmocka_unit_test(test_unreadable_is_named),
	cmocka_unit_test(test_many_at_once),
};
const size_t mongo_slots_n = sizeof(mongo_slots) / sizeof(mongo_slots[0]);
