/*
 * verify.c - goes over the slots and says where to look closer, see verify.h.
 *
 * Owns the census of each shard while it runs.  Writes nothing by itself.
 */
#include "config.h"

#include "reshard/verify.h"

#include <stdlib.h>
#include <string.h>

#include "reshard/verify_impl.h"
#include "utils/xalloc.h"

enum { COUNT_AGAIN = 4 };

const char *verify_kind_name(enum verify_kind k)
{
	static const char *const names[VERIFY_KINDS] = { "misplaced",
		"duplicate", "orphaned", "unreadable", "drift" };

	return names[k];
}

void verify_tell(struct verify *v, enum verify_kind kind, int shard,
    int32_t slot, enum collection collection, int64_t records, bool repaired,
    const char *words)
{
	const struct verify_finding f = {
		.kind = kind,
		.shard = shard,
		.slot = slot,
		.collection = collection,
		.records = records,
		.words = words,
		.repaired = repaired,
	};

	v->r.found[kind] += records;
	if (repaired)
		v->r.repaired += records;
	v->c->found(v->c->ctx, &f);
}

static bool owns_any(const struct verify *v, int shard)
{
	for (int32_t i = 0; i < SLOT_COUNT; i++)
		if (slots_get(v->c->slots, i).owner == shard)
			return true;
	return false;
}

/* What was read of the shard before stays counted: it was true then.  One that
 * owns nothing is new, or has been emptied: nobody misses it. */
static void shard_lost(struct verify *v, int shard, const struct err *e)
{
	free(v->census[shard]);
	v->census[shard] = NULL;
	if (!owns_any(v, shard))
		return;
	v->lost[shard] = true;
	v->r.shards_unread++;
	if (v->c->unread != NULL)
		v->c->unread(v->c->ctx, shard, e);
}

enum rc verify_failed(struct verify *v, int shard, enum rc rc, struct err *e)
{
	if (rc != RC_UNAVAILABLE)
		return rc;
	e->rc = rc;
	router_failed(v->c->router, shard, e);
	if (v->census[shard] != NULL)
		shard_lost(v, shard, e);
	return RC_OK;
}

enum rc verify_store(struct verify *v, int shard, struct store **out,
    struct err *e)
{
	struct store *s = NULL;
	enum rc rc = router_shard(v->c->router, shard, &s, e);

	if (rc == RC_UNAVAILABLE)
		rc = verify_failed(v, shard, rc, e);
	if (rc == RC_OK)
		*out = s;
	return rc;
}

enum rc verify_journal(struct verify *v, struct err *e)
{
	if (v->c->journal == NULL)
		return RC_OK;
	return reshard_load(v->c->journal, &v->change, e);
}

bool verify_left(const struct verify *v, int32_t slot, int shard)
{
	return v->change.state != RESHARD_NONE &&
	    (v->change.owner_before[slot] == shard ||
	    v->change.target[slot] == shard);
}

static int64_t census_count(const struct slot_census *census, int collection)
{
	int64_t sum = 0;

	for (int32_t i = 0; i < SLOT_COUNT; i++)
		sum += census[i].records[collection];
	return sum;
}

/*
 * The census has no place for a record that carries a slot there is not.  It
 * shows as records that were counted before and that no slot has after: while
 * people erase themselves some do so by chance, hence the least of some tries.
 * Only an embedded shard counts exactly enough for that.
 */
static enum rc slotless_find(struct verify *v, int shard, struct store *s,
    struct slot_census *census, struct err *e)
{
	int64_t least[COLLECTION_COUNT], n, sum = 1;
	struct store_info info;
	enum rc rc = RC_OK;

	for (int i = 0; i < COUNT_AGAIN && sum > 0 && rc == RC_OK; i++) {
		rc = s->ops->info(s, &info, e);
		if (rc == RC_OK && strcmp(info.backend, "sqlite") != 0)
			return s->ops->census(s, census, e);
		if (rc == RC_OK)
			rc = s->ops->census(s, census, e);
		sum = 0;
		for (int c = 0; c < COLLECTION_COUNT && rc == RC_OK; c++) {
			n = info.records[c] - census_count(census, c);
			if (i == 0 || n < least[c])
				least[c] = n;
			sum += least[c] > 0 ? least[c] : 0;
		}
	}
	for (int c = 0; c < COLLECTION_COUNT && rc == RC_OK && sum > 0 &&
	    v->c->only_slot < 0; c++)
		if (least[c] > 0)
			verify_tell(v, VERIFY_UNREADABLE, shard, -1,
			    (enum collection)c, least[c], false, "carry a slot "
			    "that there is not, so nobody ever sees them");
	return rc;
}

