/*
 * migrate.c - familybotctl shards migrate: schema and indexes of all
 * shards of shards.conf, one after another.
 *
 * Each shard is migrated in one transaction, or by steps that may be repeated;
 * so whatever ends this in the middle, running it again goes on.
 */
#include "config.h"

#include "tools/shards/commands.h"

#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "reshard/reshard.h"
#include "store/migrate.h"
#include "store/store.h"
#include "utils/buf.h"
#include "utils/json.h"

enum { VERSION_AT = 60 /* of an SQLite file: user_version, big endian */ };

struct migration_of {
	const char *name;
	int before;		/* -1 unknown, 0 no schema yet */
	int after, known;
	bool there;		/* an embedded shard has its file */
	bool done;
};

struct migrate_run {
	struct shards_place *place;
	struct ctl *c;
	bool dry_run;
	int n;
};

static bool is_embedded(const struct config_shard *s)
{
	return strncmp(s->uri, "sqlite:", 7) == 0;
}

/* What the file's head says, before anything is opened that could change it.
 * A newer one that is still in the log alone is found when it is opened. */
static void version_look(const struct config_shard *s, struct migration_of *m)
{
	unsigned char v[4];
	int fd;

	m->before = -1;
	m->there = true;
	if (!is_embedded(s))
		return;
	fd = open(s->uri + 7, O_RDONLY | O_CLOEXEC);
	m->there = fd >= 0;
	m->before = 0;
	if (fd >= 0 && pread(fd, v, sizeof(v), VERSION_AT) == sizeof(v))
		m->before = v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3];
	if (fd >= 0)
		(void)close(fd);
}

static enum rc shard_open(const struct config *conf,
    const struct config_shard *s, bool create, struct migration_of *m,
    struct err *e)
{
	const struct store_conf c = {
		.name = s->name,
		.uri = s->uri,
		.sync = STORE_SYNC_FULL,
		.timeout_ms = s->timeout_ms > 0 ? s->timeout_ms :
		    (int)conf->store_timeout_ms,
		.create = create,
	};
	struct store_info info;
	struct store *st = NULL;
	enum rc rc = store_open(&c, &st, e);

	if (rc == RC_OK)
		rc = st->ops->info(st, &info, e);
	if (rc == RC_OK) {
		m->after = info.schema;
		m->known = info.schema_known;
	}
	store_close(st);
	return rc;
}

static void tell_json(struct migrate_run *r, const struct migration_of *m,
    const char *error)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_puts(&b, r->n > 0 ? ",\n{\"shard\":" : "\n{\"shard\":");
	json_put_str(&b, m->name);
	buf_printf(&b, ",\"before\":%d,\"after\":%d,\"known\":%d,"
	    "\"changed\":%s,\"error\":", m->before, m->after, m->known,
	    m->done ? "true" : "false");
	json_put_str(&b, error);
	buf_putc(&b, '}');
	fputs(b.s, r->c->out);
	buf_release(&b);
}

static void tell(struct migrate_run *r, const struct migration_of *m)
{
	FILE *f = r->c->out;

	if (r->c->json)
		tell_json(r, m, "");
	else if (!m->there)
		fprintf(f, "%-12s  is made when it is first used\n", m->name);
	else if (m->done)
		fprintf(f, "%-12s  schema %d -> %d\n", m->name, m->before,
		    m->after);
	else if (r->dry_run && m->before < m->known)
		fprintf(f, "%-12s  schema %d, would become %d\n", m->name,
		    m->before, m->known);
	else
		fprintf(f, "%-12s  schema %d, nothing to do\n", m->name,
		    m->after);
	r->n++;
}

static enum rc migrated_note(struct migrate_run *r, struct migration_of *m,
    struct err *e)
{
	char what[200];

	m->done = m->before != m->after;
	if (!m->done)
		return RC_OK;
	(void)str_format(what, sizeof(what), "event=migrate shard=%s before=%d "
	    "after=%d", m->name, m->before, m->after);
	return audit_add(r->place->dir, r->place->who, what, e);
}

/* An embedded shard that can be opened as it is needs nothing; one that is
 * older is refused, as one that is newer or foreign is, which then is so when
 * it is to be changed, too.  A server's indexes are made where they lack. */
static enum rc shard_migrate(struct migrate_run *r,
    const struct config_shard *s, struct err *e)
{
	struct migration_of m = { .name = s->name, .known = migrate_latest() };
	enum rc rc = RC_OK;

	version_look(s, &m);
	if (m.there)
		rc = shard_open(r->c->conf, s, false, &m, e);
	if (rc == RC_OK && m.there)
		m.before = m.after;	/* what the log has is newer */
	if (rc == RC_INVALID && m.before >= 0 && m.before < m.known) {
		rc = r->dry_run ? RC_OK : shard_open(r->c->conf, s, true, &m,
		    e);
		if (rc == RC_OK && !r->dry_run)
			rc = migrated_note(r, &m, e);
	} else if (rc == RC_OK && m.there && !is_embedded(s) && !r->dry_run) {
		rc = shard_open(r->c->conf, s, true, &m, e);
		if (rc == RC_OK)
			rc = migrated_note(r, &m, e);
	}
	if (rc == RC_OK)
		tell(r, &m);
	return rc;
}

static enum rc shards_each(struct migrate_run *r, struct err *e)
{
	const struct config *conf = r->c->conf;
	enum rc result = RC_OK, rc;

	if (r->c->json)
		fputc('[', r->c->out);
	for (int i = 0; i < conf->nshards; i++) {
		rc = shard_migrate(r, &conf->shards[i], e);
		if (rc == RC_OK)
			continue;
		fprintf(stderr, "familybotctl: not migrated: %s\n", e->text);
		result = result == RC_OK ? rc : result;
	}
	if (r->c->json)
		fputs("\n]\n", r->c->out);
	return result == RC_OK ? RC_OK : err_set(e, result, "not all shards "
	    "were migrated; run this again when the reasons above are gone");
}

static enum rc args_read(struct ctl *c, int argc, char **argv, bool *dry_run,
    struct err *e)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'n')
			*dry_run = true;
		else if (o == 'j')
			c->json = true;
		else
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
	}
	if (argv[optind] != NULL)
		return ctl_usage(c, e, "%s: unknown argument", argv[optind]);
	return RC_OK;
}

static enum rc migrate_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct shards_place place;
	struct migrate_run r = { .c = c, .place = &place };
	enum rc rc = args_read(c, argc, argv, &r.dry_run, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &place, e);
	if (rc != RC_OK)
		return rc;
	rc = shards_each(&r, e);
	shards_place_release(&place);
	return rc;
}

const struct shards_command shards_migrate = {
	.name = "migrate",
	.usage = "  familybotctl shards migrate [--dry-run]\n",
	.help = "schema and indexes of all shards, one after another",
	.run = migrate_command,
};
