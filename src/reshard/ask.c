/*
 * ask.c - what an operator asks for: a change begins, pauses, goes on, is
 * given up.  Writes the journal only; the mover does it.
 */
#include "config.h"

#include "reshard/reshard.h"

#include "reshard/journal.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

static void plan_words(const struct plan *p, struct buf *b)
{
	for (int i = 0; i < p->nnames; i++)
		buf_printf(b, "%s%s", i ? "," : "", p->names[i]);
	if (p->only_slot >= 0)
		buf_printf(b, " slot=%d", p->only_slot);
	else
		buf_printf(b, " placement=%s",
		    p->placement == PLAN_MODULO ? "modulo" : "minimal");
}

static enum rc audit_begin(const struct reshard_conf *c,
    const struct reshard *r, const char *word, struct err *e)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 900);
	buf_printf(&b, "event=%s id=%lld max_users_per_second=%lld "
	    "pause_if_p99_over_ms=%lld shards=", word, (long long)r->id,
	    (long long)r->limits.users_per_second,
	    (long long)r->limits.pause_if_p99_over_ms);
	plan_words(&r->plan, &b);
	rc = audit_add(c->dir, c->who, b.s, e);
	buf_release(&b);
	return rc;
}

/* Shards that get slots must be there now: a change that only waits is none. */
static enum rc targets_open(const struct reshard_conf *c,
    const uint16_t *target, struct err *e)
{
	bool seen[SHARDS_MAX] = { false };
	struct store *store = NULL;
	enum rc rc = RC_OK;

	for (int32_t s = 0; s < SLOT_COUNT && rc == RC_OK; s++) {
		if (slots_get(c->slots, s).owner == target[s] ||
		    seen[target[s]])
			continue;
		seen[target[s]] = true;
		rc = router_shard(c->router, target[s], &store, e);
		if (rc == RC_OK)
			rc = store->ops->ping(store, e);
	}
	return rc;
}

static bool same_targets(const uint16_t *a, const uint16_t *b)
{
	return memcmp(a, b, SLOT_COUNT * sizeof(*a)) == 0;
}

/* May a change to these targets begin now? */
static enum rc may_begin(const struct reshard *old, const uint16_t *target,
    struct err *e)
{
	if (old->state == RESHARD_NONE)
		return RC_OK;
	if (old->state != RESHARD_MOVED)
		return err_set(e, RC_CONFLICT, "another change is %s: end it "
		    "with familybotctl shards reshard resume, or abort",
		    reshard_state_name(old->state));
	if (same_targets(old->owner_before, target))
		return RC_OK;
	return err_set(e, RC_CONFLICT, "the last change is not cleaned up: "
	    "run familybotctl shards reshard cleanup, or rollback");
}

static void limits_set(struct reshard *r, const struct reshard_limits *l)
{
	if (!l)
		return;
	r->limits.users_per_second = l->users_per_second > 0 ?
	    l->users_per_second : 0;
	r->limits.pause_if_p99_over_ms = l->pause_if_p99_over_ms > 0 ?
	    l->pause_if_p99_over_ms : 0;
}

/* In the place of the journal that was read. */
static enum rc change_begin(const struct reshard_conf *c,
    const struct reshard *old, struct reshard *r, const char *word,
    struct err *e)
{
	enum rc rc = slots_lease_ok(c->slots) ? targets_open(c, r->target, e) :
	    err_set(e, RC_UNAVAILABLE, "this host has no lease, its map may be "
	    "old: does familybot-worker run?");

	if (rc != RC_OK)
		return rc;
	for (int32_t s = 0; s < SLOT_COUNT; s++)
		r->owner_before[s] = slots_get(c->slots, s).owner;
	r->rev = old->rev;
	r->unsettled = old->state == RESHARD_NONE || old->unsettled;
	r->state = RESHARD_RUNNING;
	r->id = clock_ms(c->clock);
	(void)str_copy(r->who, sizeof(r->who), c->who ? c->who : "");
	rc = audit_begin(c, r, word, e);
	return rc == RC_OK ? reshard_save(&c->journal, r, e) : rc;
}

