/*
 * test_journal.c - what is remembered of a change of shards, what may be asked
 * for when, the audit trail, and the mover's pace.
 */
#include "config.h"

#include "reshard_place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reshard/journal.h"
#include "reshard/pace.h"

static struct reshard *sample(void)
{
	struct reshard *r = calloc(1, sizeof(*r));

	r->state = RESHARD_PAUSED;
	r->id = 1700000000123;
	(void)str_copy(r->who, sizeof(r->who), "anna \"a\"\\ю");
	r->before.nnames = 1;
	r->before.only_slot = -1;
	(void)str_copy(r->before.names[0], 64, "one");
	r->plan.nnames = 2;
	r->plan.placement = PLAN_MINIMAL;
	r->plan.only_slot = 77;
	(void)str_copy(r->plan.names[0], 64, "one");
	(void)str_copy(r->plan.names[1], 64, "two \"quoted\"");
	for (int i = 0; i < SLOT_COUNT; i++) {
		r->owner_before[i] = (uint16_t)(i % 7);
		r->target[i] = (uint16_t)(i % 255);
	}
	r->limits = (struct reshard_limits){ 12, 34 };
	r->started_at = 5;
	r->ended_at = 6;
	r->users = 7;
	r->bytes = 1LL << 40;
	r->busy_us = 9;
	r->fence_p50_us = 10;
	r->fence_p99_us = 11;
	r->fence_max_us = 12;
	r->fences[0] = 4000000000U;
	r->fences[RESHARD_FENCE_BUCKETS - 1] = 3;
	(void)str_copy(r->last_error, sizeof(r->last_error), "tab\there");
	return r;
}

static uint64_t stamp(const struct reshard_place *p)
{
	return p->c.journal.ops->stamp(p->c.journal.ctx);
}

static void journal_comes_back_as_it_was(void **state)
{
	struct reshard_place *p = *state;
	const struct journal *j = &p->c.journal;
	struct reshard *r = sample(), *back = calloc(1, sizeof(*back));
	struct err e = { RC_OK, "" };
	uint64_t before;

	OK(reshard_load(j, back, &e));
	assert_int_equal(back->state, RESHARD_NONE);
	assert_int_equal(back->rev, 0);
	before = stamp(p);
	OK(reshard_save(j, r, &e));
	assert_int_not_equal(stamp(p), before);
	OK(reshard_load(j, back, &e));
	assert_memory_equal(r, back, sizeof(*r));
	before = stamp(p);
	OK(reshard_save(j, r, &e));
	assert_int_not_equal(stamp(p), before);
	r->state = RESHARD_NONE;
	OK(reshard_save(j, r, &e));
	OK(reshard_load(j, back, &e));
	assert_int_equal(back->state, RESHARD_NONE);
	free(back);
	free(r);
}

/* Of two who read the same, one changes it. */
static void who_is_second_reads_again(void **state)
{
	struct reshard_place *p = *state;
	const struct journal *j = &p->c.journal;
	struct reshard *one = sample(), *two = sample();
	struct err e = { RC_OK, "" };
	int64_t rev;

	OK(reshard_save(j, one, &e));
	assert_int_equal(reshard_save(j, two, &e), RC_BUSY);
	assert_int_equal(two->rev, 0);
	OK(reshard_load(j, two, &e));
	two->users = 8;
	OK(reshard_save(j, two, &e));
	rev = one->rev;
	assert_int_equal(reshard_save(j, one, &e), RC_BUSY);
	assert_int_equal(one->rev, rev);
	one->state = RESHARD_NONE;	/* nor takes it away */
	assert_int_equal(reshard_save(j, one, &e), RC_BUSY);
	OK(reshard_load(j, one, &e));
	assert_int_equal(one->users, 8);
	/* a new one is never taken for an old one */
	rev = two->rev;
	two->state = RESHARD_NONE;
	OK(reshard_save(j, two, &e));
	one->rev = 0;
	OK(reshard_save(j, one, &e));
	assert_true(one->rev != rev);
	free(one);
	free(two);
}

