/*
 * shards_backup.c - familybotctl shards backup: a copy of each shard named,
 * read again and compared, with a manifest beside it; never overwrites.
 *
 * An embedded shard is copied while it serves, as it was at one moment.  A
 * server is dumped by its own tool (shards_dump.c), which is not of one moment
 * while people write.
 */
#include "config.h"

#include "tools/shards.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "reshard/reshard.h"
#include "store/router.h"
#include "store/slots.h"
#include "store/store.h"
#include "tools/backups.h"
#include "tools/files.h"
#include "tools/shards_copy.h"
#include "tools/shards_dump.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

enum { SPARE_BYTES = 16 << 20, CONF_TEXT_MAX = 1 << 20 };

struct backup_args {
	const char *to;
	bool all, dry_run;
	char **names;
};

struct job_of_backup {
	struct ctl *c;
	struct shards_place *place;
	const struct backup_args *args;
	char when[24];
	int64_t at;
	int done;
	bool terminal;
};

static bool is_embedded(const struct shard_conf *conf)
{
	return strncmp(conf->uri, "sqlite:", 7) == 0;
}

static void say_done(struct job_of_backup *j, const struct backup *b,
    const char *path, const char *words)
{
	char size[32];
	struct buf text;

	j->done++;
	if (!j->c->json) {
		bytes_words(b->bytes, size, sizeof(size));
		fprintf(j->c->out, "%s: %s, %s\n  %s\n  sha256 %s\n", b->shard,
		    size, words, path, b->sha256);
		return;
	}
	buf_init(&text, 2 * PATH_MAX);
	buf_puts(&text, j->done > 1 ? ",\n{\"shard\":" : "\n{\"shard\":");
	json_put_str(&text, b->shard);
	buf_puts(&text, ",\"file\":");
	json_put_str(&text, path);
	buf_printf(&text, ",\"bytes\":%" PRId64 ",\"sha256\":\"%s\",\"words\":",
	    b->bytes, b->sha256);
	json_put_str(&text, words);
	buf_putc(&text, '}');
	fputs(text.s, j->c->out);
	buf_release(&text);
}

static void progress(void *ctx, int64_t done, int64_t all)
{
	const struct job_of_backup *j = ctx;

	if (j->terminal && all > 0)
		fprintf(stderr, "\r\033[K%" PRId64 " %% copied", done * 100 /
		    all);
	if (j->terminal && done == all)
		fputs("\r\033[K", stderr);
}

/* Whose slots were there when the copy was begun.  One that moved meanwhile
 * belongs to neither backup for certain. */
static void slots_note(const struct slots *m, int shard, struct backup *b)
{
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = slots_get(m, i);

		b->slot[i].owned = s.owner == shard;
		b->slot[i].generation = s.generation;
	}
}

static int slots_moved(const struct slots *m, int shard, struct backup *b)
{
	int n = 0;

	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = slots_get(m, i);

		if (b->slot[i].owned == (s.owner == shard) &&
		    (!b->slot[i].owned || b->slot[i].generation ==
		    s.generation))
			continue;
		b->slot[i].owned = false;
		n++;
	}
	return n;
}

static enum rc space_check(struct job_of_backup *j, const char *name,
    int64_t size, struct err *e)
{
	int64_t room = folder_free(j->args->to);
	char has[32], needs[32];

	if (room < 0)
		return err_set(e, RC_NOTFOUND, "there is no folder %s: make it "
		    "first, mode 0700", j->args->to);
	if (size < 0 || room >= size + size / 20 + SPARE_BYTES)
		return RC_OK;
	bytes_words(room, has, sizeof(has));
	bytes_words(size, needs, sizeof(needs));
	return err_set(e, RC_FULL, "%s needs %s and %s has %s free: name "
	    "another folder", name, needs, j->args->to, has);
}

