/*
 * fuzz_update.c - a webhook's body: update_parse.
 */
#include "config.h"

#include "fuzz.h"

#include "bot/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .rc = RC_OK };
	char *copy = malloc(size > 0 ? size : 1);	/* not terminated */
	struct update u;
	enum rc rc;

	MUST(copy != NULL);
	memcpy(copy, data, size);
	rc = update_parse(copy, size, &u, &e);
	MUST(rc == RC_OK || rc == RC_INVALID);
	if (rc == RC_OK) {
		MUST(u.language_code != NULL && u.first_name != NULL);
		MUST(u.text != NULL && u.callback_id != NULL && u.data != NULL);
		MUST(update_kind_name(u.kind) != NULL);
		MUST(u.kind == UPDATE_OTHER || u.user_id != 0);
		update_release(&u);
	} else {
		MUST(e.text[0] != '\0');
	}
	free(copy);
	return 0;
}
