/* draft.c - see draft.h. */
#include "config.h"

#include "bot/draft.h"

#include <inttypes.h>
#include <string.h>

#include "bot/memory.h"
#include "utils/buf.h"
#include "utils/json.h"

static bool read_int(struct json_object *j, const struct draft_column *c,
    char *out)
{
	int64_t v = 0;

	if (!json_i64(j, c->name, &v) && !c->optional)
		return false;
	if (v < c->min || v > c->max)
		return false;
	memcpy(out + c->offset, &v, sizeof(v));
	return true;
}

/* What is longer than its array is cut between characters. */
static bool read_text(struct json_object *j, const struct draft_column *c,
    char *out)
{
	const char *s = json_str(j, c->name);

	if (s == NULL && !c->optional)
		return false;
	str_copy(out + c->offset, c->size, s != NULL ? s : "");
	return true;
}

bool draft_read(const struct user *u, const struct draft_column *columns,
    void *out)
{
	struct json_object *j;
	bool ok = true;

	if (json_parse(u->draft, draft_body_len(u), &j, NULL) != RC_OK)
		return false;
	for (const struct draft_column *c = columns; ok && c->name; c++)
		ok = c->type == DRAFT_INT ? read_int(j, c, out) :
		    read_text(j, c, out);
	json_free(j);
	return ok;
}

static void put(struct buf *b, const struct draft_column *c, const char *in)
{
	int64_t v;

	buf_printf(b, "\"%s\":", c->name);
	if (c->type == DRAFT_TEXT) {
		json_put_str(b, in + c->offset);
		return;
	}
	memcpy(&v, in + c->offset, sizeof(v));
	buf_printf(b, "%" PRId64, v);
}

bool draft_write(struct user *u, const struct draft_column *columns,
    const void *in)
{
	struct buf b;
	bool fits;

	buf_init(&b, DRAFT_BODY_SIZE - 1);
	for (const struct draft_column *c = columns; c->name; c++) {
		buf_putc(&b, c == columns ? '{' : ',');
		put(&b, c, in);
	}
	buf_putc(&b, '}');
	fits = !buf_over(&b) && draft_body_set(u, b.s);
	buf_release(&b);
	return fits;
}
