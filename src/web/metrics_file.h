/*
 * metrics_file.h - layout of the shared file, for metrics*.c alone.
 */
#ifndef FAMILYBOT_WEB_METRICS_FILE_H
#define FAMILYBOT_WEB_METRICS_FILE_H

#include <stdint.h>

#include "web/metrics.h"

enum {
	METRICS_STATUSES = 13, METRICS_BUCKETS = 16, METRICS_UPDATES_MAX = 128,
	METRICS_CELLS = 32768, METRICS_RCS = RC_SYSTEM + 1,
	METRICS_QUARTER_MS = 900000, METRICS_DAY_QUARTERS = 96
};

extern const int metrics_statuses[METRICS_STATUSES];	/* last 0: other */
extern const int64_t metrics_bounds_us[METRICS_BUCKETS - 1];

struct metrics_hist {
	uint64_t bucket[METRICS_BUCKETS];	/* not cumulative; last +Inf */
	uint64_t sum_us;
};

struct metrics_updates {
	char kind[24];
	char handler[32];
	uint64_t count;
};

/* Only its owner writes to it; others read single fields. */
struct metrics_slot {
	uint64_t requests[METRICS_ROUTES_MAX][HTTP_METHOD_COUNT]
	    [METRICS_STATUSES];
	struct metrics_hist route[METRICS_ROUTES_MAX];
	struct metrics_hist stage[STAGE_COUNT];
	uint64_t failures[METRICS_RCS];
	uint64_t event[EVENT_COUNT];
	struct metrics_hist send;
	uint64_t nupdates;	/* entries of updates in use */
	struct metrics_updates updates[METRICS_UPDATES_MAX];
};

struct metrics_process {
	int64_t start_ms;	/* 0: this slot was never used */
	int64_t pid;
	int64_t worker;		/* 1: the worker, which tells these too */
	int64_t held, pending, stuck;
};

struct metrics_shard {
	struct {
		int64_t at_ms;	/* when it was counted, 0 never */
		int64_t figure[METRICS_FIGURES];
	} of[FIGURES_COUNT];
};

struct metrics_file {
	uint64_t layout;	/* hash of sizes and names; 0: not ready */
	struct metrics_process process[METRICS_PROCESSES_MAX];
	struct metrics_shard shard[METRICS_SHARDS_MAX];
	uint16_t cell[METRICS_CELLS] __attribute__((aligned(4096)));
	struct metrics_slot slot[METRICS_PROCESSES_MAX]
	    __attribute__((aligned(4096)));
};

struct metrics {
	int fd;			/* -1: memory of this process alone */
	int own;		/* index of the slot held */
	struct metrics_file *file;
	struct metrics_slot *slot;
	const char *routes[METRICS_ROUTES_MAX];
	int nroutes;
	/* Which strings the entries of slot->updates came from: the same row
	 * gives the same pointers, so finding one compares no text. */
	const char *kind[METRICS_UPDATES_MAX];
	const char *handler[METRICS_UPDATES_MAX];
};

/* Adds up a counter of the slot that this process owns. */
static inline void metrics_add(uint64_t *counter, uint64_t n)
{
	uint64_t was = __atomic_load_n(counter, __ATOMIC_RELAXED);

	__atomic_store_n(counter, was + n, __ATOMIC_RELAXED);
}

void metrics_hist_add(struct metrics_hist *h, int64_t us);

static inline uint64_t metrics_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* metrics_text.c: the histogram h with a label and its value, "" none. */
void metrics_print_hist(struct buf *out, enum metric_id id, const char *value,
    const struct metrics_hist *h);
/* metrics_worker.c: what workers counted, summed in sum, and one's state. */
void metrics_print_worker(const struct metrics *m,
    const struct metrics_slot *sum, struct buf *out);

/* Maps and claims: metrics_file.c. */
MUST_CHECK enum rc metrics_file_open(struct metrics *m, const char *path,
    uint64_t layout, struct err *e);
void metrics_file_close(struct metrics *m);
/* Is the process of slot i alive? */
int metrics_file_live(const struct metrics *m, int i);

#endif
