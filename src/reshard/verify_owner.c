/*
 * verify_owner.c - a slot at the shard that owns it: is each record readable,
 * does each counter count what is there, and what is the digest of all.
 *
 * Owns nothing beyond a call.  Writes only drift that the store recounts,
 * under the slot's exclusive lock.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "reshard/verify_impl.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { READ_AGAIN = 5, PACK_FLUSH = 1 << 20 };

/* -- faults of single records -- */

struct faults {
	struct verify *v;
	int shard;
	int32_t slot;
	int64_t n, unreadable;
	bool tell;
};

static void fault_found(void *ctx, const struct store_fault *f)
{
	struct faults *a = ctx;
	enum verify_kind kind = f->kind == STORE_DRIFT ? VERIFY_DRIFT :
	    VERIFY_UNREADABLE;
	char words[320];

	a->n++;
	a->unreadable += f->kind == STORE_UNREADABLE;
	if (!a->tell)
		return;
	(void)str_format(words, sizeof(words), "%s: %s", f->id, f->words);
	verify_tell(a->v, kind, a->shard, a->slot, f->collection, 1,
	    f->repaired, words);
}

static enum rc faults_look(struct faults *a, bool repair, struct err *e)
{
	struct store *s = NULL;
	enum rc rc = verify_store(a->v, a->shard, &s, e);

	a->n = 0;
	a->unreadable = 0;
	if (rc == RC_OK && s != NULL)
		rc = verify_failed(a->v, a->shard, s->ops->check(s, a->slot,
		    repair, fault_found, a, e), e);
	return rc;
}

/* First without the lock; what was found then is told only if it is still
 * there when nobody writes. */
static enum rc faults_check(struct verify *v, int32_t slot, int shard,
    bool *unreadable, struct err *e)
{
	struct faults a = { .v = v, .shard = shard, .slot = slot };
	struct slot_entry entry;
	enum rc rc = faults_look(&a, false, e);

	if (rc != RC_OK || a.n == 0)
		return rc;
	rc = slots_lock(v->c->slots, slot, true, VERIFY_LOCK_MS, e);
	if (rc != RC_OK)
		return rc;
	entry = slots_get(v->c->slots, slot);
	a.tell = true;
	/* What a mover copies may not change without a mark. */
	if (entry.owner == shard)
		rc = faults_look(&a, v->c->repair &&
		    entry.state == SLOT_STABLE, e);
	slots_unlock(v->c->slots, slot);
	*unreadable = a.unreadable > 0;
	return rc;
}

/* -- all records -- */

struct ids {
	int64_t *id;
	size_t n, cap;
};

static void ids_add(struct ids *l, int64_t id)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->id = xrealloc(l->id, l->cap * sizeof(*l->id));
	}
	l->id[l->n++] = id;
}

static int id_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct scan {
	struct record_pack pack;
	struct digests sum;
	struct ids profiles;
	struct ids foods;	/* whose own foods were seen, once for each */
};

static void scan_init(struct scan *s)
{
	memset(s, 0, sizeof(*s));
	record_pack_init(&s->pack);
}

static void scan_release(struct scan *s)
{
	record_pack_release(&s->pack);
	free(s->profiles.id);
	free(s->foods.id);
}

static void scan_flush(struct scan *s)
{
	digests_add(&s->sum, &s->pack.digests);
	record_pack_clear(&s->pack);
}

static enum rc scan_record(void *ctx, const struct record *r, struct err *e)
{
	struct scan *s = ctx;
	enum rc rc = record_pack_add(&s->pack, r, e);

	if (rc != RC_OK)
		return rc;
	if (s->pack.bytes.len > PACK_FLUSH)
		scan_flush(s);
	if (r->kind == COLLECTION_USERS)
		ids_add(&s->profiles, r->user.user_id);
	else if (r->kind == COLLECTION_OWN_FOODS)
		ids_add(&s->foods, r->own_food.user_id);
	return RC_OK;
}

