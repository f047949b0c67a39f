/*
 * metrics_worker.h - the part of metrics.h that the worker fills, apart from
 * HTTP: its counters, and what it found out of the shards.
 */
#ifndef FAMILYBOT_WEB_METRICS_WORKER_H
#define FAMILYBOT_WEB_METRICS_WORKER_H

#include <stdint.h>

struct metrics;

/*
 * What the worker found out of shard number shard (0..255): finding it for
 * every look would cost too much.  get: when it was found (UTC ms), 0 never.
 */
enum metrics_figures {
	FIGURES_UP,		/* 1 or 0 */
	FIGURES_JOBS,		/* ready, leased, dead, oldest_ready_at */
	FIGURES_RECORDS,	/* users, meals, own_foods, bytes */
	FIGURES_COUNT
};
enum { METRICS_FIGURES = 4, METRICS_SHARDS_MAX = 256 };
int64_t metrics_figures_get(const struct metrics *m, int shard,
    enum metrics_figures what, int64_t out[METRICS_FIGURES]);
void metrics_figures_put(struct metrics *m, int shard,
    enum metrics_figures what, int64_t now_ms,
    const int64_t figures[METRICS_FIGURES]);

/* What happens in the worker, counted. */
enum metrics_event {
	EVENT_LEASED,
	EVENT_DONE, EVENT_RETRIED, EVENT_DEAD, EVENT_PUT_BACK, EVENT_LEFT,
	EVENT_LOST,
	EVENT_FLOODED, EVENT_UNREACHABLE,
	EVENT_CALLS, EVENT_CALLS_FAILED,
	EVENT_SPOOL_APPLIED, EVENT_SPOOL_INVALID,
	EVENT_COUNT
};
void metrics_is_worker(struct metrics *m);	/* and no web process */
void metrics_event(struct metrics *m, enum metrics_event event, uint64_t n);
void metrics_send(struct metrics *m, int64_t us);	/* one call's time */
/* held: jobs in memory; pending: updates that wait at Telegram, -1 unknown. */
/* People whose spooled updates wait though their shard is there. */
void metrics_stuck(struct metrics *m, int64_t people);
void metrics_worker_now(struct metrics *m, int64_t held, int64_t pending);

#endif
