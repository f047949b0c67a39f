/*
 * record.c - records as canonical bytes, packs of them, and their digests.
 *
 * A record is one byte of its collection, then its columns in the order of the
 * column tables: numbers of fixed size, lowest byte first; texts as two bytes
 * of length and the text; a meal ends with its number of items and theirs.
 * Changing a table changes what digests are made of, so hosts that compare
 * must run one version.  Owns a pack's bytes only; may not know any backend.
 */
#include "config.h"

#include "models/record.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

enum { RECORD_BYTES_MAX = 20 << 10, LENGTH_SIZE = 4 };

_Static_assert(JOB_PAYLOAD_SIZE <= UINT16_MAX, "a length takes two bytes");
_Static_assert(sizeof(struct job) + 64 < RECORD_BYTES_MAX &&
    sizeof(struct meal) + 128 < RECORD_BYTES_MAX &&
    sizeof(struct user) + 64 < RECORD_BYTES_MAX, "a record fits");

const char *collection_name(enum collection c)
{
	const struct kind *k = kind_of(c);

	return k ? k->name : "?";
}

/* The structs of all kinds begin where the union does. */
static const char *body(const struct record *r)
{
	return (const char *)&r->user;
}

int64_t record_user_id(const struct record *r)
{
	const struct kind *k = kind_of(r->kind);
	int64_t user_id = 0;

	if (k)
		memcpy(&user_id, body(r) + k->user_id, sizeof(user_id));
	return user_id;
}

int32_t record_slot(const struct record *r)
{
	const struct kind *k = kind_of(r->kind);
	int32_t slot = -1;

	if (k)
		memcpy(&slot, body(r) + k->slot, sizeof(slot));
	return slot;
}

static void key_put(struct buf *out, const struct record *r,
    const struct column *c)
{
	const char *p = body(r) + c->offset;
	int64_t whole;
	int32_t half;

	if (out->len > 0)
		buf_putc(out, ' ');
	if (c->type == COLUMN_TEXT) {
		buf_add(out, p, strnlen(p, c->size - 1));
	} else if (c->type == COLUMN_I64) {
		memcpy(&whole, p, sizeof(whole));
		buf_printf(out, "%s=%" PRId64, c->name, whole);
	} else {
		memcpy(&half, p, sizeof(half));
		buf_printf(out, "%s=%" PRId32, c->name, half);
	}
}

/* Is name, n bytes long, the column's? */
static bool is_named(const struct column *c, const char *name, size_t n)
{
	return strlen(c->name) == n && memcmp(c->name, name, n) == 0;
}

void record_key(const struct record *r, char *out, size_t size)
{
	const struct kind *k = kind_of(r->kind);
	const char *name = k ? k->key : "";
	struct buf b;

	buf_init(&b, RECORD_KEY_SIZE);
	while (*name) {
		size_t n = strcspn(name, ", ");
		const struct column *c = k->columns;

		while (c->name && !is_named(c, name, n))
			c++;
		if (c->name && c->offset != k->slot && c->offset != k->user_id)
			key_put(&b, r, c);
		name += n + strspn(name + n, ", ");
	}
	if (k && b.len == 0)
		buf_printf(&b, "user_id=%" PRId64, record_user_id(r));
	(void)str_copy(out, size, b.len > 0 ? b.s : "");
	buf_release(&b);
}

/* -- digests -- */

static void digest_add(struct digest *sum, const struct digest *d)
{
	uint64_t lo = sum->lo + d->lo;

	sum->hi += d->hi + (lo < d->lo);
	sum->lo = lo;
	sum->records += d->records;
	sum->bytes += d->bytes;
}

static void digest_sub(struct digest *sum, const struct digest *d)
{
	sum->hi -= d->hi + (sum->lo < d->lo);
	sum->lo -= d->lo;
	sum->records -= d->records;
	sum->bytes -= d->bytes;
}

