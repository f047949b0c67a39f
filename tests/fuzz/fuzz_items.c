/*
 * fuzz_items.c - the column `items` of a stored meal: meal_items_decode.  What
 * it accepts must come out the same after being written and read again.
 */
#include "config.h"

#include "fuzz.h"

#include "models/food.h"

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
