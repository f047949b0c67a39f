/* metrics_text.c - metrics as Prometheus reads them, summed over all slots. */
#include "config.h"

#include "web/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/xalloc.h"
#include "web/metrics_file.h"

/* active_users_total is named by the roadmap; as promtool allows _total on
 * counters only, its type is left open. */
const struct metric_row metric_rows[METRIC_COUNT] = {
	[METRIC_REQUESTS] = { "http_requests_total", "counter",
	    "route,method,status", "HTTP requests answered." },
	[METRIC_DURATION] = { "http_request_duration_seconds", "histogram",
	    "route", "Time from the request's head to its answer." },
	[METRIC_STAGE] = { "familybot_stage_duration_seconds", "histogram",
	    "stage", "Time of an update by stage of its way." },
	[METRIC_UPDATES] = { "familybot_updates_total", "counter",
	    "kind,handler", "Telegram updates by kind and what served them." },
	[METRIC_FAILURES] = { "familybot_update_results_total", "counter",
	    "result", "Telegram updates by how they ended." },
	[METRIC_ACTIVE_USERS] = { "active_users_total", "untyped", "",
	    "Distinct users of the last 24 hours, estimated; may fall." },
	[METRIC_PROCESSES] = { "familybot_processes", "gauge", "",
	    "Web processes alive." },
	[METRIC_RSS] = { "process_resident_memory_bytes", "gauge", "process",
	    "Resident memory by process." },
	[METRIC_START] = { "process_start_time_seconds", "gauge", "process",
	    "Start of the process, seconds since the epoch." },
	[METRIC_SHARD_UP] = { "familybot_shard_up", "gauge", "shard",
	    "1 when the shard answers." },
	[METRIC_SHARD_USERS] = { "familybot_shard_users", "gauge", "shard",
	    "Users stored on the shard." },
	[METRIC_SHARD_MEALS] = { "familybot_shard_meals", "gauge", "shard",
	    "Meals stored on the shard." },
	[METRIC_SHARD_FOODS] = { "familybot_shard_own_foods", "gauge", "shard",
	    "Foods that users taught, stored on the shard." },
	[METRIC_SHARD_JOBS] = { "familybot_jobs", "gauge", "shard,state",
	    "Jobs and outbox messages by state." },
	[METRIC_SHARD_OLDEST] = { "familybot_jobs_oldest_ready_seconds",
	    "gauge", "shard", "How long the oldest ready job is overdue." },
	[METRIC_SHARD_BYTES] = { "familybot_shard_size_bytes", "gauge",
	    "shard", "Size of the shard on disk." },
	[METRIC_SHARD_COUNTED] = {
	    "familybot_shard_counted_timestamp_seconds", "gauge",
	    "shard,what", "When the worker found out these figures." },
	[METRIC_SHARD_PAUSED] = { "familybot_shard_paused", "gauge", "shard",
	    "1 when its people are sent to the spool by familybotctl." },
	[METRIC_SHARD_BREAKER] = { "familybot_shard_breaker", "gauge",
	    "shard", "0 requests pass, 1 they are refused, 2 one tries." },
	[METRIC_SPOOL_UPDATES] = { "familybot_spool_updates", "gauge", "",
	    "Updates that wait for their shard on this host." },
	[METRIC_SPOOL_BYTES] = { "familybot_spool_size_bytes", "gauge", "",
	    "Their size." },
	[METRIC_SPOOL_OLDEST] = { "familybot_spool_oldest_seconds", "gauge",
	    "", "How long the oldest of them waits." },
	[METRIC_SPOOL_APPLIED] = { "familybot_spool_applied_total", "counter",
	    "result", "Updates that had waited, by how they ended." },
	[METRIC_SPOOL_STUCK] = { "familybot_spool_stuck_people", "gauge", "",
	    "People whose updates wait though their shard is there." },
	[METRIC_WORKER_UP] = { "familybot_worker_up", "gauge", "",
	    "1 when a worker runs." },
	[METRIC_WORKER_LEASED] = { "familybot_worker_leased_total", "counter",
	    "", "Jobs that the worker took." },
	[METRIC_WORKER_JOBS] = { "familybot_worker_jobs_total", "counter",
	    "outcome", "Jobs by what came of one try." },
	[METRIC_WORKER_REFUSALS] = { "familybot_telegram_refusals_total",
	    "counter", "reason", "429 and 403 that Telegram answered." },
	[METRIC_WORKER_CALLS] = { "familybot_worker_calls_total", "counter",
	    "", "Calls for others that are not stored, as answers to taps." },
	[METRIC_WORKER_CALLS_FAILED] = { "familybot_worker_calls_failed_total",
	    "counter", "", "Those of them that failed or were dropped." },
	[METRIC_WORKER_SEND] = { "familybot_worker_send_duration_seconds",
	    "histogram", "", "Time of a job's call to Telegram." },
	[METRIC_WORKER_HELD] = { "familybot_worker_jobs_held", "gauge", "",
	    "Jobs in the worker's memory." },
	[METRIC_WEBHOOK_PENDING] = { "familybot_webhook_pending_updates",
	    "gauge", "", "Updates that wait at Telegram for the webhook." },
	[METRIC_BUILD] = { "familybot_build_info", "gauge", "version",
	    "Always 1; the version is in the label." },
};