static int64_t scan_orphans(struct scan *s)
{
	int64_t n = 0;

	if (s->profiles.n > 0)
		qsort(s->profiles.id, s->profiles.n, sizeof(int64_t), id_cmp);
	for (size_t i = 0; i < s->foods.n; i++)
		n += s->profiles.n == 0 || bsearch(&s->foods.id[i],
		    s->profiles.id, s->profiles.n, sizeof(int64_t),
		    id_cmp) == NULL;
	return n;
}

/* *read is false when the shard did not answer or a record is unreadable. */
static enum rc scan_read(struct verify *v, int32_t slot, int shard,
    struct scan *s, bool *read, struct err *e)
{
	struct store *st = NULL;
	enum rc rc = verify_store(v, shard, &st, e);

	*read = false;
	if (rc != RC_OK || st == NULL)
		return rc;
	rc = st->ops->slot_read(st, slot, NULL, 0, scan_record, s, e);
	scan_flush(s);
	*read = rc == RC_OK;
	if (rc == RC_CORRUPT) {
		verify_tell(v, VERIFY_UNREADABLE, shard, slot,
		    COLLECTION_USERS, 1, false, e->text);
		return RC_OK;
	}
	return verify_failed(v, shard, rc, e);
}

/* While somebody works in the slot a teaching may be half done. */
static enum rc orphans_look(struct verify *v, int32_t slot, int shard,
    struct err *e)
{
	struct scan s;
	bool read = false;
	int64_t n;
	enum rc rc = slots_lock(v->c->slots, slot, true, VERIFY_LOCK_MS, e);

	if (rc != RC_OK)
		return rc;
	scan_init(&s);
	if (slots_get(v->c->slots, slot).owner == shard)
		rc = scan_read(v, slot, shard, &s, &read, e);
	slots_unlock(v->c->slots, slot);
	n = read ? scan_orphans(&s) : 0;
	if (n > 0)
		verify_tell(v, VERIFY_ORPHANED, shard, slot,
		    COLLECTION_OWN_FOODS, n, false, "own foods of people "
		    "without a profile: nothing counts them; the person's next "
		    "/delete_me removes them");
	scan_release(&s);
	return rc;
}

static void digests_tell(struct verify *v, int32_t slot, int shard,
    const struct digests *d)
{
	digests_add(&v->r.all, d);
	if (v->c->slot != NULL)
		v->c->slot(v->c->ctx, slot, shard, d);
}

static bool has_moved(const struct verify *v, int32_t slot,
    const struct slot_entry *before)
{
	struct slot_entry now = slots_get(v->c->slots, slot);

	return now.owner != before->owner ||
	    now.generation != before->generation;
}

/* Reads the slot where it lives; when it moved meanwhile, once more. */
static enum rc records_check(struct verify *v, int32_t slot, struct err *e)
{
	struct slot_entry entry;
	int64_t orphans = 0;
	bool read = false, moved;
	int tries = 0;
	struct scan s;
	enum rc rc;

	scan_init(&s);
	do {
		scan_release(&s);
		scan_init(&s);
		entry = slots_get(v->c->slots, slot);
		rc = scan_read(v, slot, entry.owner, &s, &read, e);
		moved = has_moved(v, slot, &entry);
	} while (rc == RC_OK && moved && ++tries < READ_AGAIN);
	if (rc == RC_OK && moved)
		rc = err_set(e, RC_BUSY, "slot %d moves faster than it can be "
		    "read: verify again when the change is over", slot);
	if (rc == RC_OK && read) {
		if (v->c->digests)
			digests_tell(v, slot, entry.owner, &s.sum);
		orphans = scan_orphans(&s);
	}
	scan_release(&s);
	if (rc == RC_OK && orphans > 0)
		rc = orphans_look(v, slot, entry.owner, e);
	return rc;
}

enum rc verify_owner(struct verify *v, int32_t slot, struct err *e)
{
	int shard = slots_get(v->c->slots, slot).owner;
	const struct slot_census *c = v->census[shard];
	bool unreadable = false, foods;
	enum rc rc;

	foods = c == NULL || c[slot].records[COLLECTION_OWN_FOODS] > 0;
	rc = faults_check(v, slot, shard, &unreadable, e);
	/* An unreadable record ends the reading; it was told of. */
	if (rc == RC_OK && !unreadable && (v->c->digests || foods))
		rc = records_check(v, slot, e);
	return rc;
}
