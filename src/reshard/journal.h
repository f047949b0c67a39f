/*
 * journal.h - what is remembered of a change of shards: one file, replaced in
 * one piece.  The terminal that asks and the mover that works both write it,
 * each under the journal's lock and from what it says then.
 */
#ifndef FAMILYBOT_RESHARD_JOURNAL_H
#define FAMILYBOT_RESHARD_JOURNAL_H

#include "reshard/reshard.h"
#include "utils/buf.h"
#include "utils/err.h"

enum { JOURNAL_PATH_SIZE = 1024, JOURNAL_BYTES_MAX = 1 << 20 };

/* Text and back.  RC_CORRUPT: not what journal_encode wrote. */
void journal_encode(const struct reshard *r, struct buf *out);
MUST_CHECK enum rc journal_decode(const char *text, size_t len,
    struct reshard *out, struct err *e);

/* Held from load to save.  Waits for the other, who is quick. */
MUST_CHECK enum rc journal_lock(const char *dir, int *fd, struct err *e);
void journal_unlock(int fd);

MUST_CHECK enum rc journal_save(const char *dir, const struct reshard *r,
    struct err *e);
MUST_CHECK enum rc journal_remove(const char *dir, struct err *e);

/* Changes whenever the file was replaced; 0: there is none. */
uint64_t journal_stamp(const char *dir);

const char *reshard_state_name(enum reshard_state s);

#endif
