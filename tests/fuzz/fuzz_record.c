/*
 * fuzz_record.c - packs of records, as a file or another host hands them over:
 * record_pack_next.  What it accepts must have exactly one form in bytes.
 */
#include "config.h"

#include "fuzz.h"

#include "models/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	struct record_pack p, again;
	size_t pos = 0, from = 0;
	enum rc rc;

	record_pack_init(&p);
	record_pack_init(&again);
	buf_add(&p.bytes, data, size);
	while ((rc = record_pack_next(&p, &pos, &r, NULL)) == RC_OK) {
		record_pack_clear(&again);
		MUST(record_pack_add(&again, &r, NULL) == RC_OK);
		MUST(pos > from && pos <= size);
		MUST(again.bytes.len == pos - from);
		MUST(memcmp(again.bytes.s, data + from, pos - from) == 0);
		from = pos;
	}
	MUST(rc == RC_NOTFOUND ? pos == size : rc == RC_CORRUPT);
	record_pack_release(&p);
	record_pack_release(&again);
	return 0;
}
