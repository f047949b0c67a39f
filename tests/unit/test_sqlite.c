/*
 * test_sqlite.c - what only the SQLite backend can meet: a full disk, a
 * damaged, foreign, newer or missing file, a lock, plans, memory.
 */
#include "config.h"

#include "conformance.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/write_queue.h"
#include "utils/buf.h"
#include "utils/clock.h"

static sqlite3 *db_of(struct store *s)
{
	return ((struct sqlite_store *)s)->db;
}

static const char *path_of(const struct store_place *p)
{
	return p->uri + strlen("sqlite:");
}

static void sql(struct store *s, const char *text)
{
	assert_int_equal(sqlite3_exec(db_of(s), text, NULL, NULL, NULL),
	    SQLITE_OK);
}

static enum rc reopen(const struct store_place *p, bool create, struct store **out,
    struct err *e)
{
	struct store_conf c = { .name = "shard7", .uri = p->uri,
		.timeout_ms = 300, .create = create };

	return store_open(&c, out, e);
}

/* Closes the case's store and expects that nobody can open it again. */
static void refused(struct store_place *p, bool create, enum rc want,
    const char *word)
{
	struct store *s = NULL;
	struct err e = { 0 };

	store_close(p->s);
	p->s = NULL;
	assert_int_equal(reopen(p, create, &s, &e), want);
	assert_null(s);
	assert_int_equal(e.rc, want);
	assert_non_null(strstr(e.text, word));
	assert_non_null(strstr(e.text, "shard7"));
}

static void full_disk_loses_nothing(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m, got;
	struct err e = { 0 };
	int64_t i = 0;
	enum rc rc = RC_OK;

	sql(s, "PRAGMA max_page_count = 24");
	while (rc == RC_OK && i < 5000) {
		m = meal_of(42, 20000 + (int32_t)(i / 50), i + 1);
		i++;
		meal_items_fill(&m, MEAL_ITEMS_MAX, "хлеб");
		rc = s->ops->meal_add(s, &m, NULL, &e);
	}
	assert_int_equal(rc, RC_FULL);
	assert_non_null(strstr(e.text, "disk is full"));
	/* what was acknowledged is there, what was refused is not */
	assert_int_equal(s->ops->meal_get(s, 42, m.day, 42, i, &got, &e),
	    RC_NOTFOUND);
	for (int64_t k = 1; k < i; k++)
		OK(s->ops->meal_get(s, 42, 20000 + (int32_t)((k - 1) / 50), 42, k,
		    &got, &e));
	/* and it goes on when there is room again */
	sql(s, "PRAGMA max_page_count = 100000");
	OK(s->ops->meal_add(s, &m, NULL, &e));
}

static void newer_schema_is_refused(void **state)
{
	struct store_place *p = *state;

	sql(p->s, "PRAGMA user_version = 999");
	refused(p, true, RC_INVALID, "999 is newer");
}

static void older_schema_needs_leave_to_migrate(void **state)
{
	struct store_place *p = *state;
	struct store *s = NULL;
	struct err e;

	store_close(p->s);
	p->s = NULL;
	assert_int_equal(unlink(path_of(p)), 0);
	int fd = open(path_of(p), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(reopen(p, false, &s, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "older"));
	OK(reopen(p, true, &s, &e));
	store_close(s);
	OK(reopen(p, false, &p->s, &e));
}

static void foreign_database_is_refused(void **state)
{
	struct store_place *p = *state;

	sql(p->s, "PRAGMA application_id = 7");
	refused(p, true, RC_INVALID, "another program");
}

static void damaged_file_is_refused(void **state)
{
	struct store_place *p = *state;
	FILE *f;

	store_close(p->s);
	p->s = NULL;
	f = fopen(path_of(p), "r+");
	assert_non_null(f);
	assert_true(fputs("this is no database at all, sorry", f) >= 0);
	(void)fclose(f);
	refused(p, true, RC_CORRUPT, "restore");
}

/* Overwrites with 0xff all pages but the first. */
static void damage(const struct store_place *p)
{
	char junk[4096];
	struct stat st;
	int fd = open(path_of(p), O_WRONLY);

	memset(junk, 0xff, sizeof(junk));
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at),
		    sizeof(junk));
	(void)close(fd);
}

