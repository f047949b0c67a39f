/* json.c - the shards for programs: one object. */
#include "config.h"

#include "tools/shards/show.h"

#include "utils/json.h"

static void flag_put(struct buf *b, const char *name, bool on)
{
	buf_printf(b, ",\"%s\":%s", name, on ? "true" : "false");
}

static void number_put(struct buf *b, const char *name, int64_t n)
{
	buf_printf(b, ",\"%s\":%lld", name, (long long)n);
}

static void text_put(struct buf *b, const char *name, const char *s)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, s);
}

static void info_put(struct buf *b, const struct store_info *d)
{
	text_put(b, "backend", d->backend);
	text_put(b, "version", d->version);
	number_put(b, "schema", d->schema);
	number_put(b, "schema_known", d->schema_known);
	number_put(b, "users", d->records[COLLECTION_USERS]);
	number_put(b, "disk_free", d->disk_free);
	buf_puts(b, ",\"collections\":{");
	for (int k = 0; k < COLLECTION_COUNT; k++)
		buf_printf(b, "%s\"%s\":{\"records\":%lld,\"bytes\":%lld}",
		    k > 0 ? "," : "", collection_name((enum collection)k),
		    (long long)d->records[k], (long long)d->bytes[k]);
	buf_puts(b, "}");
}

static void shard_put(struct buf *b, const struct shard_look *l)
{
	char uri[1024] = "";

	if (l->conf != NULL)
		config_uri_redact(l->conf->uri, uri, sizeof(uri));
	buf_puts(b, "{\"name\":");
	json_put_str(b, l->name);
	text_put(b, "state", shard_state_word(l));
	text_put(b, "uri", uri);
	flag_put(b, "configured", l->conf != NULL);
	flag_put(b, "up", l->up);
	flag_put(b, "paused", (l->flags & SHARD_PAUSED) != 0);
	flag_put(b, "draining", (l->flags & SHARD_DRAINING) != 0);
	flag_put(b, "leaving", l->conf != NULL && l->conf->leaving);
	if (!l->up)
		text_put(b, "why", l->why);
	text_put(b, "breaker", l->pulse.state == PULSE_CLOSED ? "closed" :
	    l->pulse.state == PULSE_OPEN ? "open" : "half-open");
	number_put(b, "slots", l->slots);
	number_put(b, "slots_coming", l->coming);
	if (l->has_info)
		info_put(b, &l->info);
	if (l->has_jobs) {
		number_put(b, "jobs_ready", l->jobs.jobs_ready);
		number_put(b, "jobs_dead", l->jobs.jobs_dead);
		number_put(b, "jobs_oldest_at", l->jobs.oldest_ready_at);
	}
	number_put(b, "spool_rows", l->spool_rows);
	number_put(b, "spool_oldest_at", l->spool_oldest_at);
	number_put(b, "spool_failed", l->spool_failed);
	number_put(b, "requests", l->pulse.requests);
	number_put(b, "failed", l->pulse.failed);
	number_put(b, "p50_us", l->pulse.p50_us);
	number_put(b, "p99_us", l->pulse.p99_us);
	number_put(b, "backup_at", l->backup_at);
	buf_puts(b, "}");
}

static void change_put(struct buf *b, const struct shards_view *v)
{
	const struct change_look *c = &v->change;

	buf_printf(b, "\"change\":{\"state\":\"%s\"",
	    reshard_state_word(c->state));
	if (c->state != RESHARD_NONE) {
		text_put(b, "who", c->who);
		flag_put(b, "mover", c->mover);
		number_put(b, "started_at", c->started_at);
		number_put(b, "ended_at", c->ended_at);
		number_put(b, "shards_before", c->shards_before);
		number_put(b, "shards_after", c->shards_after);
		number_put(b, "slots_moved", c->slots_moved);
		number_put(b, "slots", c->slots);
		number_put(b, "users", c->users);
		number_put(b, "bytes", c->bytes);
		number_put(b, "fence_p50_us", c->fence_p50_us);
		number_put(b, "fence_p99_us", c->fence_p99_us);
		text_put(b, "error", c->last_error);
	}
	buf_puts(b, "}");
}

static void hosts_put(struct buf *b, const struct shards_view *v)
{
	buf_puts(b, ",\n\"hosts\":[");
	for (int i = 0; i < v->nhosts; i++) {
		const struct cluster_host *h = &v->hosts[i];

		buf_puts(b, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_put_str(b, h->name);
		flag_put(b, "live", h->live);
		flag_put(b, "mover", h->mover);
		number_put(b, "step", h->step);
		text_put(b, "words", h->words);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

struct words {
	struct buf *b;
	int n;
};

static void words_put(void *ctx, const char *text)
{
	struct words *w = ctx;

	if (w->n++ > 0)
		buf_putc(w->b, ',');
	json_put_str(w->b, text);
}

void shards_json_put(struct buf *b, const struct shards_view *v)
{
	struct words w = { b, 0 };

	buf_puts(b, "{\"shards\":[");
	for (int i = 0; i < v->n; i++) {
		buf_puts(b, i > 0 ? ",\n" : "\n");
		shard_put(b, &v->of[i]);
	}
	buf_printf(b, "],\n\"placement\":\"%s\",\"misplaced\":%d,\n"
	    "\"spool\":{\"rows\":%lld,\"bytes\":%lld,\"oldest_at\":%lld},\n",
	    v->conf->placement == PLACEMENT_MODULO ? "modulo" : "minimal",
	    v->misplaced, (long long)v->spool.rows,
	    (long long)v->spool.bytes, (long long)v->spool.oldest_at);
	change_put(b, v);
	hosts_put(b, v);
	buf_puts(b, ",\n\"words\":[");
	shards_words_each(v, words_put, &w);
	buf_printf(b, "],\n\"well\":%s}\n", w.n == 0 ? "true" : "false");
}
