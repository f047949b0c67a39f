/*
 * conf.c - keeps shards.conf as the changes of shards need it.  It is
 * written as root where root runs this, as it may lie in a folder of root's.
 */
#include "config.h"

#include "tools/shards/change.h"

#include <string.h>

#include "config/shards_write.h"
#include "shards/slots.h"
#include "utils/clock.h"

enum { CONF_MAX_BYTES = 1 << 20 };

static bool plan_has(const struct plan *p, const char *name)
{
	for (int i = 0; i < p->nnames; i++)
		if (strcmp(p->names[i], name) == 0)
			return true;
	return false;
}

static bool used(const struct shards_place *p, const char *name)
{
	int i = slots_shard_find(p->slots, name);

	return i >= 0 && slots_shard_used(p->slots, i);
}

enum rc conf_text(const struct shards_place *p, const struct shards_draft *d,
    const struct plan *plan, bool all, struct buf *out, struct err *e)
{
	const struct config *c = p->ctl->conf;
	const char *names[SHARDS_MAX], *leaving[SHARDS_MAX];
	char note[160];
	struct shards_wanted w = {
		.placement = plan->placement == PLAN_MODULO ?
		    PLACEMENT_MODULO : PLACEMENT_MINIMAL,
		.names = names,
		.nnames = plan->nnames,
		.leaving = leaving,
		.note = note,
	};

	str_format(note, sizeof(note), " for %s; the one before is kept "
	    "beside it.", p->who);
	for (int i = 0; i < plan->nnames; i++)
		names[i] = plan->names[i];
	for (int i = 0; i < c->nshards; i++)
		if (!plan_has(plan, c->shards[i].name) &&
		    (all || used(p, c->shards[i].name)))
			leaving[w.nleaving++] = c->shards[i].name;
	return shards_draft_text(d, &w, out, e);
}

enum rc conf_prepare(struct shards_place *p, const struct buf *text,
    struct err *e)
{
	enum rc rc;

	p->ctl->files_as(NULL);
	rc = shards_text_prepare(p->ctl->conf, text, e);
	p->ctl->files_as(p->ctl->conf->state_dir);
	return rc;
}

void conf_forget(struct shards_place *p)
{
	p->ctl->files_as(NULL);
	shards_text_forget(p->ctl->conf);
	p->ctl->files_as(p->ctl->conf->state_dir);
}

/* As who runs this, as secrets may be readable to root only. */
enum rc conf_reload(struct shards_place *p, struct err *e)
{
	struct ctl *c = p->ctl;
	struct config *old = c->conf;
	enum rc rc;

	c->files_as(NULL);
	c->conf = NULL;
	rc = ctl_config(c, e);
	if (rc == RC_OK)
		config_free(old);
	else
		c->conf = old;
	c->files_as(c->conf->state_dir);
	return rc;
}

enum rc conf_install(struct shards_place *p, struct err *e)
{
	struct ctl *c = p->ctl;
	char kept[PATH_MAX], what[PATH_MAX + 64];
	enum rc rc;

	c->files_as(NULL);
	rc = shards_text_install(c->conf, clock_ms(&clock_system), kept,
	    sizeof(kept), e);
	c->files_as(c->conf->state_dir);
	if (rc != RC_OK || *kept == '\0')
		return rc;
	fprintf(c->json ? stderr : c->out, "Wrote %s; the one before is %s.\n",
	    c->conf->shards_file, kept);
	if (c->conf->cluster.host != NULL)
		fputs("Write the same shards into shards.conf of the other "
		    "hosts now; until then\nnothing moves to a new one.\n",
		    c->json ? stderr : c->out);
	rc = conf_reload(p, e);
	if (rc != RC_OK)
		return rc;
	str_format(what, sizeof(what), "event=shards_conf kept=\"%s\"", kept);
	return audit_add(p->dir, p->who, what, e);
}