static void damaged_pages_are_corrupt_not_wrong(void **state)
{
	struct store_place *p = *state;
	struct user u = user_of(42);
	struct meal m = meal_of(42, 20000, 1);
	struct err e = { 0 };

	OK(p->s->ops->user_put(p->s, &u, &e));
	store_close(p->s);
	p->s = NULL;
	damage(p);
	OK(reopen(p, true, &p->s, &e));
	assert_int_equal(p->s->ops->user_get(p->s, 42, &u, &e), RC_CORRUPT);
	assert_int_equal(p->s->ops->meal_add(p->s, &m, NULL, &e), RC_CORRUPT);
	assert_non_null(strstr(e.text, "restore"));
}

static void unreadable_record_is_corrupt(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal m = meal_of(42, 20000, 1), got = { .message_id = -1 };
	struct user u = user_of(42);
	struct err e = { 0 };

	OK(s->ops->meal_add(s, &m, NULL, &e));
	OK(s->ops->user_put(s, &u, &e));
	sql(s, "UPDATE food_analysis SET items = '[[1'");
	sql(s, "UPDATE users SET zone = hex(zeroblob(100))");
	assert_int_equal(s->ops->meal_get(s, 42, 20000, 42, 1, &got, &e),
	    RC_CORRUPT);
	assert_int_equal(s->ops->user_get(s, 42, &u, &e), RC_CORRUPT);
	assert_non_null(strstr(e.text, "zone"));
}

static void missing_file_is_not_made_without_leave(void **state)
{
	struct store_place *p = *state;

	store_close(p->s);
	p->s = NULL;
	assert_int_equal(unlink(path_of(p)), 0);
	refused(p, false, RC_UNAVAILABLE, "no file");
	assert_int_not_equal(access(path_of(p), F_OK), 0);
}

static void missing_directory_is_unavailable(void **state)
{
	struct store_conf c = { .name = "shard7", .create = true,
		.uri = "sqlite:/nonexistent/dir/x.db" };
	struct store *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(store_open(&c, &s, &e), RC_UNAVAILABLE);
	c.uri = "sqlite:";
	assert_int_equal(store_open(&c, &s, &e), RC_INVALID);
	c.uri = "mysql://x";
	assert_int_equal(store_open(&c, &s, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "sqlite:"));
}

