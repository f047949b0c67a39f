/*
 * conformance_move.c - what is written while a slot moves is marked, jobs wait
 * for their gate, and faults are found.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "shards/router.h"
#include "utils/buf.h"

enum { WHO = 42, OTHER = 43, DAY = 20000, REFUSED = 1023 };

static bool is_slot(void *ctx, int32_t slot)
{
	return slot == *(const int32_t *)ctx;
}

/* Who is marked in WHO's slot: WHO or nobody.  Clears the marks. */
static bool marked(struct store *s)
{
	int64_t got[4] = { 0 };
	struct err e;
	size_t n = 9;

	OK(s->ops->dirty_list(s, &(int32_t){ slot_of(OTHER) }, 1, 4, got, &n, &e));
	assert_int_equal(n, 0);
	OK(s->ops->dirty_list(s, &(int32_t){ slot_of(WHO) }, 1, 4, got, &n, &e));
	if (n == 0)
		return false;
	assert_int_equal(n, 1);
	assert_int_equal(got[0], WHO);
	OK(s->ops->dirty_clear(s, slot_of(WHO), got, 1, &e));
	OK(s->ops->dirty_list(s, &(int32_t){ slot_of(WHO) }, 1, 4, got, &n, &e));
	assert_int_equal(n, 0);
	return true;
}

