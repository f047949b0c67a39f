/*
 * restore.c - familybotctl shards restore: an embedded shard goes back
 * to a backup, while everybody else is served.  Says first what is lost.
 */
#include "config.h"

#include "tools/shards/restore.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "reshard/reshard.h"
#include "reshard/verify.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "tools/files.h"
#include "tools/shards/show.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum { LEAVE_MS = 15000 };

struct restore_args {
	const char *shard, *from;
	bool yes, dry_run, force;
};

/* FILE or FILE.json; the copy lies where the manifest lies. */
static enum rc backup_find(struct restore *r, const char *from, struct err *e)
{
	size_t n = strlen(from);
	bool manifest = n > 5 && strcmp(from + n - 5, ".json") == 0;
	const char *slash;
	enum rc rc;

	if (!str_format(r->manifest, sizeof(r->manifest), "%s%s", from,
	    manifest ? "" : ".json"))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", from);
	if (file_size(r->manifest) < 0)
		return err_set(e, RC_NOTFOUND, "there is no manifest %s: "
		    "without it nobody can tell what the copy holds",
		    r->manifest);
	rc = backup_read(r->manifest, r->b, e);
	if (rc != RC_OK)
		return rc;
	slash = strrchr(r->manifest, '/');
	if (!str_format(r->file, sizeof(r->file), "%.*s%s", slash != NULL ?
	    (int)(slash - r->manifest + 1) : 0, r->manifest, r->b->file))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", from);
	return RC_OK;
}

static enum rc shard_find(struct restore *r, const char *name, struct err *e)
{
	const struct shard_conf *conf;

	r->shard = slots_shard_find(r->place->slots, name);
	if (r->shard < 0)
		return err_set(e, RC_NOTFOUND, "the slot map has no shard %s; "
		    "shards status names them", name);
	conf = router_shard_conf(r->place->router, r->shard);
	if (conf == NULL)
		return err_set(e, RC_INVALID, "shards.conf does not say where "
		    "%s is", name);
	r->name = name;
	return str_copy(r->uri, sizeof(r->uri), conf->uri) ? RC_OK :
	    err_set(e, RC_TOOBIG, "%s: its URI is too long", name);
}

/* Its own tool restores a server; nothing was done here. */
static enum rc server_tell(const struct restore *r, struct err *e)
{
	fprintf(r->c->json ? stderr : r->c->out,
	    "%s is a MongoDB server, which mongorestore puts back.\n"
	    "The archive is whole. Put the line  uri: \"...\"  of shards.conf "
	    "into a file FILE of mode 0600, and run:\n\n"
	    "  mongorestore --config=FILE --gzip --drop --archive=%s\n"
	    "  familybotctl shards verify --shard %s\n"
	    "  familybotctl shards resume %s\n\n"
	    "What people wrote on it since the backup is lost by that.\n",
	    r->name, r->file, r->name, r->name);
	return err_set(e, RC_INVALID, "nothing was restored yet: mongorestore "
	    "has to do it");
}

static enum rc allowed(const struct restore *r, struct err *e)
{
	if (!(slots_shard_flags(r->place->slots, r->shard) & SHARD_PAUSED))
		return err_set(e, RC_INVALID, "%s is not paused: familybotctl "
		    "shards pause %s first; its people are answered and "
		    "spooled meanwhile", r->name, r->name);
	if (r->missing > 0 && !r->force)
		return err_set(e, RC_INVALID, "%d slots of %s are not in this "
		    "backup: take a newer one; --force restores without them",
		    r->missing, r->name);
	return RC_OK;
}

static void finding_print(void *ctx, const struct verify_finding *f)
{
	const struct restore *r = ctx;

	fprintf(stderr, "familybotctl: %s: slot %d, %s: %s: %s\n", r->name,
	    f->slot, collection_name(f->collection),
	    verify_kind_name(f->kind), f->words);
}

static enum rc look_again(struct restore *r, struct verify_result *v,
    struct err *e)
{
	struct verify_conf conf = {
		.slots = r->place->slots,
		.journal = &r->place->journal,
		.only_slot = -1,
		.only_shard = r->shard,
		.digests = true,
		.found = finding_print,
		.ctx = r,
	};
	int64_t n = 0;
	enum rc rc = shards_place_router(r->place, false, e);

