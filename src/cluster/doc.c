/* doc.c - the documents "step" and "host:NAME" as JSON. */
#include "config.h"

#include "cluster/internal.h"

#include <string.h>

#include "utils/json.h"

#define HOST_PREFIX "host:"

static const char *const phase_names[PHASE_COUNT] = { "none", "copying",
	"fence", "unfence", "commit", "release" };

static enum rc doc_parse(const struct meta *m, const char *key,
    const char *s, size_t len, struct json_object **j, struct err *e)
{
	struct err ignored = { RC_OK, "" };

	return json_parse(s, len, j, &ignored) == RC_OK ? RC_OK : err_set(e,
	    RC_CORRUPT, "%s: %s of the meta store is damaged", m->shard.name,
	    key);
}

/* What was read, as JSON; RC_OK with *j NULL when there is none. */
static enum rc doc_read(struct meta *m, const char *key,
    struct json_object **j, int64_t *version, struct err *e)
{
	struct err words = { RC_OK, "" };
	struct buf b;
	enum rc rc;

	buf_init(&b, DOC_MAX);
	rc = meta_read(m, key, &b, version, &words);
	if (rc == RC_OK)
		rc = doc_parse(m, key, b.s, b.len, j, &words);
	buf_release(&b);
	if (rc == RC_NOTFOUND) {
		*j = NULL;
		*version = 0;
		return RC_OK;
	}
	return rc == RC_OK ? RC_OK : err_set(e, rc, "%s", words.text);
}

static void text_get(struct json_object *j, const char *key, char *out,
    size_t size)
{
	const char *s = json_str(j, key);

	(void)str_copy(out, size, s ? s : "");
}

static int64_t number_get(struct json_object *j, const char *key)
{
	int64_t v = 0;

	return json_i64(j, key, &v) ? v : 0;
}

static bool step_slots(struct step_doc *d, struct json_object *j)
{
	struct json_object *slots = json_arr(j, "slots");
	struct json_object *targets = json_arr(j, "targets");
	int64_t slot, target;

	d->n = json_len(slots);
	if (d->n > SLOT_COUNT || json_len(targets) != d->n)
		return false;
	for (size_t i = 0; i < d->n; i++) {
		if (!json_i64_value(json_at(slots, i), &slot) ||
		    !json_i64_value(json_at(targets, i), &target) ||
		    slot < 0 || slot >= SLOT_COUNT || target < 0 ||
		    target >= SHARDS_MAX)
			return false;
		d->slots[i] = (int32_t)slot;
		d->targets[i] = (uint16_t)target;
	}
	return true;
}

static bool step_parse(struct step_doc *d, struct json_object *j)
{
	const char *phase = json_str(j, "phase");

	d->phase = PHASE_COUNT;
	for (int i = 0; phase && i < PHASE_COUNT; i++)
		if (strcmp(phase, phase_names[i]) == 0)
			d->phase = (enum phase)i;
	text_get(j, "by", d->by, sizeof(d->by));
	text_get(j, "mover", d->mover, sizeof(d->mover));
	text_get(j, "id", d->id, sizeof(d->id));
	return d->phase != PHASE_COUNT && step_slots(d, j);
}

enum rc step_read(struct meta *m, struct step_doc *d, struct err *e)
{
	struct json_object *j = NULL;
	int64_t version = 0;
	enum rc rc = doc_read(m, "step", &j, &version, e);

	if (rc != RC_OK)
		return rc;
	d->number = version;
	if (j == NULL) {
		d->phase = PHASE_NONE;
		d->n = 0;
		d->by[0] = d->mover[0] = d->id[0] = '\0';
	} else if (!step_parse(d, j)) {
		rc = err_set(e, RC_CORRUPT, "%s: the step in the meta store is "
		    "of another version of familybot, or damaged",
		    m->shard.name);
	}
	json_free(j);
	return rc;
}

enum rc step_write(struct meta *m, struct step_doc *d, struct err *e)
{
	int64_t version = d->number;
	struct buf b;
	enum rc rc;

