/*
 * change.c - makes a struct shards_change.  It works on a copy of the
 * slot map, to which names can be added without anybody noticing.
 */
#include "config.h"

#include "tools/shards/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/shards_write.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "tools/files.h"
#include "utils/xalloc.h"

enum { CONF_MAX_BYTES = 1 << 20 };

static int name_index(const struct plan *p, const char *name)
{
	for (int i = 0; i < p->nnames; i++)
		if (strcmp(p->names[i], name) == 0)
			return i;
	return -1;
}

static void name_add(struct plan *p, const char *name)
{
	if (p->nnames < SHARDS_MAX && name_index(p, name) < 0)
		str_copy(p->names[p->nnames++], sizeof(p->names[0]), name);
}

static void names_of(struct plan *p, const struct config *c)
{
	p->nnames = 0;
	p->only_slot = -1;
	p->placement = c->placement == PLACEMENT_MODULO ? PLAN_MODULO :
	    PLAN_MINIMAL;
	for (int i = 0; i < c->nshards; i++)
		if (!c->shards[i].leaving)
			name_add(p, c->shards[i].name);
}

static bool owns(const struct shards_place *p, const char *name)
{
	int i = slots_shard_find(p->slots, name);

	return i >= 0 && slots_shard_used(p->slots, i);
}

/* Who has slots now, in the order of shards.conf: where a rollback leads. */
static void before_fill(const struct shards_place *p, struct plan *before)
{
	const struct config *c = p->ctl->conf;

	names_of(before, c);
	before->nnames = 0;
	for (int i = 0; i < c->nshards; i++)
		if (owns(p, c->shards[i].name))
			name_add(before, c->shards[i].name);
}

static const struct config_shard *conf_find(const struct config *c,
    const char *name)
{
	for (int i = 0; i < c->nshards; i++)
		if (strcmp(c->shards[i].name, name) == 0)
			return &c->shards[i];
	return NULL;
}

/* NAME=URI.  One that shards.conf names already, and that owns nothing, is a
 * start that was begun before. */
static enum rc add_one(const struct shards_place *p, struct shards_draft *d,
    struct plan *plan, const char *word, struct err *e)
{
	char name[SLOT_SHARD_NAME_SIZE];
	const char *eq = strchr(word, '=');
	enum rc rc = RC_OK;

	if (eq == NULL || eq == word ||
	    !str_copy_n(name, sizeof(name), word, (size_t)(eq - word)))
		return ctl_usage(p->ctl, e, "--add: NAME=URI, for example "
		    "shard3=sqlite:data/shard3.db");
	if (conf_find(p->ctl->conf, name) == NULL || owns(p, name))
		rc = shards_draft_add(d, name, eq + 1, e);
	if (rc == RC_OK)
		name_add(plan, name);
	return rc;
}

static enum rc remove_one(const struct shards_place *p, struct plan *plan,
    const char *name, struct err *e)
{
	int i = name_index(plan, name);

	if (i < 0)
		return err_set(e, RC_NOTFOUND, "%s is no shard of %s", name,
		    p->ctl->conf->shards_file);
	plan->nnames--;
	memmove(plan->names[i], plan->names[i + 1],
	    (size_t)(plan->nnames - i) * sizeof(plan->names[0]));
	return RC_OK;
}

static enum rc count_check(struct ctl *c, const struct plan *p, struct err *e)
{
	int below, above;

	if (p->nnames == 0)
		return ctl_usage(c, e, "one shard must stay");
	if (p->placement != PLAN_MODULO ||
	    slots_divide(p->nnames, &below, &above))
		return RC_OK;
	return err_set(e, RC_INVALID, "%d shards do not divide %d slots: take "
	    "%d or %d shards, or --placement minimal", p->nnames, SLOT_COUNT,
	    below, above);
}

static enum rc names_choose(const struct shards_place *p,
    const struct change_args *a, struct shards_draft *d, struct plan *plan,
    struct err *e)
{
	struct config *there = NULL;
	enum rc rc = RC_OK;

