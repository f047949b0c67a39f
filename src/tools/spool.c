/*
 * spool.c - familybotctl spool: lists the updates that wait on this host, has
 * those tried again that could not be applied, or drops some.  What people
 * wrote is not shown.
 */
#include "config.h"

#include "tools/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"
#include "shards/router.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 1000, LINE_MAX_BYTES = 4096 };

struct spool_args {
	size_t limit;
	bool all;
	char **ids;
};

static const char *shard_of(const struct router *r, int32_t slot)
{
	return router_shard_name(r, router_slot(r, slot).owner);
}

static void print_json(struct ctl *c, const struct router *r,
    const struct spool_entry *x, bool first)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s\n{\"id\":%lld,\"slot\":%d,\"tries\":%d,"
	    "\"received_at\":%lld,\"shard\":", first ? "" : ",",
	    (long long)x->seq, (int)x->slot, (int)x->tries,
	    (long long)x->received_at);
	json_put_str(&b, shard_of(r, x->slot));
	buf_puts(&b, ",\"error\":");
	json_put_str(&b, x->why);
	buf_putc(&b, '}');
	fputs(b.s, c->out);
	buf_release(&b);
}

static void print_row(struct ctl *c, const struct router *r,
    const struct spool_entry *x, bool first)
{
	char words[32];

	if (first)
		fprintf(c->out, "%-12s  %-10s  %5s  %-11s  %s\n", "ID",
		    "SHARD", "TRIES", "AGE", "LAST ERROR");
	ctl_age((clock_ms(&clock_system) - x->received_at) / 1000, words,
	    sizeof(words));
	fprintf(c->out, "%-12lld  %-10s  %5d  %-11s  %s\n", (long long)x->seq,
	    shard_of(r, x->slot), (int)x->tries, words,
	    x->why[0] != '\0' ? x->why : "-");
}

static void list_end(struct ctl *c, const struct spool_args *a, size_t n)
{
	if (n == 0)
		fputs(a->all ? "No update waits here.\n" :
		    "Every update that was tried could be applied; spool list "
		    "--all lists those that wait.\n", c->out);
	if (n == a->limit)
		fprintf(c->out, "These are the first %zu; --limit N shows "
		    "more.\n", n);
	if (n > 0 && !a->all)
		fputs("What the same people wrote since waits behind these. "
		    "They are tried again by\nthemselves, at once after spool "
		    "retry ID; spool drop ID forgets one, though its\nperson "
		    "was told that it is saved.\n", c->out);
}

static enum rc spool_list_run(struct ctl *c, struct spool *s,
    const struct spool_args *a, struct err *e)
{
	struct spool_entry *list = xcalloc(a->limit, sizeof(*list));
	struct router *r = NULL;
	size_t n = 0;
	enum rc rc = spool_list(s, a->all, 0, a->limit, list, &n, e);

	if (rc == RC_OK)
		rc = c->shards_open(c->conf, false, &r, e);
	if (rc == RC_OK && c->json)
		fputc('[', c->out);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		(c->json ? print_json : print_row)(c, r, &list[i], i == 0);
	if (rc == RC_OK && c->json)
		fputs("\n]\n", c->out);
	else if (rc == RC_OK)
		list_end(c, a, n);
	router_free(r);
	free(list);
	return rc;
}

static enum rc retry_all(struct spool *s, size_t *n, struct err *e)
{
	struct spool_entry *list = xcalloc(LIST_MAX, sizeof(*list));
	int64_t after = 0;
	size_t got = LIST_MAX;
	enum rc rc = RC_OK;

	while (rc == RC_OK && got == LIST_MAX) {
		rc = spool_list(s, false, after, LIST_MAX, list, &got, e);
		for (size_t i = 0; rc == RC_OK && i < got; i++) {
			after = list[i].seq;
			rc = spool_retry(s, after, e);
			*n += rc == RC_OK;
			if (rc == RC_NOTFOUND)
				rc = RC_OK;	/* applied meanwhile */
		}
	}
	free(list);
	return rc;
}

static enum rc id_read(struct ctl *c, const char *word, int64_t *id,
    struct err *e)
{
	char *end = NULL;
	long long v;

	errno = 0;
	v = strtoll(word, &end, 10);
	if (errno != 0 || end == word || *end != '\0' || v < 1)
		return ctl_usage(c, e, "%s: no id; spool list shows them",
		    word);
	*id = v;
	return RC_OK;
}

static enum rc one(struct ctl *c, struct spool *s, bool drop,
    const char *word, struct err *e)
{
	int64_t id = 0;
	size_t gone = 0;
	enum rc rc = id_read(c, word, &id, e);

	if (rc != RC_OK)
		return rc;
	if (!drop)
		return spool_retry(s, id, e);
	rc = spool_done(s, &id, 1, &gone, e);
	return rc != RC_OK || gone > 0 ? rc : err_set(e, RC_NOTFOUND,
	    "%s: no update of this id waits here", word);
}

static enum rc spool_change(struct ctl *c, struct spool *s, bool drop,
    const struct spool_args *a, struct err *e)
{
	size_t n = 0;
	enum rc rc = RC_OK;

	if (a->all)
		rc = retry_all(s, &n, e);
	for (char **id = a->ids; rc == RC_OK && *id != NULL; id++) {
		rc = one(c, s, drop, *id, e);
		n += rc == RC_OK;
	}
	if (!c->bad_usage)
		fprintf(c->out, c->json ? "{\"%s\":%zu}\n" : "%s: %zu\n",
		    drop ? "dropped" : "retried", n);
	return rc;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct spool_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "limit", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	long n;
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'n') {
			n = strtol(optarg, &end, 10);
			if (*end != '\0' || n < 1 || n > LIST_MAX)
				return ctl_usage(c, e, "--limit: 1 to %d",
				    LIST_MAX);
			a->limit = (size_t)n;
		} else if (o == 'a') {
			a->all = true;
		} else {
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
		}
	}
	a->ids = argv + optind;
	return RC_OK;
}

static enum rc spool_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct spool_args a = { .limit = LIST_DEFAULT };
	const char *what = argc > 1 ? argv[1] : "";
	bool list = strcmp(what, "list") == 0;
	bool drop = strcmp(what, "drop") == 0;
	struct spool_conf sc = { .max_bytes = 0 };
	struct spool *s;
	enum rc rc;

	if (!list && !drop && strcmp(what, "retry") != 0)
		return ctl_usage(c, e, "spool: list, retry or drop?");
	rc = args_read(c, argc - 1, argv + 1, &a, e);
	if (rc != RC_OK)
		return rc;
	if (list && *a.ids != NULL)
		return ctl_usage(c, e, "spool list takes no ids");
	if (drop && a.all)
		return ctl_usage(c, e, "people were told that these are saved: "
		    "name those to drop");
	if (!list && (*a.ids == NULL) != a.all)
		return ctl_usage(c, e, drop ? "name updates by their ids" :
		    "name updates by their ids, or say --all");
	rc = ctl_config(c, e);
	if (rc != RC_OK)
		return rc;
	sc.path = c->conf->spool_db;
	s = spool_new(&sc);
	rc = list ? spool_list_run(c, s, &a, e) : spool_change(c, s, drop, &a,
	    e);
	spool_free(s);
	return rc;
}

const struct subcommand sub_spool = {
	.name = "spool",
	.usage =
	    "  familybotctl spool list [--all] [--limit N]\n"
	    "  familybotctl spool retry ID... | --all\n"
	    "  familybotctl spool drop ID...\n",
	.help = "updates that wait on this host for a shard that was away",
	.run = spool_run,
};