void metrics_family(struct buf *out, enum metric_id id)
{
	const struct metric_row *row = &metric_rows[id];

	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
	    row->name, row->type);
}

void metrics_sample(struct buf *out, enum metric_id id, const char *labels,
    int64_t value)
{
	const char *name = metric_rows[id].name;

	if (*labels == '\0')
		buf_printf(out, "%s %" PRId64 "\n", name, value);
	else
		buf_printf(out, "%s{%s} %" PRId64 "\n", name, labels, value);
}

void metrics_label(struct buf *labels, const char *name, const char *value)
{
	if (labels->len > 0)
		buf_putc(labels, ',');
	buf_printf(labels, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buf_puts(labels, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_putc(labels, '\\');
		buf_putc(labels, *value);
	}
	buf_putc(labels, '"');
}

/* Adds the slots that were ever used into sum, whose updates are merged. */
static void slot_merge_updates(struct metrics_slot *sum,
    const struct metrics_slot *s)
{
	uint64_t n = __atomic_load_n(&s->nupdates, __ATOMIC_ACQUIRE);

	for (uint64_t i = 0; i < n && i < METRICS_UPDATES_MAX; i++) {
		const struct metrics_updates *u = &s->updates[i];
		uint64_t k = 0;
		while (k < sum->nupdates &&
		    (strcmp(sum->updates[k].kind, u->kind) != 0 ||
		    strcmp(sum->updates[k].handler, u->handler) != 0))
			k++;
		if (k == METRICS_UPDATES_MAX)
			k--;
		else if (k == sum->nupdates) {
			sum->updates[k] = *u;
			sum->updates[k].count = 0;
			sum->nupdates++;
		}
		sum->updates[k].count += metrics_get(&u->count);
	}
}

static void slot_add(struct metrics_slot *sum, const struct metrics_slot *s)
{
	/* All before nupdates is an array of uint64_t. */
	size_t n = offsetof(struct metrics_slot, nupdates) / sizeof(uint64_t);
	const uint64_t *from = (const uint64_t *)(const void *)s;
	uint64_t *to = (uint64_t *)(void *)sum;

	for (size_t i = 0; i < n; i++)
		to[i] += metrics_get(&from[i]);
	slot_merge_updates(sum, s);
}

static const char *route_name(const struct metrics *m, int i)
{
	return i < m->nroutes ? m->routes[i] : "other";
}

static void print_requests(const struct metrics *m,
    const struct metrics_slot *sum, struct buf *out)
{
	const int n = (m->nroutes + 1) * HTTP_METHOD_COUNT * METRICS_STATUSES;

	metrics_family(out, METRIC_REQUESTS);
	for (int i = 0; i < n; i++) {
		int status = i % METRICS_STATUSES;
		int method = i / METRICS_STATUSES % HTTP_METHOD_COUNT;
		int route = i / METRICS_STATUSES / HTTP_METHOD_COUNT;
		uint64_t v = sum->requests[route][method][status];
		char text[16] = "other";
		if (v == 0)
			continue;
		if (metrics_statuses[status] != 0)
			str_format(text, sizeof(text), "%d",
			    metrics_statuses[status]);
		buf_printf(out, "%s{route=\"%s\",method=\"%s\",status=\"%s\"} %"
		    PRIu64 "\n", metric_rows[METRIC_REQUESTS].name,
		    route_name(m, route),
		    http_method_name((enum http_method)method), text, v);
	}
}

void metrics_print_hist(struct buf *out, enum metric_id id, const char *value,
    const struct metrics_hist *h)
{
	const struct metric_row *row = &metric_rows[id];
	struct buf label;
	uint64_t n = 0;

	buf_init(&label, 128);
	if (*value != '\0')
		metrics_label(&label, row->labels, value);
	for (int i = 0; i < METRICS_BUCKETS; i++) {
		char le[32] = "+Inf";
		n += h->bucket[i];
		if (i < METRICS_BUCKETS - 1)
			str_format(le, sizeof(le), "%g",
			    (double)metrics_bounds_us[i] / 1e6);
		buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
		    row->name, label.s, label.len > 0 ? "," : "", le, n);
	}
	if (label.len > 0)
		buf_printf(out, "%s_sum{%s} %" PRIu64 ".%06" PRIu64 "\n"
		    "%s_count{%s} %" PRIu64 "\n", row->name, label.s,
		    h->sum_us / 1000000, h->sum_us % 1000000, row->name,
		    label.s, n);
	else
		buf_printf(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n"
		    "%s_count %" PRIu64 "\n", row->name, h->sum_us / 1000000,
		    h->sum_us % 1000000, row->name, n);
	buf_release(&label);
}

