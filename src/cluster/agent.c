/*
 * agent.c - the agent of a host: its lease, and its hands on the map.
 *
 * struct cluster_agent owns the connection to the meta store and this host's
 * map, opened for writing.
 */
#include "config.h"

#include "cluster/agent.h"

#include <stdlib.h>
#include <string.h>

#include "utils/xalloc.h"

enum { POLL_MS = 2, FENCE_POLL_MS = 1, POLL_LATER_MS = 5, RECENT_US = 2000000 };

void cluster_agent_free(struct cluster_agent *a)
{
	if (!a)
		return;
	meta_release(&a->meta);
	slots_free(a->hands.slots);
	free(a);
}

void agent_say(struct cluster_agent *a, bool bad, const char *words)
{
	if (strcmp(a->said, words) == 0)
		return;
	(void)str_copy(a->said, sizeof(a->said), words);
	if (a->c.say && *words)
		a->c.say(a->c.ctx, bad, words);
}

static void lease_until(struct cluster_agent *a, int64_t until)
{
	a->until = until;
	slots_lease_until(a->hands.slots, until);
}

/* Somebody else wrote our document, or our own write was not answered. */
static enum rc beat_lost(struct cluster_agent *a, struct err *e)
{
	struct host_doc d;
	enum rc rc = host_read(&a->meta, a->me.name, &d, e);

	if (rc != RC_OK)
		return rc;
	if (d.version != 0 && strcmp(d.id, a->me.id) != 0)
		return err_set(e, RC_CONFLICT, "another host calls itself %s: "
		    "give each its own name in shards.conf", a->me.name);
	a->me.version = d.version;
	/* Forgotten: nobody waited for us meanwhile. */
	if (d.version == 0)
		a->lapsed = a->whole = true;
	return err_set(e, RC_BUSY, "the lease is renewed again");
}

/* A longer one is told before anybody waits that long: with the answer to the
 * step that names a new shard. */
static void op_timeout_look(const struct cluster_agent *a, int64_t now,
    struct host_doc *next)
{
	int ms = 0;

	if (a->c.op_timeout && (now >= a->beat_at ||
	    a->step.phase == PHASE_COPYING))
		ms = a->c.op_timeout(a->c.ctx);
	if (ms > next->op_ms)
		next->op_ms = ms;
}

static enum rc beat(struct cluster_agent *a, struct err *e)
{
	int64_t sent = clock_mono_us(), until;
	struct host_doc next = a->me;
	enum rc rc;

	op_timeout_look(a, sent, &next);
	next.beat++;
	next.mover = slots_mover_alive(a->hands.slots);
	rc = host_write(&a->meta, &next, e);
	if (rc == RC_CONFLICT)
		return beat_lost(a, e);
	if (rc != RC_OK)
		return rc;
	a->me = next;
	a->tell = false;
	a->beat_at = sent + (int64_t)a->c.lease_ms * 1000 / BEATS;
	until = sent + (int64_t)(a->c.lease_ms - a->c.lease_ms / MARGIN_DIV) *
	    1000;
	if (!a->lapsed && clock_mono_us() < a->until) {
		lease_until(a, until);
	} else {	/* not before the map was looked at again */
		a->lapsed = a->whole = true;
		a->until_then = until;
	}
	return RC_OK;
}

/* Do we know how to reach where the slots go? */
static enum rc targets_known(struct cluster_agent *a, struct err *e)
{
	const struct step_doc *s = &a->step;
	const char *name;
	int last = -1;
	enum rc rc;

	if (s->phase != PHASE_COPYING)
		return RC_OK;
	rc = agent_names(a, e);
	if (rc == RC_CONFLICT)
		return RC_DENIED;
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < s->n; i++) {
		int at = s->targets[i];

		if (at == last)
			continue;
		last = at;
		name = slots_shard_name(a->hands.slots, at);
		if (!*name || (a->c.knows && !a->c.knows(a->c.ctx, name)))
			return err_set(e, RC_DENIED, "host %s does not know "
			    "%s: put it into its shards.conf", a->me.name,
			    *name ? name : "that shard");
	}
	return RC_OK;
}

/* The whole map made equal: after a start, a lost lease, or missed steps. */
static enum rc take_whole(struct cluster_agent *a, struct err *e)
{
	enum rc rc = agent_names(a, e);

	if (rc != RC_OK)
		return rc;
	map_take_step(&a->map, &a->step, false);
	rc = hands_equal(&a->hands, &a->map, FENCE_LOCK_MS, e);
	a->map.version = 0;	/* it is no longer what was read */
	if (rc == RC_OK && a->step.phase == PHASE_COPYING)
		rc = hands_take(&a->hands, &a->step, e);
	return rc;
}

static enum rc take(struct cluster_agent *a, bool whole, struct err *e)
{
	struct err words = { RC_OK, "" };
	enum rc known = targets_known(a, &words), rc = known;

