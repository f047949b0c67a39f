/* mapdoc.c - the document "map": JSON, the slots as one hexadecimal string of
 * 14 digits each (owner 4, target 4, state 2, generation 4). */
#include "config.h"

#include "cluster/internal.h"

#include <string.h>

#include "utils/json.h"

enum { DIGITS = 14 };

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_get(const char *s, int n, unsigned *out)
{
	unsigned v = 0;

	for (int i = 0; i < n; i++) {
		int d = digit(s[i]);

		if (d < 0)
			return false;
		v = v << 4 | (unsigned)d;
	}
	*out = v;
	return true;
}

static bool entry_get(const char *s, int nshards, struct slot_entry *out)
{
	unsigned owner, target, state, generation;

	if (!hex_get(s, 4, &owner) || !hex_get(s + 4, 4, &target) ||
	    !hex_get(s + 8, 2, &state) || !hex_get(s + 10, 4, &generation) ||
	    owner >= (unsigned)nshards || target >= (unsigned)nshards ||
	    state > SLOT_FENCING)
		return false;
	*out = (struct slot_entry){ .owner = (uint16_t)owner,
		.target = (uint16_t)target, .state = (uint8_t)state,
		.generation = (uint16_t)generation };
	return true;
}

static bool map_parse(struct map_doc *d, struct json_object *j)
{
	struct json_object *shards = json_arr(j, "shards");
	const char *slots = json_str(j, "slots");
	int64_t flags = 0;

	d->nshards = (int)json_len(shards);
	if (!json_i64(j, "step", &d->step) || d->nshards < 1 ||
	    d->nshards > SHARDS_MAX || !slots ||
	    strlen(slots) != DIGITS * SLOT_COUNT)
		return false;
	for (int i = 0; i < d->nshards; i++) {
		struct json_object *s = json_at(shards, (size_t)i);
		const char *name = json_str(s, "name");

		if (!name || !json_i64(s, "flags", &flags) ||
		    !str_copy(d->shards[i].name, SLOT_SHARD_NAME_SIZE, name))
			return false;
		d->shards[i].flags = (uint8_t)flags;
	}
	for (int i = 0; i < SLOT_COUNT; i++)
		if (!entry_get(slots + (size_t)i * DIGITS, d->nshards,
		    &d->entry[i]))
			return false;
	return true;
}

enum rc map_read(struct meta *m, struct map_doc *d, struct err *e)
{
	struct json_object *j = NULL;
	struct err words = { RC_OK, "" };
	int64_t version = 0;
	struct buf b;
	enum rc rc;

	buf_init(&b, DOC_MAX);
	rc = meta_read(m, "map", &b, &version, &words);
	memset(d, 0, sizeof(*d));
	if (rc == RC_NOTFOUND) {
		rc = RC_OK;
	} else if (rc == RC_OK && (json_parse(b.s, b.len, &j, &words) != RC_OK ||
	    !map_parse(d, j))) {
		rc = err_set(e, RC_CORRUPT, "%s: the map in the meta store is "
		    "damaged: restore it from the backup", m->shard.name);
	} else if (rc != RC_OK) {
		rc = err_set(e, rc, "%s", words.text);
	}
	if (rc == RC_OK)
		d->version = version;
	json_free(j);
	buf_release(&b);
	return rc;
}

enum rc map_write(struct meta *m, struct map_doc *d, struct err *e)
{
	int64_t version = d->version;
	struct buf b;
	enum rc rc;

	buf_init(&b, DOC_MAX);
	buf_printf(&b, "{\"step\":%lld,\"shards\":[", (long long)d->step);
	for (int i = 0; i < d->nshards; i++) {
		buf_puts(&b, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_put_str(&b, d->shards[i].name);
		buf_printf(&b, ",\"flags\":%u}", d->shards[i].flags);
	}
	buf_puts(&b, "],\"slots\":\"");
	for (int i = 0; i < SLOT_COUNT; i++) {
		const struct slot_entry *s = &d->entry[i];

		buf_printf(&b, "%04x%04x%02x%04x", s->owner, s->target,
		    s->state, s->generation);
	}
	buf_puts(&b, "\"}");
	rc = meta_write(m, "map", &b, &version, e);
	if (rc == RC_OK)
		d->version = version;
	buf_release(&b);
	return rc;
}

struct slot_entry entry_after(struct slot_entry s, enum phase phase,
    uint16_t target)
{
	switch (phase) {
	case PHASE_COPYING:
		s.target = target;
		s.state = SLOT_COPYING;
		break;
	case PHASE_FENCE:
		s.state = SLOT_FENCING;
		break;
	case PHASE_UNFENCE:
		s.state = SLOT_COPYING;
		break;
	case PHASE_COMMIT:
		s.owner = s.target = target;
		s.generation++;
		s.state = SLOT_STABLE;
		break;
	case PHASE_RELEASE:
		s.target = s.owner;
		s.state = SLOT_STABLE;
		break;
	default:
		break;
	}
	return s;
}

void map_take_step(struct map_doc *d, const struct step_doc *s, bool lasting)
{
	if (s->number <= d->step || (lasting && !phase_lasts(s->phase)))
		return;
	for (size_t i = 0; i < s->n; i++) {
		struct slot_entry *at = &d->entry[s->slots[i]];

		*at = entry_after(*at, s->phase, s->targets[i]);
	}
	d->step = s->number;
}