enum rc reshard_begin(const struct reshard_conf *c, const struct plan *before,
    const struct plan *plan, const struct reshard_limits *limits, struct err *e)
{
	struct reshard *old = xcalloc(1, sizeof(*old));
	struct reshard *r = xcalloc(1, sizeof(*r));
	struct plan_moves *moves = xcalloc(1, sizeof(*moves));
	enum rc rc = reshard_load(&c->journal, old, e);

	if (rc == RC_OK)
		rc = plan_moves(plan, c->slots, moves, e);
	if (rc == RC_OK)
		rc = may_begin(old, moves->target, e);
	if (rc != RC_OK)
		goto out;
	r->before = *before;
	r->plan = *plan;
	memcpy(r->target, moves->target, sizeof(r->target));
	limits_set(r, limits);
	rc = change_begin(c, old, r, "begin", e);
out:
	free(moves);
	free(r);
	free(old);
	return rc;
}

enum rc reshard_rollback(const struct reshard_conf *c,
    const struct reshard_limits *limits, struct err *e)
{
	struct reshard *old = xcalloc(1, sizeof(*old));
	struct reshard *r = xcalloc(1, sizeof(*r));
	enum rc rc = reshard_load(&c->journal, old, e);

	if (rc != RC_OK)
		goto out;
	if (old->state != RESHARD_MOVED) {
		rc = err_set(e, RC_CONFLICT, "nothing can be rolled back: %s",
		    old->state == RESHARD_NONE ? "no change was made, or it is "
		    "cleaned up" : "the change is under way, abort it instead");
		goto out;
	}
	r->before = old->plan;
	r->plan = old->before;
	memcpy(r->target, old->owner_before, sizeof(r->target));
	limits_set(r, limits ? limits : &old->limits);
	rc = change_begin(c, old, r, "rollback", e);
out:
	free(r);
	free(old);
	return rc;
}

/* From which states may this one be asked for? */
static enum rc may_ask(enum reshard_state from, enum reshard_state to,
    struct err *e)
{
	if (to != RESHARD_RUNNING && to != RESHARD_PAUSED &&
	    to != RESHARD_ABORTING)
		return err_set(e, RC_INVALID, "nobody can ask for \"%s\"",
		    reshard_state_name(to));
	if (from == RESHARD_NONE)
		return err_set(e, RC_NOTFOUND, "no change of shards is under "
		    "way: begin one with familybotctl shards reshard start");
	if (from == to)
		return RC_OK;
	if (from == RESHARD_MOVED)
		return err_set(e, RC_CONFLICT, "everything has moved: run "
		    "familybotctl shards reshard rollback, or cleanup");
	if (from == RESHARD_ABORTING)
		return err_set(e, RC_CONFLICT, "the change is being given up: "
		    "run familybotctl shards reshard abort until that is done");
	return RC_OK;
}

static enum rc ask_once(const struct reshard_conf *c, struct reshard *r,
    enum reshard_state state, const struct reshard_limits *limits,
    struct err *e)
{
	char line[200];
	enum rc rc = reshard_load(&c->journal, r, e);

	if (rc == RC_OK)
		rc = may_ask(r->state, state, e);
	if (rc != RC_OK)
		return rc;
	r->state = state;
	limits_set(r, limits);
	(void)str_format(line, sizeof(line), "event=ask id=%lld state=%s "
	    "max_users_per_second=%lld pause_if_p99_over_ms=%lld",
	    (long long)r->id, reshard_state_name(state),
	    (long long)r->limits.users_per_second,
	    (long long)r->limits.pause_if_p99_over_ms);
	rc = audit_add(c->dir, c->who, line, e);
	return rc == RC_OK ? reshard_save(&c->journal, r, e) : rc;
}

enum rc reshard_ask(const struct reshard_conf *c, enum reshard_state state,
    const struct reshard_limits *limits, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	enum rc rc = RC_BUSY;

	/* A mover writes its figures meanwhile. */
	for (int i = 0; i < JOURNAL_TRIES && rc == RC_BUSY; i++)
		rc = ask_once(c, r, state, limits, e);
	free(r);
	return rc;
}
