/*
 * conformance_meta.c - small named values, on which hosts agree by
 * compare-and-set.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "shards/router.h"
#include "utils/buf.h"

enum { WRITERS = 4, ROUNDS = 15 };

static void values_are_agreed_by_compare_and_set(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	int64_t mine = 0, stale = 0, seen = -1;
	struct buf b;
	struct err e;

	buf_init(&b, 4 << 20);
	assert_int_equal(s->ops->meta_get(s, "k", &b, &seen, &e), RC_NOTFOUND);
	assert_int_equal(seen, -1);
	OK(s->ops->meta_put(s, "k", "a\0b", 3, &mine, &e));
	assert_true(mine != 0);
	assert_int_equal(s->ops->meta_put(s, "k", "x", 1, &stale, &e),
	    RC_CONFLICT);
	assert_int_equal(stale, 0);
	OK(s->ops->meta_get(s, "k", &b, &seen, &e));
	assert_true(seen == mine);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.s, "a\0b", 3);
	stale = mine;
	OK(s->ops->meta_put(s, "k", "", 0, &mine, &e));
	assert_true(mine != stale);
	seen = stale;
	assert_int_equal(s->ops->meta_put(s, "k", "x", 1, &stale, &e),
	    RC_CONFLICT);
	assert_true(stale == seen);
	OK(s->ops->meta_get(s, "k", &b, &seen, &e));
	assert_true(seen == mine);
	assert_int_equal(b.len, 0);
	seen = 0;
	OK(s->ops->meta_get(s, "k", NULL, &seen, &e));
	assert_true(seen == mine);
	assert_int_equal(s->ops->meta_get(s, "none", NULL, &seen, &e),
	    RC_NOTFOUND);
	buf_release(&b);
}

static void long_values_fit_and_longer_do_not(void **state)
{
	struct store *s = ((struct store_place *)*state)->s;
	size_t most = 1 << 20;
	unsigned char *bytes = calloc(1, most + 1);
	int64_t version = 0, seen = 0;
	struct buf b;
	struct err e;

	buf_init(&b, 4 << 20);
	for (size_t i = 0; i < most; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	OK(s->ops->meta_put(s, "big", bytes, most, &version, &e));
	OK(s->ops->meta_get(s, "big", &b, &seen, &e));
	assert_int_equal(b.len, most);
	assert_memory_equal(b.s, bytes, most);
	assert_int_equal(s->ops->meta_put(s, "big", bytes, most + 1, &version,
	    &e), RC_TOOBIG);
	assert_true(version == seen);
	buf_release(&b);
	free(bytes);
}

static void item_join(void *ctx, const struct meta_item *item)
{
	buf_printf(ctx, "%s=", item->key);
	buf_add(ctx, item->value, item->len);
	buf_printf(ctx, ",%d ", (int)item->version);
}

static void values_are_listed_by_beginning(void **state)
{
	static const char *const keys[] = { "host/b", "host/a", "hosu", "host",
		"host/a/x", "map" };
	struct store *s = ((struct store_place *)*state)->s;
	int64_t version = 0;
	struct buf b;
	struct err e;

	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(keys); i++) {
		version = 0;
		OK(s->ops->meta_put(s, keys[i], keys[i], i % 5, &version, &e));
	}
	OK(s->ops->meta_put(s, "map", "2", 1, &version, &e));
	OK(s->ops->meta_list(s, "host/", item_join, &b, &e));
	assert_string_equal(b.s, "host/a=h,1 host/a/x=host,1 host/b=,1 ");
	assert_int_equal(s->ops->meta_delete(s, "host/a", 2, &e), RC_CONFLICT);
	OK(s->ops->meta_delete(s, "host/a", 1, &e));
	assert_int_equal(s->ops->meta_delete(s, "host/a", 1, &e), RC_CONFLICT);
	buf_clear(&b);
	OK(s->ops->meta_list(s, "host", item_join, &b, &e));
	assert_string_equal(b.s, "host=hos,1 host/a/x=host,1 host/b=,1 ");
	buf_clear(&b);
	OK(s->ops->meta_list(s, "ma", item_join, &b, &e));
	assert_string_equal(b.s, "map=2,2 ");
	buf_clear(&b);
	OK(s->ops->meta_list(s, "zzz", item_join, &b, &e));
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static int count_up(int i, void *ctx)
{
	struct store *s = store_place_connect(ctx);
	struct buf b;
	struct err e;
	int done = 0;

	(void)i;
	if (!s)
		return 1;
	buf_init(&b, 100);
	for (int tries = 0; done < ROUNDS && tries < 10000; tries++) {
		int64_t version = 0;
		unsigned char n = 0;
		enum rc rc = s->ops->meta_get(s, "n", &b, &version, &e);

		if (rc == RC_OK)
			n = (unsigned char)b.s[0];
		else if (rc != RC_NOTFOUND)
			return 2;
		n++;
		rc = s->ops->meta_put(s, "n", &n, 1, &version, &e);
		if (rc != RC_OK && rc != RC_CONFLICT)
			return 3;
		done += rc == RC_OK;
	}
	buf_release(&b);
	store_close(s);
	return done == ROUNDS ? 0 : 4;
}

static void no_agreement_is_lost_between_processes(void **state)
{
	struct store_place *p = *state;
	int64_t version = 0;
	int code[WRITERS];
	struct buf b;
	struct err e;

	processes_run(WRITERS, count_up, p, code);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(code[i], 0);
	buf_init(&b, 100);
	OK(p->s->ops->meta_get(p->s, "n", &b, &version, &e));
	assert_int_equal((unsigned char)b.s[0], WRITERS * ROUNDS);
	buf_release(&b);
}

const struct CMUnitTest conformance_meta[] = {
	CASE(values_are_agreed_by_compare_and_set),
	CASE(long_values_fit_and_longer_do_not),
	CASE(values_are_listed_by_beginning),
	CASE(no_agreement_is_lost_between_processes),
};
const size_t conformance_meta_n = COUNT(conformance_meta);