static void files_are_for_their_owner_only(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-turn" };
	struct store_place *p = *state;
	struct user u = user_of(42);
	struct err e;
	char path[1200];
	struct stat st;

	OK(p->s->ops->user_put(p->s, &u, &e));
	for (size_t i = 0; i < COUNT(ends); i++) {
		(void)str_format(path, sizeof(path), "%s%s", path_of(p), ends[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0077, 0);
	}
}

static int open_and_add(int i, void *ctx)
{
	struct store *s = store_place_connect(ctx);
	struct meal m = meal_of(42, 20000, i);
	struct err e;

	return s && s->ops->meal_add(s, &m, NULL, &e) == RC_OK ? 0 : 1;
}

static void ten_processes_make_one_schema(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct store_place *p = *state;
	struct day_sum d;
	struct err e;
	char path[1200];
	int code[10];

	for (int round = 0; round < 20; round++) {
		store_close(p->s);
		p->s = NULL;
		for (size_t i = 0; i < COUNT(ends); i++) {
			(void)str_format(path, sizeof(path), "%s%s", path_of(p),
			    ends[i]);
			(void)unlink(path);
		}
		processes_run(10, open_and_add, p, code);
		for (int i = 0; i < 10; i++)
			assert_int_equal(code[i], 0);
		p->s = store_place_connect(p);
		OK(p->s->ops->day_sums(p->s, 42, 20000, 20000, &d, &e));
		assert_int_equal(d.meals, 10);
	}
}

static void long_lock_is_busy_and_readers_go_on(void **state)
{
	struct store_place *p = *state;
	struct store *other = NULL;
	struct user u = user_of(42), v = user_of(43);
	struct err e;
	int64_t start;

	OK(p->s->ops->user_put(p->s, &u, &e));
	OK(reopen(p, true, &other, &e));
	sql(p->s, "BEGIN IMMEDIATE");
	start = clock_mono_us();
	assert_int_equal(other->ops->user_put(other, &v, &e), RC_BUSY);
	assert_true(clock_mono_us() - start >= 290 * 1000);
	assert_true(clock_mono_us() - start < 3000 * 1000);
	OK(other->ops->user_get(other, 42, &u, &e));
	sql(p->s, "ROLLBACK");
	OK(other->ops->user_put(other, &v, &e));
	store_close(other);
}

/* A process that dies inside its transaction holds nobody up. */
static void killed_writer_leaves_no_lock(void **state)
{
	struct store_place *p = *state;
	struct user u = user_of(42);
	struct err e;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct store *s = store_place_connect(p);

		if (sqlite_begin((struct sqlite_store *)s, &e) != RC_OK)
			_exit(1);
		sql(s, "INSERT INTO meta VALUES ('half', 'done')");
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	OK(p->s->ops->user_put(p->s, &u, &e));
	OK(p->s->ops->erase(p->s, 42, &e));
	assert_int_equal(sqlite3_exec(db_of(p->s),
	    "INSERT INTO meta VALUES ('half', 'new')", NULL, NULL, NULL),
	    SQLITE_OK);
}

/* A process that hangs with the turn delays the others, and no more. */
static void hanging_writer_is_not_waited_for_long(void **state)
{
	struct store_place *p = *state;
	struct store *other = NULL;
	struct sqlite_store *here = (struct sqlite_store *)p->s;
	struct user u = user_of(42);
	struct err e;
	int64_t start;

	OK(p->s->ops->user_put(p->s, &u, &e));
	OK(reopen(p, true, &other, &e));	/* waits for 300 ms at most */
	write_queue_enter(here->write_queue, 1000);
	start = clock_mono_us();
	OK(other->ops->erase(other, 42, &e));
	assert_true(clock_mono_us() - start >= 290 * 1000);
	assert_true(clock_mono_us() - start < 2000 * 1000);
	write_queue_leave(here->write_queue);
	start = clock_mono_us();
	OK(other->ops->erase(other, 42, &e));
	assert_true(clock_mono_us() - start < 250 * 1000);
	store_close(other);
}

static void erased_words_leave_the_file(void **state)
{
	struct store_place *p = *state;
	struct user u = user_of(42);
	struct err e;
	static char data[1 << 20];
	char path[1024];
	struct stat log;

	(void)str_copy(u.name, sizeof(u.name), "Unforgettable");
	OK(p->s->ops->user_put(p->s, &u, &e));
	OK(p->s->ops->erase(p->s, 42, &e));
	assert_true(str_format(path, sizeof(path), "%s-wal", path_of(p)));
	assert_int_equal(stat(path, &log), 0);
	assert_int_equal(log.st_size, 0);
	int fd = open(path_of(p), O_RDONLY);
	ssize_t n = read(fd, data, sizeof(data));
	(void)close(fd);
	assert_true(n > 4096);
	assert_null(memmem(data, (size_t)n, "Unforgettable", 13));
}

/* Each statement finds its rows by a key or an index. */
static void no_statement_reads_a_whole_table(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;

	for (int id = 0; id < SQL_COUNT; id++) {
		sqlite3_stmt *q = NULL;
		struct buf text;

		/* what counts a whole shard, by the leanest tree */
		if (id == SQL_STATS || id == SQL_PING || id == SQL_PAGES ||
		    (id >= (int)sql_of(SQL_CENSUS, 0) &&
		    id <= (int)sql_of(SQL_TOTAL, COLLECTION_COUNT - 1)))
			continue;
		buf_init(&text, 8192);
		buf_puts(&text, "EXPLAIN QUERY PLAN ");
		sqlite_sql(id, &text);
		assert_int_equal(sqlite3_prepare_v2(db_of(s), text.s, -1, &q,
		    NULL), SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(q, 3);

			if (strncmp(step, "SCAN ", 5) == 0 &&
			    !strstr(step, "subquery") && !strstr(step, "CONSTANT"))
				fail_msg("%s: %s", text.s, step);
		}
		(void)sqlite3_finalize(q);
		buf_release(&text);
	}
}

/* A kind whose table is missing, or has other columns, would be found out only
 * when somebody's slot is moved. */
static void the_schema_has_what_every_kind_says(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;

	for (int k = 0; k < COLLECTION_COUNT; k++) {
		const struct kind *kind = kind_of(k);
		sqlite3_stmt *q = NULL;
		int columns = 0;

		assert_int_equal(sqlite3_prepare_v2(db_of(s), "SELECT name, type"
		    " FROM pragma_table_info(?1)", -1, &q, NULL), SQLITE_OK);
		sqlite_bind_text(q, 1, kind->name);
		for (; sqlite3_step(q) == SQLITE_ROW; columns++) {
			const char *name = (const char *)sqlite3_column_text(q, 0);
			const char *type = (const char *)sqlite3_column_text(q, 1);
			const struct column *c = kind->columns;

			while (c->name && strcmp(c->name, name) != 0)
				c++;
			if (!c->name)
				assert_string_equal(name, kind->tail);
			else
				assert_string_equal(type, c->type == COLUMN_TEXT ?
				    "TEXT" : "INTEGER");
		}
		(void)sqlite3_finalize(q);
		assert_int_equal(columns, sqlite_columns(kind->columns) +
		    (kind->tail ? 1 : 0));
	}
}

static void durability_is_as_configured(void **state)
{
	struct store_place *p = *state;
	static const enum store_sync sync[] = { STORE_SYNC_NORMAL,
		STORE_SYNC_FULL };

	for (int i = 0; i < 2; i++) {
		struct store_conf c = { .name = "x", .uri = p->uri,
			.sync = sync[i] };
		struct store *s = NULL;
		sqlite3_stmt *q = NULL;
		struct err e;

		OK(store_open(&c, &s, &e));
		(void)sqlite3_prepare_v2(db_of(s), "PRAGMA synchronous", -1, &q,
		    NULL);
		assert_int_equal(sqlite3_step(q), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int(q, 0), 1 + i);
		(void)sqlite3_finalize(q);
		store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(full_disk_loses_nothing),
		CASE(newer_schema_is_refused),
		CASE(older_schema_needs_leave_to_migrate),
		CASE(foreign_database_is_refused),
		CASE(damaged_file_is_refused),
		CASE(damaged_pages_are_corrupt_not_wrong),
		CASE(unreadable_record_is_corrupt),
		CASE(missing_file_is_not_made_without_leave),
		CASE(missing_directory_is_unavailable),
		CASE(files_are_for_their_owner_only),
		CASE(ten_processes_make_one_schema),
		CASE(long_lock_is_busy_and_readers_go_on),
		CASE(killed_writer_leaves_no_lock),
		CASE(hanging_writer_is_not_waited_for_long),
		CASE(erased_words_leave_the_file),
		CASE(the_schema_has_what_every_kind_says),
		CASE(no_statement_reads_a_whole_table),
		CASE(durability_is_as_configured),
	};

	return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
