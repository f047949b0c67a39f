/*
 * shared.h - a small file that processes of a host map together.
 *
 * Whoever opens it while nobody else has it open is the first: what is in the
 * file then is of processes that are gone, perhaps of another boot, and is the
 * first's to set right before shared_ready lets the others in; if it is killed or
 * gives up before, another one is the first.  All this is by
 * open-file-description locks, which the kernel drops with the process.  Bytes
 * below SHARED_BYTE of the file may be locked by its user as it likes.
 */
#ifndef FAMILYBOT_SHARDS_SHARED_H
#define FAMILYBOT_SHARDS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/err.h"

enum { SHARED_BYTE = 1 << 20 };

struct shared {
	int fd;			/* -1: memory of this process alone */
	void *p;		/* begins with the layout, a uint64_t */
	size_t size;
	uint64_t layout;
	bool first;		/* shared_ready is still to be called */
	bool empty;		/* first, and p is all zeros but the layout */
};

/*
 * path NULL: memory of this process alone.  layout: not 0, says what the bytes
 * mean.  RC_CONFLICT: others use it with another layout; with replace they are
 * left to it, and a new file takes its name.
 */
MUST_CHECK enum rc shared_open(const char *path, size_t size, uint64_t layout,
    bool replace, struct shared *out, struct err *e);
void shared_ready(struct shared *s);
void shared_close(struct shared *s);	/* takes zeros with fd -1 */

/* Without waiting: takes byte for this descriptor; is it free? */
bool shared_claim(const struct shared *s, int byte);
bool shared_taken(const struct shared *s, int byte);	/* by another */

#endif
