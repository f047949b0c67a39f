/*
 * test_spool.c - what is kept is kept in order, once, and never uncounted: with
 * several processes, a full disk and a full quota.
 */
#include "config.h"

#include "spool_place.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/spool_db.h"
#include "utils/buf.h"

static void kept_in_order_by_slot(void **state)
{
	struct spool_place *t = *state;

	assert_false(slot_holds(t->s, ANNA));
	assert_int_equal(spool_slot(t->s, 0), -1);
	add(t, ANNA, "one");
	add(t, BORIS, "other");
	add(t, ANNA, "two");
	add(t, ANNA, "three");
	assert_true(slot_holds(t->s, ANNA));
	assert_int_equal(spool_slot(t->s, 0), slot_of(ANNA));
	assert_int_equal(spool_slot(t->s, slot_of(ANNA) + 1), slot_of(BORIS));
	next_is(t, ANNA, "one");
	next_is(t, ANNA, "one");	/* until it is done */
	done(t);
	done(t);			/* again changes nothing */
	next_is(t, ANNA, "two");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_OK);
	assert_string_equal(t->row.body.s, "three");
	next_is(t, ANNA, "two");
	done(t);
	next_is(t, ANNA, "three");
	done(t);
	none_left(t, ANNA);
	next_is(t, BORIS, "other");
	done(t);
	assert_int_equal(spool_slot(t->s, 0), -1);
}

static void people_of_one_slot_are_told_apart(void **state)
{
	struct spool_place *t = *state;

	add(t, ANNA, "one");
	assert_true(slot_holds(t->s, FAR));
	assert_true(holds(t->s, ANNA));
	assert_false(holds(t->s, FAR));
	assert_false(holds(t->s, BORIS));
}

static void the_same_update_is_kept_once(void **state)
{
	struct spool_place *t = *state;
	struct spool_stats st;
	bool told;

	assert_int_equal(add_to(t->s, ANNA, 5, "one", &told), RC_OK);
	assert_int_equal(add_to(t->s, ANNA, 8, "two", &told), RC_OK);
	assert_int_equal(add_to(t->s, ANNA, 5, "one", &told), RC_OK);
	next_is(t, ANNA, "one");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_OK);
	assert_string_equal(t->row.body.s, "two");
	assert_int_equal(next(t, ANNA, t->row.seq), RC_NOTFOUND);
	assert_int_equal(spool_stats_slot(t->s, slot_of(ANNA), &st, NULL),
	    RC_OK);
	assert_int_equal(st.rows, 2);
	assert_int_equal(st.bytes, 6);
	assert_int_equal(st.oldest_at, NOW * INT64_C(1000) + 5);
}

static bool told_at(struct spool_place *t, int64_t user, int64_t update, bool tell,
    int64_t seconds)
{
	const struct spool_update u = { .user_id = user, .update_id = update,
		.body = "x", .len = 1, .tell = tell, .tell_every_ms = 60000 };
	bool told = !tell;

	assert_int_equal(spool_add(t->s, &u, (NOW + seconds) * INT64_C(1000),
	    &told, NULL), RC_OK);
	return told;
}

/* Once a minute, however often they write, and whatever the clock does. */
static void a_person_is_told_once_a_minute(void **state)
{
	struct spool_place *t = *state;

	assert_false(told_at(t, ANNA, 1, false, 0));
	assert_true(told_at(t, ANNA, 2, true, 1));
	assert_true(told_at(t, ANNA, 2, true, 2));	/* that answer got lost */
	assert_true(told_at(t, BORIS, 3, true, 2));
	assert_false(told_at(t, ANNA, 4, true, 41));
	assert_false(told_at(t, ANNA, 4, true, 42));
	assert_true(told_at(t, ANNA, 5, true, 81));
	assert_false(told_at(t, ANNA, 6, true, 121));
	assert_true(told_at(t, ANNA, 7, true, 161));
	assert_true(told_at(t, ANNA, 8, true, 161 - 3600));
	assert_false(told_at(t, ANNA, 9, true, 191 - 3600));
}

