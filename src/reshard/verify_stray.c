/*
 * verify_stray.c - records of a slot on a shard that does not own it: has the
 * owner the same, another version, or none of them?
 *
 * Everything here happens under the slot's exclusive lock, in which nobody
 * writes to the slot and no mover begins to copy it or commits it.  Owns two
 * packs while it compares some people.  Deletes only, with repair, people all
 * of whose records the owner has byte for byte.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reshard/verify_impl.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { PEOPLE_AT_ONCE = 16 };

/* A record of a pack: which one it is, and where its bytes are. */
struct item {
	XXH128_hash_t key;
	enum collection kind;
	int64_t user_id;
	size_t at, len;
};

struct items {
	struct record_pack pack;
	struct item *item;
	size_t n, cap;
};

static void items_init(struct items *l)
{
	memset(l, 0, sizeof(*l));
	record_pack_init(&l->pack);
}

static void items_release(struct items *l)
{
	record_pack_release(&l->pack);
	free(l->item);
}

/* What makes a record that record, as a hash: were two records of a person to
 * have the same, --repair would delete the one as a copy of the other. */
static XXH128_hash_t key_of(const struct record *r)
{
	struct {
		int64_t kind, user_id;
		char key[RECORD_KEY_SIZE];
	} k;

	memset(&k, 0, sizeof(k));
	k.kind = r->kind;
	k.user_id = record_user_id(r);
	record_key(r, k.key, sizeof(k.key));
	return XXH3_128bits(&k, sizeof(k));
}

static enum rc item_add(void *ctx, const struct record *r, struct err *e)
{
	struct items *l = ctx;
	size_t at = l->pack.bytes.len;
	enum rc rc = record_pack_add(&l->pack, r, e);

	if (rc != RC_OK)
		return rc;
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->item = xrealloc(l->item, l->cap * sizeof(*l->item));
	}
	l->item[l->n++] = (struct item){
		.key = key_of(r),
		.kind = r->kind,
		.user_id = record_user_id(r),
		.at = at,
		.len = l->pack.bytes.len - at,
	};
	return RC_OK;
}

static int item_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return XXH128_cmp(&x->key, &y->key);
}

static bool item_same(const struct items *la, const struct item *a,
    const struct items *lb, const struct item *b)
{
	return a->len == b->len && memcmp(la->pack.bytes.s + a->at,
	    lb->pack.bytes.s + b->at, a->len) == 0;
}

struct stray {
	struct verify *v;
	int32_t slot;
	int shard, owner;
	bool repair;
	struct store *from, *at;	/* of the stray records, of the owner */
	int64_t n[VERIFY_KINDS][COLLECTION_COUNT][2];	/* last: repaired */
};

static enum verify_kind item_judge(const struct items *theirs,
    const struct item *item, const struct items *owners)
{
	const struct item *o = owners->n == 0 ? NULL : bsearch(item,
	    owners->item, owners->n, sizeof(*item), item_cmp);

	if (o == NULL)
		return VERIFY_MISPLACED;
	return item_same(theirs, item, owners, o) ? VERIFY_DUPLICATE :
	    VERIFY_ORPHANED;
}

/* Deletes what these people have on the shard that does not own them. */
static enum rc people_delete(struct stray *s, const int64_t *who, size_t n,
    struct err *e)
{
	struct record_pack nothing;
	enum rc rc;

	if (n == 0)
		return RC_OK;
	record_pack_init(&nothing);
	rc = s->from->ops->slot_write(s->from, s->slot, who, n, &nothing, e);
	record_pack_release(&nothing);
	return rc;
}

/* One of these people's records: how it is counted. */
struct judged {
	enum verify_kind kind;
	size_t person;
};

static size_t person_find(const int64_t *who, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (who[i] == id)
			return i;
	return n;
}

static enum rc people_judge(struct stray *s, const int64_t *who, size_t n,
    const struct items *theirs, const struct items *owners, struct err *e)
{
	enum verify_kind *kinds = xcalloc(theirs->n + 1, sizeof(*kinds));
	int64_t clean[PEOPLE_AT_ONCE];
	bool all_same[PEOPLE_AT_ONCE] = { false };
	size_t nclean = 0, p;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++)
		all_same[i] = s->repair;
	for (size_t i = 0; i < theirs->n; i++) {
		kinds[i] = item_judge(theirs, &theirs->item[i], owners);
		p = person_find(who, n, theirs->item[i].user_id);
		if (p < n && kinds[i] != VERIFY_DUPLICATE)
			all_same[p] = false;
	}
	for (size_t i = 0; i < n; i++)
		if (all_same[i])
			clean[nclean++] = who[i];
	rc = people_delete(s, clean, nclean, e);
	for (size_t i = 0; i < theirs->n && rc == RC_OK; i++) {
		p = person_find(who, n, theirs->item[i].user_id);
		s->n[kinds[i]][theirs->item[i].kind][p < n && all_same[p]]++;
	}
	free(kinds);
	return rc;
}

/* The owner's unreadable records are told of where the owner is looked at;
 * those of the stray shard here. */
static enum rc people_read(struct stray *s, const int64_t *who, size_t n,
    struct items *theirs, struct items *owners, struct err *e)
{
	enum rc rc = s->from->ops->slot_read(s->from, s->slot, who, n, item_add,
	    theirs, e);

