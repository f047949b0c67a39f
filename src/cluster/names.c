/*
 * names.c - names and flags of the shards, between this host's map file and
 * the map of all.  What was changed here since both were equal goes there;
 * what was changed there comes here.
 */
#include "config.h"

#include "cluster/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/xalloc.h"

enum { PUT_TRIES = 20, LOOK_US = 5000 };

static int name_index(const struct map_doc *d, const char *name)
{
	for (int i = 0; i < d->nshards; i++)
		if (strcmp(d->shards[i].name, name) == 0)
			return i;
	return -1;
}

void names_copy(struct map_doc *to, const struct map_doc *from)
{
	to->nshards = from->nshards;
	memcpy(to->shards, from->shards, sizeof(to->shards));
}

void names_from(struct map_doc *d, const struct slots *m)
{
	d->nshards = slots_shards(m);
	for (int i = 0; i < d->nshards; i++) {
		(void)str_copy(d->shards[i].name, SLOT_SHARD_NAME_SIZE,
		    slots_shard_name(m, i));
		d->shards[i].flags = slots_shard_flags(m, i);
	}
}

static bool shard_in_use(const struct map_doc *d, int shard)
{
	for (int i = 0; i < SLOT_COUNT; i++)
		if (d->entry[i].owner == shard || d->entry[i].target == shard)
			return true;
	return false;
}

bool names_push(struct map_doc *d, const struct map_doc *base,
    const struct slots *m)
{
	bool changed = false;

	for (int i = 0; i < slots_shards(m); i++) {
		const char *name = slots_shard_name(m, i);
		uint8_t flags = slots_shard_flags(m, i);
		bool had = base && i < base->nshards &&
		    base->shards[i].name[0];
		uint8_t were = had ? base->shards[i].flags : flags;

		if (i == d->nshards && *name) {	/* new here */
			(void)str_copy(d->shards[i].name,
			    SLOT_SHARD_NAME_SIZE, name);
			d->shards[i].flags = flags;
			d->nshards++;
			changed = true;
		} else if (i < d->nshards && had && !*name &&
		    d->shards[i].name[0] && !shard_in_use(d, i)) {
			d->shards[i].name[0] = '\0';	/* taken away here */
			d->shards[i].flags = 0;
			changed = true;
		} else if (i < d->nshards && *name && flags != were &&
		    d->shards[i].flags != flags) {
			/* only the flags that were changed here */
			d->shards[i].flags = (uint8_t)((d->shards[i].flags &
			    ~(flags ^ were)) | (flags & (flags ^ were)));
			changed = true;
		}
	}
	return changed;
}

/* Only what was changed there: what is changed here at this moment stays. */
static enum rc flags_pull(const struct map_doc *d, const struct map_doc *base,
    int i, struct slots *m, struct err *e)
{
	static const enum shard_flag all[] = { SHARD_PAUSED, SHARD_DRAINING };
	uint8_t were = base && i < base->nshards ? base->shards[i].flags : 0;
	enum rc rc = RC_OK;

	for (size_t f = 0; f < sizeof(all) / sizeof(all[0]); f++) {
		bool on = d->shards[i].flags & all[f];

		if (base && on == ((were & all[f]) != 0))
			continue;
		if (rc == RC_OK &&
		    on != ((slots_shard_flags(m, i) & all[f]) != 0))
			rc = slots_shard_flag(m, i, all[f], on, e);
	}
	return rc;
}

/* A gap that this host never had a name for. */
static enum rc gap_add(struct slots *m, int i, struct err *e)
{
	char name[SLOT_SHARD_NAME_SIZE];
	int at = -1;
	enum rc rc;

	(void)str_format(name, sizeof(name), "gap-%d", i);
	rc = slots_shard_add(m, name, &at, e);
	return rc == RC_OK ? slots_shard_remove(m, at, e) : rc;
}

static enum rc name_pull(const struct map_doc *d, int i, struct slots *m,
    struct err *e)
{
	const char *want = d->shards[i].name;
	const char *have = slots_shard_name(m, i);
	int at = i;
	enum rc rc = RC_OK;

	if (i >= slots_shards(m))
		rc = *want ? slots_shard_add(m, want, &at, e) :
		    gap_add(m, i, e);
	else if (*have && !*want)
		rc = slots_shard_remove(m, i, e);
	else if (!*have && *want)	/* it is in use, or is wanted there */
		rc = slots_shard_restore(m, i, want, e);
	else if (*have && strcmp(have, want) != 0)
		at = -1;
	if (rc == RC_OK && at != i)
		rc = err_set(e, RC_CONFLICT, "this host's slot map has shard "
		    "%.40s where the other hosts have %.40s: it belongs to "
		    "other shards; move it away, the agent makes it anew",
		    *have ? have : want, want);
	return rc;
}

