/*
 * conformance_days.c - history in pages, days and weeks in a person's zone.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"
#include "utils/clock.h"

enum { DAY = 20000, DAYS = 4, PER_DAY = 9, PAGE = 5 };

/* Meals with equal times, several chats, and an undone one each day. */
static void history_fill(struct store *s, int64_t user_id)
{
	struct err e;

	for (int i = 0; i < DAYS * PER_DAY; i++) {
		struct meal m = meal_of(user_id, DAY + i % DAYS, 500 - i);

		m.at = (int64_t)m.day * 86400 + i / 12 * 600;
		m.chat_id = i % 3 == 0 ? -1001234567890 : user_id;
		OK(s->ops->meal_add(s, &m, NULL, &e));
		if (i < DAYS) {
			m.deleted = 1;
			OK(s->ops->meal_replace(s, &m, NULL, &e));
		}
	}
}

static int compare(const struct meal *a, const struct meal *b)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->chat_id != b->chat_id)
		return a->chat_id < b->chat_id ? -1 : 1;
	if (a->message_id != b->message_id)
		return a->message_id < b->message_id ? -1 : 1;
	return 0;
}

static struct meal_cursor cursor_of(const struct meal *m)
{
	return (struct meal_cursor){ m->day, m->at, m->chat_id, m->message_id };
}

static void pages_give_each_meal_once_newest_first(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal page[PAGE], last;
	struct meal_cursor c;
	size_t n = 0, all = 0;
	struct err e;

	history_fill(s, 42);
	history_fill(s, 43);
	OK(s->ops->meal_page(s, 42, NULL, PAGE, page, &n, &e));
	while (n > 0) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(page[i].deleted, 0);
			assert_true(page[i].user_id == 42);
			assert_int_equal(page[i].nitems, 1);
			if (all++ > 0)
				assert_true(compare(&page[i], &last) < 0);
			last = page[i];
		}
		/* what comes meanwhile at the top does not shift the pages */
		struct meal m = meal_of(42, DAY + 100, (int64_t)(1000 + all));
		OK(s->ops->meal_add(s, &m, NULL, &e));
		c = cursor_of(&last);
		OK(s->ops->meal_page(s, 42, &c, PAGE, page, &n, &e));
	}
	assert_int_equal(all, DAYS * (PER_DAY - 1));
	OK(s->ops->meal_page(s, 44, NULL, PAGE, page, &n, &e));
	assert_int_equal(n, 0);
}

static void day_is_listed_oldest_first(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal got[20];
	size_t n = 0;
	struct err e;

	history_fill(s, 42);
	OK(s->ops->meal_day(s, 42, DAY + 1, 20, got, &n, &e));
	assert_int_equal(n, PER_DAY - 1);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i].day, DAY + 1);
		if (i > 0)
			assert_true(compare(&got[i], &got[i - 1]) > 0);
	}
	OK(s->ops->meal_day(s, 42, DAY + 1, 3, got, &n, &e));
	assert_int_equal(n, 3);
	OK(s->ops->meal_day(s, 42, DAY + 50, 3, got, &n, &e));
	assert_int_equal(n, 0);
}

static void sums_cover_each_day_of_the_range(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal one = meal_of(42, DAY, 1);
	struct day_sum d[62];
	struct err e;

	history_fill(s, 42);
	OK(s->ops->day_sums(s, 42, DAY - 1, DAY + 60, d, &e));
	for (int i = 0; i < 62; i++) {
		int meals = i >= 1 && i <= DAYS ? PER_DAY - 1 : 0;

		assert_int_equal(d[i].day, DAY - 1 + i);
		assert_int_equal(d[i].meals, meals);
		assert_true(d[i].sum.cal == one.sum.cal * meals);
		assert_true(d[i].sum.protein == one.sum.protein * meals);
		assert_true(d[i].sum.fat == one.sum.fat * meals);
		assert_true(d[i].sum.carb == one.sum.carb * meals);
	}
	OK(s->ops->day_sums(s, 42, DAY, DAY, d, &e));
	assert_int_equal(d[0].meals, PER_DAY - 1);
	OK(s->ops->day_sums(s, 44, DAY, DAY + 6, d, &e));
	assert_int_equal(d[6].meals, 0);
	assert_int_equal(s->ops->day_sums(s, 42, DAY, DAY + 62, d, &e),
	    RC_INVALID);
	assert_int_equal(s->ops->day_sums(s, 42, DAY, DAY - 1, d, &e),
	    RC_INVALID);
	assert_int_equal(s->ops->day_sums(s, 42, INT32_MIN, INT32_MAX, d, &e),
	    RC_INVALID);
}

