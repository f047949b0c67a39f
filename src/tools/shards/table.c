/* table.c - the shards as tables of at most 100 columns. */
#include "config.h"

#include "tools/shards/show.h"

#include <string.h>

#include "utils/buf.h"

enum { URI_COLUMNS = 46 };

const char *figure_bytes(int64_t bytes, char *out)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	double n = (double)bytes / 1000;
	size_t u = 0;

	if (bytes < 0)
		return "-";
	if (bytes < 1000) {
		str_format(out, FIGURE_SIZE, "%d B", (int)bytes);
		return out;
	}
	for (; n >= 1000 && u < 4; u++)
		n /= 1000;
	str_format(out, FIGURE_SIZE, n < 10 ? "%.1f %s" : "%.0f %s", n,
	    units[u]);
	return out;
}

const char *figure_since(int64_t at, int64_t now, char *out)
{
	long long s = now > at ? (long long)((now - at) / 1000) : 0;

	if (at == 0)
		return "-";
	if (s < 120)
		str_format(out, FIGURE_SIZE, "%lld s", s);
	else if (s < 7200)
		str_format(out, FIGURE_SIZE, "%lld min", s / 60);
	else if (s < 2 * 86400)
		str_format(out, FIGURE_SIZE, "%lld h", s / 3600);
	else
		str_format(out, FIGURE_SIZE, "%lld d", s / 86400);
	return out;
}

