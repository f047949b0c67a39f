/*
 * pulse.h - how each shard does, in memory that all processes of a host share:
 * who is inside it since when, its breaker, its latency of the last minute.
 *
 * A breaker is CLOSED (requests pass), OPEN (they fail at once) or HALF_OPEN
 * (one process tries).  It opens on the first operation that timed out, or on
 * a few failures in a row, for a pause that doubles from 500 ms to 10 s.  For
 * a server, to be slower than PULSE_SLOW_MS is a failure, too.
 *
 * To try a server may take a whole time-out: that is left to the worker, which
 * serves nobody; others try what it left untried for PULSE_WORKER_MS.  What was
 * tried well is on trial: one process at a time may be inside, and the first
 * failure opens again, for the next longer pause, until three requests went
 * well.  So a server that answers a probe, and real requests too slowly, takes
 * one process now and then, not most of them again and again.
 *
 * So that a shard that hangs cannot take all processes before the first
 * time-out tells of it, a server shard never holds all of them: one in four
 * (at least one) stays free for the other shards, and who finds a process
 * inside for too long turns away at once.  Too long is three times what hardly
 * ever is with this shard (its 99th percentile of the last minute), within the
 * limits below; while nothing is known of it, PULSE_STUCK_COLD_MS.  Who finds no
 * place waits for one, 50 ms if the shard is usually quick, else 5 ms.  Alone, or
 * embedded (SQLite), a shard may hold all.
 *
 * All fields are atomics; a process that dies inside is forgotten by its lock.
 * Never fails once open: on a damaged or foreign file it starts a new one.
 */
#ifndef FAMILYBOT_SHARDS_PULSE_H
#define FAMILYBOT_SHARDS_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "utils/err.h"

enum { PULSE_STUCK_MIN_MS = 150, PULSE_STUCK_MAX_MS = 400,
	PULSE_STUCK_COLD_MS = 1000, PULSE_SLOW_MS = 500,
	PULSE_PAUSE_MIN_MS = 500, PULSE_PAUSE_MAX_MS = 10000,
	PULSE_WORKER_MS = 2000,
	PULSE_PROCESSES_MAX = 128 };

struct pulse;

/* worker: not counted among the processes that serve requests.  path NULL:
 * memory of this process alone.  RC_FULL: no place for another process. */
MUST_CHECK enum rc pulse_open(const char *path, bool worker,
    struct pulse **out, struct err *e);
void pulse_free(struct pulse *p);	/* takes NULL */

/* server: the shard is reached by a network; nshards: of the map.  RC_OK: the
 * caller is inside (when half open: as the one that tries), until pulse_leave.
 * RC_UNAVAILABLE with words otherwise.  May be nested. */
MUST_CHECK enum rc pulse_enter(struct pulse *p, int shard, bool server,
    int nshards, struct err *e);
/* rc: what came of it; only RC_UNAVAILABLE counts against the shard. */
void pulse_leave(struct pulse *p, int shard, enum rc rc);

/* Is this process inside?  Then the breaker let it. */
bool pulse_inside(const struct pulse *p, int shard);

/* Would the breaker let this process into the shard, if that is a server?  One
 * load. */
bool pulse_ready(const struct pulse *p, int shard);

enum pulse_state { PULSE_CLOSED, PULSE_OPEN, PULSE_HALF_OPEN };

struct pulse_shard {
	enum pulse_state state;
	int64_t since_ms;	/* UTC, of the state; 0 since ever */
	int64_t requests;	/* of the last 60 s */
	int64_t failed;		/* of these */
	int64_t p50_us, p99_us;	/* inside, of the last 60 s; upper bound of a
				 * bucket, 12 % wide; 0 none */
};

void pulse_read(const struct pulse *p, int shard, struct pulse_shard *out);

#endif
