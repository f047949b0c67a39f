/*
 * view.c - what this host knows of the shards without asking them: the
 * map, shards.conf, the pulse, the spool, the journal, the last backups.
 */
#include "config.h"

#include "tools/shards/look.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/shards/backups.h"
#include "tools/shards/shard_files.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

/* More rows than this are not looked at one by one. */
enum { BACKUPS_MAX_BYTES = 1 << 20 };

static void rows_make(struct shards_view *v)
{
	for (int i = 0; i < slots_shards(v->slots); i++) {
		const char *name = slots_shard_name(v->slots, i);
		struct shard_look *l = &v->of[v->n];

		if (*name == '\0')
			continue;
		str_copy(l->name, sizeof(l->name), name);
		l->index = i;
		l->flags = slots_shard_flags(v->slots, i);
		v->n++;
	}
	for (int i = 0; i < v->conf->nshards; i++) {
		const struct config_shard *s = &v->conf->shards[i];
		int k = 0;

		while (k < v->n && strcmp(v->of[k].name, s->name) != 0)
			k++;
		if (k == v->n) {
			str_copy(v->of[k].name, sizeof(v->of[k].name), s->name);
			v->of[k].index = -1;
			v->n++;
		}
		v->of[k].conf = s;
	}
}

struct shard_look *shards_view_row(struct shards_view *v, int shard)
{
	for (int i = 0; i < v->n; i++)
		if (v->of[i].index == shard)
			return &v->of[i];
	return NULL;
}

static void slots_count(struct shards_view *v)
{
	struct shard_look *l;

	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		struct slot_entry entry = slots_get(v->slots, s);

		if ((l = shards_view_row(v, entry.owner)) != NULL)
			l->slots++;
		if (entry.state != SLOT_STABLE &&
		    (l = shards_view_row(v, entry.target)) != NULL)
			l->coming++;
	}
}

static void pulse_look(struct shards_view *v)
{
	char path[PATH_MAX];
	struct pulse *p = NULL;
	struct err e;

	shards_pulse_path(v->conf, path, sizeof(path));
	if (access(path, F_OK) != 0 || pulse_open(path, true, &p, &e) != RC_OK)
		return;
	for (int i = 0; i < v->n; i++)
		if (v->of[i].index >= 0)
			pulse_read(p, v->of[i].index, &v->of[i].pulse);
	pulse_free(p);
}

static void backups_look(struct shards_view *v)
{
	struct backup_last last;
	char dir[PATH_MAX];
	struct err e;

	str_format(dir, sizeof(dir), "%s/data", v->conf->state_dir);
	for (int i = 0; i < v->n; i++)
		if (backup_last_get(dir, v->of[i].name, &last, &e) == RC_OK)
			v->of[i].backup_at = last.at;
}

enum rc change_look(const struct journal *j, const struct slots *m,
    struct change_look *out, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	struct change_look l = { .state = RESHARD_NONE };
	enum rc rc = reshard_load(j, r, e);

	l.state = r->state;
	l.mover = slots_mover_alive(m);
	str_copy(l.who, sizeof(l.who), r->who);
	l.started_at = r->started_at;
	l.ended_at = r->ended_at;
	l.shards_before = r->before.nnames;
	l.shards_after = r->plan.nnames;
	l.users = r->users;
	l.bytes = r->bytes;
	l.fence_p50_us = r->fence_p50_us;
	l.fence_p99_us = r->fence_p99_us;
	str_copy(l.last_error, sizeof(l.last_error), r->last_error);
	for (int32_t s = 0; s < SLOT_COUNT; s++) {
		if (r->target[s] == r->owner_before[s])
			continue;
		l.slots++;
		l.slots_moved += slots_get(m, s).owner == r->target[s];
	}
	free(r);
	if (rc == RC_OK)
		*out = l;
	return rc;
}

/* That of several hosts is asked for with the hosts. */
static void change_take(struct shards_view *v)
{
	char dir[PATH_MAX];
	const struct journal journal = { &journal_file, dir };
	struct err e = { .text = "" };

	str_format(dir, sizeof(dir), "%s/data", v->conf->state_dir);
	if (v->conf->cluster.host == NULL &&
	    change_look(&journal, v->slots, &v->change, &e) != RC_OK)
		str_copy(v->change_why, sizeof(v->change_why), e.text);
}

/* How many slots reshard start would move. */
static void misplaced_count(struct shards_view *v)
{
	struct plan *p = xcalloc(1, sizeof(*p));
	struct plan_moves *m = xcalloc(1, sizeof(*m));
	struct err e;

	p->only_slot = -1;
	p->placement = v->conf->placement == PLACEMENT_MODULO ? PLAN_MODULO :
	    PLAN_MINIMAL;
	for (int i = 0; i < v->conf->nshards; i++)
		if (!v->conf->shards[i].leaving)
			str_copy(p->names[p->nnames++], sizeof(p->names[0]),
			    v->conf->shards[i].name);
	v->misplaced = plan_moves(p, v->slots, m, &e) == RC_OK ? m->moving :
	    -1;
	free(m);
	free(p);
}

void shards_view_take(struct shards_view *v, const struct config *conf,
    const struct slots *slots)
{
	memset(v, 0, sizeof(*v));
	v->conf = conf;
	v->slots = slots;
	v->now = clock_ms(&clock_system);
	rows_make(v);
	slots_count(v);
	pulse_look(v);
	shards_spool_look(v);
	backups_look(v);
	change_take(v);
	misplaced_count(v);
}
