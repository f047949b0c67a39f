/*
 * save.c - one shard is saved: copied, read again, its manifest written.
 *
 * An embedded shard is copied while it serves, as it was at one moment.  A
 * server is dumped by its own tool (shards_dump.c), which is not of one moment
 * while people write.
 */
#include "config.h"

#include "tools/shards/backup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "tools/shards/backups.h"
#include "tools/files.h"
#include "tools/shards/copy.h"
#include "tools/shards/dump.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

enum { SPARE_BYTES = 16 << 20 };

static bool is_embedded(const struct shard_conf *conf)
{
	return strncmp(conf->uri, "sqlite:", 7) == 0;
}

static void say_done(struct backup_run *r, const struct backup *b,
    const char *path, const char *words)
{
	char size[32];
	struct buf text;

	r->done++;
	if (!r->c->json) {
		bytes_words(b->bytes, size, sizeof(size));
		fprintf(r->c->out, "%s: %s, %s\n  %s\n  sha256 %s\n", b->shard,
		    size, words, path, b->sha256);
		return;
	}
	buf_init(&text, 2 * PATH_MAX);
	buf_puts(&text, r->done > 1 ? ",\n{\"shard\":" : "\n{\"shard\":");
	json_put_str(&text, b->shard);
	buf_puts(&text, ",\"file\":");
	json_put_str(&text, path);
	buf_printf(&text, ",\"bytes\":%" PRId64 ",\"sha256\":\"%s\",\"words\":",
	    b->bytes, b->sha256);
	json_put_str(&text, words);
	buf_putc(&text, '}');
	fputs(text.s, r->c->out);
	buf_release(&text);
}

static void progress(void *ctx, int64_t done, int64_t all)
{
	const struct backup_run *r = ctx;

	if (r->terminal && all > 0)
		fprintf(stderr, "\r\033[K%" PRId64 " %% copied", done * 100 /
		    all);
	if (r->terminal && done == all)
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

static enum rc space_check(struct backup_run *r, const char *name,
    int64_t size, struct err *e)
{
	int64_t room = folder_free(r->args->to);
	char has[32], needs[32];

	if (room < 0)
		return err_set(e, RC_NOTFOUND, "there is no folder %s: make it "
		    "first, mode 0700", r->args->to);
	if (size < 0 || room >= size + size / 20 + SPARE_BYTES)
		return RC_OK;
	bytes_words(room, has, sizeof(has));
	bytes_words(size, needs, sizeof(needs));
	return err_set(e, RC_FULL, "%s needs %s and %s has %s free: name "
	    "another folder", name, needs, r->args->to, has);
}

static enum rc backup_end(struct backup_run *r, struct backup *b,
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
		rc = backup_last_put(r->place->dir, r->place->slots, b->shard,
		    &last, e);
	(void)str_format(what, sizeof(what), "event=backup shard=%s bytes=%"
	    PRId64 " file=\"%.300s\"", b->shard, b->bytes, path);
	if (rc == RC_OK)
		rc = audit_add(r->place->dir, r->place->who, what, e);
	if (rc == RC_OK)
		say_done(r, b, path, words);
	return rc;
}

static enum rc embedded_backup(struct backup_run *r, int shard,
    struct backup *b, const char *path, struct err *e)
{
	struct saved_report report = { .differ = 0 };
	struct store_info info;
	struct store *s = NULL;
	char words[200];
	int moved;
	enum rc rc = router_shard(r->place->router, shard, &s, e);

	if (rc == RC_OK)
		rc = s->ops->info(s, &info, e);
	if (rc != RC_OK)
		return rc;
	b->schema = info.schema;
	b->digests_known = true;
	rc = s->ops->backup(s, path, progress, r, e);
	if (rc == RC_OK)
		rc = saved_look(path, s, b, &report, e);
	if (rc != RC_OK)
		return rc;
	moved = slots_moved(r->place->slots, shard, b);
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
	return backup_end(r, b, path, words, e);
}

static enum rc server_backup(struct backup_run *r, int shard,
    struct backup *b, const char *path, struct err *e)
{
	const struct shard_conf *conf = router_shard_conf(r->place->router,
	    shard);
	bool paused = (slots_shard_flags(r->place->slots, shard) &
	    SHARD_PAUSED) != 0;
	struct store_info info;
	struct store *s = NULL;
	char version[64], words[200];
	enum rc rc = router_shard(r->place->router, shard, &s, e);

	if (rc == RC_OK)
		rc = s->ops->info(s, &info, e);
	if (rc == RC_OK)
		rc = dump_tools(version, sizeof(version), e);
	if (rc != RC_OK)
		return rc;
	b->schema = info.schema;
	rc = dump_run(r->place->dir, conf->uri, path, e);
	if (rc != RC_OK)
		return rc;
	(void)slots_moved(r->place->slots, shard, b);
	(void)str_format(words, sizeof(words), "dumped by mongodump %s%s",
	    version, paused ? ", paused meanwhile" : "; people may have "
	    "written meanwhile, so it is not of one moment: pause the shard "
	    "first if it must be");
	return backup_end(r, b, path, words, e);
}

enum rc shard_save(struct backup_run *r, int shard, struct err *e)
{
	const struct shard_conf *conf = router_shard_conf(r->place->router,
	    shard);
	const char *name = slots_shard_name(r->place->slots, shard);
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
	rc = space_check(r, name, size, e);
	if (rc != RC_OK)
		return rc;
	b = xcalloc(1, sizeof(*b));
	(void)str_format(b->file, sizeof(b->file), "%s-%s.%s", name, r->when,
	    is_embedded(conf) ? "db" : "archive.gz");
	if (!str_format(path, sizeof(path), "%s/%s", r->args->to, b->file)) {
		rc = err_set(e, RC_TOOBIG, "%s: the path is too long",
		    r->args->to);
	} else if (r->args->dry_run) {
		bytes_words(size, size_text, sizeof(size_text));
		fprintf(r->c->json ? stderr : r->c->out, "%s: would be copied "
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
		slots_note(r->place->slots, shard, b);
		rc = is_embedded(conf) ? embedded_backup(r, shard, b, path, e) :
		    server_backup(r, shard, b, path, e);
	}
	free(b);
	return rc;
}
