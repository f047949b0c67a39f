/*
 * shards_cluster.c - the group `cluster` of shards.conf: this host among
 * several on the same shards.
 *
 * What it fills belongs to struct config.
 */
#include <config.h>

#include "config/shards_conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "config/options.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { LEASE_DEFAULT = 5000, LEASE_LEAST = 500, LEASE_MOST = 60000,
	HOST_MOST = 63 };

struct group {
	struct config *c;
	config_setting_t *s;
	struct report *report;
	char where[WHERE_MAX];
};

/* The member when it has this type; NULL with a report otherwise. */
static config_setting_t *member(const struct group *g, const char *key,
    int type, const char *words)
{
	config_setting_t *s = config_setting_get_member(g->s, key);

	if (!s || config_setting_type(s) == type)
		return s;
	report_error(g->report, g->where, "%s should be %s", key, words);
	return NULL;
}

static bool host_good(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > HOST_MOST)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return true;
}

/* FAMILYBOT_HOST, else what is written, else the machine's name: so that all
 * hosts may have the same file. */
static void host_take(const struct group *g)
{
	config_setting_t *s = member(g, "host", CONFIG_TYPE_STRING,
	    "a string in double quotes");
	const char *env = getenv("FAMILYBOT_HOST");
	char machine[HOST_MOST + 1] = "";
	const char *name;

	if (gethostname(machine, sizeof(machine)) != 0)
		machine[0] = '\0';
	machine[HOST_MOST] = '\0';
	name = env && *env ? env : s ? config_setting_get_string(s) : machine;
	if (!host_good(name))
		report_error(g->report, g->where, "the host's name is \"%s\"; "
		    "it should be 1 to %d of A-Z a-z 0-9 _ - . and another on "
		    "each host", name, HOST_MOST);
	g->c->cluster.host = xstrdup(name);
}

static void meta_take(const struct group *g)
{
	config_setting_t *s = member(g, "meta", CONFIG_TYPE_STRING,
	    "a string in double quotes");
	const char *name = s ? config_setting_get_string(s) : NULL;

	if (!name) {
		g->c->cluster.meta = 0;
		return;
	}
	for (int i = 0; i < g->c->nshards; i++)
		if (strcmp(g->c->shards[i].name, name) == 0) {
			g->c->cluster.meta = i;
			return;
		}
	report_error(g->report, g->where, "meta is \"%s\", which is no shard "
	    "here; name one of the shards", name);
}

static void lease_take(const struct group *g)
{
	config_setting_t *s = member(g, "lease_ms", CONFIG_TYPE_INT,
	    "an integer");
	int v = s ? config_setting_get_int(s) : LEASE_DEFAULT;

	if (v < LEASE_LEAST || v > LEASE_MOST)
		report_error(g->report, g->where, "lease_ms is %d; it should "
		    "be %d to %d", v, LEASE_LEAST, LEASE_MOST);
	g->c->cluster.lease_ms = v;
}

/* A file is on one machine. */
static void backends_check(const struct group *g)
{
	config_setting_t *s = member(g, "same_machine", CONFIG_TYPE_BOOL,
	    "true or false");

	if (s && config_setting_get_bool(s) == CONFIG_TRUE)
		return;
	for (int i = 0; i < g->c->nshards; i++)
		if (strncmp(g->c->shards[i].uri, "sqlite:", 7) == 0)
			report_error(g->report, g->where, "shard %s is a file "
			    "of this host, which no other host can reach: with "
			    "several hosts the shards are MongoDB servers "
			    "(or all hosts are one machine: same_machine = "
			    "true)", g->c->shards[i].name);
}

void shards_cluster_take(struct config *c, const char *path,
    config_setting_t *s, struct report *r)
{
	struct group g = { .c = c, .s = s, .report = r };
	const char *key;

	conf_where(path, s, g.where, sizeof(g.where));
	if (!config_setting_is_group(s)) {
		report_error(r, g.where, "cluster should be { host = \"a\"; "
		    "meta = \"shard0\"; }");
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		key = config_setting_name(config_setting_get_elem(s,
		    (unsigned)i));
		if (!option_chosen("host|meta|lease_ms|same_machine", key))
			report_error(r, g.where, "unknown option %s; here are "
			    "known: host|meta|lease_ms|same_machine", key);
	}
	host_take(&g);
	meta_take(&g);
	lease_take(&g);
	backends_check(&g);
}
