/*
 * metrics.h - counters and histograms of all processes in one shared file.
 *
 * Every process owns one slot of the file, held by a lock that the kernel
 * drops when it dies; the next process goes on from the totals that it finds
 * there, so nothing summed ever goes backwards.  Counting is a few plain
 * stores without a system call or an allocation.
 *
 * What is stored names no user: active users are a table of hash cells with
 * the quarter of an hour in which each was last hit (linear counting,
 * Whang, Vander-Zanden, Taylor: ACM TODS 15 (1990) 208-229).
 */
#ifndef FAMILYBOT_WEB_METRICS_H
#define FAMILYBOT_WEB_METRICS_H

#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"
#include "utils/timing.h"
#include "web/method.h"
#include "web/metrics_worker.h"

enum { METRICS_ROUTES_MAX = 64, METRICS_PROCESSES_MAX = 128 };

enum metric_id {
	METRIC_REQUESTS, METRIC_DURATION, METRIC_STAGE, METRIC_UPDATES,
	METRIC_FAILURES, METRIC_ACTIVE_USERS, METRIC_PROCESSES, METRIC_RSS,
	METRIC_START, METRIC_SHARD_UP, METRIC_SHARD_USERS, METRIC_SHARD_MEALS,
	METRIC_SHARD_FOODS, METRIC_SHARD_JOBS, METRIC_SHARD_OLDEST,
	METRIC_SHARD_BYTES, METRIC_SHARD_COUNTED, METRIC_SHARD_PAUSED,
	METRIC_SHARD_BREAKER, METRIC_SPOOL_UPDATES, METRIC_SPOOL_BYTES,
	METRIC_SPOOL_OLDEST, METRIC_SPOOL_APPLIED, METRIC_SPOOL_STUCK,
	METRIC_WORKER_UP,
	METRIC_WORKER_LEASED, METRIC_WORKER_JOBS, METRIC_WORKER_REFUSALS,
	METRIC_WORKER_CALLS, METRIC_WORKER_CALLS_FAILED, METRIC_WORKER_SEND,
	METRIC_WORKER_HELD, METRIC_WEBHOOK_PENDING, METRIC_BUILD,
	METRIC_COUNT
};

struct metric_row {
	const char *name;
	const char *type;	/* counter, gauge, histogram, untyped */
	const char *labels;	/* names, comma separated; "" none */
	const char *help;
};

extern const struct metric_row metric_rows[METRIC_COUNT];

/*
 * Maps path (NULL: memory of this process alone) and takes a free slot.
 * routes: names in the order of the route table, at most METRICS_ROUTES_MAX-1;
 * index nroutes counts what matched none; the names stay the caller's, the
 * list need not.  A file of another layout is
 * replaced.  RC_FULL when all slots are taken, RC_SYSTEM with the reason.
 */
MUST_CHECK enum rc metrics_open(const char *path, const char *const *routes,
    int nroutes, int64_t now_ms, struct metrics **out, struct err *e);
void metrics_free(struct metrics *m);	/* totals stay in the file */

void metrics_request(struct metrics *m, int route, enum http_method method,
    int status, int64_t us);
void metrics_stages(struct metrics *m, const struct timing *t);
/* kind and handler: static strings; rc: how it ended. */
void metrics_update(struct metrics *m, const char *kind, const char *handler,
    enum rc rc);
void metrics_user(struct metrics *m, int64_t user_id, int64_t now_ms);

/* Distinct users of the last 24 hours, an estimate within some per cent. */
int64_t metrics_active_users(struct metrics *m, int64_t now_ms);

/* Prometheus text format 0.0.4: everything that this file knows. */
void metrics_print(struct metrics *m, int64_t now_ms, struct buf *out);

/* HELP and TYPE of a family, then its samples; labels as `a="b",c="d"` with
 * values escaped by metrics_label, "" none. */
void metrics_family(struct buf *out, enum metric_id id);
void metrics_sample(struct buf *out, enum metric_id id, const char *labels,
    int64_t value);
void metrics_label(struct buf *labels, const char *name, const char *value);

#endif