static enum rc conf_write(struct shards_place *p, const struct plan *plan,
    bool all, bool install, struct err *e)
{
	struct shards_draft *d = NULL;
	struct buf text;
	enum rc rc;

	buf_init(&text, CONF_MAX_BYTES);
	rc = shards_draft_open(p->ctl->conf, stderr, &d, e);
	if (rc == RC_OK)
		rc = conf_text(p, d, plan, all, &text, e);
	shards_draft_free(d);
	if (rc == RC_OK)
		rc = conf_prepare(p, &text, e);
	if (rc == RC_OK && install)
		rc = conf_install(p, e);
	explicit_bzero(text.s, text.len);
	buf_release(&text);
	return rc;
}

enum rc conf_follow(struct shards_place *p, const struct plan *plan,
    bool install, struct err *e)
{
	return conf_write(p, plan, true, install, e);
}

enum rc conf_agree(struct shards_place *p, const struct plan *plan,
    struct err *e)
{
	const struct config *c = p->ctl->conf;
	bool same = true;
	int here = 0, stay = 0;

	for (int i = 0; i < c->nshards; i++) {
		here += plan_has(plan, c->shards[i].name);
		stay += !c->shards[i].leaving;
		same &= c->shards[i].leaving != plan_has(plan,
		    c->shards[i].name);
	}
	if (here < plan->nnames)
		return err_set(e, RC_INVALID, "the change has shards that %s "
		    "does not name: write them there, as on the host that "
		    "began it", c->shards_file);
	return same && stay == plan->nnames ? RC_OK :
	    conf_follow(p, plan, true, e);
}

/* Names that a start left in the map which was killed before its journal.
 * Where there are several hosts, another may have just added one. */
static enum rc names_sweep(struct shards_place *p, int *n, struct err *e)
{
	const struct config *c = p->ctl->conf;
	enum rc rc = RC_OK;

	for (int i = 0; i < slots_shards(p->slots) && rc == RC_OK &&
	    c->cluster.host == NULL; i++) {
		const char *name = slots_shard_name(p->slots, i);
		bool known = *name == '\0' || slots_shard_used(p->slots, i);

		for (int k = 0; k < c->nshards; k++)
			known |= strcmp(c->shards[k].name, name) == 0;
		if (known)
			continue;
		rc = slots_shard_remove(p->slots, i, e);
		++*n;
	}
	return rc;
}

enum rc conf_sweep(struct shards_place *p, int *n, struct err *e)
{
	const struct config *c = p->ctl->conf;
	struct plan stay = { .placement = c->placement == PLACEMENT_MODULO ?
	    PLAN_MODULO : PLAN_MINIMAL, .only_slot = -1 };
	enum rc rc = RC_OK;
	int gone = 0, names = 0;

	for (int i = 0; i < c->nshards && rc == RC_OK; i++) {
		const struct config_shard *s = &c->shards[i];
		int shard = slots_shard_find(p->slots, s->name);
		char uri[1024];

		if (!s->leaving) {
			str_copy(stay.names[stay.nnames++],
			    sizeof(stay.names[0]), s->name);
			continue;
		}
		if (shard >= 0 && slots_shard_used(p->slots, shard))
			continue;
		if (shard >= 0)
			rc = slots_shard_remove(p->slots, shard, e);
		config_uri_redact(s->uri, uri, sizeof(uri));
		if (rc == RC_OK)
			fprintf(p->ctl->json ? stderr : p->ctl->out, "%s is no "
			    "longer used; %s may be deleted.\n", s->name, uri);
		gone++;
	}
	if (rc == RC_OK)
		rc = names_sweep(p, &names, e);
	if (rc == RC_OK && gone + names > 0)
		rc = slots_sync(p->slots, e);
	if (rc == RC_OK && gone > 0)
		rc = conf_write(p, &stay, false, true, e);
	if (rc == RC_OK)
		*n = gone + names;
	return rc;
}
