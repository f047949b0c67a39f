/*
 * jobs.c - familybotctl jobs: lists the worker's jobs; requeues or drops dead
 * letters.  What a job says (its payload) is not shown: it is people's words.
 */
#include "config.h"

#include "tools/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "queue/queue.h"
#include "shards/router.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 1000, LINE_MAX_BYTES = 4096 };

static const char *const states[] = { "ready", "leased", "done", "dead" };

struct jobs_args {
	int state;
	size_t limit;
	bool all;
};

/* Calls each for the jobs of a state that live where they are; shards that do
 * not answer are named on stderr, and make the result RC_UNAVAILABLE. */
static enum rc jobs_each(struct router *r, int state, size_t limit,
    enum rc (*each)(void *ctx, int shard, const struct job *j, struct err *e),
    void *ctx, struct err *e)
{
	struct job *list = xcalloc(limit, sizeof(*list));
	enum rc result = RC_OK, rc;

	for (int i = 0; i < router_shards(r); i++) {
		struct store *s;
		size_t n = 0;

		if (!router_shard_there(r, i))
			continue;
		rc = router_shard(r, i, &s, e);
		if (rc == RC_OK)
			rc = s->ops->job_list(s, (enum job_state)state, limit,
			    list, &n, e);
		if (rc != RC_OK) {
			fprintf(stderr, "familybotctl: shard %s: %s\n",
			    router_shard_name(r, i), e->text);
			result = RC_UNAVAILABLE;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			if (router_slot(r, slot_of(list[k].user_id)).owner == i
			    && (rc = each(ctx, i, &list[k], e)) != RC_OK)
				result = rc;
	}
	free(list);
	if (result == RC_UNAVAILABLE)
		return err_set(e, result, "not all shards were reached");
	return result;
}

struct printer {
	struct ctl *c;
	struct router *router;
	size_t left;
	bool any;
};

static void print_json(struct printer *p, int shard, const struct job *j)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_puts(&b, p->any ? ",\n{\"id\":" : "\n{\"id\":");
	json_put_str(&b, j->id);
	buf_puts(&b, ",\"kind\":");
	json_put_str(&b, j->kind);
	buf_printf(&b, ",\"state\":\"%s\",\"user_id\":%lld,\"tries\":%d,"
	    "\"run_at\":%lld,\"created_at\":%lld,\"shard\":",
	    states[j->state & 3], (long long)j->user_id, j->tries,
	    (long long)j->run_at, (long long)j->created_at);
	json_put_str(&b, router_shard_name(p->router, shard));
	buf_puts(&b, ",\"error\":");
	json_put_str(&b, j->last_error);
	buf_putc(&b, '}');
	fputs(b.s, p->c->out);
	buf_release(&b);
}

/* Ids come first and last words end the line, so that it can be cut up. */
static void print_row(struct printer *p, int shard, const struct job *j)
{
	int64_t age = (clock_ms(&clock_system) - j->created_at) / 1000;
	char words[32];

	if (!p->any)
		fprintf(p->c->out, "%-40s  %-10s  %5s  %-11s  %s\n", "ID",
		    "SHARD", "TRIES", "AGE", "LAST ERROR");
	ctl_age(age, words, sizeof(words));
	fprintf(p->c->out, "%-40s  %-10s  %5d  %-11s  %s\n", j->id,
	    router_shard_name(p->router, shard), (int)j->tries, words,
	    j->last_error[0] != '\0' ? j->last_error : "-");
}

static enum rc print_job(void *ctx, int shard, const struct job *j,
    struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	if (p->left == 0)
		return RC_OK;
	p->left--;
	if (p->c->json)
		print_json(p, shard, j);
	else
		print_row(p, shard, j);
	p->any = true;
	return RC_OK;
}

static void list_end(struct ctl *c, const struct jobs_args *a,
    const struct printer *p)
{
	if (!p->any)
		fprintf(c->out, "No job is %s.\n", states[a->state]);
	if (p->any && p->left == 0)
		fprintf(c->out, "These are the first %zu; --limit N shows "
		    "more.\n", a->limit);
	if (p->any && a->state == JOB_DEAD)
		fputs("The worker gave these up. jobs requeue ID tries again, "
		    "jobs drop ID forgets;\n--all in place of ids takes "
		    "all.\n", c->out);
}

static enum rc jobs_list(struct ctl *c, struct router *r,
    const struct jobs_args *a, struct err *e)
{
	struct printer p = { .c = c, .router = r, .left = a->limit };
	enum rc rc;

	if (c->json)
		fputc('[', c->out);
	rc = jobs_each(r, a->state, a->limit, print_job, &p, e);
	if (c->json)
		fputs("\n]\n", c->out);
	else if (rc == RC_OK)
		list_end(c, a, &p);
	return rc;
}

struct reviver {
	struct router *router;
	bool drop;
	size_t n;
};

/* Under the slot's lock, on the shard that owns it now. */
static enum rc revive_job(void *ctx, int shard, const struct job *j,
    struct err *e)
{
	struct reviver *v = ctx;
	struct route route;
	enum rc rc;