	if (rc == RC_OK || (rc == RC_DENIED && whole))
		rc = whole ? take_whole(a, e) :
		    hands_take(&a->hands, &a->step, e);
	else
		rc = err_set(e, rc, "%s", words.text);
	if (rc == RC_OK && !whole && phase_lasts(a->step.phase))
		rc = slots_sync(a->hands.slots, e);
	if (rc == RC_OK && whole)
		a->whole = false;
	a->me.held_us = a->hands.held_us;
	if (known == RC_DENIED && !a->whole) {
		a->me.refused = a->step.number;
		(void)str_copy(a->me.words, sizeof(a->me.words), words.text);
		agent_say(a, true, words.text);
		a->taken = a->tell = true;
		return RC_OK;
	}
	if (rc == RC_OK) {
		a->me.step = a->step.number;
		a->me.words[0] = '\0';
		a->taken = a->tell = true;
	} else if (rc == RC_BUSY && a->step.phase == PHASE_FENCE) {
		a->tell = a->me.busy != a->step.number;
		a->me.busy = a->step.number;
		a->taken = !whole;
	}
	return rc == RC_BUSY ? RC_OK : rc;
}

/* A fence that nobody ends: its mover died, or cannot reach the meta store.
 * Who wins this compare-and-set says what became of it. */
static enum rc withdraw(struct cluster_agent *a, struct err *e)
{
	bool own = strcmp(a->step.by, a->me.name) == 0;
	int64_t held = clock_mono_us() - a->hands.fenced_at;
	struct step_doc *next = &a->next;
	enum rc rc;

	if (a->step.phase != PHASE_FENCE || a->hands.fenced_at == 0 ||
	    (held < FENCE_HOLD_MS * 1000 &&
	    !(own && !slots_mover_alive(a->hands.slots))))
		return RC_OK;
	*next = a->step;
	next->phase = PHASE_UNFENCE;
	meta_id(next->id, sizeof(next->id));
	rc = step_write(&a->meta, next, e);
	return rc == RC_CONFLICT ? RC_OK : rc;
}

static enum rc look(struct cluster_agent *a, struct err *e)
{
	int64_t was = a->step.number;
	enum rc rc = step_read(&a->meta, &a->next, e);

	if (rc != RC_OK)
		return rc;
	if (a->next.number != was) {
		a->whole |= a->next.number != was + 1 || !a->taken;
		a->step = a->next;
		a->taken = false;
		a->changed_at = clock_mono_us();
	}
	if (!a->taken || a->whole)
		return take(a, a->whole, e);
	return withdraw(a, e);
}

/* A lease that had run out begins again when the map is right. */
static void lease_begin(struct cluster_agent *a)
{
	if (!a->lapsed || a->whole || clock_mono_us() >= a->until_then)
		return;
	a->lapsed = false;
	lease_until(a, a->until_then);
	agent_say(a, false, "this host has its lease and serves");
}

static int next_ms(const struct cluster_agent *a, enum rc rc)
{
	int64_t now = clock_mono_us(), left;
	bool moving = a->step.phase == PHASE_COPYING ||
	    a->step.phase == PHASE_FENCE || a->step.phase == PHASE_UNFENCE;
	bool recent = now - a->changed_at < RECENT_US;

	if (rc == RC_BUSY)
		return POLL_MS;
	if (rc != RC_OK)
		return a->c.lease_ms / (BEATS * 4);
	if (a->step.phase == PHASE_FENCE)
		return FENCE_POLL_MS;
	if (a->tell || !a->taken || a->whole || recent)
		return POLL_MS;
	left = (a->beat_at - now) / 1000;
	if (moving && left > POLL_LATER_MS)
		return POLL_LATER_MS;
	return left > 0 ? (int)left : 0;
}

/* Who has a lease answers a step with its beat.  Who has none writes the beat
 * first, see cluster.h, rule 4. */
enum rc agent_turn(struct cluster_agent *a, struct err *e)
{
	int64_t now = clock_mono_us();
	bool due = now >= a->beat_at, leased = !a->lapsed && now < a->until;
	enum rc rc = RC_OK;

	if (!leased && (due || a->tell))
		rc = beat(a, e);
	if (rc == RC_OK)
		rc = look(a, e);
	if (rc == RC_OK)
		lease_begin(a);
	if (rc == RC_OK && (a->tell || (leased && due)))
		rc = beat(a, e);
	if (rc == RC_OK && due && !a->lapsed)
		rc = agent_names(a, e);
	return rc;
}

int cluster_agent_turn(struct cluster_agent *a)
{
	struct err e = { RC_OK, "" };
	enum rc rc = agent_turn(a, &e);

	if (rc != RC_OK && rc != RC_BUSY) {
		agent_say(a, true, e.text);
		if (clock_mono_us() >= a->until && !a->lapsed) {
			a->lapsed = a->whole = true;
			agent_say(a, true, "this host serves nobody: its "
			    "lease has run out, as the meta store cannot be "
			    "reached");
		}
	}
	return next_ms(a, rc);
}