/* All that can be written of a person; each must mark exactly if want. */
static void person_marks(struct store *s, int64_t who, bool want)
{
	struct user u = user_of(who);
	struct meal m = meal_of(who, DAY, 1);
	struct own_food f = { .user_id = who, .slot = slot_of(who),
		.key = "k", .name = "n" };
	struct err e;

	OK(s->ops->user_put(s, &u, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->user_put(s, &u, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->meal_add(s, &m, NULL, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->meal_replace(s, &m, NULL, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->own_food_put(s, &f, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->erase(s, who, &e));
	assert_int_equal(marked(s), want);
}

/* Purged jobs are marked, or stay until the slot has moved. */
static void purge_marks(struct store *s, struct job *j, bool want)
{
	struct err e;
	size_t n = 0;

	OK(s->ops->job_purge(s, 9000, &e));
	bool told = marked(s);
	OK(s->ops->job_list(s, JOB_DONE, 1, j, &n, &e));
	assert_true(want ? told || n == 1 : !told && n == 0);
}

static void jobs_mark(struct store *s, int64_t who, bool want)
{
	struct job *j = calloc(2, sizeof(*j));
	struct err e;
	size_t n = 0;

	j[0] = job_of("a", who, 1000);
	j[1] = job_of("b", who, 1001);
	OK(s->ops->job_add(s, j, 2, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->job_lease(s, 2000, 3000, 7, 2, NULL, j, &n, &e));
	assert_int_equal(n, 2);
	assert_int_equal(marked(s), want);
	j[0].state = JOB_DONE;
	j[0].done_at = 5000;
	j[1].state = JOB_DEAD;
	OK(s->ops->job_settle(s, j, 2, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->job_revive(s, "b", false, 4000, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->job_lease(s, 5000, 6000, 8, 1, NULL, j, &n, &e));
	assert_int_equal(marked(s), want);
	j->state = JOB_DEAD;
	OK(s->ops->job_settle(s, j, 1, &e));
	assert_int_equal(marked(s), want);
	OK(s->ops->job_revive(s, "b", true, 4000, &e));
	assert_int_equal(marked(s), want);
	purge_marks(s, j, want);
	free(j);
}

static void writes_mark_exactly_while_their_slot_moves(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	int32_t moving = slot_of(WHO);
	struct err e;

	person_marks(s, WHO, false);
	jobs_mark(s, WHO, false);
	s->slots = (struct store_slots){ .moving = is_slot,
		.ctx = &moving };
	person_marks(s, OTHER, false);
	jobs_mark(s, OTHER, false);
	person_marks(s, WHO, true);
	jobs_mark(s, WHO, true);
	OK(s->ops->slot_clear(s, moving, &e));
	moving = slot_of(OTHER);
	person_marks(s, WHO, false);
	jobs_mark(s, WHO, false);
}

static void moving_itself_leaves_no_marks(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	int32_t moving = slot_of(WHO);
	const int64_t who = WHO;
	struct record_pack p;
	struct user u = user_of(WHO);
	struct err e;
	int64_t got[2];
	size_t n = 9;

	person_fill(s, WHO, "a");
	s->slots = (struct store_slots){ .moving = is_slot,
		.ctx = &moving };
	(void)slot_pack(s, moving, &who, 1, &p);
	OK(s->ops->slot_write(s, moving, &who, 1, &p, &e));
	OK(s->ops->slot_clear_jobs(s, moving, &e));
	assert_false(marked(s));
	record_pack_release(&p);
	/* a mark goes with its slot */
	OK(s->ops->user_get(s, WHO, &u, &e));
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->slot_clear(s, moving, &e));
	OK(s->ops->dirty_list(s, &moving, 1, 2, got, &n, &e));
	assert_int_equal(n, 0);
}

static void marks_are_forgotten_one_by_one(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	int32_t moving = slot_of(WHO);
	int64_t got[8] = { 0 };
	struct err e;
	size_t n = 0;

	s->slots = (struct store_slots){ .moving = is_slot,
		.ctx = &moving };
	for (int i = 0; i < 5; i++) {
		struct user u = user_of(WHO + (int64_t)i * SLOT_COUNT);

		OK(s->ops->user_put(s, &u, &e));
	}
	OK(s->ops->dirty_list(s, &moving, 1, 3, got, &n, &e));
	assert_int_equal(n, 3);
	OK(s->ops->dirty_clear(s, moving, got, 3, &e));
	OK(s->ops->dirty_list(s, &moving, 1, 8, got + 3, &n, &e));
	assert_int_equal(n, 2);
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < i; k++)
			assert_true(got[i] != got[k]);
	OK(s->ops->dirty_clear(s, moving, got, 0, &e));
	OK(s->ops->dirty_clear(s, moving, got + 3, 2, &e));
	OK(s->ops->dirty_list(s, &moving, 1, 8, got, &n, &e));
	assert_int_equal(n, 0);
}

static bool all_move(void *ctx, int32_t slot)
{
	(void)ctx, (void)slot;
	return true;
}

static void marks_of_several_slots_are_listed_at_once(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	const int32_t slots[] = { slot_of(WHO), slot_of(WHO + 2),
		slot_of(OTHER) };
	int64_t got[8] = { 0 }, sum = 0;
	struct err e;
	size_t n = 0;

	s->slots = (struct store_slots){ .moving = all_move };
	for (int i = 0; i < 4; i++) {	/* the fourth is not asked for */
		struct user u = user_of(WHO + i);

		OK(s->ops->user_put(s, &u, &e));
	}
	OK(s->ops->dirty_list(s, slots, 3, 8, got, &n, &e));
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		sum += got[i];
	assert_int_equal(sum, 3 * (int64_t)WHO + 3);
	OK(s->ops->dirty_list(s, slots, 3, 2, got, &n, &e));
	assert_int_equal(n, 2);
}

static void refused_jobs_are_passed_over(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct job *j = calloc(REFUSED + 2, sizeof(*j));
	int32_t open = slot_of(OTHER);
	const struct job_gate gate = { is_slot, &open };
	struct err e;
	size_t n = 9;

	for (int i = 0; i < REFUSED; i++) {
		char id[16];

		(void)str_format(id, sizeof(id), "r%04d", i);
		j[i] = job_of(id, WHO, 1000 + i);
	}
	j[REFUSED] = job_of("late", OTHER, 3000);
	j[REFUSED + 1] = job_of("later", OTHER, 3001);
	OK(s->ops->job_add(s, j, REFUSED, &e));
	OK(s->ops->job_lease(s, 5000, 6000, 7, 4, &gate, j, &n, &e));
	assert_int_equal(n, 0);
	j[0] = job_of("late", OTHER, 3000);
	j[1] = job_of("later", OTHER, 3001);
	OK(s->ops->job_add(s, j, 2, &e));
	OK(s->ops->job_lease(s, 5000, 6000, 7, 1, &gate, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j->id, "late");
	assert_int_equal(j->state, JOB_LEASED);
	assert_int_equal(j->lease_token, 7);
	OK(s->ops->job_lease(s, 5000, 6000, 9, 4, &gate, j, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j->id, "later");
	/* who was passed over is as before, and the oldest is first */
	open = slot_of(WHO);
	OK(s->ops->job_lease(s, 5000, 6000, 8, 2, &gate, j, &n, &e));
	assert_int_equal(n, 2);
	assert_string_equal(j[0].id, "r0000");
	assert_string_equal(j[1].id, "r0001");
	assert_int_equal(j[0].tries, 0);
	free(j);
}

struct faults {
	struct store_fault f[8];
	int n;
};

static void fault_keep(void *ctx, const struct store_fault *f)
{
	struct faults *all = ctx;

	assert_true(all->n < (int)COUNT(all->f));
	all->f[all->n++] = *f;
}

static struct faults check(struct store *s, int32_t slot, bool repair)
{
	struct faults all = { .n = 0 };
	struct err e;

	OK(s->ops->check(s, slot, repair, fault_keep, &all, &e));
	return all;
}

/* A meal whose sums are not those of its items, and a wrong count. */
static void drift_plant(struct store *s)
{
	struct record *r = calloc(1, sizeof(*r));
	struct record_pack p;
	struct user u;
	struct err e;

	record_pack_init(&p);
	r->kind = COLLECTION_MEALS;
	r->meal = meal_of(WHO, DAY + 9, 5);
	r->meal.rev = 4;
	r->meal.sum.fat += 5;
	OK(record_pack_add(&p, r, &e));
	OK(s->ops->slot_write(s, slot_of(WHO), NULL, 0, &p, &e));
	OK(s->ops->user_get(s, WHO, &u, &e));
	u.own_foods = 7;
	OK(s->ops->user_put(s, &u, &e));
	record_pack_release(&p);
	free(r);
}

static void drift_is_found_and_mended(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct meal right = meal_of(WHO, DAY + 9, 5), m;
	struct faults f;
	struct day_sum d;
	struct user u;
	struct err e;

	person_fill(s, WHO, "a");
	person_fill(s, OTHER, "b");
	assert_int_equal(check(s, slot_of(WHO), true).n, 0);
	drift_plant(s);
	for (int i = 0; i < 3; i++) {	/* seen, mended, gone */
		f = check(s, slot_of(WHO), i == 1);
		assert_int_equal(f.n, i < 2 ? 2 : 0);
		for (int k = 0; k < f.n; k++) {
			assert_int_equal(f.f[k].kind, STORE_DRIFT);
			assert_int_equal(f.f[k].user_id, WHO);
			assert_int_equal(f.f[k].repaired, i == 1);
			assert_true(f.f[k].id[0] && f.f[k].words[0]);
		}
		if (f.n == 2)
			assert_true(f.f[0].collection != f.f[1].collection);
	}
	OK(s->ops->user_get(s, WHO, &u, &e));
	assert_int_equal(u.own_foods, 2);
	OK(s->ops->user_put(s, &u, &e));
	OK(s->ops->meal_get(s, WHO, DAY + 9, WHO, 5, &m, &e));
	assert_memory_equal(&m.sum, &right.sum, sizeof(m.sum));
	OK(s->ops->day_sums(s, WHO, DAY + 9, DAY + 9, &d, &e));
	assert_true(d.sum.fat == right.sum.fat);
}

static void records_in_a_wrong_slot_are_found(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	struct record *r = calloc(1, sizeof(*r));
	struct digests d, none = { 0 };
	struct record_pack p;
	struct faults f;
	struct err e;

	person_fill(s, WHO, "a");
	record_pack_init(&p);
	r->kind = COLLECTION_JOBS;
	r->job = job_of("stray", OTHER, 1);
	r->job.slot = slot_of(WHO);
	OK(record_pack_add(&p, r, &e));
	OK(s->ops->slot_write(s, slot_of(WHO), NULL, 0, &p, &e));
	f = check(s, slot_of(WHO), true);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.f[0].kind, STORE_WRONG_SLOT);
	assert_int_equal(f.f[0].collection, COLLECTION_JOBS);
	assert_int_equal(f.f[0].user_id, OTHER);
	assert_non_null(strstr(f.f[0].id, "stray"));
	assert_false(f.f[0].repaired);
	assert_int_equal(check(s, slot_of(OTHER), true).n, 0);
	/* a slot takes no records of another */
	assert_int_equal(s->ops->slot_write(s, slot_of(OTHER), NULL, 0, &p, &e),
	    RC_INVALID);
	d = slot_pack(s, slot_of(OTHER), NULL, 0, NULL);
	assert_true(digests_equal(&d, &none));
	record_pack_release(&p);
	free(r);
}

const struct CMUnitTest conformance_move[] = {
	CASE(writes_mark_exactly_while_their_slot_moves),
	CASE(moving_itself_leaves_no_marks),
	CASE(marks_are_forgotten_one_by_one),
	CASE(marks_of_several_slots_are_listed_at_once),
	CASE(refused_jobs_are_passed_over),
	CASE(drift_is_found_and_mended),
	CASE(records_in_a_wrong_slot_are_found),
};
const size_t conformance_move_n = COUNT(conformance_move);
