/* backups.c - see backups.h. */
#include "config.h"

#include "tools/shards/backups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shards/slots.h"
#include "store/store.h"
#include "tools/files.h"
#include "utils/buf.h"
#include "utils/json.h"

enum { LIST_TEXT_MAX = 1 << 20, MANIFEST_TEXT_MAX = 8 << 20, FORM = 1,
	PACK_FLUSH = 1 << 20 };

/* -- the last backup of each shard -- */

static enum rc list_read(const char *dir, struct buf *path,
    struct json_object **out, struct err *e)
{
	struct buf text;
	enum rc rc;

	buf_printf(path, "%s/backups.json", dir);
	buf_init(&text, LIST_TEXT_MAX);
	rc = file_read(path->s, &text, e);
	if (rc == RC_OK && json_parse(text.s, text.len, out, e) != RC_OK)
		rc = err_set(e, RC_CORRUPT, "%s is damaged: move it away, the "
		    "next backup makes a new one", path->s);
	buf_release(&text);
	return rc;
}

static bool last_of(struct json_object *list, const char *shard,
    struct backup_last *out)
{
	struct json_object *j = list != NULL ? json_obj(list, shard) : NULL;
	const char *file = j != NULL ? json_str(j, "file") : NULL;

	return file != NULL && json_i64(j, "at", &out->at) &&
	    json_i64(j, "bytes", &out->bytes) &&
	    str_copy(out->file, sizeof(out->file), file);
}

enum rc backup_last_get(const char *dir, const char *shard,
    struct backup_last *out, struct err *e)
{
	struct json_object *list = NULL;
	struct backup_last b;
	struct buf path;
	enum rc rc;

	buf_init(&path, PATH_MAX);
	rc = list_read(dir, &path, &list, e);
	if (rc == RC_OK && last_of(list, shard, &b))
		*out = b;
	else if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = err_set(e, RC_NOTFOUND, "no backup of %s is known",
		    shard);
	json_free(list);
	buf_release(&path);
	return rc;
}

static void last_put(struct buf *b, const char *shard,
    const struct backup_last *last)
{
	buf_puts(b, b->len > 1 ? ",\n" : "\n");
	json_put_str(b, shard);
	buf_printf(b, ":{\"at\":%" PRId64 ",\"bytes\":%" PRId64 ",\"file\":",
	    last->at, last->bytes);
	json_put_str(b, last->file);
	buf_putc(b, '}');
}

enum rc backup_last_put(const char *dir, const struct slots *m,
    const char *shard, const struct backup_last *b, struct err *e)
{
	struct json_object *list = NULL;
	struct backup_last other;
	struct buf path, text;
	enum rc rc;

	buf_init(&path, PATH_MAX);
	buf_init(&text, LIST_TEXT_MAX);
	rc = list_read(dir, &path, &list, e);
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		buf_putc(&text, '{');
		for (int i = 0; i < slots_shards(m); i++)
			if (strcmp(slots_shard_name(m, i), shard) != 0 &&
			    last_of(list, slots_shard_name(m, i), &other))
				last_put(&text, slots_shard_name(m, i), &other);
		last_put(&text, shard, b);
		buf_puts(&text, "\n}\n");
		rc = file_write(path.s, text.s, text.len, true, e);
	}
	json_free(list);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* -- manifests -- */

static void slot_put(struct buf *b, int32_t slot, const struct backup_slot *s,
    bool first)
{
	buf_printf(b, "%s{\"slot\":%d,\"owned\":%s,\"generation\":%d",
	    first ? "\n" : ",\n", slot, s->owned ? "true" : "false",
	    s->generation);
	for (int i = 0; i < COLLECTION_COUNT; i++) {
		const struct digest *d = &s->digests.of[i];

		if (d->records > 0)
			buf_printf(b, ",\"%s\":[%" PRIu64 ",%" PRIu64
			    ",\"%016" PRIx64 "%016" PRIx64 "\"]",
			    collection_name((enum collection)i), d->records,
			    d->bytes, d->hi, d->lo);
	}
	buf_putc(b, '}');
}

/* A slot that is not owned and of which nothing is there needs no row. */
static bool slot_matters(const struct backup_slot *s)
{
	uint64_t n = 0;

	for (int i = 0; i < COLLECTION_COUNT; i++)
		n += s->digests.of[i].records;
	return s->owned || n > 0;
}

enum rc backup_write(const char *manifest, const struct backup *b,
    struct err *e)
{
	struct buf text;
	bool first = true;
	enum rc rc;

	buf_init(&text, MANIFEST_TEXT_MAX);
	buf_printf(&text, "{\"familybot_backup\":%d,\"program\":", FORM);
	json_put_str(&text, b->program);
	buf_puts(&text, ",\"shard\":");
	json_put_str(&text, b->shard);
	buf_puts(&text, ",\"backend\":");
	json_put_str(&text, b->backend);
	buf_puts(&text, ",\n\"file\":");
	json_put_str(&text, b->file);
	buf_printf(&text, ",\"sha256\":\"%s\",\"bytes\":%" PRId64
	    ",\"at\":%" PRId64 ",\"schema\":%d,\"digests\":%s,\n\"slots\":[",
	    b->sha256, b->bytes, b->at, b->schema,
	    b->digests_known ? "true" : "false");
	for (int32_t i = 0; i < SLOT_COUNT; i++)
		if (slot_matters(&b->slot[i])) {
			slot_put(&text, i, &b->slot[i], first);
			first = false;
		}
	buf_puts(&text, "\n]}\n");
	rc = file_write(manifest, text.s, text.len, false, e);
	buf_release(&text);
	return rc;
}

