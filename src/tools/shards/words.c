/*
 * words.c - what needs doing, in words, the most urgent first; each says
 * what to look at or what to type.
 */
#include "config.h"

#include "tools/shards/show.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	FREE_LEAST = 1 << 30,	/* bytes */
	WAIT_MOST_MS = 60 * 1000,	/* of a job or an update */
	WORDS_MAX = 400
};

struct teller {
	const struct shards_view *v;
	void (*each)(void *ctx, const char *words);
	void *ctx;
};

static void tell(const struct teller *t, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

static void tell(const struct teller *t, const char *fmt, ...)
{
	char words[WORDS_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	t->each(t->ctx, words);
}

static void tell_unreachable(const struct teller *t)
{
	char since[FIGURE_SIZE];

	for (int i = 0; i < t->v->n; i++) {
		const struct shard_look *l = &t->v->of[i];

		if (l->up)
			continue;
		if (l->conf == NULL && l->slots > 0)
			tell(t, "%s owns %d slots and is not in %s: put it "
			    "back there", l->name, l->slots,
			    t->v->conf->shards_file);
		else if (l->conf != NULL && l->pulse.state != PULSE_CLOSED)
			tell(t, "%s is down since %s: %s", l->name,
			    figure_since(l->pulse.since_ms, t->v->now, since),
			    l->why);
		else if (l->conf != NULL)
			tell(t, "%s is down: %s", l->name, l->why);
	}
}

static void tell_paused(const struct teller *t)
{
	for (int i = 0; i < t->v->n; i++) {
		const struct shard_look *l = &t->v->of[i];

		if ((l->flags & SHARD_PAUSED) != 0)
			tell(t, "%s is paused, what its people write waits: "
			    "familybotctl shards resume %s", l->name, l->name);
		else if (l->up && l->pulse.state == PULSE_OPEN)
			tell(t, "%s answers, but requests failed; they are "
			    "tried again within 10 s", l->name);
	}
}

static void tell_hosts(const struct teller *t)
{
	const struct shards_view *v = t->v;

	if (v->hosts_why[0] != '\0')
		tell(t, "the other hosts cannot be seen: %s", v->hosts_why);
	for (int i = 0; i < v->nhosts; i++)
		if (!v->hosts[i].live)
			tell(t, "host %s is silent and serves nobody: does its "
			    "worker run? If it is gone for good: familybotctl "
			    "shards hosts forget %s", v->hosts[i].name,
			    v->hosts[i].name);
		else if (v->hosts[i].words[0] != '\0')
			tell(t, "host %s: %s", v->hosts[i].name,
			    v->hosts[i].words);
}

static void tell_change(const struct teller *t)
{
	const struct change_look *c = &t->v->change;

	if (t->v->change_why[0] != '\0')
		tell(t, "the journal of the change cannot be read: %s",
		    t->v->change_why);
	if (c->state == RESHARD_PAUSED)
		tell(t, "a change is paused with %d of %d slots moved: "
		    "familybotctl shards reshard resume", c->slots_moved,
		    c->slots);
	if ((c->state == RESHARD_RUNNING || c->state == RESHARD_ABORTING) &&
	    !c->mover)
		tell(t, "a change stopped with %d of %d slots moved%s%s: "
		    "familybotctl shards reshard resume", c->slots_moved,
		    c->slots, c->last_error[0] != '\0' ? ", " : "",
		    c->last_error);
	if (c->state == RESHARD_MOVED)
		tell(t, "all slots are moved; what they left behind waits for "
		    "familybotctl shards reshard cleanup (or rollback)");
}

static void tell_room(const struct teller *t)
{
	char free[FIGURE_SIZE];

	for (int i = 0; i < t->v->n; i++) {
		const struct shard_look *l = &t->v->of[i];

		if (l->has_info && l->info.disk_free >= 0 &&
		    l->info.disk_free < FREE_LEAST)
			tell(t, "%s: the disk is nearly full, %s are free: "
			    "make room, or add a shard elsewhere", l->name,
			    figure_bytes(l->info.disk_free, free));
		if (l->has_info && l->info.schema < l->info.schema_known)
			tell(t, "%s has schema %d of %d: familybotctl shards "
			    "migrate", l->name, l->info.schema,
			    l->info.schema_known);
	}
}

static void tell_waiting(const struct teller *t)
{
	const struct shards_view *v = t->v;
	char since[FIGURE_SIZE];

	if (v->spool_why[0] != '\0')
		tell(t, "the spool cannot be read: %s", v->spool_why);
	for (int i = 0; i < v->n; i++) {
		const struct shard_look *l = &v->of[i];

		if (!l->up || (l->flags & SHARD_PAUSED) != 0)
			continue;
		if (l->spool_failed > 0)
			tell(t, "%s: %lld update%s in the spool cannot be "
			    "applied, what the same people wrote since waits: "
			    "familybotctl spool list", l->name,
			    (long long)l->spool_failed,
			    l->spool_failed == 1 ? "" : "s");
		else if (l->spool_rows > 0 && v->now - l->spool_oldest_at >
		    WAIT_MOST_MS)
			tell(t, "%s answers, yet %lld updates wait in the spool "
			    "since %s: does the worker run?", l->name,
			    (long long)l->spool_rows, figure_since(
			    l->spool_oldest_at, v->now, since));
		if (l->has_jobs && l->jobs.oldest_ready_at > 0 &&
		    v->now - l->jobs.oldest_ready_at > WAIT_MOST_MS)
			tell(t, "%s: jobs are due since %s: does the worker "
			    "run?", l->name, figure_since(
			    l->jobs.oldest_ready_at, v->now, since));
	}
}

static void tell_places(const struct teller *t)
{
	const struct shards_view *v = t->v;
	bool leaving = false;

	if (v->change.state != RESHARD_NONE || v->change_why[0] != '\0')
		return;
	for (int i = 0; i < v->n; i++) {
		const struct shard_look *l = &v->of[i];

		if (l->conf == NULL && l->slots == 0)
			tell(t, v->conf->cluster.host != NULL ? "%s is known to "
			    "the other hosts and not to shards.conf here: add "
			    "it" : "%s is in the slot map and not in "
			    "shards.conf: familybotctl shards reshard cleanup "
			    "forgets it", l->name);
		if (l->conf != NULL && l->index < 0 && !l->conf->leaving) {
			tell(t, v->conf->cluster.host != NULL ? "%s is in "
			    "shards.conf here, and the hosts do not know it: "
			    "take it out; or, if it is new, familybotctl "
			    "shards reshard start" : "%s is in shards.conf and "
			    "has no slots yet: familybotctl shards reshard "
			    "start", l->name);
			return;
		}
		leaving |= l->conf != NULL && l->conf->leaving &&
		    l->slots == 0;
	}
	if (v->misplaced > 0)
		tell(t, "%d slot%s not where %s puts %s: familybotctl shards "
		    "reshard start", v->misplaced, v->misplaced == 1 ? " is" :
		    "s are", v->conf->placement == PLACEMENT_MODULO ?
		    "modulo" : "minimal", v->misplaced == 1 ? "it" : "them");
	else if (leaving)
		tell(t, "an emptied shard waits to leave shards.conf: "
		    "familybotctl shards reshard cleanup");
}

void shards_words_each(const struct shards_view *v,
    void (*each)(void *ctx, const char *words), void *ctx)
{
	const struct teller t = { v, each, ctx };

	tell_unreachable(&t);
	tell_hosts(&t);
	tell_change(&t);
	tell_paused(&t);
	tell_room(&t);
	tell_waiting(&t);
	tell_places(&t);
}
