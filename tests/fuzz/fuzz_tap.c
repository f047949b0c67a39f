/*
 * fuzz_tap.c - callback data, which a client may make up, and the lines of
 * memory behind a draft, which another version may have written.
 */
#include "config.h"

#include "fuzz.h"

#include "bot/memory.h"
#include "bot/taps.h"

static void read_tap(const char *text)
{
	static const struct tap meal = { .verb = "m" };
	static const struct tap erase = { .verb = "x", .holds_hours = 1 };
	static const struct tap *const rows[] = { &meal, &erase, NULL };
	char data[KB_DATA_MAX + 1];
	struct tap_data d, again;

	if (!tap_read(rows, text, &d))
		return;
	MUST(strlen(d.args) <= KB_DATA_MAX && strchr(d.args, '~') == NULL);
	MUST(d.stamped || d.until == 0);
	if (d.stamped || !str_copy(data, sizeof(data), text) ||
	    !tap_stamp(rows, 77, 1795435200, data, sizeof(data)))
		return;
	MUST(tap_read(rows, data, &again) && again.row == d.row);
	MUST(again.stamped && again.whom == tap_whom(77));
	MUST(strcmp(again.args, d.args) == 0);
	MUST((again.until != 0) == (d.row == &erase));
}

static void read_memory(const char *text)
{
	const struct update up = { .kind = UPDATE_MESSAGE, .chat_id = -5,
		.message_id = 9 };
	const int64_t v[MEMORY_VALUES] = { 1, INT64_MIN, 3 };
	struct turn *t = calloc(1, sizeof(*t));
	struct memory m;
	size_t body;

	MUST(t != NULL);
	t->up = &up;
	str_copy(t->user.draft, sizeof(t->user.draft), text);
	body = draft_body_len(&t->user);
	if (memory_same(t, &m))
		MUST(m.chat == -5 && m.key == 9);
	if (memory_open(&t->user, &m))
		MUST(strlen(m.what) < MEMORY_WHAT_SIZE);
	memory_keep(t, "undo", v);
	MUST(memory_same(t, &m));
	MUST(strcmp(m.what, "undo") == 0 && m.v[1] == INT64_MIN);
	MUST(draft_body_len(&t->user) == (body < DRAFT_BODY_SIZE ? body : 0));
	free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	read_tap(text);
	read_memory(text);
	free(text);
	return 0;
}
