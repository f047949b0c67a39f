/*
 * copy.c - see copy.h.  Memory is bound by the pack (one part of a person's
 * records at most) and by 300 bytes for each person of the slot.
 */
#include "config.h"

#include "reshard/copy.h"

#include <inttypes.h>

#include "utils/xalloc.h"

enum { PART_BYTES = 1 << 20, LIST_PEOPLE = 256 };

void copier_init(struct copier *c)
{
	*c = (struct copier){ .at = COPY_SOURCE };
	record_pack_init(&c->pack);
}

void copier_release(struct copier *c)
{
	record_pack_release(&c->pack);
}

enum rc copier_bulk(struct copier *c, bool on, struct err *e)
{
	struct store *t = c->store[COPY_TARGET];
	enum rc rc = RC_OK;

	c->at = COPY_TARGET;
	if (t->ops->slot_bulk)
		rc = t->ops->slot_bulk(t, on, e);
	c->loose = c->loose && (on || rc != RC_OK);
	return rc;
}

enum rc copier_sync(struct copier *c, struct err *e)
{
	enum rc rc;

	if (!c->loose)
		return RC_OK;
	rc = copier_bulk(c, false, e);
	return rc == RC_OK ? copier_bulk(c, true, e) : rc;
}

void copy_clear(struct copy *s, int32_t slot)
{
	struct copy empty = { .slot = slot, .people = s->people,
		.size = s->size };

	*s = empty;
}

void copy_release(struct copy *s)
{
	free(s->people);
	*s = (struct copy){ .slot = 0 };
}

/* Where the person is, or would be. */
static size_t person_place(const struct copy *s, int64_t user_id)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->people[mid].user_id < user_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct copy_person *person_find(const struct copy *s, int64_t user_id)
{
	size_t i = person_place(s, user_id);

	return i < s->n && s->people[i].user_id == user_id ? &s->people[i] :
	    NULL;
}

uint64_t copy_person_bytes(const struct copy *s, int64_t user_id)
{
	const struct copy_person *p = person_find(s, user_id);
	uint64_t bytes = 0;

	for (int k = 0; p && k < COLLECTION_COUNT; k++)
		bytes += p->of[COPY_SOURCE].of[k].bytes;
	return bytes;
}

/* The person as if never read, on both sides. */
static void person_begin(struct copy *s, int64_t user_id)
{
	size_t i = person_place(s, user_id);

	if (i < s->n && s->people[i].user_id == user_id) {
		digests_sub(&s->sum[0], &s->people[i].of[0]);
		digests_sub(&s->sum[1], &s->people[i].of[1]);
	} else {
		if (s->n == s->size) {
			s->size = s->size ? s->size * 2 : 32;
			s->people = xrealloc(s->people,
			    s->size * sizeof(*s->people));
		}
		memmove(&s->people[i + 1], &s->people[i],
		    (s->n - i) * sizeof(*s->people));
		s->n++;
	}
	s->people[i] = (struct copy_person){ .user_id = user_id };
}

/* People on their way: users[0..sent) are at the target, the last of them
 * perhaps in part. */
struct batch {
	struct copier *c;
	struct copy *s;
	const int64_t *users;
	size_t n, sent, now;	/* now: whose records are coming */
	bool fresh;		/* the target has nothing of them */
	bool any;		/* one has come */
	enum collection kind;	/* of the last record */
	int32_t day;
	enum copy_side side;
};

static enum rc batch_send(struct batch *b, size_t upto, struct err *e)
{
	struct copier *c = b->c;
	struct store *t = c->store[COPY_TARGET];
	enum rc rc;

	c->at = COPY_TARGET;
	c->loose = true;
	rc = t->ops->slot_write(t, b->s->slot, b->users + b->sent,
	    b->fresh ? 0 : upto - b->sent, &c->pack, e);
	if (rc != RC_OK)
		return rc;
	c->at = COPY_SOURCE;
	b->sent = upto;
	record_pack_clear(&c->pack);
	return RC_OK;
}

/* A part of a person who did not fit goes alone. */
static enum rc batch_next_person(struct batch *b, size_t next, struct err *e)
{
	enum rc rc = RC_OK;

	if (b->any && next < b->now)
		return err_set(e, RC_SYSTEM, "slot %d: people came in no "
		    "order", b->s->slot);
	if (b->any && b->sent > b->now && b->c->pack.n > 0)
		rc = batch_send(b, b->sent, e);
	else if (b->any && b->c->pack.bytes.len >= PART_BYTES)
		rc = batch_send(b, b->now + 1, e);
	b->now = next;
	return rc;
}

/* A day's meals stay together. */
static enum rc batch_same_person(struct batch *b, const struct record *r,
    struct err *e)
{
	if (b->c->pack.bytes.len < PART_BYTES ||
	    (r->kind == COLLECTION_MEALS && b->kind == r->kind &&
	    r->meal.day == b->day))
		return RC_OK;
	return batch_send(b, b->sent > b->now ? b->sent : b->now + 1, e);
}

static enum rc batch_which(const struct batch *b, int64_t user_id, size_t *out,
    struct err *e)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->users[mid] < user_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == b->n || b->users[lo] != user_id)
		return err_set(e, RC_SYSTEM, "slot %d: records of people who "
		    "were not asked for", b->s->slot);
	*out = lo;
	return RC_OK;
}

