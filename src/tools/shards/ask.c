/*
 * ask.c - familybotctl shards reshard pause, resume, abort, rollback,
 * cleanup and watch.
 */
#include "config.h"

#include "tools/shards/reshard.h"

#include <stdlib.h>
#include <unistd.h>

#include "shards/slots.h"
#include "tools/shards/move.h"
#include "tools/shards/show.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { PAUSE_WAIT_US = 15 * 1000 * 1000, LOOK_EACH_US = 20 * 1000 };

/* Options of start that mean something here, too; then the place. */
static enum rc begin(struct shards_place *p, int argc, char **argv,
    struct change_args *a, struct err *e)
{
	enum rc rc = change_args_read(p->ctl, argc, argv, true, a, e);

	if (rc == RC_OK && (a->nadd > 0 || a->nremove > 0 || a->to != NULL ||
	    a->placement != NULL || a->slot >= 0))
		return ctl_usage(p->ctl, e, "%s takes no shards: only start "
		    "does", argv[0]);
	return rc == RC_OK ? shards_place_open(p->ctl, p, e) : rc;
}

static struct reshard_conf asker(const struct shards_place *p)
{
	return (struct reshard_conf){
		.dir = p->dir,
		.journal = p->journal,
		.slots = p->slots,
		.router = p->router,
		.clock = &clock_system,
		.who = p->who,
		.stop_fd = -1,
	};
}

static enum rc state_load(struct shards_place *p, struct reshard **out,
    struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	enum rc rc = reshard_load(&p->journal, r, e);

	if (rc == RC_OK)
		*out = r;
	else
		free(r);
	return rc;
}

/* A limit that is not given stays as it is. */
static enum rc ask(struct shards_place *p, enum reshard_state state,
    const struct change_args *a, struct err *e)
{
	const struct reshard_conf conf = asker(p);
	struct reshard_limits limits;
	struct reshard *r = NULL;
	enum rc rc = state_load(p, &r, e);

	if (rc != RC_OK)
		return rc;
	limits = r->limits;
	free(r);
	if (a->users_given)
		limits.users_per_second = a->limits.users_per_second;
	if (a->p99_given)
		limits.pause_if_p99_over_ms = a->limits.pause_if_p99_over_ms;
	return reshard_ask(&conf, state, &limits, e);
}

/* Whoever moves does it, and is watched; else this process does. */
static enum rc go_on(struct shards_place *p, const struct change_args *a,
    struct err *e)
{
	struct reshard *r = NULL;
	bool moves;
	enum rc rc = state_load(p, &r, e);

	if (rc != RC_OK)
		return rc;
	moves = shards_mover_alive(p, r->rev);
	free(r);
	if (moves)
		return shards_follow(p, e);
	return a->detach ? shards_move_detached(p, e) : shards_move(p, e);
}

static enum rc mover_wait_end(struct shards_place *p, struct err *e)
{
	int64_t until = clock_mono_us() + PAUSE_WAIT_US;
	struct reshard *r = NULL;
	bool moves = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && moves) {
		rc = state_load(p, &r, e);
		if (rc != RC_OK)
			break;
		moves = shards_mover_alive(p, r->rev);
		free(r);
		if (moves && clock_mono_us() > until)
			rc = err_set(e, RC_BUSY, "it will pause, but the "
			    "mover has not stopped yet: familybotctl shards "
			    "reshard watch");
		if (moves)
			usleep(LOOK_EACH_US);
	}
	return rc;
}

enum rc reshard_pause_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	enum rc rc = begin(p, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = ask(p, RESHARD_PAUSED, &a, e);
	if (rc == RC_OK)
		rc = mover_wait_end(p, e);
	return rc == RC_OK ? shards_move_tell(p, e) : rc;
}

enum rc reshard_resume_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	struct reshard *r = NULL;
	enum rc rc = begin(p, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = state_load(p, &r, e);
	if (rc == RC_OK && r->state != RESHARD_MOVED &&
	    r->state != RESHARD_ABORTING)
		rc = ask(p, RESHARD_RUNNING, &a, e);
	if (rc == RC_OK)
		rc = r->state == RESHARD_MOVED ? shards_move_tell(p, e) :
		    go_on(p, &a, e);
	free(r);
	return rc;
}

enum rc reshard_watch_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	enum rc rc = begin(p, argc, argv, &a, e);

	return rc == RC_OK ? shards_follow(p, e) : rc;
}

static int32_t slots_moved(const struct shards_place *p,
    const struct reshard *r)
{
	int32_t n = 0;

	for (int32_t s = 0; s < SLOT_COUNT; s++)
		n += r->target[s] != r->owner_before[s] &&
		    slots_get(p->slots, s).owner == r->target[s];
	return n;
}

