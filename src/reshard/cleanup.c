/*
 * cleanup.c - what moved slots left behind is deleted, where the map says that
 * the slot lives elsewhere and nowhere else.
 */
#include "config.h"

#include "reshard/mover.h"

/* Is place a former one of the slot, which has come to rest elsewhere? */
static bool is_leftover(const struct mover *m, int32_t slot, int place)
{
	struct slot_entry s = slots_get(m->c->slots, slot);
	int before = m->j.owner_before[slot], target = m->j.target[slot];

	return s.state == SLOT_STABLE && s.owner != place && before != target &&
	    (place == before || place == target);
}

static enum rc clear_one(struct mover *m, int32_t slot, int shard, bool jobs,
    struct err *e)
{
	struct store *s = NULL;
	enum rc rc = router_shard(m->c->router, shard, &s, e);

	if (rc == RC_OK)
		rc = jobs ? s->ops->slot_clear_jobs(s, slot, e) :
		    s->ops->slot_clear(s, slot, e);
	if (rc == RC_UNAVAILABLE)
		mover_unsettle(m, shard);
	if (rc == RC_UNAVAILABLE && s)
		router_failed(m->c->router, shard, e);
	return rc;
}

void leftover_jobs_clear(struct mover *m)
{
	struct err ignored = { RC_OK, "" };

	m->jobs_left = false;
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		int place = m->j.state == RESHARD_ABORTING ? m->j.target[s] :
		    m->j.owner_before[s];

		if (is_leftover(m, s, place) &&
		    clear_one(m, s, place, true, &ignored) != RC_OK)
			m->jobs_left = true;
	}
}

enum rc leftovers_clear(struct mover *m, const uint16_t *places,
    bool pass_over, struct err *e)
{
	bool down[SHARDS_MAX] = { false };
	enum rc rc = RC_OK;

	m->cleaned = 0;
	for (int32_t s = 0; s < SLOT_COUNT && rc == RC_OK; s++) {
		if (!mover_look(m, RESHARD_WORKING, ""))
			break;
		if (!is_leftover(m, s, places[s]) || down[places[s]])
			continue;
		rc = clear_one(m, s, places[s], false, e);
		if (pass_over && (rc == RC_UNAVAILABLE || rc == RC_BUSY)) {
			down[places[s]] = true;
			rc = RC_OK;
		}
		m->cleaned++;
	}
	return rc;
}

static enum rc clean(struct mover *m, struct err *e)
{
	enum rc rc = audit_add(m->c->dir, m->c->who, "event=cleanup-start", e);

	if (rc == RC_OK)
		rc = mover_save(m, e);
	if (rc == RC_OK)
		rc = mover_begin(m, e);
	if (rc == RC_OK && !m->halt)
		rc = leftovers_clear(m, m->j.owner_before, false, e);
	if (rc != RC_OK)
		return rc;
	if (m->halt)
		return err_set(e, RC_BUSY, "stopped: run cleanup again");
	rc = mover_end(m, RESHARD_NONE, e);
	if (rc != RC_OK)
		return rc;
	if (m->j.state != RESHARD_NONE)
		return err_set(e, RC_BUSY, "stopped: another change was begun "
		    "meanwhile");
	return audit_add(m->c->dir, m->c->who, "event=cleanup-end", e);
}

enum rc reshard_cleanup(const struct reshard_conf *c,
    void (*progress)(void *ctx, const struct reshard_progress *p), void *ctx,
    struct err *e)
{
	struct mover *m = NULL;
	enum rc rc = mover_new(c, &m, e);

	if (rc != RC_OK)
		return rc;
	m->progress = progress;
	m->ctx = ctx;
	if (m->j.state != RESHARD_MOVED)
		rc = err_set(e, RC_CONFLICT, "nothing to clean up: %s",
		    m->j.state == RESHARD_NONE ? "no change of shards was made"
		    : "the change has not ended, see familybotctl shards "
		    "reshard watch");
	else
		rc = clean(m, e);
	mover_free(m);
	return rc;
}