	names_of(plan, p->ctl->conf);
	if (a->to != NULL) {
		rc = shards_draft_take(d, a->to, &there, e);
		if (rc == RC_OK)
			names_of(plan, there);
		config_free(there);
	}
	for (int i = 0; i < a->nadd && rc == RC_OK; i++)
		rc = add_one(p, d, plan, a->add[i], e);
	for (int i = 0; i < a->nremove && rc == RC_OK; i++)
		rc = remove_one(p, plan, a->remove[i], e);
	if (a->placement != NULL)
		plan->placement = strcmp(a->placement, "modulo") == 0 ?
		    PLAN_MODULO : PLAN_MINIMAL;
	return rc == RC_OK ? count_check(p->ctl, plan, e) : rc;
}

/* Zeros when there is none. */
static void conf_stat(const struct shards_place *p, struct stat *st)
{
	if (stat(p->ctl->conf->shards_file, st) != 0)
		memset(st, 0, sizeof(*st));
}

static enum rc map_copy(const struct shards_place *p, struct shards_change *ch,
    struct err *e)
{
	char path[PATH_MAX + 16];
	enum rc rc;
	int shard;

	str_format(ch->dir, sizeof(ch->dir), "%s/run/plan.XXXXXX",
	    p->ctl->conf->state_dir);
	if (mkdtemp(ch->dir) == NULL) {
		rc = err_set(e, RC_SYSTEM, "%s cannot be made: %s", ch->dir,
		    strerror(errno));
		ch->dir[0] = '\0';
		return rc;
	}
	str_format(path, sizeof(path), "%s/slots.map", ch->dir);
	conf_stat(p, &ch->conf);
	rc = file_copy(p->ctl->conf->slots_map, path, e);
	if (rc == RC_OK)
		rc = slots_open(path, NULL, 0, true, &ch->map, e);
	if (rc == RC_OK)
		ch->nnames = slots_shards(ch->map);
	for (int i = 0; i < ch->plan.nnames && rc == RC_OK; i++)
		rc = slots_shard_add(ch->map, ch->plan.names[i], &shard, e);
	return rc;
}

/* A file that is not there yet has the room of its folder. */
static void room_guess(struct shards_change *ch)
{
	for (int i = 0; ch->after != NULL && i < ch->after->nshards; i++) {
		const struct config_shard *s = &ch->after->shards[i];
		int shard = slots_shard_find(ch->map, s->name);
		char dir[1024], *slash;

		if (shard < 0 || ch->cost.of[shard].known ||
		    strncmp(s->uri, "sqlite:", 7) != 0)
			continue;
		str_copy(dir, sizeof(dir), s->uri + 7);
		slash = strrchr(dir, '/');
		if (slash == NULL)
			continue;
		*slash = '\0';
		ch->cost.of[shard].free = folder_free(dir);
	}
}

static enum rc cost_count(struct shards_place *p, struct shards_change *ch,
    struct err *e)
{
	struct config conf = *p->ctl->conf;	/* borrows all it has */
	char path[PATH_MAX + 16];
	struct router *r = NULL;
	enum rc rc;

	str_format(path, sizeof(path), "%s/slots.map", ch->dir);
	conf.slots_map = path;
	if (ch->after != NULL) {
		conf.shards = ch->after->shards;
		conf.nshards = ch->after->nshards;
		conf.placement = ch->after->placement;
	}
	rc = p->ctl->shards_open(&conf, false, &r, e);
	if (rc == RC_OK)
		rc = plan_cost(&ch->moves, r, ch->speed, &ch->cost, e);
	if (rc == RC_OK) {
		change_people(ch, r);
		room_guess(ch);
	}
	router_free(r);
	return rc;
}

/* Hosts agree in one shard, which cannot go while they do. */
static enum rc meta_check(const struct config *c, const struct config *after,
    struct err *e)
{
	const char *meta;

	if (c->cluster.host == NULL)
		return RC_OK;
	meta = c->shards[c->cluster.meta].name;
	if (after->cluster.host != NULL && strcmp(meta,
	    after->shards[after->cluster.meta].name) == 0 &&
	    !after->shards[after->cluster.meta].leaving)
		return RC_OK;
	return err_set(e, RC_INVALID, "%s is the meta store of the cluster and "
	    "must stay; write cluster = { ... meta = \"%s\"; } when another "
	    "shard shall be the first", meta, meta);
}

