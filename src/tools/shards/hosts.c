/*
 * hosts.c - familybotctl shards hosts: who serves the same shards, and
 * who is not waited for any more.
 */
#include "config.h"

#include "tools/shards/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "tools/shards/commands.h"
#include "utils/buf.h"
#include "utils/json.h"
#include "utils/xalloc.h"

bool shards_hosts_init(struct shards_hosts *h, const struct config *c)
{
	const struct config_shard *meta;

	if (c->cluster.host == NULL)
		return false;
	meta = &c->shards[c->cluster.meta];
	*h = (struct shards_hosts){
		.meta = { .timeout_ms = meta->timeout_ms },
		.conf = {
			.host = c->cluster.host,
			.lease_ms = c->cluster.lease_ms,
			.map_path = c->slots_map,
		},
	};
	str_copy(h->meta.name, sizeof(h->meta.name), meta->name);
	str_copy(h->meta.uri, sizeof(h->meta.uri), meta->uri);
	h->conf.meta = &h->meta;
	return true;
}

static void list_json(struct ctl *c, const struct cluster_host *of, int n)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < n; i++) {
		buf_puts(&b, i > 0 ? ",\n{\"name\":" : "{\"name\":");
		json_put_str(&b, of[i].name);
		buf_printf(&b, ",\"live\":%s,\"mover\":%s,\"words\":",
		    of[i].live ? "true" : "false",
		    of[i].mover ? "true" : "false");
		json_put_str(&b, of[i].words);
		buf_puts(&b, "}");
	}
	fprintf(c->out, "{\"hosts\":[%s]}\n", b.s);
	buf_release(&b);
}

/* A beat comes each fifth of a lease. */
static enum rc list(struct ctl *c, const struct shards_hosts *h,
    struct err *e)
{
	struct cluster_host *of = xcalloc(CLUSTER_HOSTS_MAX, sizeof(*of));
	int n = 0;
	enum rc rc = cluster_hosts(&h->conf, h->conf.lease_ms * 2 / 5, of,
	    CLUSTER_HOSTS_MAX, &n, e);

	if (rc == RC_OK && c->json)
		list_json(c, of, n);
	for (int i = 0; rc == RC_OK && !c->json && i < n; i++)
		fprintf(c->out, "%-20s %s%s%s%s\n", of[i].name, of[i].live ?
		    "lives" : "SILENT", of[i].live && of[i].mover ?
		    ", moves slots" : "", of[i].words[0] != '\0' ? ": " : "",
		    of[i].words);
	free(of);
	return rc;
}

static enum rc forget(struct ctl *c, const struct shards_hosts *h,
    const char *name, bool yes, struct err *e)
{
	struct shards_place p;
	char what[160];
	enum rc rc;

	if (strcmp(name, h->conf.host) == 0)
		return err_set(e, RC_INVALID, "%s is this host", name);
	if (!c->json)
		fprintf(c->out, "No change of shards waits for host %s any "
		    "more. What waits in its spool is not\nlost: it is applied "
		    "when its disk is back and its worker runs.\n", name);
	rc = shards_confirm(c, yes, e);
	if (rc == RC_OK)
		rc = shards_place_open(c, &p, e);
	if (rc != RC_OK)
		return rc;
	(void)str_format(what, sizeof(what), "event=host_forget host=%s",
	    name);
	rc = cluster_host_forget(&h->conf, name, e);
	if (rc == RC_OK)
		rc = audit_add(p.dir, p.who, what, e);
	if (rc == RC_OK)
		fprintf(c->out, c->json ? "{\"forgotten\":\"%s\"}\n" :
		    "Host %s is forgotten.\n", name);
	shards_place_release(&p);
	return rc;
}

static enum rc hosts_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct shards_hosts h;
	const char *name = NULL;
	bool yes = false, what = false;
	enum rc rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--yes") == 0)
			yes = true;
		else if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		else if (!what && strcmp(argv[i], "forget") == 0)
			what = true;
		else if (what && name == NULL && argv[i][0] != '-')
			name = argv[i];
		else
			return ctl_usage(c, e, "hosts: %s is unknown here",
			    argv[i]);
	}
	if (what && name == NULL)
		return ctl_usage(c, e, "hosts forget: which host?");
	rc = ctl_config(c, e);
	if (rc == RC_OK && !shards_hosts_init(&h, c->conf))
		rc = err_set(e, RC_NOTFOUND, "%s names no cluster: this is the "
		    "only host", c->conf->shards_file);
	if (rc != RC_OK)
		return rc;
	return what ? forget(c, &h, name, yes, e) : list(c, &h, e);
}

const struct shards_command shards_hosts = {
	.name = "hosts",
	.usage = "  familybotctl shards hosts\n"
	    "  familybotctl shards hosts forget HOST [--yes]\n"
	    "\n"
	    "Lists the hosts that serve these shards. A change of shards waits "
	    "for each of\n"
	    "them, for one that is silent until its lease is over; forget ends "
	    "that for one\n"
	    "that is gone for good. One that comes back joins again.\n",
	.help = "the hosts that serve these shards",
	.run = hosts_run,
};