static void print_durations(const struct metrics *m,
    const struct metrics_slot *sum, struct buf *out)
{
	metrics_family(out, METRIC_DURATION);
	for (int i = 0; i <= m->nroutes; i++)
		metrics_print_hist(out, METRIC_DURATION, route_name(m, i),
		    &sum->route[i]);
	metrics_family(out, METRIC_STAGE);
	for (int s = 0; s < STAGE_COUNT; s++)
		metrics_print_hist(out, METRIC_STAGE, stage_name((enum stage)s),
		    &sum->stage[s]);
}

static void print_updates(const struct metrics_slot *sum, struct buf *out,
    struct buf *labels)
{
	metrics_family(out, METRIC_UPDATES);
	for (uint64_t i = 0; i < sum->nupdates; i++) {
		buf_clear(labels);
		metrics_label(labels, "kind", sum->updates[i].kind);
		metrics_label(labels, "handler", sum->updates[i].handler);
		metrics_sample(out, METRIC_UPDATES, labels->s,
		    (int64_t)sum->updates[i].count);
	}
	metrics_family(out, METRIC_FAILURES);
	for (int rc = 0; rc < METRICS_RCS; rc++) {
		buf_clear(labels);
		metrics_label(labels, "result", rc_name((enum rc)rc));
		metrics_sample(out, METRIC_FAILURES, labels->s,
		    (int64_t)sum->failures[rc]);
	}
}

/* 0 when it cannot be told. */
static int64_t rss_bytes(int64_t pid)
{
	char path[64];
	long long pages = 0;
	FILE *f;

	str_format(path, sizeof(path), "/proc/%lld/statm", (long long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d %lld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void print_process(struct buf *out, enum metric_id id, int i,
    const struct metrics_process *p, int64_t value)
{
	char label[32] = "process=\"worker\"";

	if (!p->worker)
		str_format(label, sizeof(label), "process=\"%d\"", i);
	metrics_sample(out, id, label, value);
}

static void print_processes(const struct metrics *m, struct buf *out)
{
	const struct metrics_process *p = m->file->process;
	int live[METRICS_PROCESSES_MAX], n = 0, web = 0;

	for (int i = 0; i < METRICS_PROCESSES_MAX; i++) {
		if (p[i].start_ms == 0 || !metrics_file_live(m, i))
			continue;
		live[n++] = i;
		web += !p[i].worker;
	}
	metrics_family(out, METRIC_PROCESSES);
	metrics_sample(out, METRIC_PROCESSES, "", web);
	metrics_family(out, METRIC_RSS);
	for (int i = 0; i < n; i++)
		print_process(out, METRIC_RSS, live[i], &p[live[i]],
		    rss_bytes(p[live[i]].pid));
	metrics_family(out, METRIC_START);
	for (int i = 0; i < n; i++)
		print_process(out, METRIC_START, live[i], &p[live[i]],
		    p[live[i]].start_ms / 1000);
}

void metrics_print(struct metrics *m, int64_t now_ms, struct buf *out)
{
	struct metrics_slot *sum = xmalloc(sizeof(*sum));
	struct buf labels;

	memset(sum, 0, sizeof(*sum));
	buf_init(&labels, 512);
	for (int i = 0; i < METRICS_PROCESSES_MAX; i++)
		if (m->file->process[i].start_ms != 0)
			slot_add(sum, &m->file->slot[i]);
	print_requests(m, sum, out);
	print_durations(m, sum, out);
	print_updates(sum, out, &labels);
	metrics_family(out, METRIC_ACTIVE_USERS);
	metrics_sample(out, METRIC_ACTIVE_USERS, "",
	    metrics_active_users(m, now_ms));
	print_processes(m, out);
	metrics_print_worker(m, sum, out);
	metrics_family(out, METRIC_BUILD);
	metrics_sample(out, METRIC_BUILD, "version=\"" PACKAGE_VERSION "\"", 1);
	buf_release(&labels);
	free(sum);
}
