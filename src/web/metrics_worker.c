/*
 * metrics_worker.c - what the worker tells all processes: its own counters,
 * and what it found out of the shards.
 */
#include "config.h"

#include "web/metrics.h"

#include "web/metrics_file.h"

static int64_t load(const int64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

int64_t metrics_figures_get(const struct metrics *m, int shard,
    enum metrics_figures what, int64_t out[METRICS_FIGURES])
{
	const struct metrics_shard *s = &m->file->shard[shard];
	int64_t at = __atomic_load_n(&s->of[what].at_ms, __ATOMIC_ACQUIRE);

	for (int i = 0; at != 0 && i < METRICS_FIGURES; i++)
		out[i] = load(&s->of[what].figure[i]);
	return at;
}

void metrics_figures_put(struct metrics *m, int shard,
    enum metrics_figures what, int64_t now_ms,
    const int64_t figures[METRICS_FIGURES])
{
	struct metrics_shard *s = &m->file->shard[shard];

	for (int i = 0; i < METRICS_FIGURES; i++)
		__atomic_store_n(&s->of[what].figure[i], figures[i],
		    __ATOMIC_RELAXED);
	__atomic_store_n(&s->of[what].at_ms, now_ms, __ATOMIC_RELEASE);
}

void metrics_is_worker(struct metrics *m)
{
	metrics_worker_now(m, 0, -1);
	metrics_stuck(m, 0);
	__atomic_store_n(&m->file->process[m->own].worker, 1,
	    __ATOMIC_RELEASE);
}

void metrics_event(struct metrics *m, enum metrics_event event, uint64_t n)
{
	metrics_add(&m->slot->event[event], n);
}

void metrics_send(struct metrics *m, int64_t us)
{
	metrics_hist_add(&m->slot->send, us);
}

void metrics_worker_now(struct metrics *m, int64_t held, int64_t pending)
{
	struct metrics_process *p = &m->file->process[m->own];

	__atomic_store_n(&p->held, held, __ATOMIC_RELAXED);
	__atomic_store_n(&p->pending, pending, __ATOMIC_RELAXED);
}

void metrics_stuck(struct metrics *m, int64_t people)
{
	__atomic_store_n(&m->file->process[m->own].stuck, people,
	    __ATOMIC_RELAXED);
}

static const struct metrics_process *live_worker(const struct metrics *m)
{
	for (int i = 0; i < METRICS_PROCESSES_MAX; i++)
		if (m->file->process[i].start_ms != 0 &&
		    load(&m->file->process[i].worker) != 0 &&
		    metrics_file_live(m, i))
			return &m->file->process[i];
	return NULL;
}

/* A family whose samples are events, each named by the label's value; ""
 * none. */
static void print_events(struct buf *out, enum metric_id id,
    const struct metrics_slot *sum, enum metrics_event first,
    const char *const *values, int n)
{
	struct buf labels;

	buf_init(&labels, 128);
	metrics_family(out, id);
	for (int i = 0; i < n; i++) {
		buf_clear(&labels);
		if (*values[i] != '\0')
			metrics_label(&labels, metric_rows[id].labels,
			    values[i]);
		metrics_sample(out, id, labels.s,
		    (int64_t)sum->event[first + (unsigned int)i]);
	}
	buf_release(&labels);
}

void metrics_print_worker(const struct metrics *m,
    const struct metrics_slot *sum, struct buf *out)
{
	static const char *const one[] = { "" };
	static const char *const outcomes[] = { "done", "retry", "dead",
		"put_back", "left", "lost" };
	static const char *const applied[] = { "ok", "invalid" };
	static const char *const refusals[] = { "flood", "unreachable" };
	const struct metrics_process *w = live_worker(m);

	metrics_family(out, METRIC_WORKER_UP);
	metrics_sample(out, METRIC_WORKER_UP, "", w != NULL);
	print_events(out, METRIC_WORKER_LEASED, sum, EVENT_LEASED, one, 1);
	print_events(out, METRIC_WORKER_JOBS, sum, EVENT_DONE, outcomes, 6);
	print_events(out, METRIC_WORKER_REFUSALS, sum, EVENT_FLOODED,
	    refusals, 2);
	print_events(out, METRIC_WORKER_CALLS, sum, EVENT_CALLS, one, 1);
	print_events(out, METRIC_WORKER_CALLS_FAILED, sum, EVENT_CALLS_FAILED,
	    one, 1);
	print_events(out, METRIC_SPOOL_APPLIED, sum, EVENT_SPOOL_APPLIED,
	    applied, 2);
	metrics_family(out, METRIC_SPOOL_STUCK);
	if (w != NULL)
		metrics_sample(out, METRIC_SPOOL_STUCK, "", load(&w->stuck));
	metrics_family(out, METRIC_WORKER_SEND);
	metrics_print_hist(out, METRIC_WORKER_SEND, "", &sum->send);
	metrics_family(out, METRIC_WORKER_HELD);
	if (w != NULL)
		metrics_sample(out, METRIC_WORKER_HELD, "", load(&w->held));
	metrics_family(out, METRIC_WEBHOOK_PENDING);
	if (w != NULL && load(&w->pending) >= 0)
		metrics_sample(out, METRIC_WEBHOOK_PENDING, "",
		    load(&w->pending));
}