static enum rc batch_take(void *ctx, const struct record *r, struct err *e)
{
	struct batch *b = ctx;
	struct digests *sum, was;
	size_t who = b->now;
	enum rc rc = RC_OK;

	if (!b->any || b->users[b->now] != record_user_id(r))
		rc = batch_which(b, record_user_id(r), &who, e);
	if (rc == RC_OK && b->side == COPY_SOURCE)
		rc = !b->any || who != b->now ? batch_next_person(b, who, e) :
		    batch_same_person(b, r, e);
	if (rc != RC_OK)
		return rc;
	sum = &person_find(b->s, b->users[who])->of[b->side];
	was = b->c->pack.digests;
	if (b->side == COPY_TARGET) {
		rc = digests_add_record(sum, r, e);
	} else {
		rc = record_pack_add(&b->c->pack, r, e);
		digests_add(sum, &b->c->pack.digests);
		digests_sub(sum, &was);
	}
	if (rc != RC_OK)
		return rc;
	b->now = who;
	b->any = true;
	b->kind = r->kind;
	b->day = r->kind == COLLECTION_MEALS ? r->meal.day : 0;
	return RC_OK;
}

static enum rc batch_send_rest(struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	if (b->any && b->sent > b->now && b->c->pack.n > 0)
		rc = batch_send(b, b->sent, e);
	if (rc == RC_OK && b->sent < b->n)
		rc = batch_send(b, b->n, e);
	return rc;
}

static enum rc batch_read(struct batch *b, enum copy_side side, struct err *e)
{
	struct store *st = b->c->store[side];

	b->side = side;
	b->any = false;
	b->now = 0;
	b->c->at = side;
	record_pack_clear(&b->c->pack);
	return st->ops->slot_read(st, b->s->slot, b->users, b->n, batch_take, b,
	    e);
}

/* A person who is as at the source counts in the sums. */
static enum rc batch_compare(struct batch *b, struct err *e)
{
	bool equal = true;

	for (size_t i = 0; i < b->n; i++) {
		struct copy_person *p = person_find(b->s, b->users[i]);

		digests_add(&b->s->sum[0], &p->of[0]);
		digests_add(&b->s->sum[1], &p->of[1]);
		equal = equal && digests_equal(&p->of[0], &p->of[1]);
	}
	if (equal)
		return RC_OK;
	b->c->at = COPY_TARGET;
	return err_set(e, RC_CORRUPT, "slot %d: what was written to the new "
	    "shard reads back as something else", b->s->slot);
}

enum rc copy_people(struct copier *c, struct copy *s, const int64_t *users,
    size_t n, bool fresh, struct err *e)
{
	struct batch b = { .c = c, .s = s, .users = users, .n = n,
		.fresh = fresh };
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		person_begin(s, users[i]);
	rc = batch_read(&b, COPY_SOURCE, e);
	if (rc == RC_OK)
		rc = batch_send_rest(&b, e);
	if (rc == RC_OK)
		rc = batch_read(&b, COPY_TARGET, e);
	return rc == RC_OK ? batch_compare(&b, e) : rc;
}

enum rc copy_target_clear(struct copier *c, struct copy *s, struct err *e)
{
	struct store *t = c->store[COPY_TARGET];
	int64_t somebody;
	size_t n = 0;
	enum rc rc;

	c->at = COPY_TARGET;
	rc = t->ops->slot_users(t, s->slot, INT64_MIN, 1, &somebody, &n, e);
	if (rc == RC_OK && n > 0) {
		c->loose = true;
		rc = t->ops->slot_clear(t, s->slot, e);
	}
	s->was_empty = rc == RC_OK && n == 0;
	return rc;
}

enum rc copy_compare(const struct copy *s, struct err *e)
{
	if (digests_equal(&s->sum[COPY_SOURCE], &s->sum[COPY_TARGET]))
		return RC_OK;
	return err_set(e, RC_CORRUPT, "slot %d: the digests of both shards "
	    "differ", s->slot);
}

static bool person_empty(const struct copy_person *p)
{
	for (int k = 0; k < COLLECTION_COUNT; k++)
		if (p->of[COPY_SOURCE].of[k].records > 0)
			return false;
	return true;
}

enum rc copy_nobody_else(struct copier *c, const struct copy *s, struct err *e)
{
	struct store *t = c->store[COPY_TARGET];
	int64_t ids[LIST_PEOPLE], after = INT64_MIN;
	size_t n = LIST_PEOPLE, at = 0;
	bool same = true;
	enum rc rc = RC_OK;

	if (s->was_empty && s->n == 0)
		return RC_OK;	/* as most slots of a small family are */
	c->at = COPY_TARGET;
	while (rc == RC_OK && same && n == LIST_PEOPLE) {
		rc = t->ops->slot_users(t, s->slot, after, LIST_PEOPLE, ids, &n,
		    e);
		for (size_t i = 0; rc == RC_OK && same && i < n; i++) {
			while (at < s->n && person_empty(&s->people[at]))
				at++;
			same = at < s->n && s->people[at].user_id == ids[i];
			at++;
			after = ids[i];
		}
	}
	if (rc != RC_OK)
		return rc;
	while (at < s->n && person_empty(&s->people[at]))
		at++;
	if (same && at == s->n)
		return RC_OK;
	return err_set(e, RC_CORRUPT, "slot %d: the new shard has other "
	    "people than were copied", s->slot);
}
