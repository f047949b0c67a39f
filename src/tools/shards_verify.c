/*
 * shards_verify.c - familybotctl shards verify: are all records where they
 * belong, once, and whole?  What is found is told with shard, slot and
 * collection; of people's words nothing is.
 */
#include "config.h"

#include "tools/shards.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "reshard/verify.h"
#include "store/router.h"
#include "store/slots.h"
#include "utils/buf.h"
#include "utils/json.h"

enum { LINES_MAX = 200, PROGRESS_EACH = 20, SLOTS_TEXT_MAX = 32 << 20,
	FINDING_TEXT_MAX = 4096 };

struct verify_args {
	int32_t slot;
	const char *shard;
	bool digests, repair;
};

struct report {
	struct ctl *c;
	struct shards_place *place;
	const struct verify_args *args;
	int64_t lines;			/* findings told, and not told */
	int64_t left_slots[SHARDS_MAX], left_records[SHARDS_MAX];
	struct buf slots;		/* --json: digests of each slot */
	bool terminal;
};

static const char *name_of(const struct report *r, int shard)
{
	return router_shard_name(r->place->router, shard);
}

/* The line of progress makes room for what is to be read. */
static void line_clear(const struct report *r)
{
	if (r->terminal)
		fputs("\r\033[K", stderr);
}

static void finding_json(struct report *r, const struct verify_finding *f)
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