void digests_add(struct digests *sum, const struct digests *d)
{
	for (int i = 0; i < COLLECTION_COUNT; i++)
		digest_add(&sum->of[i], &d->of[i]);
}

void digests_sub(struct digests *sum, const struct digests *d)
{
	for (int i = 0; i < COLLECTION_COUNT; i++)
		digest_sub(&sum->of[i], &d->of[i]);
}

bool digests_equal(const struct digests *a, const struct digests *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void digests_add_bytes(struct digests *sum, enum collection kind,
    const void *bytes, size_t len)
{
	XXH128_hash_t h = XXH3_128bits(bytes, len);
	const struct digest one = { h.low64, h.high64, 1, len };

	digest_add(&sum->of[kind], &one);
}

/* -- to bytes -- */

static unsigned char *put_text(unsigned char *out, const char *s, size_t size)
{
	size_t len = strnlen(s, size - 1);
	uint16_t head = htole16((uint16_t)len);

	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), s, len);
	return out + sizeof(head) + len;
}

static unsigned char *put_columns(unsigned char *out,
    const struct column *cols, const void *rec)
{
	for (; cols->name; cols++) {
		const char *p = (const char *)rec + cols->offset;
		uint32_t half;
		uint64_t whole;

		switch (cols->type) {
		case COLUMN_I32:
			memcpy(&half, p, sizeof(half));
			half = htole32(half);
			memcpy(out, &half, sizeof(half));
			out += sizeof(half);
			break;
		case COLUMN_I64:
			memcpy(&whole, p, sizeof(whole));
			whole = htole64(whole);
			memcpy(out, &whole, sizeof(whole));
			out += sizeof(whole);
			break;
		case COLUMN_TEXT:
			out = put_text(out, p, cols->size);
			break;
		}
	}
	return out;
}

/* Returns the length, 0 when r is no record. */
static size_t encode(const struct record *r,
    unsigned char bytes[RECORD_BYTES_MAX])
{
	unsigned char *out = bytes;

	if (r->kind >= COLLECTION_COUNT)
		return 0;
	if (r->kind == COLLECTION_MEALS && (r->meal.nitems < 0 ||
	    r->meal.nitems > MEAL_ITEMS_MAX))
		return 0;
	*out++ = (unsigned char)r->kind;
	out = put_columns(out, kind_of(r->kind)->columns, &r->user);
	if (r->kind == COLLECTION_MEALS) {
		*out++ = (unsigned char)r->meal.nitems;
		for (int i = 0; i < r->meal.nitems; i++)
			out = put_columns(out, food_item_columns,
			    &r->meal.items[i]);
	}
	return (size_t)(out - bytes);
}

static enum rc refuse(struct err *e)
{
	return err_set(e, RC_INVALID, "a meal has at most %d foods, and a record "
	    "belongs to one of %d collections", MEAL_ITEMS_MAX,
	    COLLECTION_COUNT);
}

enum rc digests_add_record(struct digests *sum, const struct record *r,
    struct err *e)
{
	unsigned char bytes[RECORD_BYTES_MAX];
	size_t len = encode(r, bytes);

	if (len == 0)
		return refuse(e);
	digests_add_bytes(sum, r->kind, bytes, len);
	return RC_OK;
}

void record_pack_init(struct record_pack *p)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->bytes, RECORD_PACK_MAX);
}

void record_pack_release(struct record_pack *p)
{
	buf_release(&p->bytes);
	memset(p, 0, sizeof(*p));
}

void record_pack_clear(struct record_pack *p)
{
	buf_clear(&p->bytes);
	p->n = 0;
	memset(&p->digests, 0, sizeof(p->digests));
}

enum rc record_pack_add(struct record_pack *p, const struct record *r,
    struct err *e)
{
	unsigned char bytes[LENGTH_SIZE + RECORD_BYTES_MAX];
	size_t len = encode(r, bytes + LENGTH_SIZE);
	uint32_t head = htole32((uint32_t)len);