static bool hex_read(const char *s, uint64_t *out)
{
	char part[17];
	char *end = NULL;

	(void)str_copy_n(part, sizeof(part), s, 16);
	*out = strtoull(part, &end, 16);
	return end == part + 16;
}

static bool digest_read(struct json_object *j, struct digest *d)
{
	const char *hex = json_str_value(json_at(j, 2));
	int64_t n, bytes;

	if (json_len(j) != 3 || !json_i64_value(json_at(j, 0), &n) || n < 0 ||
	    !json_i64_value(json_at(j, 1), &bytes) || bytes < 0 ||
	    hex == NULL || strlen(hex) != 32)
		return false;
	d->records = (uint64_t)n;
	d->bytes = (uint64_t)bytes;
	return hex_read(hex, &d->hi) && hex_read(hex + 16, &d->lo);
}

static bool slot_read(struct json_object *j, struct backup *out)
{
	struct backup_slot *s;
	int64_t slot, generation;
	struct json_object *d;

	if (!json_i64(j, "slot", &slot) || slot < 0 || slot >= SLOT_COUNT ||
	    !json_i64(j, "generation", &generation) || generation < 0 ||
	    generation > UINT16_MAX)
		return false;
	s = &out->slot[slot];
	s->generation = (uint16_t)generation;
	for (int i = 0; i < COLLECTION_COUNT; i++) {
		d = json_arr(j, collection_name((enum collection)i));
		if (d != NULL && !digest_read(d, &s->digests.of[i]))
			return false;
	}
	return json_flag(j, "owned", &s->owned);
}

static bool text_get(struct json_object *j, const char *key, char *out,
    size_t size)
{
	const char *s = json_str(j, key);

	return s != NULL && *s != '\0' && str_copy(out, size, s);
}

static bool manifest_read(struct json_object *j, struct backup *b)
{
	struct json_object *slots = json_arr(j, "slots");
	int64_t form, schema;

	memset(b, 0, sizeof(*b));
	if (!json_i64(j, "familybot_backup", &form) || form != FORM ||
	    !text_get(j, "program", b->program, sizeof(b->program)) ||
	    !text_get(j, "shard", b->shard, sizeof(b->shard)) ||
	    !text_get(j, "backend", b->backend, sizeof(b->backend)) ||
	    !text_get(j, "file", b->file, sizeof(b->file)) ||
	    !text_get(j, "sha256", b->sha256, sizeof(b->sha256)) ||
	    strlen(b->sha256) != SHA256_TEXT_SIZE - 1 ||
	    strchr(b->file, '/') != NULL ||
	    !json_i64(j, "bytes", &b->bytes) || !json_i64(j, "at", &b->at) ||
	    !json_i64(j, "schema", &schema) || schema < 0 ||
	    !json_flag(j, "digests", &b->digests_known) || slots == NULL)
		return false;
	b->schema = (int)schema;
	for (size_t i = 0; i < json_len(slots); i++)
		if (!slot_read(json_at(slots, i), b))
			return false;
	return true;
}

enum rc backup_read(const char *manifest, struct backup *out, struct err *e)
{
	struct json_object *j = NULL;
	struct buf text;
	enum rc rc;

	buf_init(&text, MANIFEST_TEXT_MAX);
	rc = file_read(manifest, &text, e);
	if (rc == RC_OK && (json_parse(text.s, text.len, &j, NULL) != RC_OK ||
	    !manifest_read(j, out)))
		rc = err_set(e, RC_CORRUPT, "%s is no manifest of a backup, or "
		    "damaged: take another backup", manifest);
	json_free(j);
	buf_release(&text);
	return rc;
}

/* -- the records of a slot -- */

struct summing {
	struct record_pack pack;
	struct digests sum;
};

static enum rc record_sum(void *ctx, const struct record *r, struct err *e)
{
	struct summing *s = ctx;
	enum rc rc = record_pack_add(&s->pack, r, e);

	if (rc == RC_OK && s->pack.bytes.len > PACK_FLUSH) {
		digests_add(&s->sum, &s->pack.digests);
		record_pack_clear(&s->pack);
	}
	return rc;
}

enum rc backup_digests(struct store *s, int32_t slot, struct digests *out,
    struct err *e)
{
	struct summing sum;
	enum rc rc;

	memset(&sum, 0, sizeof(sum));
	record_pack_init(&sum.pack);
	rc = s->ops->slot_read(s, slot, NULL, 0, record_sum, &sum, e);
	digests_add(&sum.sum, &sum.pack.digests);
	record_pack_release(&sum.pack);
	if (rc == RC_OK)
		*out = sum.sum;
	return rc;
}