	buf_init(&b, DOC_MAX);
	buf_printf(&b, "{\"phase\":\"%s\",\"by\":", phase_names[d->phase]);
	json_put_str(&b, d->by);
	buf_puts(&b, ",\"mover\":");
	json_put_str(&b, d->mover);
	buf_puts(&b, ",\"id\":");
	json_put_str(&b, d->id);
	buf_puts(&b, ",\"slots\":[");
	for (size_t i = 0; i < d->n; i++)
		buf_printf(&b, i > 0 ? ",%d" : "%d", (int)d->slots[i]);
	buf_puts(&b, "],\"targets\":[");
	for (size_t i = 0; i < d->n; i++)
		buf_printf(&b, i > 0 ? ",%d" : "%d", (int)d->targets[i]);
	buf_puts(&b, "]}");
	rc = meta_write(m, "step", &b, &version, e);
	if (rc == RC_OK)
		d->number = version;
	buf_release(&b);
	return rc;
}

static void host_key(const char *name, char *out, size_t size)
{
	(void)str_format(out, size, HOST_PREFIX "%s", name);
}

static void host_parse(struct host_doc *d, const char *name,
    int64_t version, struct json_object *j)
{
	memset(d, 0, sizeof(*d));
	d->version = version;
	(void)str_copy(d->name, sizeof(d->name), name);
	text_get(j, "id", d->id, sizeof(d->id));
	text_get(j, "home", d->home, sizeof(d->home));
	text_get(j, "words", d->words, sizeof(d->words));
	d->beat = number_get(j, "beat");
	d->step = number_get(j, "step");
	d->busy = number_get(j, "busy");
	d->refused = number_get(j, "refused");
	d->held_us = number_get(j, "held_us");
	d->lease_ms = number_get(j, "lease_ms");
	d->op_ms = number_get(j, "op_ms");
	d->mover = number_get(j, "mover") != 0;
}

enum rc host_read(struct meta *m, const char *name, struct host_doc *d,
    struct err *e)
{
	char key[CLUSTER_NAME_SIZE + 8];
	struct json_object *j = NULL;
	int64_t version = 0;
	enum rc rc;

	host_key(name, key, sizeof(key));
	rc = doc_read(m, key, &j, &version, e);
	if (rc == RC_OK)
		host_parse(d, name, version, j);
	json_free(j);
	return rc;
}

struct listing {
	struct meta *m;
	void (*each)(void *ctx, const struct host_doc *d);
	void *ctx;
	struct err damage;
};

static void host_listed(void *ctx, const struct meta_item *item)
{
	struct listing *l = ctx;
	struct json_object *j = NULL;
	struct host_doc d;

	if (doc_parse(l->m, item->key, item->value, item->len, &j,
	    &l->damage) != RC_OK)
		return;
	host_parse(&d, item->key + strlen(HOST_PREFIX), item->version, j);
	json_free(j);
	l->each(l->ctx, &d);
}

enum rc hosts_list(struct meta *m,
    void (*each)(void *ctx, const struct host_doc *d), void *ctx,
    struct err *e)
{
	struct listing l = { m, each, ctx, { RC_OK, "" } };
	enum rc rc = meta_list(m, HOST_PREFIX, host_listed, &l, e);

	return rc == RC_OK && l.damage.rc != RC_OK ? err_set(e, l.damage.rc,
	    "%s", l.damage.text) : rc;
}

enum rc host_write(struct meta *m, struct host_doc *d, struct err *e)
{
	char key[CLUSTER_NAME_SIZE + 8];
	int64_t version = d->version;
	struct buf b;
	enum rc rc;

	host_key(d->name, key, sizeof(key));
	buf_init(&b, DOC_MAX);
	buf_puts(&b, "{\"id\":");
	json_put_str(&b, d->id);
	buf_puts(&b, ",\"home\":");
	json_put_str(&b, d->home);
	buf_printf(&b, ",\"beat\":%lld,\"step\":%lld,\"busy\":%lld,"
	    "\"refused\":%lld,\"held_us\":%lld,\"lease_ms\":%lld,"
	    "\"op_ms\":%lld,\"mover\":%d,\"words\":", (long long)d->beat,
	    (long long)d->step, (long long)d->busy, (long long)d->refused,
	    (long long)d->held_us, (long long)d->lease_ms,
	    (long long)d->op_ms, d->mover);
	json_put_str(&b, d->words);
	buf_puts(&b, "}");
	rc = meta_write(m, key, &b, &version, e);
	if (rc == RC_OK)
		d->version = version;
	buf_release(&b);
	return rc;
}

enum rc host_delete(struct meta *m, const struct host_doc *d, struct err *e)
{
	char key[CLUSTER_NAME_SIZE + 8];

	host_key(d->name, key, sizeof(key));
	return meta_remove(m, key, d->version, e);
}
