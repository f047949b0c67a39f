/* memory.c - see memory.h. */
#include "config.h"

#include "bot/memory.h"

#include <inttypes.h>
#include <string.h>

#include "utils/validators.h"

enum { LINE_MESSAGE = 'M', LINE_TAP = 'T', LINE_OPEN = 'S' };

static char kind_of(const struct update *u)
{
	return u->kind == UPDATE_CALLBACK ? LINE_TAP : LINE_MESSAGE;
}

/* A tap has no number that Telegram promises: its id is hashed (FNV-1a). */
static int64_t key_of(const struct update *u)
{
	uint64_t h = UINT64_C(14695981039346656037);

	if (u->kind != UPDATE_CALLBACK)
		return u->message_id;
	for (const char *p = u->callback_id; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
	return (int64_t)(h >> 1);
}

static const char *line_find(const struct user *u, char kind)
{
	for (const char *p = u->draft; (p = strchr(p, '\n')) != NULL; )
		if (*++p == kind)
			return p;
	return NULL;
}

static bool line_get(const struct user *u, char kind, struct memory *out)
{
	const char *p = line_find(u, kind);
	char numbers[MEMORY_LINE_MAX];
	int64_t n[2 + MEMORY_VALUES];
	size_t len;

	if (p == NULL || p[1] != ':')
		return false;
	p += 2;
	len = strcspn(p, ":\n");
	if (len == 0 || p[len] != ':' ||
	    !str_copy_n(out->what, sizeof(out->what), p, len))
		return false;
	p += len + 1;
	str_copy_n(numbers, sizeof(numbers), p, strcspn(p, "\n"));
	if (ints_parse(numbers, n, 2 + MEMORY_VALUES) != 2 + MEMORY_VALUES)
		return false;
	out->chat = n[0];
	out->key = n[1];
	memcpy(out->v, n + 2, sizeof(out->v));
	return true;
}

/* The draft anew, with body, and one line changed (kind 0: none). */
static void write_all(struct user *u, const char *body, size_t len, char kind,
    const char *line)
{
	static const char kinds[] = { LINE_MESSAGE, LINE_TAP, LINE_OPEN };
	struct buf b;

	buf_init(&b, USER_DRAFT_SIZE - 1);
	buf_add(&b, body, len);
	for (size_t i = 0; i < sizeof(kinds); i++) {
		const char *p = kinds[i] == kind ? line :
		    line_find(u, kinds[i]);
		/* a line that we did not write must not take our room */
		if (p == NULL || strcspn(p, "\n") >= MEMORY_LINE_MAX)
			continue;
		buf_putc(&b, '\n');
		buf_add(&b, p, strcspn(p, "\n"));
	}
	if (!buf_over(&b))
		str_copy(u->draft, sizeof(u->draft), b.s);
	buf_release(&b);
}

static void line_set(struct user *u, char kind, const struct memory *m)
{
	char line[MEMORY_LINE_MAX], body[USER_DRAFT_SIZE];
	size_t len = draft_body_len(u);

	str_format(line, sizeof(line), "%c:%s:%" PRId64 ":%" PRId64 ":%" PRId64
	    ":%" PRId64 ":%" PRId64, kind, m->what, m->chat, m->key, m->v[0],
	    m->v[1], m->v[2]);
	/* a draft of an older version may be longer than now has room */
	if (len >= DRAFT_BODY_SIZE)
		len = 0;
	str_copy_n(body, sizeof(body), u->draft, len);
	write_all(u, body, len, kind, line);
}

bool memory_same(const struct turn *t, struct memory *out)
{
	return line_get(&t->user, kind_of(t->up), out) &&
	    out->chat == t->up->chat_id && out->key == key_of(t->up);
}

void memory_keep(struct turn *t, const char *what, const int64_t *v)
{
	struct memory m = { .chat = t->up->chat_id, .key = key_of(t->up) };

	str_copy(m.what, sizeof(m.what), what);
	if (v != NULL)
		memcpy(m.v, v, sizeof(m.v));
	line_set(&t->user, kind_of(t->up), &m);
}

bool memory_open(const struct user *u, struct memory *out)
{
	return line_get(u, LINE_OPEN, out);
}

void memory_open_set(struct user *u, const char *what, int64_t a, int64_t b)
{
	struct memory m = { .v = { a, b, 0 } };

	str_copy(m.what, sizeof(m.what), what);
	line_set(u, LINE_OPEN, &m);
}

size_t draft_body_len(const struct user *u)
{
	return strcspn(u->draft, "\n");
}

bool draft_body_set(struct user *u, const char *body)
{
	size_t len = strlen(body);

	if (len >= DRAFT_BODY_SIZE || memchr(body, '\n', len) != NULL)
		return false;
	write_all(u, body, len, 0, NULL);
	return true;
}

void draft_body_clear(struct user *u)
{
	write_all(u, "", 0, 0, NULL);
}
