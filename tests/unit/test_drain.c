/*
 * test_drain.c - what was spooled is applied in order, by whom the test says,
 * whatever comes of single updates.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/spool.h"
#include "shards/slots.h"
#include "worker_place.h"

enum { ANNA = 77, BORIS = 78, FAR = 77 + SLOT_COUNT, TOLD_MAX = 2000 };

static struct {
	struct worker_place *place;
	struct spool *spool;
	struct slots *map;
	char told[TOLD_MAX];	/* bodies in the order in which they came */
	char path[400];
	char deadly[32];	/* whoever applies this body dies */
	char want[32];		/* what another worker applies that lives */
	char bad[32];		/* this body's result is rc */
	enum rc rc;
	int64_t ids;
} t;

static enum rc apply(void *ctx, const char *body, size_t len,
    int64_t received_at, struct err *e)
{
	size_t n = strlen(t.told);

	assert_ptr_equal(ctx, &t);
	assert_in_range(received_at, 1001, 1000 + t.ids);
	assert_int_equal(len, strlen(body));
	if (strcmp(body, t.deadly) == 0)
		(void)raise(SIGKILL);
	str_format(t.told + n, sizeof(t.told) - n, "%s ", body);
	if (strcmp(body, t.bad) == 0)
		return err_set(e, t.rc, "as told");
	return RC_OK;
}

static int setup(void **state)
{
	struct spool_conf c = { .max_bytes = 1 << 20 };
	struct err e = { .text = "" };
	int r = worker_place_setup(state);

	memset(&t, 0, sizeof(t));
	t.place = *state;
	str_format(t.path, sizeof(t.path), "%s/spool.db", t.place->dir);
	c.path = t.path;
	t.spool = spool_new(&c);
	assert_int_equal(slots_open(t.place->map, NULL, 0, true, &t.map, &e),
	    RC_OK);
	t.place->conf.spool = t.spool;
	t.place->conf.apply = apply;
	t.place->conf.apply_ctx = &t;
	return r;
}

static int teardown(void **state)
{
	int r = worker_place_teardown(state);

	slots_free(t.map);
	spool_free(t.spool);
	return r;
}

static void keep(int64_t user, const char *body)
{
	const struct spool_update u = { .user_id = user, .update_id = ++t.ids,
		.body = body, .len = strlen(body) };
	bool told;

	assert_int_equal(spool_add(t.spool, &u, 1000 + t.ids, &told, NULL),
	    RC_OK);
}

static int64_t left(void)
{
	struct spool_stats st;

	assert_int_equal(spool_stats(t.spool, &st, NULL), RC_OK);
	return st.rows;
}

static void pause_shard(int64_t user, bool on)
{
	int shard = slots_get(t.map, slot_of(user)).owner;

	assert_int_equal(slots_shard_flag(t.map, shard, SHARD_PAUSED, on,
	    NULL), RC_OK);
}

static void each_persons_are_applied_in_order(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(BORIS, "b1");
	keep(ANNA, "a2");
	keep(FAR, "f1");
	keep(ANNA, "a3");
	worker_place_start(p);
	worker_place_turns(p, 300);
	assert_string_equal(t.told, "a1 a2 f1 a3 b1 ");
	assert_int_equal(left(), 0);
	assert_int_equal(worker_stats(p->worker)->spool_applied, 5);
	keep(ANNA, "a4");
	worker_place_turns(p, 600);
	assert_string_equal(t.told, "a1 a2 f1 a3 b1 a4 ");
}

static void a_paused_shards_wait(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(BORIS, "b1");
	pause_shard(ANNA, true);
	worker_place_start(p);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "b1 ");
	assert_int_equal(left(), 1);
	pause_shard(ANNA, false);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "b1 a1 ");
}

static void what_cannot_ever_succeed_is_done_with(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(ANNA, "a2");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_INVALID;
	worker_place_start(p);
	worker_place_turns(p, 300);
	assert_string_equal(t.told, "a1 a2 ");
	assert_int_equal(left(), 0);
	assert_int_equal(worker_stats(p->worker)->spool_invalid, 1);
}

static void what_may_succeed_later_is_tried_again(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	keep(BORIS, "b1");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_UNAVAILABLE;
	worker_place_start(p);
	worker_place_turns(p, 100);
	/* nobody of that slot overtakes, others go on */
	assert_memory_equal(t.told, "a1 b1 ", 6);
	assert_null(strstr(t.told, "f1"));
	t.bad[0] = t.told[0] = '\0';
	worker_place_turns(p, 600);
	assert_string_equal(t.told, "a1 f1 ");
	assert_int_equal(left(), 0);
}

static void an_unreadable_persons_stay_and_hold_nobody(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	keep(ANNA, "a2");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_CORRUPT;
	worker_place_start(p);
	worker_place_turns(p, 900);
	assert_string_equal(t.told, "a1 f1 ");
	assert_int_equal(left(), 2);
	assert_int_equal(worker_stats(p->worker)->spool_stuck, 1);
}

/* More than one turn and one batch holds. */
static void many_are_applied_once_each(void **state)
{
	struct worker_place *p = *state;
	char body[32], want[TOLD_MAX] = "";

	for (int i = 0; i < 150; i++) {
		size_t n = strlen(want);
		str_format(body, sizeof(body), "%d", i);
		keep(ANNA, body);
		str_format(want + n, sizeof(want) - n, "%s ", body);
	}
	worker_place_start(p);
	for (int i = 0; i < 50 && left() > 0; i++)
		worker_place_turns(p, 100);
	assert_string_equal(t.told, want);
	assert_int_equal(left(), 0);
}

