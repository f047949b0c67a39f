/* findings.c - see shards_findings.h. */
#include "config.h"

#include "tools/shards/findings.h"

#include "shards/router.h"
#include "tools/shards/show.h"
#include "utils/json.h"

enum { LINES_MAX = 200, PROGRESS_EACH = 20, SLOTS_TEXT_MAX = 32 << 20,
	FINDING_TEXT_MAX = 4096 };

static const char *name_of(const struct findings *r, int shard)
{
	return router_shard_name(r->place->router, shard);
}

/* The line of progress makes room for what is to be read. */
static void line_clear(const struct findings *r)
{
	if (r->terminal)
		fputs("\r\033[K", stderr);
}

static void finding_json(struct findings *r, const struct verify_finding *f)
{
	struct buf b;

	buf_init(&b, FINDING_TEXT_MAX);
	buf_printf(&b, "%s{\"kind\":\"%s\",\"shard\":", r->lines > 0 ? ",\n" :
	    "\n", verify_kind_name(f->kind));
	json_put_str(&b, name_of(r, f->shard));
	buf_printf(&b, ",\"slot\":%d,\"collection\":\"%s\",\"records\":%lld,"
	    "\"repaired\":%s,\"words\":", f->slot,
	    collection_name(f->collection), (long long)f->records,
	    f->repaired ? "true" : "false");
	json_put_str(&b, f->words);
	buf_putc(&b, '}');
	fputs(b.s, r->c->out);
	buf_release(&b);
}

void findings_found(void *ctx, const struct verify_finding *f)
{
	struct findings *r = ctx;

	line_clear(r);
	if (r->c->json) {
		finding_json(r, f);
	} else if (r->lines < LINES_MAX) {
		if (r->lines == 0)
			fprintf(r->c->out, "%-10s  %-12s  %4s  %-13s  %7s  %s\n",
			    "KIND", "SHARD", "SLOT", "COLLECTION", "RECORDS",
			    "WHAT");
		fprintf(r->c->out, "%-10s  %-12s  %4d  %-13s  %7lld  %s%s\n",
		    verify_kind_name(f->kind), name_of(r, f->shard), f->slot,
		    collection_name(f->collection), (long long)f->records,
		    f->repaired ? "repaired: " : "", f->words);
	}
	r->lines++;
}

void findings_leftover(void *ctx, int32_t slot, int shard, int64_t records)
{
	struct findings *r = ctx;

	(void)slot;
	r->left_slots[shard]++;
	r->left_records[shard] += records;
}

void findings_unread(void *ctx, int shard, const struct err *e)
{
	struct findings *r = ctx;

	line_clear(r);
	fprintf(stderr, "familybotctl: shard %s was not read: %s\n",
	    name_of(r, shard), e->text);
}

void findings_progress(void *ctx, int32_t done)
{
	const struct findings *r = ctx;

	if (r->terminal && done % PROGRESS_EACH == 0)
		fprintf(stderr, "\rslot %d of %d", done, SLOT_COUNT);
}

static void digest_json(struct buf *b, const struct digests *d)
{
	for (int i = 0; i < COLLECTION_COUNT; i++)
		buf_printf(b, "%s\"%s\":{\"records\":%llu,\"bytes\":%llu,"
		    "\"digest\":\"%016llx%016llx\"}", i > 0 ? "," : "",
		    collection_name((enum collection)i),
		    (unsigned long long)d->of[i].records,
		    (unsigned long long)d->of[i].bytes,
		    (unsigned long long)d->of[i].hi,
		    (unsigned long long)d->of[i].lo);
}

void findings_slot(void *ctx, int32_t slot, int shard,
    const struct digests *d)
{
	struct findings *r = ctx;

	if (!r->c->json)
		return;
	buf_printf(&r->slots, "%s{\"slot\":%d,\"shard\":", r->slots.len > 0 ?
	    ",\n" : "\n", slot);
	json_put_str(&r->slots, name_of(r, shard));
	buf_putc(&r->slots, ',');
	digest_json(&r->slots, d);
	buf_putc(&r->slots, '}');
}

int64_t findings_sum(const struct verify_result *v)
{
	int64_t sum = 0;

	for (int i = 0; i < VERIFY_KINDS; i++)
		sum += v->found[i];
	return sum;
}