	conf.router = r->place->router;
	if (rc == RC_OK)
		rc = verify_run(&conf, v, e);
	for (int i = 0; rc == RC_OK && i < VERIFY_KINDS; i++)
		n += v->found[i];
	if (rc == RC_OK && v->shards_unread > 0)
		rc = err_set(e, RC_UNAVAILABLE, "%s was put back and does not "
		    "answer: see shards status", r->name);
	else if (rc == RC_OK && n > 0)
		rc = err_set(e, RC_CORRUPT, "%s was put back, and something is "
		    "wrong with it: see above", r->name);
	return rc;
}

static enum rc restore_do(struct restore *r, struct err *e)
{
	struct verify_result v;
	char kept[PATH_MAX] = "", what[700];
	char people[FIGURE_SIZE], records[FIGURE_SIZE];
	enum rc rc;

	/* Nobody is in it, and this process has it open no more. */
	rc = slots_barrier(r->place->slots, r->shard, LEAVE_MS, e);
	if (rc != RC_OK)
		return rc;
	router_free(r->place->router);
	r->place->router = NULL;
	rc = restore_place(r, kept, e);
	if (rc == RC_OK)
		rc = slots_shard_replaced(r->place->slots, r->shard, e);
	(void)str_format(what, sizeof(what), "event=restore shard=%s "
	    "result=%s from=\"%.400s\"", r->name, rc_name(rc), r->file);
	if (audit_add(r->place->dir, r->place->who, what, NULL) != RC_OK)
		fputs("familybotctl: the audit trail cannot be written\n",
		    stderr);
	if (rc != RC_OK)
		return rc;
	rc = look_again(r, &v, e);
	if (rc != RC_OK)
		return rc;
	fprintf(r->c->json ? stderr : r->c->out, "%s is back: %s, %s, all "
	    "whole.\n", r->name, figure_people(v.users, people),
	    figure_records(v.records, records));
	if (*kept != '\0')
		fprintf(r->c->json ? stderr : r->c->out, "What was there is "
		    "kept as %s\n", kept);
	fprintf(r->c->json ? stderr : r->c->out, "Go on with: familybotctl "
	    "shards resume %s\n", r->name);
	return RC_OK;
}

static enum rc place_restore(struct restore *r, const struct restore_args *a,
    struct err *e)
{
	enum rc rc = shards_place_router(r->place, false, e);

	if (rc == RC_OK)
		rc = shard_find(r, a->shard, e);
	if (rc == RC_OK)
		rc = backup_find(r, a->from, e);
	if (rc == RC_OK)
		rc = restore_weigh(r, e);
	if (rc != RC_OK)
		return rc;
	if (strncmp(r->uri, "sqlite:", 7) != 0 ||
	    strcmp(r->b->backend, "sqlite") != 0)
		return server_tell(r, e);
	restore_tell(r);
	if (a->dry_run)
		return RC_OK;
	rc = allowed(r, e);
	if (rc == RC_OK)
		rc = shards_confirm(r->c, a->yes, e);
	return rc == RC_OK ? restore_do(r, e) : rc;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct restore_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "yes", no_argument, NULL, 'y' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "force", no_argument, NULL, 'F' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'f')
			a->from = optarg;
		else if (o == 'y')
			a->yes = true;
		else if (o == 'n')
			a->dry_run = true;
		else if (o == 'F')
			a->force = true;
		else if (o == 'j')
			c->json = true;
		else
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
	}
	if (argv[optind] == NULL || argv[optind + 1] != NULL)
		return ctl_usage(c, e, "restore one shard at a time");
	if (a->from == NULL)
		return ctl_usage(c, e, "from what? --from FILE");
	a->shard = argv[optind];
	return RC_OK;
}

static enum rc restore_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct restore_args a = { .shard = NULL };
	struct shards_place place;
	struct restore r = { .c = c, .place = &place };
	enum rc rc = args_read(c, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &place, e);
	if (rc != RC_OK)
		return rc;
	r.force = a.force;
	r.b = xcalloc(1, sizeof(*r.b));
	rc = place_restore(&r, &a, e);
	free(r.b);
	shards_place_release(&place);
	return rc;
}

const struct shards_command shards_restore = {
	.name = "restore",
	.usage = "  familybotctl shards restore SHARD --from FILE [--dry-run] "
	    "[--force] [--yes]\n",
	.help = "puts an embedded shard back to a backup",
	.run = restore_command,
};
