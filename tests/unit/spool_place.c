/* spool_place.c - see spool_place.h. */
#include "config.h"

#include "spool_place.h"

#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"

struct spool *spool_unready(const struct spool_place *t, int64_t max)
{
	const struct spool_conf c = { .path = t->path, .max_bytes = max };

	return spool_new(&c);
}

struct spool *open_it(const struct spool_place *t, int64_t max)
{
	struct spool *s = spool_unready(t, max);
	struct err e = { .text = "" };

	if (spool_ready(s, &e) != RC_OK)
		fail_msg("%s", e.text);
	return s;
}

int spool_place_open(void **state)
{
	struct spool_place *t = test_calloc(1, sizeof(*t));

	str_copy(t->dir, sizeof(t->dir), "/tmp/test_spool.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	str_format(t->path, sizeof(t->path), "%s/spool.db", t->dir);
	str_format(t->counts, sizeof(t->counts), "%s-counts", t->path);
	t->s = open_it(t, 1 << 20);
	buf_init(&t->row.body, 1 << 20);
	*state = t;
	return 0;
}

int spool_place_close(void **state)
{
	struct spool_place *t = *state;
	char cmd[128];

	spool_free(t->s);
	buf_release(&t->row.body);
	str_format(cmd, sizeof(cmd), "rm -rf %s", t->dir);
	assert_int_equal(system(cmd), 0);
	test_free(t);
	return 0;
}

enum rc add_to(struct spool *s, int64_t user, int64_t update,
    const char *body, bool *told)
{
	const struct spool_update u = { .user_id = user, .update_id = update,
		.body = body, .len = strlen(body), .tell = update % 2 == 1,
		.tell_every_ms = 60000 };
	struct err e = { .text = "" };
	enum rc rc = spool_add(s, &u, NOW * INT64_C(1000) + update, told, &e);

	if (rc != RC_OK && rc != RC_FULL)
		print_message("%s\n", e.text);
	return rc;
}

void add(struct spool_place *t, int64_t user, const char *body)
{
	bool told;

	assert_int_equal(add_to(t->s, user, ++t->ids, body, &told), RC_OK);
}

bool slot_holds(struct spool *s, int64_t user)
{
	return spool_slot(s, slot_of(user)) == slot_of(user);
}

enum rc next(struct spool_place *t, int64_t user, int64_t after)
{
	return spool_next(t->s, slot_of(user), after, NOW * INT64_C(1000),
	    &t->row, NULL);
}

bool holds(struct spool *s, int64_t user)
{
	bool is = false;

	assert_int_equal(spool_holds(s, user, &is, NULL), RC_OK);
	return is;
}

void next_is(struct spool_place *t, int64_t user, const char *body)
{
	assert_int_equal(next(t, user, 0),
	    RC_OK);
	assert_int_equal(t->row.user_id, user);
	assert_string_equal(t->row.body.s, body);
}

void done(struct spool_place *t)
{
	assert_int_equal(spool_done(t->s, &t->row.seq, 1, NULL, NULL), RC_OK);
}

void none_left(struct spool_place *t, int64_t user)
{
	assert_int_equal(next(t, user, 0),
	    RC_NOTFOUND);
	assert_false(slot_holds(t->s, user));
}
