/*
 * shards_write.c - see shards_write.h.  A draft owns the files it parsed.
 */
#include <config.h>

#include "config/shards_write.h"

#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "config/file.h"
#include "config/report.h"
#include "config/secret.h"
#include "config/shards_conf.h"
#include "config/shards_text.h"
#include "utils/xalloc.h"

enum { OLD, ADDED, OTHER, SOURCES };

struct shards_draft {
	const struct config *c;
	FILE *report;
	config_t of[SOURCES];	/* the file, --add, another file */
	struct buf head;	/* the comment that the file begins with */
};

static enum rc said(const struct report *r, const char *path, struct err *e)
{
	if (r->errors == 0)
		return RC_OK;
	return err_set(e, RC_INVALID, "%s: %s", path, r->first);
}

enum rc shards_draft_open(const struct config *c, FILE *report,
    struct shards_draft **out, struct err *e)
{
	struct report r = { .f = report };
	struct shards_draft *d;

	if (c->nshards > 0 && c->shards[0].line == 0)
		return err_set(e, RC_NOTFOUND, "the shard comes from MONGO_URL: "
		    "first write %s with  shards = ( { name = \"shard0\"; "
		    "uri = \"...\"; } );", c->shards_file);
	d = xcalloc(1, sizeof(*d));
	d->c = c;
	d->report = report;
	for (int i = ADDED; i < SOURCES; i++)
		config_init(&d->of[i]);
	buf_init(&d->head, CONF_FILE_MAX);
	if (conf_file_parse(c->shards_file, &d->of[OLD], &r)) {
		shards_text_head(c->shards_file, &d->head);
		*out = d;
		return RC_OK;
	}
	shards_draft_free(d);
	return said(&r, c->shards_file, e);
}

void shards_draft_free(struct shards_draft *d)
{
	if (!d)
		return;
	for (int i = 0; i < SOURCES; i++)
		config_destroy(&d->of[i]);
	buf_release(&d->head);
	free(d);
}

static config_setting_t *shard_in(const config_t *from, const char *name)
{
	config_setting_t *list = config_lookup(from, "shards");
	const char *s;

	for (int i = 0; list && i < config_setting_length(list); i++) {
		config_setting_t *g = config_setting_get_elem(list,
		    (unsigned)i);

		if (config_setting_lookup_string(g, "name", &s) &&
		    strcmp(s, name) == 0)
			return g;
	}
	return NULL;
}

static config_setting_t *shard_find(const struct shards_draft *d,
    const char *name)
{
	config_setting_t *g = NULL;

	for (int i = 0; i < SOURCES && !g; i++)
		g = shard_in(&d->of[i], name);
	return g;
}

/* Is it a place for a shard?  @FILE is one whose file says it. */
static bool uri_good(const struct shards_draft *d, const char *name,
    const char *uri, struct report *r)
{
	char *path = *uri == '@' ? path_under(d->c->folder, uri + 1) : NULL;
	char *text = path ? secret_read(path, name, r) : xstrdup(uri);
	char *kept = text ? shard_uri_take(d->c, text, name, r) : NULL;

	free(kept);
	free(text);
	free(path);
	return r->errors == 0;
}

enum rc shards_draft_add(struct shards_draft *d, const char *name,
    const char *uri, struct err *e)
{
	struct report r = { .f = d->report };
	config_t *to = &d->of[ADDED];
	config_setting_t *list = config_lookup(to, "shards"), *g;
	bool file = *uri == '@';

	if (shard_find(d, name))
		return err_set(e, RC_CONFLICT, "there is a shard %s already; "
		    "take another name", name);
	if (!uri_good(d, name, uri, &r))
		return said(&r, "--add", e);
	if (!list)
		list = config_setting_add(config_root_setting(to), "shards",
		    CONFIG_TYPE_LIST);
	g = config_setting_add(list, NULL, CONFIG_TYPE_GROUP);
	config_setting_set_string(config_setting_add(g, "name",
	    CONFIG_TYPE_STRING), name);
	config_setting_set_string(config_setting_add(g, file ? "uri_file" :
	    "uri", CONFIG_TYPE_STRING), uri + file);
	return RC_OK;
}

