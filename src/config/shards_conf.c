/*
 * shards_conf.c - the list of shards, checked: names, no shard twice, and a number
 * of shards that the placement can use.
 *
 * What it fills belongs to struct config.
 */
#include <config.h>

#include "config/shards_conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "config/file.h"
#include "config/options.h"
#include "config/secret.h"
#include "utils/xalloc.h"

enum {
	SLOTS = 5040,		/* of shards/router.h, which is out of reach here */
	SHARDS_MOST = 256,
	NAME_MOST = 63,
	TIMEOUT_LEAST = 50,
	TIMEOUT_MOST = 60000
};

struct shards_file {
	struct config *c;
	const char *path;
	const char *base;
	struct report *report;
};

static bool name_good(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > NAME_MOST)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && *s != '-')
			return false;
	return true;
}

static bool key_known(const char *key, const char *keys, const char *where,
    struct report *r)
{
	if (option_chosen(keys, key))
		return true;
	report_error(r, where, "unknown option %s; here are known: %s", key,
	    keys);
	return false;
}

/* The string member, or NULL with a report when it has another type. */
static const char *shard_string(const struct shards_file *f,
    const config_setting_t *group, const char *key)
{
	config_setting_t *s = config_setting_get_member(group, key);
	char where[WHERE_MAX];

	if (!s)
		return NULL;
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		return config_setting_get_string(s);
	conf_where(f->path, s, where, sizeof(where));
	report_error(f->report, where, "%s should be a string in double "
	    "quotes", key);
	return NULL;
}

static int shard_timeout(const struct shards_file *f,
    const config_setting_t *group)
{
	config_setting_t *s = config_setting_get_member(group, "timeout_ms");
	char where[WHERE_MAX];
	int v;

	if (!s)
		return (int)f->c->store_timeout_ms;
	v = config_setting_type(s) == CONFIG_TYPE_INT ?
	    config_setting_get_int(s) : -1;
	if (v >= TIMEOUT_LEAST && v <= TIMEOUT_MOST)
		return v;
	conf_where(f->path, s, where, sizeof(where));
	report_error(f->report, where, "timeout_ms should be an integer, %d "
	    "to %d", TIMEOUT_LEAST, TIMEOUT_MOST);
	return 0;
}

static bool shard_leaving(const struct shards_file *f,
    const config_setting_t *group)
{
	config_setting_t *s = config_setting_get_member(group, "leaving");
	char where[WHERE_MAX];

	if (!s)
		return false;
	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(s) == CONFIG_TRUE;
	conf_where(f->path, s, where, sizeof(where));
	report_error(f->report, where, "leaving should be true or false");
	return false;
}

static char *shard_uri(const struct shards_file *f,
    const config_setting_t *group, const char *where)
{
	const char *uri = shard_string(f, group, "uri");
	const char *file = shard_string(f, group, "uri_file");
	char *path, *text = NULL, *kept = NULL;

	if (uri && file) {
		report_error(f->report, where, "both uri and uri_file are "
		    "given; keep one");
	} else if (uri) {
		kept = shard_uri_take(f->c, uri, where, f->report);
	} else if (file) {
		path = path_under(f->base, file);
		text = secret_read(path, where, f->report);
		if (text)
			kept = shard_uri_take(f->c, text, where, f->report);
		free(path);
		free(text);
	} else if (!config_setting_get_member(group, "uri") &&
	    !config_setting_get_member(group, "uri_file")) {
		report_error(f->report, where, "the shard has no uri; add uri "
		    "= \"sqlite:data/shard0.db\";");
	}
	return kept;
}

static void shard_twice(const struct shards_file *f, int i, const char *where)
{
	const struct config_shard *s = &f->c->shards[i];

	for (int j = 0; j < i; j++) {
		const struct config_shard *o = &f->c->shards[j];

		if (strcmp(s->name, o->name) == 0)
			report_error(f->report, where, "the name %s stands "
			    "twice (first in line %d); give each shard its "
			    "own", s->name, o->line);
		if (*s->uri && strcmp(s->uri, o->uri) == 0)
			report_error(f->report, where, "%s has the URI of %s "
			    "(line %d); give each shard its own", s->name,
			    o->name, o->line);
	}
}

/* Fills row i of the shards; a row with a problem stays with "". */
static void shard_take(const struct shards_file *f, config_setting_t *group,
    int i)
{
	struct config_shard *s = &f->c->shards[i];
	const char *name;
	char where[WHERE_MAX];

	conf_where(f->path, group, where, sizeof(where));
	s->line = (int)config_setting_source_line(group);
	s->name = xstrdup("");
	if (!config_setting_is_group(group)) {
		s->uri = xstrdup("");
		report_error(f->report, where, "a shard should be { name = "
		    "\"shard0\"; uri = \"sqlite:data/shard0.db\"; }");
		return;
	}
	for (int k = 0; k < config_setting_length(group); k++)
		key_known(config_setting_name(config_setting_get_elem(group,
		    (unsigned)k)), "name|uri|uri_file|timeout_ms|leaving", where,
		    f->report);
	name = shard_string(f, group, "name");
	if (name && name_good(name)) {
		free(s->name);
		s->name = xstrdup(name);
	} else {
		report_error(f->report, where, "the shard needs a name of 1 "
		    "to %d of A-Z a-z 0-9 _ -", NAME_MOST);
	}
	s->uri = shard_uri(f, group, where);
	if (!s->uri)
		s->uri = xstrdup("");
	s->timeout_ms = shard_timeout(f, group);
	s->leaving = shard_leaving(f, group);
	if (*s->name)
		shard_twice(f, i, where);
}