static void several_are_done_at_once(void **state)
{
	struct spool_place *t = *state;
	struct spool_stats st;
	int64_t seqs[3] = { 0, 0, 4711 };

	add(t, ANNA, "one");
	add(t, ANNA, "two");
	add(t, BORIS, "three");
	next_is(t, ANNA, "one");
	seqs[0] = t->row.seq;
	next_is(t, BORIS, "three");
	seqs[1] = t->row.seq;
	assert_int_equal(spool_done(t->s, seqs, 3, NULL, NULL), RC_OK);
	none_left(t, BORIS);
	next_is(t, ANNA, "two");
	spool_glance(t->s, &st);
	assert_int_equal(st.rows, 1);
	assert_int_equal(st.bytes, 3);
	assert_int_equal(st.oldest_at, NOW * INT64_C(1000) + 2);
}

static void counts_come_back_after_a_restart(void **state)
{
	struct spool_place *t = *state;
	int fd;

	add(t, ANNA, "one");
	add(t, BORIS, "two");
	spool_free(t->s);
	fd = open(t->counts, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "damaged", 7), 7);
	close(fd);
	t->s = open_it(t, 1 << 20);
	assert_true(slot_holds(t->s, ANNA));
	assert_true(slot_holds(t->s, BORIS));
	assert_false(slot_holds(t->s, BORIS + 1));
	spool_free(t->s);
	t->s = NULL;
	assert_int_equal(unlink(t->counts), 0);
	t->s = open_it(t, 1 << 20);
	assert_true(slot_holds(t->s, ANNA));
	next_is(t, ANNA, "one");
	done(t);
	none_left(t, ANNA);
}

/* All processes see what one adds. */
static void seen_by_all_processes(void **state)
{
	struct spool_place *t = *state;
	struct spool *other = open_it(t, 1 << 20);

	add(t, ANNA, "one");
	assert_true(slot_holds(other, ANNA));
	assert_true(holds(other, ANNA));
	next_is(t, ANNA, "one");
	done(t);
	assert_false(slot_holds(other, ANNA));
	spool_free(other);
}

static void another_versions_counts_are_refused(void **state)
{
	struct spool_place *t = *state;
	const struct spool_conf c = { .path = t->path, .max_bytes = 1 << 20 };
	const uint64_t layout = 99;
	struct spool *other = spool_new(&c);
	struct err e = { .text = "" };
	uint64_t was;
	int fd = open(t->counts, O_RDWR);
	bool told;

	assert_int_equal(pread(fd, &was, sizeof(was), 0), 8);
	assert_int_equal(pwrite(fd, &layout, sizeof(layout), 0), 8);
	assert_int_equal(spool_ready(other, &e), RC_CONFLICT);
	assert_non_null(strstr(e.text, "stop all"));
	/* whose updates wait is known all the same; nothing is added that
	 * those others would not see */
	add(t, ANNA, "one");
	assert_true(holds(other, ANNA));
	assert_false(holds(other, BORIS));
	assert_int_equal(add_to(other, BORIS, 9, "two", &told), RC_CONFLICT);
	assert_false(holds(t->s, BORIS));
	/* … until they are gone */
	assert_int_equal(pwrite(fd, &was, sizeof(was), 0), 8);
	close(fd);
	assert_int_equal(add_to(other, BORIS, 9, "two", &told), RC_OK);
	assert_true(holds(t->s, BORIS));
	spool_free(other);
}

