/*
 * test_sqlite_moves.c - what only SQLite can be made to meet when slots move:
 * planted faults, backups of a shard that is written to, writers that must not
 * wait, and the older schema.
 */
#include "config.h"

#include "conformance.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/migrate.h"
#include "shards/router.h"
#include "store/sqlite/sqlite.h"
#include "utils/buf.h"

enum { WHO = 42, DAY = 20000 };

static void sql(struct store *s, const char *text)
{
	assert_int_equal(sqlite3_exec(((struct sqlite_store *)s)->db, text, NULL,
	    NULL, NULL), SQLITE_OK);
}

/* What remains of the words of all faults, and how many there were. */
struct told {
	struct buf words;
	int n;
};

static void tell(void *ctx, const struct store_fault *f)
{
	struct told *t = ctx;

	t->n++;
	buf_printf(&t->words, "%d %s %lld [%s] %s\n", (int)f->kind,
	    collection_name(f->collection), (long long)f->user_id, f->id,
	    f->words);
}

static void check_finds(struct store *s, int n, const char *words)
{
	struct told t = { .n = 0 };
	struct err e;

	buf_init(&t.words, 10000);
	OK(s->ops->check(s, slot_of(WHO), true, tell, &t, &e));
	if (t.n != n || !strstr(t.words.s, words))
		fail_msg("%d faults: %s", t.n, t.words.s);
	buf_release(&t.words);
}

static enum rc ignore(void *ctx, const struct record *r, struct err *e)
{
	(void)ctx, (void)r, (void)e;
	return RC_OK;
}

static void unreadable_records_are_found_and_gone_on_after(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	const int64_t who = WHO;
	struct err e = { 0 };

	person_fill(s, WHO, "a");
	sql(s, "UPDATE food_analysis SET items = '[[1' WHERE message_id = 1");
	check_finds(s, 1, "0 food_analysis 42 [day=20000 chat_id=42 message_id=1]");
	assert_int_equal(s->ops->slot_read(s, slot_of(WHO), &who, 1, ignore,
	    NULL, &e), RC_CORRUPT);
	assert_non_null(strstr(e.text, "food_analysis of user 42"));
	sql(s, "UPDATE users SET zone = hex(zeroblob(100))");
	check_finds(s, 2, "0 users 42 [user_id=42]");
	assert_int_equal(s->ops->slot_read(s, slot_of(WHO), NULL, 0, ignore,
	    NULL, &e), RC_CORRUPT);
	assert_non_null(strstr(e.text, "users of slot 42"));
	sql(s, "UPDATE jobs SET payload = hex(zeroblob(9000)) WHERE id = 'a:0'");
	check_finds(s, 3, "0 jobs 42 [a:0]");
	sql(s, "UPDATE own_foods SET name = hex(zeroblob(100))");
	check_finds(s, 5, "0 own_foods 42 [k $a.b '\"\\]");
	/* the words hold nothing that a person wrote */
	check_finds(s, 5, "stored name is unreadable");
	/* and work goes on */
	OK(s->ops->slot_clear(s, slot_of(WHO), &e));
	check_finds(s, 0, "");
}

static void wrong_slots_are_found_in_each_table(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;

	person_fill(s, WHO + 1, "a");
	sql(s, "UPDATE users SET slot = 42");
	check_finds(s, 1, "1 users 43 [user_id=43] stored in slot 42, "
	    "belongs to slot 43");
	sql(s, "UPDATE food_analysis SET slot = 42 WHERE message_id = 2");
	check_finds(s, 2, "1 food_analysis 43 [day=20000 chat_id=-1001234567890 "
	    "message_id=2]");
	sql(s, "UPDATE own_foods SET slot = 42 WHERE name = ''");
	sql(s, "UPDATE jobs SET slot = 42 WHERE id = 'a:1'");
	check_finds(s, 4, "1 jobs 43 [a:1]");
}

/* A drift that is mended tells the mover, and who read the record before. */
static bool all_move(void *ctx, int32_t slot)
{
	(void)ctx, (void)slot;
	return true;
}

