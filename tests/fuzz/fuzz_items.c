/*
 * fuzz_items.c - the column `items` of a stored meal: meal_items_decode.  What
 * it accepts must come out the same after being written and read again, and when
 * a space makes the parser of all JSON read it.
 */
#include "config.h"

#include "fuzz.h"

#include "models/food.h"

static void spaced_is_the_same(const struct meal *m, const uint8_t *data,
    size_t size)
{
	static struct meal again;
	char *text = malloc(size + 1);

	MUST(text != NULL);
	text[0] = '[';
	text[1] = ' ';
	memcpy(text + 2, data + 1, size - 1);
	memset(&again, 0, sizeof(again));
	MUST(meal_items_decode(&again, text, size + 1) == RC_OK);
	MUST(memcmp(&again, m, sizeof(again)) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct meal m, again;
	struct buf b, c;
	enum rc rc;

	memset(&m, 0, sizeof(m));
	memset(&again, 0, sizeof(again));
	rc = meal_items_decode(&m, (const char *)data, size);
	MUST(rc == RC_OK || rc == RC_CORRUPT);
	if (rc != RC_OK)
		return 0;
	spaced_is_the_same(&m, data, size);
	MUST(m.nitems >= 0 && m.nitems <= MEAL_ITEMS_MAX);
	buf_init(&b, 1 << 20);
	buf_init(&c, 1 << 20);
	meal_items_encode(&m, &b);
	MUST(meal_items_decode(&again, b.s, b.len) == RC_OK);
	meal_items_encode(&again, &c);
	MUST(b.len == c.len && memcmp(b.s, c.s, b.len) == 0);
	buf_release(&b);
	buf_release(&c);
	return 0;
}