/* The text with one piece replaced is refused. */
static void refuse(const char *from, const char *to, enum rc want)
{
	struct reshard *r = sample(), *back = calloc(1, sizeof(*back));
	struct buf text, changed;
	struct err e = { RC_OK, "" };
	const char *at;

	buf_init(&text, JOURNAL_BYTES_MAX);
	buf_init(&changed, JOURNAL_BYTES_MAX);
	journal_encode(r, &text);
	at = strstr(text.s, from);
	assert_non_null(at);
	buf_add(&changed, text.s, (size_t)(at - text.s));
	buf_puts(&changed, to);
	buf_puts(&changed, at + strlen(from));
	assert_int_equal(journal_decode(changed.s, changed.len, back, &e),
	    want);
	assert_int_equal(back->id, 0);
	buf_release(&text);
	buf_release(&changed);
	free(back);
	free(r);
}

static void damaged_journals_are_refused(void **state)
{
	(void)state;
	refuse("\"version\": 1", "\"version\": 2", RC_INVALID);
	refuse("\"version\": 1", "\"version\": 0", RC_CORRUPT);
	refuse("\"paused\"", "\"asleep\"", RC_CORRUPT);
	refuse("\"paused\"", "\"none\"", RC_CORRUPT);
	refuse("\"users\": 7", "\"users\": -7", RC_CORRUPT);
	refuse("\"users\": 7", "\"users\": \"7\"", RC_CORRUPT);
	refuse("\"only_slot\": 77", "\"only_slot\": 5040", RC_CORRUPT);
	refuse("\"minimal\"", "\"most\"", RC_CORRUPT);
	refuse("[0,1,2,3,4,5,6,0,", "[1,2,3,4,5,6,0,", RC_CORRUPT);
	refuse("[0,1,2,3,4,5,6,0,", "[0,1,2,3,4,5,256,0,", RC_CORRUPT);
	refuse("}\n", "", RC_CORRUPT);
}

static void only_one_change_at_a_time(void **state)
{
	struct reshard_place *p = *state;
	struct plan two = reshard_place_plan(p, 2, PLAN_MODULO);
	struct plan three = reshard_place_plan(p, 3, PLAN_MODULO);
	const struct reshard_limits limits = { 5, 6 };
	struct reshard *r = calloc(1, sizeof(*r));
	struct err e = { RC_OK, "" };

	reshard_place_add(p, 3);
	assert_int_equal(reshard_ask(&p->c, RESHARD_PAUSED, NULL, &e),
	    RC_NOTFOUND);
	assert_int_equal(reshard_rollback(&p->c, NULL, &e), RC_CONFLICT);
	assert_int_equal(reshard_cleanup(&p->c, NULL, NULL, &e), RC_CONFLICT);
	OK(reshard_begin(&p->c, &two, &three, &limits, &e));
	assert_int_equal(reshard_begin(&p->c, &two, &three, &limits, &e),
	    RC_CONFLICT);
	assert_non_null(strstr(e.text, "abort"));
	OK(reshard_ask(&p->c, RESHARD_PAUSED, NULL, &e));
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->state, RESHARD_PAUSED);
	assert_int_equal(r->limits.users_per_second, 5);
	assert_string_equal(r->who, "anna");
	assert_int_equal(r->target[5], 2);
	assert_int_equal(r->owner_before[5], 1);
	OK(reshard_run(&p->c, NULL, NULL, &e));	/* paused: does nothing */
	assert_int_equal(slots_get(p->slots, 5).owner, 1);
	OK(reshard_ask(&p->c, RESHARD_RUNNING, &(struct reshard_limits){ 0 },
	    &e));
	OK(reshard_ask(&p->c, RESHARD_ABORTING, NULL, &e));
	assert_int_equal(reshard_ask(&p->c, RESHARD_PAUSED, NULL, &e),
	    RC_CONFLICT);
	assert_int_equal(reshard_ask(&p->c, RESHARD_MOVED, NULL, &e),
	    RC_INVALID);
	OK(reshard_load(&p->c.journal, r, &e));
	assert_int_equal(r->limits.users_per_second, 0);
	free(r);
}