	if (len == 0)
		return refuse(e);
	if (p->bytes.max - p->bytes.len < LENGTH_SIZE + len)
		return err_set(e, RC_TOOBIG, "more than %d MiB of records in one "
		    "pack: take fewer at once", RECORD_PACK_MAX >> 20);
	memcpy(bytes, &head, sizeof(head));
	buf_add(&p->bytes, bytes, LENGTH_SIZE + len);
	digests_add_bytes(&p->digests, r->kind, bytes + LENGTH_SIZE, len);
	p->n++;
	return RC_OK;
}

/* -- from bytes -- */

struct reader {
	const unsigned char *p, *end;
	bool bad;
};

static const unsigned char *take(struct reader *in, size_t n)
{
	const unsigned char *p = in->p;

	if (in->bad || (size_t)(in->end - p) < n) {
		in->bad = true;
		return NULL;
	}
	in->p += n;
	return p;
}

static void take_text(struct reader *in, size_t size, char *out)
{
	const unsigned char *p = take(in, sizeof(uint16_t));
	uint16_t len;

	if (!p)
		return;
	memcpy(&len, p, sizeof(len));
	len = le16toh(len);
	p = take(in, len);
	if (!p || len >= size || memchr(p, 0, len)) {
		in->bad = true;
	} else if (out) {
		memcpy(out, p, len);
		out[len] = '\0';
	}
}

/* rec NULL: only looks whether the bytes are ours. */
static void take_columns(struct reader *in, const struct column *cols,
    void *rec)
{
	for (; cols->name && !in->bad; cols++) {
		char *out = rec ? (char *)rec + cols->offset : NULL;
		const unsigned char *p;
		uint32_t half;
		uint64_t whole;

		if (cols->type == COLUMN_TEXT) {
			take_text(in, cols->size, out);
			continue;
		}
		p = take(in, cols->size);
		if (!p || !out)
			continue;
		if (cols->type == COLUMN_I32) {
			memcpy(&half, p, sizeof(half));
			half = le32toh(half);
			memcpy(out, &half, sizeof(half));
		} else {
			memcpy(&whole, p, sizeof(whole));
			whole = le64toh(whole);
			memcpy(out, &whole, sizeof(whole));
		}
	}
}

/* out NULL: only looks. */
static bool decode(const unsigned char *bytes, size_t len, struct record *out)
{
	struct reader in = { bytes, bytes + len, false };
	const unsigned char *kind = take(&in, 1), *n;

	if (!kind || *kind >= COLLECTION_COUNT)
		return false;
	if (out)
		out->kind = *kind;
	take_columns(&in, kind_of(*kind)->columns, out ? &out->user : NULL);
	if (*kind == COLLECTION_MEALS) {
		n = take(&in, 1);
		if (!n || *n > MEAL_ITEMS_MAX)
			return false;
		if (out)
			out->meal.nitems = *n;
		for (int i = 0; i < *n; i++)
			take_columns(&in, food_item_columns,
			    out ? &out->meal.items[i] : NULL);
	}
	return !in.bad && in.p == in.end;
}

enum rc record_pack_next(const struct record_pack *p, size_t *pos,
    struct record *out, struct err *e)
{
	const unsigned char *bytes = (const unsigned char *)p->bytes.s + *pos;
	size_t left;
	uint32_t len;

	if (*pos == p->bytes.len)
		return err_set(e, RC_NOTFOUND, "that was the last record");
	left = *pos < p->bytes.len ? p->bytes.len - *pos : 0;
	if (left < LENGTH_SIZE)
		goto out;
	memcpy(&len, bytes, sizeof(len));
	len = le32toh(len);
	if (len > left - LENGTH_SIZE ||
	    !decode(bytes + LENGTH_SIZE, len, NULL))
		goto out;
	(void)decode(bytes + LENGTH_SIZE, len, out);
	*pos += LENGTH_SIZE + len;
	return RC_OK;
out:
	return err_set(e, RC_CORRUPT, "the bytes at %zu are no record: the file "
	    "is damaged, or of another version", *pos);
}
