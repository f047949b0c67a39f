/*
 * pause.c - familybotctl shards pause and resume: the shard is left in
 * peace while its people's updates wait in the spool.
 */
#include "config.h"

#include "tools/shards/commands.h"

#include <string.h>

#include "reshard/reshard.h"
#include "shards/slots.h"
#include "utils/buf.h"

enum { BARRIER_MS = 15000 };

static enum rc name_read(struct ctl *c, int argc, char **argv,
    const char **name, struct err *e)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		else if (argv[i][0] == '-' || *name != NULL)
			return ctl_usage(c, e, "%s: one shard", argv[0]);
		else
			*name = argv[i];
	}
	if (*name == NULL)
		return ctl_usage(c, e, "%s: which shard?", argv[0]);
	return RC_OK;
}

static enum rc flag_set(struct shards_place *p, const char *name, bool on,
    struct err *e)
{
	int shard = slots_shard_find(p->slots, name);
	char what[160];
	enum rc rc;

	if (shard < 0)
		return err_set(e, RC_NOTFOUND, "there is no shard %s: "
		    "familybotctl shards status lists them", name);
	rc = slots_shard_flag(p->slots, shard, SHARD_PAUSED, on, e);
	if (rc == RC_OK)
		rc = slots_sync(p->slots, e);
	str_format(what, sizeof(what), "event=%s shard=%s", on ? "pause" :
	    "resume", name);
	if (rc == RC_OK)
		rc = audit_add(p->dir, p->who, what, e);
	if (rc == RC_OK && on)
		rc = slots_barrier(p->slots, shard, BARRIER_MS, e);
	if (rc == RC_BUSY)
		return err_set(e, rc, "%s is paused, but a request that began "
		    "before has not ended yet: pause it once more to wait", name);
	return rc;
}

static enum rc run(struct ctl *c, int argc, char **argv, bool on,
    struct err *e)
{
	struct shards_place p = { .ctl = c };
	const char *name = NULL;
	enum rc rc = name_read(c, argc, argv, &name, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &p, e);
	if (rc == RC_OK)
		rc = flag_set(&p, name, on, e);
	if (rc == RC_OK && c->json)
		fprintf(c->out, "{\"shard\":\"%s\",\"paused\":%s}\n", name,
		    on ? "true" : "false");
	else if (rc == RC_OK)
		fprintf(c->out, on ? "%s is paused, and nobody is inside. What "
		    "its people write waits in the spool.\nNext: familybotctl "
		    "shards resume %s\n" : "%s goes on; what waited is applied "
		    "by the worker now.\n", name, name);
	if (rc == RC_OK && !c->json && c->conf->cluster.host != NULL)
		fprintf(c->out, "The other hosts follow within %d s.\n",
		    (c->conf->cluster.lease_ms + 999) / 1000);
	shards_place_release(&p);
	return rc;
}

static enum rc pause_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	return run(c, argc, argv, true, e);
}

static enum rc resume_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	return run(c, argc, argv, false, e);
}

const struct shards_command shards_pause = {
	.name = "pause",
	.usage = "  familybotctl shards pause SHARD\n"
	    "\n"
	    "When it returns, no request is inside the shard, and none goes "
	    "there until\n"
	    "resume: its people are told that what they wrote is kept, and it "
	    "is applied\n"
	    "later. For work on the shard's server or file.\n",
	.help = "leaves a shard in peace; its people's updates wait",
	.run = pause_run,
};

const struct shards_command shards_resume = {
	.name = "resume",
	.usage = "  familybotctl shards resume SHARD\n",
	.help = "ends pause",
	.run = resume_run,
};