/* An instant in UTC, and the local day that it belongs to. */
struct instant {
	int y, m, d, hour, min;
	int day_y, day_m, day_d;
};

/* Stores a meal at each instant and finds each on its day. */
static void days_check(struct store *s, const struct user *u,
    const struct instant *t, size_t n)
{
	struct day_sum d;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		int32_t day = day_from_ymd(t[i].day_y, t[i].day_m, t[i].day_d);
		struct meal m = meal_of(u->user_id, 0, (int64_t)i + 1);
		int before = 0;

		for (size_t k = 0; k < i; k++)
			before += day == day_from_ymd(t[k].day_y, t[k].day_m,
			    t[k].day_d);
		m.at = (int64_t)day_from_ymd(t[i].y, t[i].m, t[i].d) * 86400 +
		    t[i].hour * 3600 + t[i].min * 60;
		m.day = user_day(u, m.at);
		OK(s->ops->meal_add(s, &m, NULL, &e));
		OK(s->ops->day_sums(s, u->user_id, day, day, &d, &e));
		assert_int_equal(d.meals, before + 1);
	}
}

static void days_are_right_when_clocks_change_in_new_york(void **state)
{
	static const struct instant t[] = {
		{ 2026, 3, 8, 4, 30, 2026, 3, 7 },	/* 23:30 EST */
		{ 2026, 3, 8, 5, 30, 2026, 3, 8 },	/* 00:30 EST */
		{ 2026, 3, 8, 7, 30, 2026, 3, 8 },	/* 03:30 EDT, 2:30 is not */
		{ 2026, 3, 9, 3, 30, 2026, 3, 8 },	/* 23:30 EDT */
		{ 2026, 3, 9, 4, 30, 2026, 3, 9 },	/* 00:30 EDT */
		{ 2026, 11, 1, 3, 59, 2026, 10, 31 },	/* 23:59 EDT */
		{ 2026, 11, 1, 4, 0, 2026, 11, 1 },	/* 00:00 EDT */
		{ 2026, 11, 2, 4, 59, 2026, 11, 1 },	/* 23:59 EST: 25 hours */
		{ 2026, 11, 2, 5, 0, 2026, 11, 2 },
	};
	struct user u = user_of(42);

	(void)str_copy(u.zone, sizeof(u.zone), "America/New_York");
	days_check(((struct store_place *)*state)->s, &u, t, COUNT(t));
}

static void days_are_right_when_clocks_change_in_berlin(void **state)
{
	static const struct instant t[] = {
		{ 2026, 3, 29, 1, 59, 2026, 3, 28 },	/* 03:59 CEST */
		{ 2026, 3, 29, 2, 0, 2026, 3, 29 },	/* 04:00 CEST */
		{ 2026, 3, 30, 1, 59, 2026, 3, 29 },
		{ 2026, 10, 25, 1, 30, 2026, 10, 24 },	/* 02:30 CET, again */
		{ 2026, 10, 25, 2, 59, 2026, 10, 24 },	/* 03:59 CET */
		{ 2026, 10, 25, 3, 0, 2026, 10, 25 },	/* 04:00 CET */
		{ 2026, 10, 26, 2, 59, 2026, 10, 25 },
	};
	struct user u = user_of(42);

	(void)str_copy(u.zone, sizeof(u.zone), "Europe/Berlin");
	u.day_start_min = 240;	/* a day ends at four in the night */
	days_check(((struct store_place *)*state)->s, &u, t, COUNT(t));
}

static void moving_house_does_not_move_old_meals(void **state)
{
	static const struct instant t[] = {
		{ 2026, 5, 1, 20, 0, 2026, 5, 2 },	/* 05:00 in Tokyo */
		{ 2026, 5, 2, 20, 0, 2026, 5, 2 },	/* 22:00 in Berlin */
	};
	struct user u = user_of(42);

	(void)str_copy(u.zone, sizeof(u.zone), "Europe/Berlin");
	(void)str_copy(u.zone_before, sizeof(u.zone_before), "Asia/Tokyo");
	u.zone_since = (int64_t)day_from_ymd(2026, 5, 2) * 86400;
	days_check(((struct store_place *)*state)->s, &u, t, COUNT(t));
}

const struct CMUnitTest conformance_days[] = {
	CASE(pages_give_each_meal_once_newest_first),
	CASE(day_is_listed_oldest_first),
	CASE(sums_cover_each_day_of_the_range),
	CASE(days_are_right_when_clocks_change_in_new_york),
	CASE(days_are_right_when_clocks_change_in_berlin),
	CASE(moving_house_does_not_move_old_meals),
};
const size_t conformance_days_n = COUNT(conformance_days);
