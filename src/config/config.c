/*
 * config.c - loads familybot.conf, the environment and shards.conf into one
 * struct config, and reports every problem of all three.
 *
 * struct config owns every string in it.  Opens no shard and no socket:
 * whether a server answers is for those who use it.
 */
#include <config.h>

#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "config/report.h"
#include "config/secret.h"
#include "config/shards_conf.h"
#include "config/values.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

#define DEFAULT_PATH	SYSCONFDIR "/familybot/familybot.conf"

/* The folder of path, absolute where that can be told. */
static char *folder_of(const char *path)
{
	char real[PATH_MAX];
	char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	const char *name = dir;

	if (!slash)
		name = ".";
	else if (slash == dir)
		name = "/";
	else
		*slash = '\0';
	if (realpath(name, real)) {
		free(dir);
		return xstrdup(real);
	}
	if (slash)
		return dir;
	free(dir);
	return xstrdup(".");
}

static const char *path_choose(const char *path, bool *fallback)
{
	*fallback = false;
	if (path)
		return path;
	path = getenv("FAMILYBOT_CONF");
	if (path && *path)
		return path;
	*fallback = true;
	return DEFAULT_PATH;
}

/* state_dir/. and state_dir/./x are ugly in messages and long in sockets. */
static void state_dir_settle(const struct values *vs)
{
	int i = option_find("state_dir");

	if (!vs->v[i].text || strcmp(vs->v[i].text, ".") == 0) {
		free(vs->v[i].text);
		vs->v[i].text = xstrdup(vs->base);
	}
	if (!vs->v[i].where)
		vs->v[i].where = xstrdup("default of state_dir");
}

static void shards_find(struct config *c, const struct values *vs,
    struct report *r)
{
	bool named = values_given(vs, "shards_file");
	char *path = path_under(vs->base, c->shards_file);
	bool exists = access(path, F_OK) == 0;

	free(c->shards_file);
	c->shards_file = path;
	if (named || exists) {
		if (*c->mongo_url)
			report_warning(r, values_where(vs, "mongo_url"),
			    "mongo_url is not used, as %s lists the shards; "
			    "remove one of the two", path);
		shards_load(c, vs->base, r);
	} else if (*c->mongo_url) {
		shards_from_mongo_url(c, values_where(vs, "mongo_url"), r);
	} else {
		report_error(r, path, "does not exist, and mongo_url is not "
		    "set; list the shards there, see shards.conf(5)");
	}
}

static void config_fill(struct config *c, struct values *vs,
    struct report *r)
{
	values_from_env(vs, r);
	state_dir_settle(vs);
	values_check(vs, c, r);
	shards_find(c, vs, r);
	if (c->debug) {
		free(c->log_level);
		c->log_level = xstrdup("debug");
	}
}

enum rc config_load(const char *path, FILE *report, struct config **out,
    struct err *e)
{
	struct report r = { .f = report };
	struct config *c;
	struct values vs;
	bool fallback, parsed = true;
	char *base;

	path = path_choose(path, &fallback);
	base = folder_of(path);
	values_init(&vs, base);
	c = xcalloc(1, sizeof(*c));
	c->folder = xstrdup(base);
	c->path = fallback ? NULL : xstrdup(path);
	if (!fallback || access(path, F_OK) == 0)
		parsed = values_from_file(&vs, path, &r);
	/* Without the file's options the rest would complain for nothing. */
	if (parsed)
		config_fill(c, &vs, &r);
	values_release(&vs);
	free(base);
	if (r.errors > 0) {
		config_free(c);
		return err_set(e, RC_INVALID, "%d error%s in the "
		    "configuration; first: %s", r.errors,
		    r.errors == 1 ? "" : "s", r.first);
	}
	*out = c;
	return RC_OK;
}

void config_free(struct config *c)
{
	char **s;

	if (!c)
		return;
	for (int i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (o->kind == OPTION_INT || o->kind == OPTION_BOOL)
			continue;
		s = (char **)((char *)c + o->offset);
		if (*s && o->kind == OPTION_SECRET)
			explicit_bzero(*s, strlen(*s));
		free(*s);
	}
	for (int i = 0; i < c->nshards; i++) {
		free(c->shards[i].name);
		free(c->shards[i].uri);
	}
	free(c->shards);
	free(c->cluster.host);
	free(c->folder);
	free(c->path);
	free(c);
}