static void audit_lines_cannot_be_forged(void **state)
{
	struct reshard_place *p = *state;
	char path[500], text[4000];
	struct err e = { RC_OK, "" };
	ssize_t n;
	int fd;

	OK(audit_add(p->dir, "eve\" what=\n", "event=one\nevent=two", &e));
	OK(audit_add(p->dir, "anna", "event=three", &e));
	(void)str_format(path, sizeof(path), "%s/audit.log", p->dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "who=\"eve_ what=_\" pid="));
	assert_non_null(strstr(text, " event=one event=two\ntime="));
	assert_non_null(strstr(text, "who=\"anna\""));
	assert_null(strchr(strchr(strchr(text, '\n') + 1, '\n') + 1, '\n'));
	(void)str_format(path, sizeof(path), "%s/none", p->dir);
	assert_int_equal(audit_add(path, "anna", "event=x", &e), RC_SYSTEM);
}

static void pace_is_smooth(void **state)
{
	struct pace p = { 0 };
	int64_t now = 1000000, taken = 0, end = now + 2000000;

	(void)state;
	assert_int_equal(pace_batch(&p), PACE_BATCH_MAX);
	assert_int_equal(pace_wait_us(&p, now), 0);
	pace_set(&p, 100, now);
	assert_int_equal(pace_batch(&p), 5);
	while (now < end) {
		int64_t wait = pace_wait_us(&p, now);

		assert_true(wait <= 60000);
		now += wait;
		pace_take(&p, now, pace_batch(&p));
		taken += (int64_t)pace_batch(&p);
	}
	assert_in_range(taken, 195, 212);
	pace_set(&p, 1, now);
	assert_int_equal(pace_batch(&p), 1);
	/* an hour of rest is no credit */
	now += 3600LL * 1000000;
	assert_int_equal(pace_wait_us(&p, now), 0);
	pace_take(&p, now, 3);
	assert_in_range(pace_wait_us(&p, now), 2900000, 3000001);
}

static void fences_are_counted_by_their_length(void **state)
{
	struct reshard *r = calloc(1, sizeof(*r));

	(void)state;
	assert_int_equal(fences_quantile(r, 0.99), 0);
	for (int i = 0; i < 98; i++)
		fences_add(r, 1000);
	fences_add(r, 50000);
	fences_add(r, 3);
	assert_in_range(fences_quantile(r, 0.50), 1000, 1125);
	assert_in_range(fences_quantile(r, 0.98), 1000, 1125);
	assert_in_range(fences_quantile(r, 1.0), 50000, 50000);
	fences_add(r, INT64_MAX);
	assert_int_equal(r->fence_max_us, INT64_MAX);
	free(r);
}

static void speed_is_of_lately(void **state)
{
	struct speed s = { .begun = 0 };
	int64_t now = 5000000;

	(void)state;
	assert_true(speed_users(&s, now) == 0);
	for (int i = 0; i < 300; i++, now += 100000)
		speed_add(&s, now, i < 100 ? 1000 : 10, 1);
	assert_in_range((int64_t)speed_users(&s, now), 90, 111);
	assert_in_range((int64_t)speed_slots(&s, now), 9, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(journal_comes_back_as_it_was),
		IN_PLACE(who_is_second_reads_again),
		cmocka_unit_test(damaged_journals_are_refused),
		IN_PLACE(only_one_change_at_a_time),
		IN_PLACE(audit_lines_cannot_be_forged),
		cmocka_unit_test(pace_is_smooth),
		cmocka_unit_test(fences_are_counted_by_their_length),
		cmocka_unit_test(speed_is_of_lately),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