/* A name means one place for good: data does not move by renaming. */
static enum rc same_places(const struct config *a, const struct config *b,
    struct err *e)
{
	for (int i = 0; i < a->nshards; i++)
		for (int k = 0; k < b->nshards; k++) {
			const struct config_shard *s = &a->shards[i];
			const struct config_shard *t = &b->shards[k];
			bool name = strcmp(s->name, t->name) == 0;

			if (name == (strcmp(s->uri, t->uri) == 0))
				continue;
			return err_set(e, RC_INVALID, name ? "%s has another "
			    "URI there: another place needs another name" :
			    "%s has another name there: a place keeps its name",
			    s->name);
		}
	return RC_OK;
}

enum rc shards_draft_take(struct shards_draft *d, const char *path,
    struct config **there, struct err *e)
{
	struct report r = { .f = d->report };
	struct config *c = xcalloc(1, sizeof(*c));
	enum rc rc;

	c->shards_file = xstrdup(path);
	c->state_dir = xstrdup(d->c->state_dir);
	c->store_timeout_ms = d->c->store_timeout_ms;
	shards_load(c, d->c->folder, &r);
	config_destroy(&d->of[OTHER]);
	if (r.errors == 0)
		conf_file_parse(path, &d->of[OTHER], &r);
	else
		config_init(&d->of[OTHER]);
	rc = said(&r, path, e);
	if (rc == RC_OK)
		rc = same_places(d->c, c, e);
	if (rc == RC_OK)
		*there = c;
	else
		config_free(c);
	return rc;
}

static enum rc rows_put(const struct shards_draft *d, struct buf *b,
    const struct shards_wanted *w, struct err *e)
{
	for (int i = 0; i < w->nnames + w->nleaving; i++) {
		const char *name = i < w->nnames ? w->names[i] :
		    w->leaving[i - w->nnames];
		config_setting_t *g = shard_find(d, name);

		if (!g)
			return err_set(e, RC_NOTFOUND, "%s does not say how to "
			    "reach shard %s", d->c->shards_file, name);
		if (config_setting_get_member(g, "leaving"))
			config_setting_remove(g, "leaving");
		buf_puts(b, i > 0 ? ",\n\t" : "\t");
		shards_text_group(b, g, i >= w->nnames ? "leaving = true; " :
		    "");
	}
	return RC_OK;
}

enum rc shards_draft_text(const struct shards_draft *d,
    const struct shards_wanted *w, struct buf *out, struct err *e)
{
	config_setting_t *root = config_root_setting(&d->of[OLD]);
	enum rc rc;

	buf_add(out, d->head.s, d->head.len);
	buf_printf(out, "%s%s\n\nplacement = \"%s\";\n", SHARDS_TEXT_MARK,
	    w->note, w->placement == PLACEMENT_MODULO ? "modulo" : "minimal");
	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *s = config_setting_get_elem(root,
		    (unsigned)i);
		const char *key = config_setting_name(s);

		if (strcmp(key, "placement") != 0 && strcmp(key, "shards") != 0)
			shards_text_setting(out, s, "\n");
	}
	buf_puts(out, "\nshards = (\n");
	rc = rows_put(d, out, w, e);
	buf_puts(out, "\n);\n");
	if (rc == RC_OK && buf_over(out))
		return err_set(e, RC_TOOBIG, "shards.conf would be too large");
	return rc;
}

enum rc shards_text_read(const struct config *c, const char *text,
    FILE *report, struct config **out, struct err *e)
{
	struct report r = { .f = report };
	struct config *made = xcalloc(1, sizeof(*made));

	made->shards_file = xstrdup(c->shards_file);
	made->state_dir = xstrdup(c->state_dir);
	made->store_timeout_ms = c->store_timeout_ms;
	shards_load_text(made, text, c->folder, &r);
	if (r.errors == 0)
		*out = made;
	else
		config_free(made);
	return said(&r, "the new shards.conf", e);
}