/* The spool's files may not grow: nothing can be deleted. */
static void disk_full(bool on)
{
	static struct rlimit was;
	struct rlimit small;

	if (!on) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		return;
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
}

/* Two updates that are applied again in turn would undo more than twice. */
static void what_cannot_be_deleted_is_applied_once(void **state)
{
	struct worker_place *p = *state;

	worker_place_start(p);
	keep(ANNA, "undo1");
	keep(ANNA, "undo2");
	disk_full(true);
	worker_place_turns(p, 1500);
	disk_full(false);
	assert_string_equal(t.told, "undo1 ");
	worker_place_turns(p, 1500);
	assert_string_equal(t.told, "undo1 undo2 ");
	assert_int_equal(left(), 0);
}

/* Another worker, which dies when it is to apply t.deadly; true: it did. */
static bool worker_dies(struct worker_place *p)
{
	const struct spool_conf c = { .path = t.path, .max_bytes = 1 << 20 };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		p->conf.spool = t.spool = spool_new(&c);
		worker_place_start(p);
		worker_place_turns(p, 1000);
		_exit(strcmp(t.told, t.want) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static void a_death_repeats_the_last_update_only(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "undo1");
	keep(ANNA, "undo2");
	keep(ANNA, "undo3");
	str_copy(t.deadly, sizeof(t.deadly), "undo3");
	assert_true(worker_dies(p));
	assert_int_equal(left(), 1);
}

static void an_update_that_kills_holds_its_person_alone(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	keep(ANNA, "a2");
	str_copy(t.deadly, sizeof(t.deadly), "a1");
	for (int i = 0; i < 3; i++)
		assert_true(worker_dies(p));
	assert_int_equal(left(), 3);
	str_copy(t.want, sizeof(t.want), "f1 ");
	assert_false(worker_dies(p));
	assert_int_equal(left(), 2);
	/* when it is its turn again, it kills once, not thrice */
	assert_int_equal(spool_retry(t.spool, 1, NULL), RC_OK);
	assert_true(worker_dies(p));
	t.want[0] = '\0';
	assert_false(worker_dies(p));
	/* mended */
	t.deadly[0] = '\0';
	assert_int_equal(spool_retry(t.spool, 1, NULL), RC_OK);
	worker_place_start(p);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "a1 a2 ");
}

static void what_fails_again_and_again_holds_its_person_alone(void **state)
{
	struct worker_place *p = *state;

	keep(ANNA, "a1");
	keep(FAR, "f1");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_SYSTEM;
	worker_place_start(p);
	worker_place_turns(p, 1500);
	assert_string_equal(t.told, "a1 a1 a1 f1 ");
	assert_int_equal(worker_stats(p->worker)->spool_stuck, 1);
	t.bad[0] = '\0';
	assert_int_equal(spool_retry(t.spool, 1, NULL), RC_OK);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "a1 a1 a1 f1 a1 ");
	assert_int_equal(worker_stats(p->worker)->spool_stuck, 0);
}

static void what_was_dropped_holds_nobody(void **state)
{
	struct worker_place *p = *state;
	const int64_t seq = 1;

	keep(ANNA, "a1");
	keep(ANNA, "a2");
	str_copy(t.bad, sizeof(t.bad), "a1");
	t.rc = RC_CORRUPT;
	worker_place_start(p);
	worker_place_turns(p, 300);
	assert_string_equal(t.told, "a1 ");
	assert_int_equal(spool_done(t.spool, &seq, 1, NULL, NULL), RC_OK);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "a1 a2 ");
}

static void the_fence_of_a_dead_mover_holds_nobody(void **state)
{
	struct worker_place *p = *state;
	struct slot_entry s = slots_get(t.map, slot_of(ANNA));

	s.state = SLOT_FENCING;
	s.target = (uint16_t)((s.owner + 1) % PLACE_SHARDS);
	assert_int_equal(slots_set(t.map, slot_of(ANNA), s, NULL), RC_OK);
	keep(ANNA, "a1");
	assert_int_equal(slots_mover_lock(t.map, NULL), RC_OK);
	worker_place_start(p);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "");
	slots_mover_unlock(t.map);
	worker_place_turns(p, 500);
	assert_string_equal(t.told, "a1 ");
}

static void a_spool_that_cannot_be_opened_is_tried_again(void **state)
{
	const struct spool_conf c = { .path = t.path, .max_bytes = 1 << 20 };
	struct worker_place *p = *state;
	char counts[420];

	keep(ANNA, "a1");
	spool_free(t.spool);
	str_format(counts, sizeof(counts), "%s-counts", t.path);
	assert_int_equal(unlink(counts), 0);
	assert_int_equal(mkdir(counts, 0700), 0);
	p->conf.spool = t.spool = spool_new(&c);
	worker_place_start(p);
	worker_place_turns(p, 300);
	assert_string_equal(t.told, "");
	assert_int_equal(rmdir(counts), 0);
	worker_place_turns(p, 1500);
	assert_string_equal(t.told, "a1 ");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_persons_are_applied_in_order),
		CASE(a_paused_shards_wait),
		CASE(what_cannot_ever_succeed_is_done_with),
		CASE(what_may_succeed_later_is_tried_again),
		CASE(an_unreadable_persons_stay_and_hold_nobody),
		CASE(many_are_applied_once_each),
		CASE(what_cannot_be_deleted_is_applied_once),
		CASE(a_death_repeats_the_last_update_only),
		CASE(an_update_that_kills_holds_its_person_alone),
		CASE(what_fails_again_and_again_holds_its_person_alone),
		CASE(what_was_dropped_holds_nobody),
		CASE(the_fence_of_a_dead_mover_holds_nobody),
		CASE(a_spool_that_cannot_be_opened_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