	(void)shard;
	rc = router_enter(v->router, j->user_id, &route, e);
	if (rc != RC_OK)
		return rc;
	rc = route.store->ops->job_revive(route.store, j->id, v->drop,
	    clock_ms(&clock_system), e);
	router_leave(&route);
	if (rc == RC_OK)
		v->n++;
	return rc == RC_NOTFOUND ? RC_OK : rc;	/* another was faster */
}

static enum rc revive_all(struct reviver *v, struct err *e)
{
	enum rc rc;
	size_t before;

	do {
		before = v->n;
		rc = jobs_each(v->router, JOB_DEAD, LIST_MAX, revive_job, v,
		    e);
	} while (rc == RC_OK && v->n > before);
	return rc;
}

/* "send:<user_id>:…" says whom a job is for. */
static bool id_user(const char *id, int64_t *user_id)
{
	const char *colon = strchr(id, ':');
	char *end = NULL;

	if (colon == NULL)
		return false;
	errno = 0;
	*user_id = strtoll(colon + 1, &end, 10);
	return errno == 0 && end != colon + 1 && *end == ':';
}

/* An id that names nobody is tried on every shard. */
static enum rc revive_anywhere(struct reviver *v, const char *id,
    struct err *e)
{
	enum rc result = RC_NOTFOUND, rc;
	bool found = false;

	for (int i = 0; i < router_shards(v->router); i++) {
		struct store *s;

		if (!router_shard_there(v->router, i))
			continue;
		rc = router_shard(v->router, i, &s, e);
		if (rc == RC_OK)
			rc = s->ops->job_revive(s, id, v->drop,
			    clock_ms(&clock_system), e);
		found |= rc == RC_OK;
		if (rc == RC_OK || rc == RC_NOTFOUND)
			continue;
		fprintf(stderr, "familybotctl: shard %s: %s\n",
		    router_shard_name(v->router, i), e->text);
		result = RC_UNAVAILABLE;
	}
	if (found)
		return RC_OK;
	if (result == RC_UNAVAILABLE)
		return err_set(e, result, "%s: not all shards were reached",
		    id);
	return result;	/* in the words of the last shard */
}

static enum rc revive_one(struct reviver *v, const char *id, struct err *e)
{
	struct route route;
	int64_t user_id;
	enum rc rc;

	if (!id_user(id, &user_id)) {
		rc = revive_anywhere(v, id, e);
	} else {
		rc = router_enter(v->router, user_id, &route, e);
		if (rc != RC_OK)
			return rc;
		rc = route.store->ops->job_revive(route.store, id, v->drop,
		    clock_ms(&clock_system), e);
		router_leave(&route);
	}
	v->n += rc == RC_OK;
	return rc;
}

static enum rc jobs_revive(struct ctl *c, struct router *r, bool drop,
    bool all, char **ids, struct err *e)
{
	struct reviver v = { .router = r, .drop = drop };
	struct queue *q;
	enum rc rc = RC_OK;

	if (all)
		rc = revive_all(&v, e);
	for (; !all && rc == RC_OK && *ids != NULL; ids++)
		rc = revive_one(&v, *ids, e);
	if (v.n > 0 && !drop) {
		q = queue_open(c->conf->worker_socket);
		queue_wake(q);
		queue_free(q);
	}
	fprintf(c->out, c->json ? "{\"%s\":%zu}\n" : "%s: %zu\n",
	    drop ? "dropped" : "requeued", v.n);
	return rc;
}

static int state_of(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(states[i], name) == 0)
			return i;
	return -1;
}

static enum rc args_read(struct ctl *c, int argc, char **argv,
    struct jobs_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
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
		if (o == 's') {
			a->state = state_of(optarg);
			if (a->state < 0)
				return ctl_usage(c, e, "--state: ready, "
				    "leased, done or dead");
		} else if (o == 'n') {
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
	return RC_OK;
}

static enum rc jobs_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct jobs_args a = { .state = JOB_DEAD, .limit = LIST_DEFAULT };
	const char *what = argc > 1 ? argv[1] : "";
	bool list = strcmp(what, "list") == 0;
	bool drop = strcmp(what, "drop") == 0;
	struct router *r = NULL;
	char **ids;
	enum rc rc;

	if (!list && !drop && strcmp(what, "requeue") != 0)
		return ctl_usage(c, e, "jobs: list, requeue or drop?");
	rc = args_read(c, argc - 1, argv + 1, &a, e);
	if (rc != RC_OK)
		return rc;
	ids = argv + 1 + optind;
	if (list ? *ids != NULL || a.all : (*ids == NULL) != a.all)
		return ctl_usage(c, e, list ? "jobs list takes no ids"
		    : "name jobs, or say --all");
	rc = ctl_config(c, e);
	if (rc == RC_OK)
		rc = c->shards_open(c->conf, false, &r, e);
	if (rc != RC_OK)
		return rc;
	rc = list ? jobs_list(c, r, &a, e)
	    : jobs_revive(c, r, drop, a.all, ids, e);
	router_free(r);
	return rc;
}

const struct subcommand sub_jobs = {
	.name = "jobs",
	.usage =
	    "  familybotctl jobs list [--state dead|ready|leased|done] "
	    "[--limit N]\n"
	    "  familybotctl jobs requeue ID... | --all\n"
	    "  familybotctl jobs drop ID... | --all\n",
	.help = "what waits for the worker, and what it gave up on",
	.run = jobs_run,
};