static void mending_marks_and_counts_up(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal before, after;
	struct user u;
	struct err e;
	int64_t got[2];
	size_t n = 0;

	person_fill(s, WHO, "a");
	OK(s->ops->meal_get(s, WHO, DAY, WHO, 1, &before, &e));
	OK(s->ops->user_get(s, WHO, &u, &e));
	sql(s, "UPDATE food_analysis SET cal = cal + 1, carb = 0 "
	    "WHERE message_id = 1");
	sql(s, "UPDATE users SET own_foods = 9");
	s->slots = (struct store_slots){ .moving = all_move };
	check_finds(s, 2, "2 users 42");
	OK(s->ops->dirty_list(s, &(int32_t){ slot_of(WHO) }, 1, 2, got, &n,
	    &e));
	assert_int_equal(n, 1);
	OK(s->ops->meal_get(s, WHO, DAY, WHO, 1, &after, &e));
	assert_memory_equal(&after.sum, &before.sum, sizeof(after.sum));
	assert_int_equal(after.rev, before.rev + 1);
	assert_int_equal(s->ops->user_put(s, &u, &e), RC_CONFLICT);
	check_finds(s, 0, "");
}

/* What happens between the steps of a backup. */
struct meanwhile {
	struct store *writer;
	int64_t done, all;
	int steps;
};

static void write_meanwhile(void *ctx, int64_t done, int64_t all)
{
	struct meanwhile *m = ctx;
	struct meal meal = meal_of(77, DAY, ++m->steps);
	struct err e;

	assert_true(done >= m->done && done <= all);
	m->done = done;
	m->all = all;
	OK(m->writer->ops->meal_add(m->writer, &meal, NULL, &e));
}

static void meals_fill(struct store *s, int n)
{
	struct record *r = calloc(1, sizeof(*r));
	struct record_pack p;
	struct err e;

	record_pack_init(&p);
	for (int i = 0; i < n; i++) {
		r->kind = COLLECTION_MEALS;
		r->meal = meal_of(WHO, DAY + i / 100, i);
		meal_items_fill(&r->meal, MEAL_ITEMS_MAX, "гречневая каша");
		r->meal.rev = 1;
		OK(record_pack_add(&p, r, &e));
	}
	OK(s->ops->slot_write(s, slot_of(WHO), NULL, 0, &p, &e));
	record_pack_release(&p);
	free(r);
}

static struct store *open_at(const char *path)
{
	char uri[700];
	struct store_conf c = { .name = "copy", .uri = uri };
	struct store *s = NULL;
	struct err e = { 0 };

	(void)str_format(uri, sizeof(uri), "sqlite:%s", path);
	if (store_open(&c, &s, &e) != RC_OK)
		fail_msg("%s", e.text);
	return s;
}

static void backup_is_of_one_moment_and_stops_nobody(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-turn" };
	struct store_place *p = *state;
	struct meanwhile m = { .writer = store_place_connect(p) };
	struct digests before, copied;
	char path[600], other[700];
	struct store *copy;
	struct stat st;
	struct err e = { 0 };
	int64_t got[4];
	size_t n = 0;

	(void)str_format(path, sizeof(path), "%s/copy.db", p->dir);
	person_fill(p->s, WHO + SLOT_COUNT, "a");
	meals_fill(p->s, 1500);
	before = slot_pack(p->s, slot_of(WHO), NULL, 0, NULL);
	OK(p->s->ops->backup(p->s, path, write_meanwhile, &m, &e));
	assert_true(m.steps >= 4);
	assert_true(m.done == m.all && m.all * 4096 > 1 << 20);
	for (size_t i = 0; i < COUNT(ends); i++) {	/* one file, no more */
		(void)str_format(other, sizeof(other), "%s%s", path, ends[i]);
		assert_int_equal(stat(other, &st) == 0, i == 0);
		if (i == 0)
			assert_int_equal(st.st_mode & 0777, 0600);
	}
	copy = open_at(path);
	copied = slot_pack(copy, slot_of(WHO), NULL, 0, NULL);
	assert_true(digests_equal(&before, &copied));
	OK(copy->ops->slot_users(copy, slot_of(77), INT64_MIN, 4, got, &n, &e));
	assert_int_equal(n, 0);
	store_close(copy);
	OK(p->s->ops->slot_users(p->s, slot_of(77), INT64_MIN, 4, got, &n, &e));
	assert_int_equal(n, 1);
	for (size_t i = 0; i < COUNT(ends); i++) {
		(void)str_format(other, sizeof(other), "%s%s", path, ends[i]);
		(void)unlink(other);
	}
	store_close(m.writer);
}

