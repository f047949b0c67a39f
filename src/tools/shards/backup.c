/*
 * backup.c - familybotctl shards backup: a copy of each shard named,
 * read again and compared, with a manifest beside it; and with them the slot
 * map and how shards were reached.  Never overwrites.
 */
#include "config.h"

#include "tools/shards/backup.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "shards/slots.h"
#include "tools/files.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"

enum { CONF_TEXT_MAX = 1 << 20 };

/* How shards were reached, for people: passwords are stars. */
static enum rc conf_save(struct backup_run *r, struct err *e)
{
	const struct config *conf = r->c->conf;
	char path[PATH_MAX], uri[2048];
	struct buf text;
	enum rc rc;

	if (!str_format(path, sizeof(path), "%s/shards-%s.conf", r->args->to,
	    r->when))
		return err_set(e, RC_TOOBIG, "%s: the path is too long",
		    r->args->to);
	buf_init(&text, CONF_TEXT_MAX);
	buf_printf(&text, "# As it was at the backup; passwords are not in "
	    "it.\nplacement = \"%s\";\nshards = (\n",
	    conf->placement == PLACEMENT_MODULO ? "modulo" : "minimal");
	for (int i = 0; i < conf->nshards; i++) {
		config_uri_redact(conf->shards[i].uri, uri, sizeof(uri));
		buf_puts(&text, "\t{ name = ");
		json_put_str(&text, conf->shards[i].name);
		buf_puts(&text, "; uri = ");
		json_put_str(&text, uri);
		buf_printf(&text, "; }%s\n", i < conf->nshards - 1 ? "," : "");
	}
	buf_puts(&text, ");\n");
	rc = file_write(path, text.s, text.len, false, e);
	buf_release(&text);
	return rc;
}

static enum rc map_save(struct backup_run *r, struct err *e)
{
	char path[PATH_MAX];

	if (!str_format(path, sizeof(path), "%s/slots-%s.map", r->args->to,
	    r->when))
		return err_set(e, RC_TOOBIG, "%s: the path is too long",
		    r->args->to);
	return file_copy(r->c->conf->slots_map, path, e);
}

/* One that cannot be saved hinders no other. */
static enum rc shards_each(struct backup_run *r, struct err *e)
{
	enum rc result = RC_OK, rc;
	int n = slots_shards(r->place->slots), shard;

	for (int i = 0; r->args->all ? i < n : r->args->names[i] != NULL;
	    i++) {
		shard = r->args->all ? i : slots_shard_find(r->place->slots,
		    r->args->names[i]);
		if (shard < 0)
			rc = err_set(e, RC_NOTFOUND, "the slot map has no "
			    "shard %s; shards status names them",
			    r->args->names[i]);
		else if (slots_shard_name(r->place->slots, shard)[0] == '\0')
			continue;
		else
			rc = shard_save(r, shard, e);
		if (rc == RC_OK)
			continue;
		result = result == RC_OK ? rc : result;
		fprintf(stderr, "familybotctl: no backup: %s\n", e->text);
	}
	return result == RC_OK ? RC_OK : err_set(e, result, "not all shards "
	    "were saved; the reasons are above");
}

static enum rc backup_all(struct backup_run *r, struct err *e)
{
	enum rc rc = shards_place_router(r->place, false, e);

	if (rc != RC_OK)
		return rc;
	if (r->c->json)
		fputc('[', r->c->out);
	rc = shards_each(r, e);
	if (r->c->json)
		fputs("\n]\n", r->c->out);
	if (rc == RC_OK && !r->args->dry_run)
		rc = map_save(r, e);
	if (rc == RC_OK && !r->args->dry_run)
		rc = conf_save(r, e);
	return rc;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct backup_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "all", no_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 't')
			a->to = optarg;
		else if (o == 'a')
			a->all = true;
		else if (o == 'n')
			a->dry_run = true;
		else if (o == 'j')
			c->json = true;
		else
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
	}
	a->names = argv + optind;
	if (a->to == NULL)
		return ctl_usage(c, e, "where to? --to FOLDER");
	if ((*a->names == NULL) != a->all)
		return ctl_usage(c, e, "name shards, or say --all");
	return RC_OK;
}

static enum rc backup_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct backup_args a = { .to = NULL };
	struct shards_place place;
	struct backup_run r = { .c = c, .place = &place, .args = &a };
	char folder[PATH_MAX];
	enum rc rc = args_read(c, argc, argv, &a, e);

	if (rc == RC_OK && realpath(a.to, folder) == NULL)
		rc = err_set(e, RC_NOTFOUND, "there is no folder %s: make it "
		    "first, mode 0700", a.to);
	if (rc == RC_OK)
		rc = shards_place_open(c, &place, e);
	if (rc != RC_OK)
		return rc;
	a.to = folder;
	time_name(clock_ms(&clock_system), r.when, sizeof(r.when));
	r.terminal = isatty(STDERR_FILENO) != 0 && !c->json;
	rc = backup_all(&r, e);
	shards_place_release(&place);
	return rc;
}

const struct shards_command shards_backup = {
	.name = "backup",
	.usage = "  familybotctl shards backup SHARD... --to FOLDER "
	    "[--dry-run]\n"
	    "  familybotctl shards backup --all --to FOLDER [--dry-run]\n",
	.help = "copies of running shards, read again and compared",
	.run = backup_command,
};