static void too_much_is_refused(void **state)
{
	struct spool_place *t = *state;
	struct spool *s = open_it(t, 10);
	bool told;

	assert_int_equal(add_to(s, ANNA, 1, "12345", &told), RC_OK);
	assert_int_equal(add_to(s, ANNA, 2, "12345", &told), RC_OK);
	assert_int_equal(add_to(s, BORIS, 3, "1", &told), RC_FULL);
	assert_false(slot_holds(s, BORIS));
	next_is(t, ANNA, "12345");
	done(t);
	assert_int_equal(add_to(s, BORIS, 3, "1", &told), RC_OK);
	spool_free(s);
}

/* A limit of the file's size stands for a full disk. */
static void nothing_is_kept_on_a_full_disk(void **state)
{
	struct spool_place *t = *state;
	struct rlimit was, small = { 65536, 65536 };
	char *big = test_malloc(200001);
	struct spool_stats st;
	bool told;

	add(t, ANNA, "one");
	memset(big, 'x', 200000);
	big[200000] = '\0';
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(add_to(t->s, BORIS, 9, big, &told), RC_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_false(holds(t->s, BORIS));
	assert_int_equal(spool_stats(t->s, &st, NULL), RC_OK);
	assert_int_equal(st.rows, 1);
	assert_int_equal(add_to(t->s, BORIS, 9, big, &told), RC_OK);
	assert_true(holds(t->s, BORIS));
	test_free(big);
}

/* Between a commit and the change of the counts that follows it, another
 * process finds the spool full and counts all. */
static struct {
	struct spool *web;
	enum rc rc;
} between;

static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct spool *web = between.web;
	bool told;

	(void)ctx;
	(void)db;
	(void)name;
	(void)pages;
	between.web = NULL;
	if (web != NULL)
		between.rc = add_to(web, BORIS, 1001, "0123456789", &told);
	return SQLITE_OK;
}

static void counting_does_not_cross_a_deletion(void **state)
{
	struct spool_place *t = *state;
	struct spool *web = open_it(t, 320);
	struct spool_stats st, told;
	int64_t seqs[20] = { 0 };

	for (int i = 0; i < 32; i++)
		add(t, ANNA, "0123456789");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(next(t, ANNA, i > 0 ? seqs[i - 1] : 0),
		    RC_OK);
		seqs[i] = t->row.seq;
	}
	between.web = web;
	between.rc = RC_SYSTEM;
	sqlite3_wal_hook(t->s->db, on_commit, NULL);
	assert_int_equal(spool_done(t->s, seqs, 20, NULL, NULL), RC_OK);
	assert_int_equal(between.rc, RC_OK);
	assert_int_equal(spool_stats(t->s, &st, NULL), RC_OK);
	spool_glance(t->s, &told);
	assert_int_equal(st.rows, 13);
	assert_int_equal(told.rows, 13);
	assert_int_equal(told.bytes, 130);
	assert_true(spool_waits(t->s));
	spool_free(web);
}

/* At the start of this process the counts could not be mapped. */
static void what_cannot_be_mapped_is_tried_again(void **state)
{
	struct spool_place *t = *state;
	struct spool *late;
	bool told, is = true;

	add(t, ANNA, "one");
	spool_free(t->s);
	assert_int_equal(unlink(t->counts), 0);
	assert_int_equal(mkdir(t->counts, 0700), 0);
	late = t->s = spool_unready(t, 1 << 20);
	assert_int_not_equal(spool_ready(late, NULL), RC_OK);
	assert_true(holds(late, ANNA));
	assert_false(holds(late, BORIS));
	assert_false(spool_waits(late));
	assert_int_not_equal(add_to(late, BORIS, 9, "two", &told), RC_OK);
	assert_false(holds(late, BORIS));
	assert_int_equal(rmdir(t->counts), 0);
	assert_int_equal(spool_holds(late, ANNA, &is, NULL), RC_OK);
	assert_true(is && spool_waits(late));
	assert_int_equal(add_to(late, BORIS, 9, "two", &told), RC_OK);
}