static void backup_overwrites_nothing(void **state)
{
	struct store_place *p = *state;
	struct err e = { 0 };
	char path[600], text[8] = "";

	(void)str_format(path, sizeof(path), "%s/kept", p->dir);
	FILE *f = fopen(path, "w");
	assert_true(f && fputs("mine", f) >= 0);
	(void)fclose(f);
	assert_int_equal(p->s->ops->backup(p->s, path, NULL, NULL, &e),
	    RC_CONFLICT);
	assert_non_null(strstr(e.text, "exists"));
	f = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	assert_string_equal(text, "mine");
	(void)unlink(path);
	assert_int_equal(p->s->ops->backup(p->s, "/nonexistent/dir/x", NULL,
	    NULL, &e), RC_UNAVAILABLE);
	(void)str_format(path, sizeof(path), "%s/shard.db", p->dir);
	assert_int_equal(p->s->ops->backup(p->s, path, NULL, NULL, &e),
	    RC_CONFLICT);
	OK(p->s->ops->ping(p->s, &e));
}

static void damaged_shard_makes_no_backup(void **state)
{
	struct store_place *p = *state;
	struct err e = { 0 };
	char path[600];

	(void)str_format(path, sizeof(path), "%s/copy.db", p->dir);
	person_fill(p->s, WHO + SLOT_COUNT, "a");
	/* an index that does not know of a row */
	sql(p->s, "PRAGMA writable_schema = ON; "
	    "UPDATE sqlite_schema SET sql = replace(sql, 'jobs_slot ON jobs "
	    "(slot, user_id)', 'jobs_slot ON jobs (user_id, slot)') "
	    "WHERE name = 'jobs_slot'; PRAGMA writable_schema = OFF;");
	assert_int_equal(p->s->ops->backup(p->s, path, NULL, NULL, &e),
	    RC_CORRUPT);
	assert_non_null(strstr(e.text, "damaged"));
	assert_int_not_equal(access(path, F_OK), 0);
}

static void full_disk_leaves_no_half_of_a_copy(void **state)
{
	struct store_place *p = *state;
	struct err e = { 0 };
	struct digests before, after;

	sql(p->s, "PRAGMA max_page_count = 60");
	person_fill(p->s, WHO, "a");
	before = slot_pack(p->s, slot_of(WHO), NULL, 0, NULL);
	struct record *r = calloc(1, sizeof(*r));
	struct record_pack pack;
	const int64_t who = WHO;

	record_pack_init(&pack);
	for (int i = 0; i < 200; i++) {
		r->kind = COLLECTION_MEALS;
		r->meal = meal_of(WHO, DAY, 100 + i);
		meal_items_fill(&r->meal, MEAL_ITEMS_MAX, "хлеб");
		OK(record_pack_add(&pack, r, &e));
	}
	assert_int_equal(p->s->ops->slot_write(p->s, slot_of(WHO), &who, 1,
	    &pack, &e), RC_FULL);
	after = slot_pack(p->s, slot_of(WHO), NULL, 0, NULL);
	assert_true(digests_equal(&before, &after));
	record_pack_release(&pack);
	free(r);
}

/* A shard of the first schema, with someone in it, gets the second. */
static void first_schema_is_migrated_with_its_people(void **state)
{
	struct store_place *p = *state;
	struct digests before, after;
	int64_t version = 0;
	struct err e = { 0 };

	person_fill(p->s, WHO, "a");
	before = slot_pack(p->s, slot_of(WHO), NULL, 0, NULL);
	sql(p->s, "DROP TABLE dirty; DROP TABLE agreed; "
	    "PRAGMA user_version = 1");
	store_close(p->s);
	p->s = store_place_connect(p);
	assert_non_null(p->s);
	after = slot_pack(p->s, slot_of(WHO), NULL, 0, NULL);
	assert_true(digests_equal(&before, &after));
	OK(p->s->ops->meta_put(p->s, "k", "v", 1, &version, &e));
	assert_true(migrate_latest() >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(unreadable_records_are_found_and_gone_on_after),
		CASE(wrong_slots_are_found_in_each_table),
		CASE(mending_marks_and_counts_up),
		CASE(backup_is_of_one_moment_and_stops_nobody),
		CASE(backup_overwrites_nothing),
		CASE(damaged_shard_makes_no_backup),
		CASE(full_disk_leaves_no_half_of_a_copy),
		CASE(first_schema_is_migrated_with_its_people),
	};

	return cmocka_run_group_tests_name("sqlite moves", tests, NULL, NULL);
}