static void leftovers_json(const struct findings *r, struct buf *b)
{
	bool any = false;

	for (int i = 0; i < SHARDS_MAX; i++) {
		if (r->left_slots[i] == 0)
			continue;
		buf_puts(b, any ? ",{\"shard\":" : "{\"shard\":");
		json_put_str(b, name_of(r, i));
		buf_printf(b, ",\"slots\":%lld,\"records\":%lld}",
		    (long long)r->left_slots[i],
		    (long long)r->left_records[i]);
		any = true;
	}
}

static void end_json(struct findings *r, const struct verify_result *v)
{
	struct buf b;

	buf_init(&b, SLOTS_TEXT_MAX);
	buf_puts(&b, "],\n\"found\":{");
	for (int i = 0; i < VERIFY_KINDS; i++)
		buf_printf(&b, "%s\"%s\":%lld", i > 0 ? "," : "",
		    verify_kind_name((enum verify_kind)i),
		    (long long)v->found[i]);
	buf_printf(&b, "},\n\"repaired\":%lld,\"people\":%lld,"
	    "\"records\":%lld,\"shards_unread\":%d,\n\"leftovers\":[",
	    (long long)v->repaired, (long long)v->users,
	    (long long)v->records, v->shards_unread);
	leftovers_json(r, &b);
	buf_putc(&b, ']');
	if (r->args->digests) {
		buf_puts(&b, ",\n\"digests\":{");
		digest_json(&b, &v->all);
		buf_printf(&b, "},\n\"slots\":[%s]", r->slots.s);
	}
	buf_puts(&b, "}\n");
	fputs(b.s, r->c->out);
	buf_release(&b);
}

static void digests_print(FILE *f, const struct digests *all)
{
	struct digest sum = { 0, 0, 0, 0 };

	fprintf(f, "\n%-13s  %10s  %13s  %s\n", "COLLECTION", "RECORDS",
	    "BYTES", "DIGEST");
	for (int i = 0; i <= COLLECTION_COUNT; i++) {
		const struct digest *d = i < COLLECTION_COUNT ? &all->of[i] :
		    &sum;

		fprintf(f, "%-13s  %10llu  %13llu  %016llx%016llx\n",
		    i < COLLECTION_COUNT ?
		    collection_name((enum collection)i) : "all",
		    (unsigned long long)d->records,
		    (unsigned long long)d->bytes, (unsigned long long)d->hi,
		    (unsigned long long)d->lo);
		if (i == COLLECTION_COUNT)
			break;
		sum.lo += d->lo;
		sum.hi += d->hi + (sum.lo < d->lo);
		sum.records += d->records;
		sum.bytes += d->bytes;
	}
}

static void end_print(struct findings *r, const struct verify_result *v)
{
	char people[FIGURE_SIZE], records[FIGURE_SIZE];
	int64_t n = findings_sum(v);
	FILE *f = r->c->out;

	if (r->lines > LINES_MAX)
		fprintf(f, "... and %lld lines more; --json tells all of "
		    "them.\n", (long long)(r->lines - LINES_MAX));
	for (int i = 0; i < SHARDS_MAX; i++)
		if (r->left_slots[i] > 0)
			fprintf(f, "%s: the change of shards under way left %s "
			    "in %lld slots; shards reshard cleanup removes them "
			    "when it is over.\n", name_of(r, i),
			    figure_records(r->left_records[i], records),
			    (long long)r->left_slots[i]);
	if (v->shards_unread > 0)
		fprintf(f, "%d shards were not read: nothing is known of "
		    "them.\n", v->shards_unread);
	fprintf(f, "%s with a profile, %s: ", figure_people(v->users, people),
	    figure_records(v->records, records));
	if (n == 0)
		fputs("all that was read is where it belongs, once and "
		    "whole.\n", f);
	else
		fprintf(f, "%lld are not as they should be, %lld of these were "
		    "repaired.\n", (long long)n, (long long)v->repaired);
	if (r->args->digests)
		digests_print(f, &v->all);
}

void findings_end(struct findings *r, const struct verify_result *v)
{
	line_clear(r);
	if (v == NULL && r->c->json)
		fputs("]}\n", r->c->out);
	else if (v != NULL && r->c->json)
		end_json(r, v);
	else if (v != NULL)
		end_print(r, v);
}