static void found(void *ctx, const struct verify_finding *f)
{
	struct report *r = ctx;

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

static void leftover(void *ctx, int32_t slot, int shard, int64_t records)
{
	struct report *r = ctx;

	(void)slot;
	r->left_slots[shard]++;
	r->left_records[shard] += records;
}

static void unread(void *ctx, int shard, const struct err *e)
{
	struct report *r = ctx;

	line_clear(r);
	fprintf(stderr, "familybotctl: shard %s was not read: %s\n",
	    name_of(r, shard), e->text);
}

static void progress(void *ctx, int32_t done)
{
	const struct report *r = ctx;

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

static void slot_digests(void *ctx, int32_t slot, int shard,
    const struct digests *d)
{
	struct report *r = ctx;

	if (!r->c->json)
		return;
	buf_printf(&r->slots, "%s{\"slot\":%d,\"shard\":", r->slots.len > 0 ?
	    ",\n" : "\n", slot);
	json_put_str(&r->slots, name_of(r, shard));
	buf_putc(&r->slots, ',');
	digest_json(&r->slots, d);
	buf_putc(&r->slots, '}');
}

static int64_t findings_sum(const struct verify_result *v)
{
	int64_t sum = 0;

	for (int i = 0; i < VERIFY_KINDS; i++)
		sum += v->found[i];
	return sum;
}

static void leftovers_json(const struct report *r, struct buf *b)
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

static void end_json(struct report *r, const struct verify_result *v)
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

static void end_print(struct report *r, const struct verify_result *v)
{
	int64_t n = findings_sum(v);
	FILE *f = r->c->out;

	line_clear(r);
	if (r->lines > LINES_MAX)
		fprintf(f, "... and %lld lines more; --json tells all of "
		    "them.\n", (long long)(r->lines - LINES_MAX));
	for (int i = 0; i < SHARDS_MAX; i++)
		if (r->left_slots[i] > 0)
			fprintf(f, "%s: %lld records in %lld slots belong to "
			    "the change of shards under way; shards reshard "
			    "cleanup removes them when it is over.\n",
			    name_of(r, i), (long long)r->left_records[i],
			    (long long)r->left_slots[i]);
	if (v->shards_unread > 0)
		fprintf(f, "%d shards were not read: nothing is known of "
		    "them.\n", v->shards_unread);
	fprintf(f, "%lld people with a profile, %lld records: ",
	    (long long)v->users, (long long)v->records);
	if (n == 0)
		fputs("all that was read is where it belongs, once and "
		    "whole.\n", f);
	else
		fprintf(f, "%lld are not as they should be, %lld of these were "
		    "repaired.\n", (long long)n, (long long)v->repaired);
	if (r->args->digests)
		digests_print(f, &v->all);
}

static enum rc verify_verdict(struct report *r, const struct verify_result *v,
    struct err *e)
{
	int64_t left = findings_sum(v) - v->repaired;
	char what[160];
	enum rc rc = RC_OK;

	if (r->args->repair && v->repaired > 0) {
		(void)str_format(what, sizeof(what), "event=verify_repair "
		    "records=%lld left=%lld", (long long)v->repaired,
		    (long long)left);
		rc = audit_add(r->place->dir, r->place->who, what, e);
	}
	if (rc == RC_OK && v->shards_unread > 0)
		rc = err_set(e, RC_UNAVAILABLE, "not all shards were read; "
		    "verify again when they answer");
	/* What was repaired was wrong: who runs this daily wants to know. */
	if (findings_sum(v) > 0)
		rc = left > 0 ? err_set(e, RC_CORRUPT, "verify found "
		    "something: see the DBA's guide, \"verify found "
		    "something\"") : err_set(e, RC_CORRUPT, "what verify found "
		    "was repaired; verify again");
	return rc;
}

static enum rc place_verify(struct report *r, struct err *e)
{
	struct verify_conf conf = {
		.router = r->place->router,
		.slots = r->place->slots,
		.dir = r->place->dir,
		.only_slot = r->args->slot,
		.only_shard = -1,
		.digests = r->args->digests,
		.repair = r->args->repair,
		.found = found,
		.slot = slot_digests,
		.leftover = leftover,
		.unread = unread,
		.progress = progress,
		.ctx = r,
	};
	struct verify_result v;
	enum rc rc;

	if (r->args->shard != NULL) {
		conf.only_shard = slots_shard_find(r->place->slots,
		    r->args->shard);
		if (conf.only_shard < 0)
			return err_set(e, RC_NOTFOUND, "the slot map has no "
			    "shard %s; shards status names them",
			    r->args->shard);
	}
	if (r->c->json)
		fputs("{\"findings\":[", r->c->out);
	rc = verify_run(&conf, &v, e);
	if (rc != RC_OK) {
		line_clear(r);
		if (r->c->json)
			fputs("]}\n", r->c->out);
		return rc;
	}
	if (r->c->json)
		end_json(r, &v);
	else
		end_print(r, &v);
	return verify_verdict(r, &v, e);
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct verify_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "digests", no_argument, NULL, 'd' },
		{ "repair", no_argument, NULL, 'r' },
		{ "slot", required_argument, NULL, 's' },
		{ "shard", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	long n;
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'd') {
			a->digests = true;
		} else if (o == 'r') {
			a->repair = true;
		} else if (o == 'j') {
			c->json = true;
		} else if (o == 'n') {
			a->shard = optarg;
		} else if (o == 's') {
			errno = 0;
			n = strtol(optarg, &end, 10);
			if (errno != 0 || end == optarg || *end != '\0' ||
			    n < 0 || n >= SLOT_COUNT)
				return ctl_usage(c, e, "--slot: 0 to %d",
				    SLOT_COUNT - 1);
			a->slot = (int32_t)n;
		} else {
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
		}
	}
	if (argv[optind] != NULL)
		return ctl_usage(c, e, "%s: unknown argument", argv[optind]);
	return RC_OK;
}

static enum rc verify_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct verify_args a = { .slot = -1 };
	struct shards_place place;
	struct report r = { .c = c, .place = &place, .args = &a };
	enum rc rc = args_read(c, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &place, e);
	if (rc != RC_OK)
		return rc;
	r.terminal = isatty(STDERR_FILENO) != 0 && !c->json;
	buf_init(&r.slots, SLOTS_TEXT_MAX);
	rc = shards_place_router(&place, false, e);
	if (rc == RC_OK)
		rc = place_verify(&r, e);
	buf_release(&r.slots);
	shards_place_release(&place);
	return rc;
}

const struct shards_command shards_verify = {
	.name = "verify",
	.usage = "  familybotctl shards verify [--digests] [--slot N] "
	    "[--shard NAME] [--repair]\n",
	.help = "are all records where they belong, once, and whole?",
	.run = verify_command,
};
