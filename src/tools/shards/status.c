/*
 * status.c - familybotctl shards status.  Takes no lock and waits for no
 * shard longer than it was told.
 */
#include "config.h"

#include "tools/shards/commands.h"

#include <getopt.h>
#include <stdlib.h>

#include "tools/shards/show.h"
#include "utils/xalloc.h"

enum { WAIT_DEFAULT_S = 2, WAIT_MOST_S = 600, JSON_MAX_BYTES = 8 << 20 };

struct status_args {
	bool more;
	int wait_s;
};

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct status_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "long", no_argument, NULL, 'l' },
		{ "wait", required_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int o;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'l') {
			a->more = true;
		} else if (o == 'j') {
			c->json = true;
		} else if (o == 'w') {
			a->wait_s = (int)strtol(optarg, &end, 10);
			if (*end != '\0' || a->wait_s < 1 ||
			    a->wait_s > WAIT_MOST_S)
				return ctl_usage(c, e, "--wait: 1 to %d "
				    "seconds", WAIT_MOST_S);
		} else {
			return ctl_usage(c, e, "%s: unknown option",
			    argv[optind - 1]);
		}
	}
	if (optind < argc)
		return ctl_usage(c, e, "%s: status takes no names",
		    argv[optind]);
	return RC_OK;
}

struct summary {
	FILE *f;
	bool all;
	int n;
};

static void summary_add(void *ctx, const char *words)
{
	struct summary *s = ctx;

	if (s->n++ == 0 || s->all)
		fprintf(s->f, "%s%s", s->n == 1 ? "\n" : "", words);
	if (s->all)
		fputc('\n', s->f);
}

/* One line, or with --long all of them. */
static void summary_print(FILE *f, const struct shards_view *v, bool all)
{
	struct summary s = { f, all, 0 };

	shards_words_each(v, summary_add, &s);
	if (s.n == 0)
		fputs("\nAll well.\n", f);
	else if (!all && s.n > 1)
		fprintf(f, " (%d more: --long)\n", s.n - 1);
	else if (!all)
		fputc('\n', f);
}

static void json_print(FILE *f, const struct shards_view *v)
{
	struct buf b;

	buf_init(&b, JSON_MAX_BYTES);
	shards_json_put(&b, v);
	fputs(b.s, f);
	buf_release(&b);
}

static enum rc shards_judge(const struct shards_view *v, struct err *e)
{
	int down = 0;

	for (int i = 0; i < v->n; i++)
		down += !v->of[i].up && v->of[i].slots > 0;
	if (down > 0)
		return err_set(e, RC_UNAVAILABLE, "%d shard%s not answer",
		    down, down == 1 ? " does" : "s do");
	return RC_OK;
}

static enum rc status_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct status_args a = { .wait_s = WAIT_DEFAULT_S };
	struct shards_view *v = NULL;
	struct slots *slots = NULL;
	enum rc rc = args_read(c, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = ctl_config(c, e);
	if (rc == RC_OK)
		rc = slots_open(c->conf->slots_map, NULL, 0, false, &slots, e);
	if (rc == RC_NOTFOUND)
		return err_set(e, rc, "there is no slot map %s yet: the bot "
		    "makes it when it starts", c->conf->slots_map);
	if (rc != RC_OK)
		return rc;
	v = xcalloc(1, sizeof(*v));
	shards_view_take(v, c->conf, slots);
	shards_view_ask(v, a.wait_s * 1000);
	if (c->json) {
		json_print(c->out, v);
	} else {
		shards_table_print(c->out, v, a.more);
		summary_print(c->out, v, a.more);
	}
	rc = shards_judge(v, e);
	free(v);
	slots_free(slots);
	return rc;
}

const struct shards_command shards_status = {
	.name = "status",
	.usage =
	    "  familybotctl shards status [--long] [--wait SECONDS] [--json]\n"
	    "\n"
	    "  --long     collections of each shard, and all that needs doing\n"
	    "  --wait     longest wait for a shard (2)\n"
	    "\n"
	    "Asks all shards at once; a dead one does not hold up the others. "
	    "A ? was not\n"
	    "told in time: counting a large shard takes a while. P50 and P99 "
	    "are those of\n"
	    "the last minute. Ends with 69 when a shard that owns slots does "
	    "not answer.\n",
	.help = "each shard, how it does, and whether anything needs doing",
	.run = status_run,
};