/* Says what will be done, and asks.  False: it was a dry run. */
static enum rc agree(struct shards_place *p, const struct change_args *a,
    bool *go, struct err *e)
{
	*go = !a->dry_run;
	if (*go)
		return shards_confirm(p->ctl, a->yes, e);
	fputs(p->ctl->json ? "{\"dry_run\":true}\n" : "Nothing was changed.\n",
	    p->ctl->out);
	return RC_OK;
}

static void say(const struct shards_place *p, const char *words, int32_t n)
{
	if (!p->ctl->json)
		fprintf(p->ctl->out, words, n);
}

/* By this process or by one that was at work. */
static enum rc given_up(struct shards_place *p, struct reshard *r,
    struct err *e)
{
	enum rc rc = reshard_load(&p->journal, r, e);

	if (rc == RC_OK && r->state == RESHARD_NONE)
		say(p, "The change is given up; all slots are where they "
		    "were.\n", 0);
	return rc;
}

enum rc reshard_abort_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	struct reshard *r = NULL;
	bool go = false;
	enum rc rc = begin(p, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = state_load(p, &r, e);
	if (rc == RC_OK && r->state != RESHARD_NONE) {
		say(p, "Gives the change up: %d slots that have moved are "
		    "moved back.\n", slots_moved(p, r));
		rc = agree(p, &a, &go, e);
	} else if (rc == RC_OK) {
		rc = err_set(e, RC_NOTFOUND, "no change is under way");
	}
	if (rc != RC_OK || !go)
		goto out;
	rc = ask(p, RESHARD_ABORTING, &a, e);
	if (rc == RC_OK && r->plan.only_slot < 0)
		rc = conf_follow(p, &r->before, true, e);
	if (rc == RC_OK)
		rc = go_on(p, &a, e);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = given_up(p, r, e);
out:
	free(r);
	return rc;
}

enum rc reshard_rollback_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	struct reshard *r = NULL;
	struct reshard_conf conf;
	bool go = false, moved, prepared = false;
	enum rc rc = begin(p, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = state_load(p, &r, e);
	if (rc != RC_OK)
		return rc;
	moved = r->state == RESHARD_MOVED;
	if (moved)
		say(p, "Moves %d slots back to where they were; what was "
		    "written since goes with them.\n", slots_moved(p, r));
	if (moved)
		rc = agree(p, &a, &go, e);
	if (rc != RC_OK || (moved && !go))
		goto out;
	rc = shards_place_router(p, false, e);
	conf = asker(p);
	if (rc == RC_OK && moved && r->plan.only_slot < 0) {
		prepared = true;
		rc = conf_follow(p, &r->before, false, e);
	}
	if (rc == RC_OK)
		rc = reshard_rollback(&conf, &a.limits, e);
	if (rc == RC_OK)
		rc = go_on(p, &a, e);
	else if (prepared)
		conf_forget(p);
out:
	free(r);
	return rc;
}

static enum rc cleanup_do(struct shards_place *p, struct err *e)
{
	struct progress progress;
	struct move_setup m = { .conf = { .stop_fd = -1 } };
	enum rc rc = move_setup_init(&m, p, true, e);

	progress_init(&progress, p->ctl);
	if (rc == RC_OK)
		rc = reshard_cleanup(&m.conf, progress_show, &progress, e);
	progress_end(&progress);
	move_setup_release(&m);
	return rc;
}

enum rc reshard_cleanup_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	struct reshard *r = NULL;
	bool go = true, moved;
	int gone = 0;
	enum rc rc = begin(p, argc, argv, &a, e);

	if (rc == RC_OK)
		rc = state_load(p, &r, e);
	if (rc != RC_OK)
		return rc;
	moved = r->state == RESHARD_MOVED;
	if (moved) {
		say(p, "Deletes what %d moved slots left where they were, and "
		    "takes emptied shards out of\nshards.conf. There is no "
		    "rollback after that.\n", slots_moved(p, r));
		rc = agree(p, &a, &go, e);
	} else if (r->state != RESHARD_NONE) {
		rc = err_set(e, RC_CONFLICT, "the change is %s: familybotctl "
		    "shards reshard resume, or abort",
		    reshard_state_word(r->state));
	}
	if (rc != RC_OK || !go)
		goto out;
	if (moved && p->shared != NULL && r->plan.only_slot < 0)
		rc = conf_agree(p, &r->plan, e);
	if (rc == RC_OK && moved)
		rc = cleanup_do(p, e);
	if (rc == RC_OK)
		rc = shards_sweep(p, r, &gone, e);
	if (rc == RC_OK && p->ctl->json)
		fprintf(p->ctl->out, "{\"cleaned\":%s,\"shards_removed\":%d}\n",
		    moved ? "true" : "false", gone);
	else if (rc == RC_OK)
		fputs(moved || gone > 0 ? "Clean.\n" :
		    "There is nothing to clean up.\n", p->ctl->out);
out:
	free(r);
	return rc;
}