static enum rc plan_fill(const struct shards_place *p,
    const struct change_args *a, struct shards_change *ch, struct err *e)
{
	struct shards_draft *d = NULL;
	enum rc rc;

	if (a->slot >= 0) {
		ch->plan.nnames = 1;
		ch->plan.placement = ch->before.placement;
		ch->plan.only_slot = a->slot;
		str_copy(ch->plan.names[0], sizeof(ch->plan.names[0]),
		    a->shard);
		if (conf_find(p->ctl->conf, a->shard) == NULL)
			return err_set(e, RC_NOTFOUND, "%s is no shard of %s",
			    a->shard, p->ctl->conf->shards_file);
		return RC_OK;
	}
	rc = shards_draft_open(p->ctl->conf, stderr, &d, e);
	if (rc == RC_OK)
		rc = names_choose(p, a, d, &ch->plan, e);
	if (rc == RC_OK)
		rc = conf_text(p, d, &ch->plan, true, &ch->text, e);
	if (rc == RC_OK)
		rc = shards_text_read(p->ctl->conf, ch->text.s, stderr,
		    &ch->after, e);
	if (rc == RC_OK)
		rc = meta_check(p->ctl->conf, ch->after, e);
	shards_draft_free(d);
	return rc;
}

enum rc change_make(struct shards_place *p, const struct change_args *a,
    struct shards_change **out, struct err *e)
{
	struct shards_change *ch = xcalloc(1, sizeof(*ch));
	enum rc rc;

	buf_init(&ch->text, CONF_MAX_BYTES);
	before_fill(p, &ch->before);
	rc = plan_fill(p, a, ch, e);
	if (rc == RC_OK)
		rc = map_copy(p, ch, e);
	if (rc == RC_OK)
		rc = plan_moves(&ch->plan, ch->map, &ch->moves, e);
	if (rc == RC_OK) {
		change_speed(p, a, ch);
		rc = cost_count(p, ch, e);
	}
	if (rc == RC_OK)
		*out = ch;
	else
		change_free(ch);
	return rc;
}

bool change_conf_same(const struct shards_place *p,
    const struct shards_change *ch)
{
	const struct config *c = p->ctl->conf, *after = ch->after;

	if (after == NULL)
		return true;
	if (c->nshards != after->nshards || c->placement != after->placement)
		return false;
	for (int i = 0; i < c->nshards; i++)
		if (strcmp(c->shards[i].name, after->shards[i].name) != 0 ||
		    c->shards[i].leaving != after->shards[i].leaving)
			return false;
	return true;
}

enum rc change_still(const struct shards_place *p,
    const struct shards_change *ch, struct err *e)
{
	bool same = slots_shards(p->slots) == ch->nnames;
	struct stat now;

	conf_stat(p, &now);
	same &= now.st_ino == ch->conf.st_ino &&
	    now.st_mtim.tv_sec == ch->conf.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == ch->conf.st_mtim.tv_nsec;
	for (int i = 0; i < ch->nnames && same; i++)
		same = strcmp(slots_shard_name(p->slots, i),
		    slots_shard_name(ch->map, i)) == 0;
	for (int32_t s = 0; s < SLOT_COUNT && same; s++)
		same = slots_get(p->slots, s).owner ==
		    slots_get(ch->map, s).owner;
	return same ? RC_OK : err_set(e, RC_BUSY, "the shards have changed "
	    "since this was made up: look at it again");
}

void change_free(struct shards_change *ch)
{
	static const char *const files[] = { "slots.map", "slots.lock" };
	char path[PATH_MAX + 16];

	if (ch == NULL)
		return;
	slots_free(ch->map);
	for (int i = 0; i < 2 && ch->dir[0] != '\0'; i++) {
		str_format(path, sizeof(path), "%s/%s", ch->dir, files[i]);
		unlink(path);
	}
	if (ch->dir[0] != '\0')
		rmdir(ch->dir);
	explicit_bzero(ch->text.s, ch->text.len);
	buf_release(&ch->text);
	config_free(ch->after);
	free(ch);
}

enum rc change_room(const struct shards_change *ch, struct err *e)
{
	char need[32], have[32];

	for (int i = 0; i < slots_shards(ch->map); i++) {
		const struct plan_shard_cost *c = &ch->cost.of[i];
		int64_t bytes = c->bytes_in + c->bytes_in / 5;

		if (c->free < 0 || bytes <= c->free)
			continue;
		bytes_words(bytes, need, sizeof(need));
		bytes_words(c->free, have, sizeof(have));
		return err_set(e, RC_FULL, "%s needs about %s and %s are free: "
		    "make room, or say --force", slots_shard_name(ch->map, i),
		    need, have);
	}
	return RC_OK;
}
