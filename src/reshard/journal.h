/*
 * journal.h - the journal as text.
 */
#ifndef FAMILYBOT_RESHARD_JOURNAL_H
#define FAMILYBOT_RESHARD_JOURNAL_H

#include "reshard/reshard.h"
#include "utils/buf.h"
#include "utils/err.h"

enum { JOURNAL_BYTES_MAX = 1 << 20,
	JOURNAL_TRIES = 20 /* of a change, when others are first */ };

/* Text and back.  RC_CORRUPT: not what journal_encode wrote. */
void journal_encode(const struct reshard *r, struct buf *out);
MUST_CHECK enum rc journal_decode(const char *text, size_t len,
    struct reshard *out, struct err *e);

/* The rev of such a text, without reading all of it; -1: it has none. */
int64_t journal_rev(const char *text, size_t len);

/* See struct journal_ops. */
MUST_CHECK enum rc reshard_save(const struct journal *j, struct reshard *r,
    struct err *e);
/* RC_BUSY, in words: somebody else was first. */
enum rc journal_lost(struct err *e);

const char *reshard_state_name(enum reshard_state s);

#endif