const char *figure_us(int64_t us, char *out)
{
	double ms = (double)us / 1000;

	if (us <= 0)
		return "-";
	str_format(out, FIGURE_SIZE, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
	return out;
}

const char *figure_people(int64_t n, char *out)
{
	str_format(out, FIGURE_SIZE, "%lld %s", (long long)n, n == 1 ?
	    "person" : "people");
	return out;
}

const char *figure_records(int64_t n, char *out)
{
	str_format(out, FIGURE_SIZE, "%lld record%s", (long long)n, n == 1 ?
	    "" : "s");
	return out;
}

const char *shard_state_word(const struct shard_look *l)
{
	if (l->conf == NULL)
		return "unknown";
	if ((l->flags & SHARD_PAUSED) != 0)
		return "paused";
	if (!l->up)
		return "DOWN";
	if (l->pulse.state == PULSE_OPEN)
		return "BREAKER";
	if (l->pulse.state == PULSE_HALF_OPEN)
		return "trying";
	return (l->flags & SHARD_DRAINING) != 0 ? "draining" :
	    l->conf->leaving ? "leaving" : "up";
}

const char *reshard_state_word(enum reshard_state s)
{
	static const char *const words[] = { "none", "running", "paused",
		"aborting", "moved" };

	return words[s];
}

/* The end of a URI says more than its beginning. */
static void uri_fit(const struct shard_look *l, char *out, size_t size)
{
	char uri[1024] = "-";
	size_t len;

	if (l->conf != NULL)
		config_uri_redact(l->conf->uri, uri, sizeof(uri));
	len = strlen(uri);
	if (len <= URI_COLUMNS)
		str_copy(out, size, uri);
	else
		str_format(out, size, "...%s", uri + len - URI_COLUMNS + 3);
}

static void places_print(FILE *f, const struct shards_view *v)
{
	fprintf(f, "%-14s %-8s %-46s %-18s %s\n", "SHARD", "STATE", "URI",
	    "BACKEND", "BACKUP");
	for (int i = 0; i < v->n; i++) {
		const struct shard_look *l = &v->of[i];
		char backend[100] = "-", uri[64], since[FIGURE_SIZE];

		if (l->has_info)
			str_format(backend, sizeof(backend), "%s %s",
			    l->info.backend, l->info.version);
		uri_fit(l, uri, sizeof(uri));
		fprintf(f, "%-14s %-8s %-46s %-18.18s %s\n", l->name,
		    shard_state_word(l), uri, backend, l->backup_at == 0 ?
		    "never" : figure_since(l->backup_at, v->now, since));
	}
}

/* "?" where a shard did not say in time. */
static const char *figure_count(bool known, int64_t n, char *out)
{
	if (!known)
		return "?";
	str_format(out, FIGURE_SIZE, "%lld", (long long)n);
	return out;
}

static int64_t sum(const int64_t *of)
{
	int64_t all = 0;

	for (int k = 0; k < COLLECTION_COUNT; k++)
		if (of[k] > 0)
			all += of[k];
	return all;
}

static void figures_print(FILE *f, const struct shards_view *v)
{
	fprintf(f, "\n%-14s %5s %8s %9s %7s %7s %6s %7s %6s %7s %6s %6s\n",
	    "SHARD", "SLOTS", "USERS", "RECORDS", "SIZE", "FREE", "JOBS",
	    "OLDEST", "SPOOL", "OLDEST", "P50", "P99");
	for (int i = 0; i < v->n; i++) {
		const struct shard_look *l = &v->of[i];
		const struct store_info *d = &l->info;
		char t[9][FIGURE_SIZE];

		fprintf(f, "%-14s %5d %8s %9s %7s %7s %6s %7s %6lld %7s %6s "
		    "%6s\n", l->name, l->slots,
		    figure_count(l->has_info, d->records[COLLECTION_USERS],
		    t[0]), figure_count(l->has_info, sum(d->records), t[1]),
		    l->has_info ? figure_bytes(sum(d->bytes), t[2]) : "?",
		    l->has_info ? figure_bytes(d->disk_free, t[3]) : "?",
		    figure_count(l->has_jobs, l->jobs.jobs_ready, t[4]),
		    figure_since(l->jobs.oldest_ready_at, v->now, t[5]),
		    (long long)l->spool_rows, figure_since(l->spool_oldest_at,
		    v->now, t[6]), figure_us(l->pulse.p50_us, t[7]),
		    figure_us(l->pulse.p99_us, t[8]));
	}
}

static void collections_print(FILE *f, const struct shards_view *v)
{
	char size[FIGURE_SIZE];

	fprintf(f, "\n%-14s %-14s %12s %10s\n", "SHARD", "COLLECTION",
	    "RECORDS", "SIZE");
	for (int i = 0; i < v->n; i++)
		for (int k = 0; v->of[i].has_info && k < COLLECTION_COUNT; k++)
			fprintf(f, "%-14s %-14s %12lld %10s\n", v->of[i].name,
			    collection_name((enum collection)k),
			    (long long)v->of[i].info.records[k],
			    figure_bytes(v->of[i].info.bytes[k], size));
}

static void change_print(FILE *f, const struct shards_view *v)
{
	const struct change_look *c = &v->change;
	char since[FIGURE_SIZE];

	if (c->state == RESHARD_NONE)
		return;
	fprintf(f, "\nChange: %d -> %d shards, %s%s; %d of %d slots moved; "
	    "begun %s ago by %s.\n", c->shards_before, c->shards_after,
	    reshard_state_word(c->state), c->mover ? "" :
	    c->state == RESHARD_MOVED ? "" : " (nobody moves)",
	    c->slots_moved, c->slots, figure_since(c->started_at,
	    v->now, since), c->who);
}

static void hosts_print(FILE *f, const struct shards_view *v)
{
	for (int i = 0; i < v->nhosts; i++) {
		const struct cluster_host *h = &v->hosts[i];

		fprintf(f, "%s%s %s%s%s%s", i == 0 ? "\nHosts: " : ", ",
		    h->name, h->live ? "lives" : "SILENT",
		    h->mover ? ", moves slots" : "", h->words[0] != '\0' ?
		    ": " : "", h->words);
	}
	if (v->nhosts > 0)
		fputs(".\n", f);
}

void shards_table_print(FILE *f, const struct shards_view *v, bool more)
{
	places_print(f, v);
	figures_print(f, v);
	if (more)
		collections_print(f, v);
	hosts_print(f, v);
	change_print(f, v);
}