	if (rc == RC_CORRUPT) {
		verify_tell(s->v, VERIFY_UNREADABLE, s->shard, s->slot,
		    COLLECTION_USERS, 1, false, e->text);
		return RC_CORRUPT;
	}
	if (rc != RC_OK)
		return verify_failed(s->v, s->shard, rc, e) == RC_OK ?
		    RC_UNAVAILABLE : rc;
	rc = s->at->ops->slot_read(s->at, s->slot, who, n, item_add, owners, e);
	if (rc == RC_OK || rc == RC_CORRUPT)
		return rc;
	return verify_failed(s->v, s->owner, rc, e) == RC_OK ?
	    RC_UNAVAILABLE : rc;
}

/* RC_CORRUPT, RC_UNAVAILABLE: these cannot be judged, which was told. */
static enum rc people_compare(struct stray *s, const int64_t *who, size_t n,
    struct err *e)
{
	struct items theirs, owners;
	enum rc rc;

	items_init(&theirs);
	items_init(&owners);
	rc = people_read(s, who, n, &theirs, &owners, e);
	if (rc == RC_OK && owners.n > 0)
		qsort(owners.item, owners.n, sizeof(owners.item[0]), item_cmp);
	if (rc == RC_OK)
		rc = people_judge(s, who, n, &theirs, &owners, e);
	items_release(&theirs);
	items_release(&owners);
	return rc;
}

static enum rc slot_compare(struct stray *s, struct err *e)
{
	int64_t who[PEOPLE_AT_ONCE], after = INT64_MIN;
	size_t n = PEOPLE_AT_ONCE;
	enum rc rc = RC_OK;

	while (n == PEOPLE_AT_ONCE) {
		rc = s->from->ops->slot_users(s->from, s->slot, after,
		    PEOPLE_AT_ONCE, who, &n, e);
		if (rc != RC_OK)
			return verify_failed(s->v, s->shard, rc, e);
		if (n == 0)
			break;
		after = who[n - 1];
		rc = people_compare(s, who, n, e);
		if (rc == RC_UNAVAILABLE)
			return RC_OK;
		if (rc != RC_OK && rc != RC_CORRUPT)
			return rc;
	}
	return RC_OK;
}

static void stray_tell(const struct stray *s)
{
	static const char *const what[VERIFY_KINDS] = {
		[VERIFY_MISPLACED] = "%s owns the slot and lacks them: nobody "
		    "sees them here; see the DBA's guide, \"verify found "
		    "something\"",
		[VERIFY_DUPLICATE] = "%s, the owner, has the same: --repair "
		    "deletes them here",
		[VERIFY_ORPHANED] = "%s, the owner, has another version, which "
		    "is the one that people see",
	};
	const char *owner = router_shard_name(s->v->c->router, s->owner);
	char words[256];

	for (int k = 0; k < VERIFY_KINDS; k++)
		for (int c = 0; c < COLLECTION_COUNT; c++)
			for (int repaired = 0; repaired < 2; repaired++) {
				if (s->n[k][c][repaired] == 0)
					continue;
				if (repaired)
					(void)str_format(words, sizeof(words),
					    "%s, the owner, had the same: "
					    "deleted here", owner);
				else
					(void)str_format(words, sizeof(words),
					    what[k], owner);
				verify_tell(s->v, (enum verify_kind)k, s->shard,
				    s->slot, (enum collection)c,
				    s->n[k][c][repaired], repaired != 0, words);
			}
}

/* Copies of the change under way: as many as there are now. */
static void left_tell(struct verify *v, int32_t slot, int shard)
{
	const struct slot_census *c = v->census[shard];
	int64_t n = 0;

	for (int i = 0; c != NULL && i < COLLECTION_COUNT; i++)
		n += c[slot].records[i];
	v->r.leftovers += n;
	if (v->c->leftover != NULL)
		v->c->leftover(v->c->ctx, slot, shard, n);
}

static enum rc stray_locked(struct verify *v, int32_t slot, int shard,
    struct err *e)
{
	struct slot_entry entry = slots_get(v->c->slots, slot);
	struct stray s = { .v = v, .slot = slot, .shard = shard,
		.owner = entry.owner, .repair = v->c->repair };
	enum rc rc;

	if (entry.owner == shard ||
	    (entry.state != SLOT_STABLE && entry.target == shard))
		return RC_OK;
	/* Before the records: cleanup deletes them first, its journal last. */
	rc = verify_journal(v, e);
	if (rc == RC_OK && verify_left(v, slot, shard)) {
		left_tell(v, slot, shard);
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = verify_store(v, shard, &s.from, e);
	if (rc == RC_OK)
		rc = verify_store(v, entry.owner, &s.at, e);
	if (rc != RC_OK || s.from == NULL || s.at == NULL)
		return rc;
	rc = slot_compare(&s, e);
	stray_tell(&s);
	return rc;
}

enum rc verify_stray(struct verify *v, int32_t slot, int shard,
    struct err *e)
{
	struct slot_entry entry = slots_get(v->c->slots, slot);
	enum rc rc;

	/* Neither needs the lock: the change is there, or began since. */
	if (entry.state != SLOT_STABLE && entry.target == shard)
		return RC_OK;
	if (verify_left(v, slot, shard)) {
		left_tell(v, slot, shard);
		return RC_OK;
	}
	rc = slots_lock(v->c->slots, slot, true, VERIFY_LOCK_MS, e);
	if (rc != RC_OK)
		return rc;
	rc = stray_locked(v, slot, shard, e);
	slots_unlock(v->c->slots, slot);
	return rc;
}