static enum rc backup_end(struct job_of_backup *j, struct backup *b,
    const char *path, const char *words, struct err *e)
{
	struct backup_last last = { .at = b->at };
	char manifest[PATH_MAX], what[512];
	enum rc rc;

	rc = file_sha256(path, b->sha256, &b->bytes, e);
	if (rc == RC_OK && !str_format(manifest, sizeof(manifest), "%s.json",
	    path))
		rc = err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	if (rc == RC_OK)
		rc = backup_write(manifest, b, e);
	last.bytes = b->bytes;
	(void)str_copy(last.file, sizeof(last.file), path);
	if (rc == RC_OK)
		rc = backup_last_put(j->place->dir, j->place->slots, b->shard,
		    &last, e);
	(void)str_format(what, sizeof(what), "event=backup shard=%s bytes=%"
	    PRId64 " file=\"%.300s\"", b->shard, b->bytes, path);
	if (rc == RC_OK)
		rc = audit_add(j->place->dir, j->place->who, what, e);
	if (rc == RC_OK)
		say_done(j, b, path, words);
	return rc;
}

static enum rc embedded_backup(struct job_of_backup *j, int shard,
    struct backup *b, const char *path, struct err *e)
{
	struct copy_report report = { .differ = 0 };
	struct store_info info;
	struct store *s = NULL;
	char words[200];
	int moved;
	enum rc rc = router_shard(j->place->router, shard, &s, e);

	if (rc == RC_OK)
		rc = s->ops->info(s, &info, e);
	if (rc != RC_OK)
		return rc;
	b->schema = info.schema;
	b->digests_known = true;
	rc = s->ops->backup(s, path, progress, j, e);
	if (rc == RC_OK)
		rc = copy_look(path, s, b, &report, e);
	if (rc != RC_OK)
		return rc;
	moved = slots_moved(j->place->slots, shard, b);
	if (report.faults > 0)
		fprintf(stderr, "familybotctl: %s: %" PRId64 " records are not "
		    "as they should be, here and in the copy: run shards "
		    "verify\n", b->shard, report.faults);
	if (moved > 0)
		fprintf(stderr, "familybotctl: %s: %d slots moved meanwhile "
		    "and count as not saved: back up again when the change of "
		    "shards is over\n", b->shard, moved);
	if (report.differ == 0)
		(void)str_format(words, sizeof(words), "%" PRId64 " records, "
		    "the same as the running shard", report.records);
	else
		(void)str_format(words, sizeof(words), "%" PRId64 " records; "
		    "%d slots were written to since", report.records,
		    report.differ);
	return backup_end(j, b, path, words, e);
}

static enum rc server_backup(struct job_of_backup *j, int shard,
    struct backup *b, const char *path, struct err *e)
{
	const struct shard_conf *conf = router_shard_conf(j->place->router,
	    shard);
	bool paused = (slots_shard_flags(j->place->slots, shard) &
	    SHARD_PAUSED) != 0;
	struct store_info info;
	struct store *s = NULL;
	char version[64], words[200];
	enum rc rc = router_shard(j->place->router, shard, &s, e);

	if (rc == RC_OK)
		rc = s->ops->info(s, &info, e);
	if (rc == RC_OK)
		rc = dump_tools(version, sizeof(version), e);
	if (rc != RC_OK)
		return rc;
	b->schema = info.schema;
	rc = dump_run(j->place->dir, conf->uri, path, e);
	if (rc != RC_OK)
		return rc;
	(void)slots_moved(j->place->slots, shard, b);
	(void)str_format(words, sizeof(words), "dumped by mongodump %s%s",
	    version, paused ? ", paused meanwhile" : "; people may have "
	    "written meanwhile, so it is not of one moment: pause the shard "
	    "first if it must be");
	return backup_end(j, b, path, words, e);
}

static enum rc shard_backup(struct job_of_backup *j, int shard, struct err *e)
{
	const struct shard_conf *conf = router_shard_conf(j->place->router,
	    shard);
	const char *name = slots_shard_name(j->place->slots, shard);
	struct backup *b;
	char path[PATH_MAX], size_text[32];
	int64_t size = -1, wal;
	enum rc rc;

