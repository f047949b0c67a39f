/*
 * verify.c - familybotctl shards verify: are all records where they
 * belong, once, and whole?  What is found is told with shard, slot and
 * collection; of people's words nothing is.
 */
#include "config.h"

#include "tools/shards/findings.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "reshard/verify.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/buf.h"

enum { SLOTS_TEXT_MAX = 32 << 20 };

static enum rc verify_verdict(struct findings *r, const struct verify_result *v,
    struct err *e)
{
	int64_t left = findings_sum(v) - v->repaired;
	char what[160];
	enum rc rc = RC_OK;

	if (r->args->repair && v->repaired > 0) {
		(void)str_format(what, sizeof(what), "event=verify_repair "
		    "records=%lld left=%lld", (long long)v->repaired,
		    (long long)left);
		rc = audit_add(r->place->dir, r->place->who, what, e);
	}
	if (rc == RC_OK && v->shards_unread > 0)
		rc = err_set(e, RC_UNAVAILABLE, "not all shards were read; "
		    "verify again when they answer");
	/* What was repaired was wrong: who runs this daily wants to know. */
	if (findings_sum(v) > 0)
		rc = left > 0 ? err_set(e, RC_CORRUPT, "verify found "
		    "something: see the DBA's guide, \"verify found "
		    "something\"") : err_set(e, RC_CORRUPT, "what verify found "
		    "was repaired; verify again");
	return rc;
}

static enum rc place_verify(struct findings *r, struct err *e)
{
	struct verify_conf conf = {
		.router = r->place->router,
		.slots = r->place->slots,
		.journal = &r->place->journal,
		.only_slot = r->args->slot,
		.only_shard = -1,
		.digests = r->args->digests,
		.repair = r->args->repair,
		.found = findings_found,
		.slot = findings_slot,
		.leftover = findings_leftover,
		.unread = findings_unread,
		.progress = findings_progress,
		.ctx = r,
	};
	struct verify_result v;
	enum rc rc;

	if (r->args->shard != NULL) {
		conf.only_shard = slots_shard_find(r->place->slots,
		    r->args->shard);
		if (conf.only_shard < 0)
			return err_set(e, RC_NOTFOUND, "the slot map has no "
			    "shard %s; shards status names them",
			    r->args->shard);
	}
	if (r->c->json)
		fputs("{\"findings\":[", r->c->out);
	rc = verify_run(&conf, &v, e);
	findings_end(r, rc == RC_OK ? &v : NULL);
	return rc == RC_OK ? verify_verdict(r, &v, e) : rc;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct verify_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "digests", no_argument, NULL, 'd' },
		{ "repair", no_argument, NULL, 'r' },
		{ "slot", required_argument, NULL, 's' },
		{ "shard", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	long n;
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'd') {
			a->digests = true;
		} else if (o == 'r') {
			a->repair = true;
		} else if (o == 'j') {
			c->json = true;
		} else if (o == 'n') {
			a->shard = optarg;
		} else if (o == 's') {
			errno = 0;
			n = strtol(optarg, &end, 10);
			if (errno != 0 || end == optarg || *end != '\0' ||
			    n < 0 || n >= SLOT_COUNT)
				return ctl_usage(c, e, "--slot: 0 to %d",
				    SLOT_COUNT - 1);
			a->slot = (int32_t)n;
		} else {
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
		}
	}
	if (argv[optind] != NULL)
		return ctl_usage(c, e, "%s: unknown argument", argv[optind]);
	return RC_OK;
}

static enum rc verify_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct verify_args a = { .slot = -1 };
	struct shards_place place;
	struct findings r = { .c = c, .place = &place, .args = &a };
	enum rc rc = args_read(c, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &place, e);
	if (rc != RC_OK)
		return rc;
	r.terminal = isatty(STDERR_FILENO) != 0 && !c->json;
	buf_init(&r.slots, SLOTS_TEXT_MAX);
	/* The locks of slots are this host's. */
	if (a.repair && c->conf->cluster.host != NULL)
		rc = err_set(e, RC_INVALID, "with several hosts nothing is "
		    "repaired while they serve: stop all of them, take "
		    "cluster out of shards.conf here, repair, put it back");
	if (rc == RC_OK)
		rc = shards_place_router(&place, false, e);
	if (rc == RC_OK)
		rc = place_verify(&r, e);
	buf_release(&r.slots);
	shards_place_release(&place);
	return rc;
}

const struct shards_command shards_verify = {
	.name = "verify",
	.usage = "  familybotctl shards verify [--digests] [--slot N] "
	    "[--shard NAME] [--repair]\n",
	.help = "are all records where they belong, once, and whole?",
	.run = verify_command,
};