/* A shard that cannot be used for any reason is unread, not a failure: what
 * the others have is told all the same. */
static enum rc census_read(struct verify *v, int shard, struct err *e)
{
	struct slot_census *census = xcalloc(SLOT_COUNT, sizeof(*census));
	struct store *s = NULL;
	enum rc rc = router_shard(v->c->router, shard, &s, e);

	if (rc == RC_OK)
		rc = slotless_find(v, shard, s, census, e);
	if (rc == RC_OK) {
		v->census[shard] = census;
		return RC_OK;
	}
	free(census);
	if (s != NULL)
		router_failed(v->c->router, shard, e);
	shard_lost(v, shard, e);
	return RC_OK;
}

static bool is_asked(const struct verify *v, int shard)
{
	return v->c->only_shard < 0 || v->c->only_shard == shard;
}

static enum rc census_all(struct verify *v, struct err *e)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < router_shards(v->c->router) && rc == RC_OK; i++)
		if (router_shard_name(v->c->router, i)[0] != '\0' &&
		    is_asked(v, i))
			rc = census_read(v, i, e);
	return rc;
}

static int64_t census_sum(const struct slot_census *c)
{
	int64_t sum = 0;

	for (int i = 0; i < COLLECTION_COUNT; i++)
		sum += c->records[i];
	return sum;
}

static bool census_has(const struct verify *v, int shard, int32_t slot)
{
	return v->census[shard] != NULL &&
	    census_sum(&v->census[shard][slot]) > 0;
}

static enum rc slot_verify(struct verify *v, int32_t slot, struct err *e)
{
	int owner = slots_get(v->c->slots, slot).owner;
	const struct slot_census *c;
	bool any = false;
	enum rc rc = RC_OK;

	/* It was added, or got its first slot, while this went on. */
	if (v->census[owner] == NULL && !v->lost[owner] &&
	    is_asked(v, owner))
		rc = census_read(v, owner, e);
	if (rc != RC_OK)
		return rc;
	c = v->census[owner];
	if (c != NULL) {
		v->r.users += c[slot].users;
		v->r.records += census_sum(&c[slot]);
	}
	for (int i = 0; i < router_shards(v->c->router) && rc == RC_OK; i++) {
		if (!census_has(v, i, slot))
			continue;
		any = true;
		if (i != owner)
			rc = verify_stray(v, slot, i, e);
	}
	if (rc == RC_OK && any && v->census[owner] != NULL)
		rc = verify_owner(v, slot, e);
	return rc;
}

static enum rc slots_verify(struct verify *v, struct err *e)
{
	int32_t first = v->c->only_slot < 0 ? 0 : v->c->only_slot;
	int32_t last = v->c->only_slot < 0 ? SLOT_COUNT - 1 : first;
	enum rc rc = RC_OK;

	for (int32_t slot = first; slot <= last && rc == RC_OK; slot++) {
		rc = slot_verify(v, slot, e);
		if (rc == RC_OK && v->c->progress != NULL)
			v->c->progress(v->c->ctx, slot - first + 1);
	}
	return rc;
}

enum rc verify_run(const struct verify_conf *c, struct verify_result *out,
    struct err *e)
{
	struct verify *v = xcalloc(1, sizeof(*v));
	enum rc rc;

	v->c = c;
	rc = verify_journal(v, e);
	if (rc == RC_OK)
		rc = census_all(v, e);
	if (rc == RC_OK)
		rc = slots_verify(v, e);
	if (rc == RC_OK)
		*out = v->r;
	for (int i = 0; i < SHARDS_MAX; i++)
		free(v->census[i]);
	free(v);
	return rc;
}
