/*
 * draft.h - what a dialogue knows so far, as rows of a table.
 *
 * A dialogue describes its struct by columns; reading and writing follow from
 * them, so that no dialogue parses by hand.  Stored as one JSON object.
 */
#ifndef FAMILYBOT_BOT_DRAFT_H
#define FAMILYBOT_BOT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/user.h"

enum draft_type { DRAFT_INT /* int64_t */, DRAFT_TEXT /* char[size] */ };

struct draft_column {
	const char *name;	/* NULL ends the table */
	enum draft_type type;
	size_t offset;
	size_t size;		/* of a text's array */
	int64_t min, max;	/* of an int */
	bool optional;		/* later than the others: 0 or "" if not there */
};

#define DRAFT_INT_COLUMN(s, field, min, max) \
	{ #field, DRAFT_INT, offsetof(s, field), 0, min, max, false }
#define DRAFT_TEXT_COLUMN(s, field) \
	{ #field, DRAFT_TEXT, offsetof(s, field), sizeof(((s *)0)->field), 0, \
	    0, false }

/* False: the record holds no such draft (another dialogue's, a number out of
 * its range); *out is then not to be used. */
bool draft_read(const struct user *u, const struct draft_column *columns,
    void *out);
/* False: no room; the record is as it was.  The caller saves the user. */
bool draft_write(struct user *u, const struct draft_column *columns,
    const void *in);

#endif