/* 0: what waits from before is still known, and taken out. */
static void nothing_is_added_to_none(void **state)
{
	struct spool_place *t = *state;
	bool told;

	add(t, ANNA, "one");
	spool_free(t->s);
	t->s = open_it(t, 0);
	assert_false(spool_keeps(t->s));
	assert_true(holds(t->s, ANNA));
	assert_int_equal(add_to(t->s, ANNA, 9, "two", &told), RC_UNAVAILABLE);
	next_is(t, ANNA, "one");
	done(t);
	none_left(t, ANNA);
}

static void one_person_leaves_room_to_others(void **state)
{
	enum { BIG = 300 << 10 };
	struct spool_place *t = *state;
	struct spool *s = open_it(t, 2 << 20);
	char *big = test_malloc(BIG + 1);
	bool told;

	memset(big, 'x', BIG);
	big[BIG] = '\0';
	for (int i = 1; i <= 3; i++)
		assert_int_equal(add_to(s, ANNA, i, big, &told), RC_OK);
	assert_int_equal(add_to(s, ANNA, 4, big, &told), RC_FULL);
	assert_int_equal(add_to(s, BORIS, 5, big, &told), RC_OK);
	/* what waits already is kept, however full it is */
	assert_int_equal(add_to(s, ANNA, 3, big, &told), RC_OK);
	test_free(big);
	spool_free(s);
}

static void sql(struct spool_place *t, const char *words)
{
	assert_int_equal(sqlite3_exec(t->s->db, words, NULL, NULL, NULL),
	    SQLITE_OK);
}

/* Never RC_INVALID, for which the person's update would be forgotten. */
static void a_database_of_others_is_no_fault_of_the_update(void **state)
{
	struct spool_place *t = *state;
	struct spool *s;
	struct err e;
	bool is;

	add(t, ANNA, "one");
	s = open_it(t, 1 << 20);
	sql(t, "PRAGMA user_version = 2");
	assert_int_equal(spool_holds(s, ANNA, &is, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "newer"));
	sql(t, "PRAGMA user_version = 1; PRAGMA application_id = 5");
	assert_int_equal(spool_holds(s, ANNA, &is, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "another program"));
	spool_free(s);
}

static void one_of_an_older_version_is_completed(void **state)
{
	struct spool_place *t = *state;
	struct spool *s;

	add(t, ANNA, "one");
	sql(t, "DROP TABLE spool_failed; DROP INDEX spool_order;"
	    "DROP INDEX spool_told;"
	    "CREATE INDEX spool_slot ON spool (slot, seq)");
	s = t->s;
	t->s = open_it(t, 1 << 20);
	next_is(t, ANNA, "one");
	done(t);
	none_left(t, ANNA);
	spool_free(s);
}

static void what_is_kept_outlives_a_power_loss(void **state)
{
	struct spool_place *t = *state;
	sqlite3_stmt *q = NULL;

	add(t, ANNA, "one");
	assert_int_equal(sqlite3_prepare_v2(t->s->db, "PRAGMA synchronous", -1,
	    &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(q, 0), 2 /* FULL */);
	sqlite3_finalize(q);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, spool_place_open, spool_place_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(kept_in_order_by_slot),
		CASE(people_of_one_slot_are_told_apart),
		CASE(the_same_update_is_kept_once),
		CASE(a_person_is_told_once_a_minute),
		CASE(several_are_done_at_once),
		CASE(counts_come_back_after_a_restart),
		CASE(seen_by_all_processes),
		CASE(another_versions_counts_are_refused),
		CASE(too_much_is_refused),
		CASE(nothing_is_kept_on_a_full_disk),
		CASE(counting_does_not_cross_a_deletion),
		CASE(what_cannot_be_mapped_is_tried_again),
		CASE(nothing_is_added_to_none),
		CASE(one_person_leaves_room_to_others),
		CASE(a_database_of_others_is_no_fault_of_the_update),
		CASE(one_of_an_older_version_is_completed),
		CASE(what_is_kept_outlives_a_power_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