	if (conf == NULL)
		return err_set(e, RC_INVALID, "shards.conf does not say how to "
		    "reach %s", name);
	if (is_embedded(conf)) {
		size = file_size(conf->uri + 7);
		(void)str_format(path, sizeof(path), "%s-wal", conf->uri + 7);
		wal = file_size(path);
		size += wal > 0 ? wal : 0;
	}
	rc = space_check(j, name, size, e);
	if (rc != RC_OK)
		return rc;
	b = xcalloc(1, sizeof(*b));
	(void)str_format(b->file, sizeof(b->file), "%s-%s.%s", name, j->when,
	    is_embedded(conf) ? "db" : "archive.gz");
	if (!str_format(path, sizeof(path), "%s/%s", j->args->to, b->file)) {
		rc = err_set(e, RC_TOOBIG, "%s: the path is too long",
		    j->args->to);
	} else if (j->args->dry_run) {
		bytes_words(size, size_text, sizeof(size_text));
		fprintf(j->c->json ? stderr : j->c->out, "%s: would be copied "
		    "to %s (size now: %s)\n", name, path, size_text);
	} else if (access(path, F_OK) == 0) {
		rc = err_set(e, RC_CONFLICT, "%s is there already: a second "
		    "later it has another name", path);
	} else {
		(void)str_copy(b->shard, sizeof(b->shard), name);
		(void)str_copy(b->backend, sizeof(b->backend),
		    is_embedded(conf) ? "sqlite" : "mongodb");
		(void)str_copy(b->program, sizeof(b->program),
		    PACKAGE_VERSION);
		b->at = clock_ms(&clock_system);
		slots_note(j->place->slots, shard, b);
		rc = is_embedded(conf) ? embedded_backup(j, shard, b, path, e) :
		    server_backup(j, shard, b, path, e);
	}
	free(b);
	return rc;
}

/* How shards were reached, for people: passwords are stars. */
static enum rc conf_save(struct job_of_backup *j, struct err *e)
{
	const struct config *conf = j->c->conf;
	char path[PATH_MAX], uri[2048];
	struct buf text;
	enum rc rc;

	if (!str_format(path, sizeof(path), "%s/shards-%s.conf", j->args->to,
	    j->when))
		return err_set(e, RC_TOOBIG, "%s: the path is too long",
		    j->args->to);
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

static enum rc map_save(struct job_of_backup *j, struct err *e)
{
	char path[PATH_MAX];

	if (!str_format(path, sizeof(path), "%s/slots-%s.map", j->args->to,
	    j->when))
		return err_set(e, RC_TOOBIG, "%s: the path is too long",
		    j->args->to);
	return file_copy(j->c->conf->slots_map, path, e);
}

/* One that cannot be saved hinders no other. */
static enum rc shards_each(struct job_of_backup *j, struct err *e)
{
	enum rc result = RC_OK, rc;
	int n = slots_shards(j->place->slots), shard;

	for (int i = 0; j->args->all ? i < n : j->args->names[i] != NULL;
	    i++) {
		shard = j->args->all ? i : slots_shard_find(j->place->slots,
		    j->args->names[i]);
		if (shard < 0)
			rc = err_set(e, RC_NOTFOUND, "the slot map has no "
			    "shard %s; shards status names them",
			    j->args->names[i]);
		else if (slots_shard_name(j->place->slots, shard)[0] == '\0')
			continue;
		else
			rc = shard_backup(j, shard, e);
		if (rc == RC_OK)
			continue;
		result = result == RC_OK ? rc : result;
		fprintf(stderr, "familybotctl: no backup: %s\n", e->text);
	}
	return result == RC_OK ? RC_OK : err_set(e, result, "not all shards "
	    "were saved; the reasons are above");
}

static enum rc backup_all(struct job_of_backup *j, struct err *e)
{
	enum rc rc = shards_place_router(j->place, false, e);

	if (rc != RC_OK)
		return rc;
	if (j->c->json)
		fputc('[', j->c->out);
	rc = shards_each(j, e);
	if (j->c->json)
		fputs("\n]\n", j->c->out);
	if (rc == RC_OK && !j->args->dry_run)
		rc = map_save(j, e);
	if (rc == RC_OK && !j->args->dry_run)
		rc = conf_save(j, e);
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
	struct job_of_backup j = { .c = c, .place = &place, .args = &a };
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
	j.at = clock_ms(&clock_system);
	time_name(j.at, j.when, sizeof(j.when));
	j.terminal = isatty(STDERR_FILENO) != 0 && !c->json;
	rc = backup_all(&j, e);
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