static void placement_take(const struct shards_file *f,
    const config_setting_t *root)
{
	const char *s = shard_string(f, root, "placement");
	char where[WHERE_MAX];

	f->c->placement = PLACEMENT_MODULO;
	if (!s || strcmp(s, "modulo") == 0)
		return;
	if (strcmp(s, "minimal") == 0) {
		f->c->placement = PLACEMENT_MINIMAL;
		return;
	}
	conf_where(f->path, config_setting_get_member(root, "placement"),
	    where, sizeof(where));
	report_error(f->report, where, "placement is \"%s\"; it should be "
	    "\"modulo\" or \"minimal\"", s);
}

/* With "modulo" slot mod n must be user_id mod n.  Who is leaving does not
 * count. */
static void count_check(const struct shards_file *f, const char *where)
{
	int n = 0, below, above;

	for (int i = 0; i < f->c->nshards; i++)
		n += !f->c->shards[i].leaving;
	if (n == 0)
		report_error(f->report, where, "all shards are leaving; one "
		    "must stay");
	if (n == 0 || f->c->placement != PLACEMENT_MODULO || SLOTS % n == 0)
		return;
	below = above = n;
	while (SLOTS % below != 0)
		below--;
	while (SLOTS % above != 0)
		above++;
	report_error(f->report, where, "%d shards do not divide %d slots, so "
	    "user_id modulo %d would not say the shard; use %d or %d shards, "
	    "or placement = \"minimal\"", n, SLOTS, n, below, above);
}

static void list_take(const struct shards_file *f, config_setting_t *list,
    const char *where)
{
	int n = config_setting_length(list);

	if (n == 0 || n > SHARDS_MOST) {
		report_error(f->report, where, "there are %d shards; there "
		    "should be 1 to %d", n, SHARDS_MOST);
		return;
	}
	f->c->shards = xcalloc((size_t)n, sizeof(*f->c->shards));
	f->c->nshards = n;
	for (int i = 0; i < n; i++)
		shard_take(f, config_setting_get_elem(list, (unsigned)i), i);
	count_check(f, where);
}

static void root_take(const struct shards_file *f, config_setting_t *root)
{
	config_setting_t *s;
	char where[WHERE_MAX];

	for (int i = 0; i < config_setting_length(root); i++) {
		s = config_setting_get_elem(root, (unsigned)i);
		conf_where(f->path, s, where, sizeof(where));
		key_known(config_setting_name(s), "placement|shards|cluster", where,
		    f->report);
	}
	placement_take(f, root);
	s = config_setting_get_member(root, "shards");
	if (!s) {
		report_error(f->report, f->path, "no shards are listed; add "
		    "shards = ( { name = \"shard0\"; uri = "
		    "\"sqlite:data/shard0.db\"; } );");
		return;
	}
	conf_where(f->path, s, where, sizeof(where));
	if (config_setting_is_list(s))
		list_take(f, s, where);
	else
		report_error(f->report, where, "shards should be a list in "
		    "parentheses: shards = ( { … }, { … } );");
	s = config_setting_get_member(root, "cluster");
	if (s)
		shards_cluster_take(f->c, f->path, s, f->report);
}

void shards_load(struct config *c, const char *base, struct report *r)
{
	struct shards_file f = { c, c->shards_file, base, r };
	config_t cfg;

	if (conf_file_parse(c->shards_file, &cfg, r))
		root_take(&f, config_root_setting(&cfg));
	config_destroy(&cfg);
}

void shards_load_text(struct config *c, const char *text, const char *base,
    struct report *r)
{
	struct shards_file f = { c, c->shards_file, base, r };
	config_t cfg;

	if (conf_text_parse(c->shards_file, text, &cfg, r))
		root_take(&f, config_root_setting(&cfg));
	config_destroy(&cfg);
}

void shards_from_mongo_url(struct config *c, const char *where,
    struct report *r)
{
	char *uri;

	c->placement = PLACEMENT_MODULO;
	if (strncmp(c->mongo_url, "mongodb", 7) != 0) {
		report_error(r, where, "mongo_url should look like "
		    "mongodb://host:27017/familybot");
		return;
	}
	uri = shard_uri_take(c, c->mongo_url, where, r);
	if (!uri)
		return;
	c->shards = xcalloc(1, sizeof(*c->shards));
	c->nshards = 1;
	c->shards[0].name = xstrdup("shard0");
	c->shards[0].uri = uri;
	c->shards[0].timeout_ms = (int)c->store_timeout_ms;
}
