/*
 * journal_text.c - the journal as JSON.  Pure.
 */
#include "config.h"

#include "reshard/journal.h"

#include <stdlib.h>
#include <string.h>

#include "utils/json.h"

enum { JOURNAL_VERSION = 1 };

static const char *const states[] = {
	[RESHARD_NONE] = "none", [RESHARD_RUNNING] = "running",
	[RESHARD_PAUSED] = "paused", [RESHARD_ABORTING] = "aborting",
	[RESHARD_MOVED] = "moved",
};
static const char *const placements[] = {
	[PLAN_MODULO] = "modulo", [PLAN_MINIMAL] = "minimal",
};

/* Figures of the journal, by their name in it. */
static const struct number {
	const char *key;
	size_t at;
} numbers[] = {
#define NUMBER(f)	{ #f, offsetof(struct reshard, f) }
	NUMBER(rev), NUMBER(id), NUMBER(limits.users_per_second),
	NUMBER(limits.pause_if_p99_over_ms), NUMBER(started_at),
	NUMBER(ended_at), NUMBER(users), NUMBER(bytes), NUMBER(busy_us),
	NUMBER(fence_p50_us), NUMBER(fence_p99_us), NUMBER(fence_max_us),
	NUMBER(unsettled),
#undef NUMBER
};
enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

const char *reshard_state_name(enum reshard_state s)
{
	return states[s];
}

static int64_t *number_of(struct reshard *r, int i)
{
	return (int64_t *)(void *)((char *)r + numbers[i].at);
}

static void put_plan(struct buf *b, const char *key, const struct plan *p)
{
	buf_printf(b, ",\n\"%s\": {\"placement\": \"%s\", \"only_slot\": %d, "
	    "\"names\": [", key, placements[p->placement], p->only_slot);
	for (int i = 0; i < p->nnames; i++) {
		buf_puts(b, i ? ", " : "");
		json_put_str(b, p->names[i]);
	}
	buf_puts(b, "]}");
}

static void put_shards(struct buf *b, const char *key, const uint16_t *v)
{
	buf_printf(b, ",\n\"%s\": [", key);
	for (int i = 0; i < SLOT_COUNT; i++)
		buf_printf(b, i ? ",%u" : "%u", v[i]);
	buf_putc(b, ']');
}

void journal_encode(const struct reshard *r, struct buf *out)
{
	struct reshard *figures = (struct reshard *)r;	/* read only */

	buf_printf(out, "{\"version\": %d,\n\"state\": \"%s\",\n\"who\": ",
	    JOURNAL_VERSION, states[r->state]);
	json_put_str(out, r->who);
	for (int i = 0; i < NUMBERS; i++)
		buf_printf(out, ",\n\"%s\": %lld", numbers[i].key,
		    (long long)*number_of(figures, i));
	buf_puts(out, ",\n\"last_error\": ");
	json_put_str(out, r->last_error);
	buf_puts(out, ",\n\"fences\": [");
	for (int i = 0; i < RESHARD_FENCE_BUCKETS; i++)
		buf_printf(out, i ? ",%u" : "%u", r->fences[i]);
	buf_putc(out, ']');
	put_plan(out, "before", &r->before);
	put_plan(out, "plan", &r->plan);
	put_shards(out, "owner_before", r->owner_before);
	put_shards(out, "target", r->target);
	buf_puts(out, "}\n");
}

int64_t journal_rev(const char *text, size_t len)
{
	static const char key[] = "\n\"rev\": ";
	const char *at = memmem(text, len, key, sizeof(key) - 1);

	return at ? strtoll(at + sizeof(key) - 1, NULL, 10) : -1;
}

/* Index of s in names, or -1. */
static int name_find(const char *const *names, int n, const char *s)
{
	for (int i = 0; s && i < n; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return -1;
}

static bool get_text(struct json_object *j, const char *key, char *out,
    size_t size)
{
	const char *s = json_str(j, key);

	return s && str_copy(out, size, s);
}

static bool get_plan(struct json_object *j, const char *key, struct plan *p)
{
	struct json_object *o = json_obj(j, key), *names = json_arr(o, "names");
	int placement = name_find(placements, 2, json_str(o, "placement"));
	size_t n = json_len(names);
	int64_t slot;

	if (placement < 0 || n < 1 || n > SHARDS_MAX ||
	    !json_i64(o, "only_slot", &slot) || slot < -1 || slot >= SLOT_COUNT)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *s = json_str_value(json_at(names, i));

		if (!s || !str_copy(p->names[i], sizeof(p->names[i]), s))
			return false;
	}
	p->nnames = (int)n;
	p->placement = (enum plan_placement)placement;
	p->only_slot = (int32_t)slot;
	return true;
}

static bool get_shards(struct json_object *j, const char *key, uint16_t *out)
{
	struct json_object *a = json_arr(j, key);
	int64_t v;

	if (json_len(a) != SLOT_COUNT)
		return false;
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		if (!json_i64_value(json_at(a, i), &v) || v < 0 ||
		    v >= SHARDS_MAX)
			return false;
		out[i] = (uint16_t)v;
	}
	return true;
}

static bool get_fences(struct json_object *j, uint32_t *out)
{
	struct json_object *a = json_arr(j, "fences");
	int64_t v;

	if (json_len(a) != RESHARD_FENCE_BUCKETS)
		return false;
	for (size_t i = 0; i < RESHARD_FENCE_BUCKETS; i++) {
		if (!json_i64_value(json_at(a, i), &v) || v < 0 ||
		    v > UINT32_MAX)
			return false;
		out[i] = (uint32_t)v;
	}
	return true;
}

static bool get_numbers(struct json_object *j, struct reshard *r)
{
	for (int i = 0; i < NUMBERS; i++)
		if (!json_i64(j, numbers[i].key, number_of(r, i)) ||
		    *number_of(r, i) < 0)
			return false;
	return true;
}

enum rc journal_decode(const char *text, size_t len, struct reshard *out,
    struct err *e)
{
	struct json_object *j = NULL;
	struct reshard r = { .state = RESHARD_NONE };
	int64_t version = 0;
	enum rc rc = RC_OK;
	int state = -1;

	if (json_parse(text, len, &j, NULL) != RC_OK)
		return err_set(e, RC_CORRUPT, "the journal is no JSON");
	if (json_i64(j, "version", &version) && version > JOURNAL_VERSION) {
		rc = err_set(e, RC_INVALID, "the journal is of a newer "
		    "version: run the newer familybotctl");
		goto out;
	}
	state = name_find(states, RESHARD_MOVED + 1, json_str(j, "state"));
	if (version != JOURNAL_VERSION || state <= RESHARD_NONE ||
	    !get_text(j, "who", r.who, sizeof(r.who)) ||
	    !get_text(j, "last_error", r.last_error, sizeof(r.last_error)) ||
	    !get_numbers(j, &r) || !get_fences(j, r.fences) ||
	    !get_plan(j, "before", &r.before) || !get_plan(j, "plan", &r.plan) ||
	    !get_shards(j, "owner_before", r.owner_before) ||
	    !get_shards(j, "target", r.target)) {
		rc = err_set(e, RC_CORRUPT, "the journal is damaged");
		goto out;
	}
	r.state = (enum reshard_state)state;
	*out = r;
out:
	json_free(j);
	return rc;
}