enum rc names_pull(const struct map_doc *d, const struct map_doc *base,
    struct slots *m, struct err *e)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < d->nshards && rc == RC_OK; i++) {
		rc = name_pull(d, i, m, e);
		if (rc == RC_OK && d->shards[i].name[0])
			rc = flags_pull(d, base, i, m, e);
	}
	return rc;
}

/* Nobody sees the file before it is whole: it gets its name at the end. */
enum rc names_found(const struct map_doc *d, const char *path, struct err *e)
{
	struct shard_conf *first = NULL;
	char tmp[1024], lock[1040];
	struct slots *m = NULL;
	enum rc rc = RC_OK;

	if (!str_format(tmp, sizeof(tmp), "%s.joining", path))
		return err_set(e, RC_INVALID, "slot map: path too long");
	(void)str_format(lock, sizeof(lock), "%s.lock", tmp);
	(void)unlink(tmp);
	first = xcalloc(1, sizeof(*first));
	(void)str_copy(first->name, sizeof(first->name),
	    d->shards[0].name[0] ? d->shards[0].name : "gap-0");
	rc = slots_open(tmp, first, 1, true, &m, e);
	for (int i = 1; i < d->nshards && rc == RC_OK; i++) {
		int at = -1;

		rc = d->shards[i].name[0] ?
		    slots_shard_add(m, d->shards[i].name, &at, e) :
		    gap_add(m, i, e);
	}
	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++)
		rc = slots_set(m, i, d->entry[i], e);
	if (rc == RC_OK && !d->shards[0].name[0])
		rc = slots_shard_remove(m, 0, e);
	if (rc == RC_OK) {
		slots_lease_need(m, true);
		rc = slots_sync(m, e);
	}
	if (rc == RC_OK && rename(tmp, path) != 0)
		rc = err_set(e, RC_SYSTEM, "slot map %s: cannot be made: %s",
		    path, strerror(errno));
	slots_free(m);
	free(first);
	(void)unlink(lock);
	if (rc != RC_OK)
		(void)unlink(tmp);
	return rc;
}

/* One try to have all names in the map of all.  RC_CONFLICT: again. */
static enum rc names_put(struct meta *m, struct map_doc *d,
    const char *const *names, int n, struct err *e)
{
	enum rc rc = map_read(m, d, e);
	bool changed = false;

	if (rc == RC_OK && d->version == 0)
		return err_set(e, RC_UNAVAILABLE, "no host has founded the map "
		    "yet: start familybot-worker");
	for (int i = 0; i < n && rc == RC_OK; i++) {
		if (name_index(d, names[i]) >= 0)
			continue;
		if (d->nshards == SHARDS_MAX)
			return err_set(e, RC_TOOBIG, "the hosts have had %d "
			    "shards, which is the most", SHARDS_MAX);
		d->shards[d->nshards].flags = 0;
		(void)str_copy(d->shards[d->nshards++].name,
		    SLOT_SHARD_NAME_SIZE, names[i]);
		changed = true;
	}
	return rc == RC_OK && changed ? map_write(m, d, e) : rc;
}

static bool names_here(const struct map_doc *d, const struct slots *m,
    const char *const *names, int n)
{
	bool all = true;

	for (int i = 0; i < n; i++)
		all &= slots_shard_find(m, names[i]) ==
		    name_index(d, names[i]);
	return all;
}

enum rc cluster_names_add(const struct cluster_conf *c,
    const struct slots *slots, const char *const *names, int n, struct err *e)
{
	struct map_doc *d = xcalloc(1, sizeof(*d));
	int64_t until = clock_mono_us() + (int64_t)c->lease_ms * 1000;
	enum rc rc = RC_CONFLICT;
	struct meta m;

	meta_init(&m, c);
	for (int i = 0; i < PUT_TRIES && rc == RC_CONFLICT; i++)
		rc = names_put(&m, d, names, n, e);
	if (rc == RC_CONFLICT)
		rc = err_set(e, RC_BUSY, "the map of the hosts changes all the "
		    "time: try again");
	/* The agent takes them over with its next beat. */
	while (rc == RC_OK && !names_here(d, slots, names, n)) {
		if (clock_mono_us() >= until)
			rc = err_set(e, RC_BUSY, "this host's agent did not "
			    "take the new shards over: does familybot-worker "
			    "run?");
		(void)usleep(LOOK_US);
	}
	meta_release(&m);
	free(d);
	return rc;
}
