/*
 * reshard.c - familybotctl shards reshard, and drain: a change of
 * shards is started here, and asked for everything else.
 *
 * Order of a start, each step found again by resume: shards.conf is made ready
 * under another name, the names go into the map, the journal begins,
 * shards.conf is put in its place, slots move.
 */
#include "config.h"

#include "tools/shards/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "tools/shards/change.h"
#include "tools/shards/hosts.h"
#include "tools/shards/move.h"
#include "tools/shards/reshard.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

/* A new shard must be reached and hold nobody. */
static enum rc shard_try(const struct config_shard *s, bool force,
    struct err *e)
{
	const struct store_conf conf = { .name = s->name, .uri = s->uri,
		.timeout_ms = s->timeout_ms, .create = true };
	struct slot_census *census = xcalloc(SLOT_COUNT, sizeof(*census));
	struct err words = { .text = "" };
	struct store *store = NULL;
	int64_t records = 0;
	enum rc rc = store_open(&conf, &store, &words);

	if (rc == RC_OK)
		rc = store->ops->census(store, census, &words);
	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++)
		for (int k = 0; k < COLLECTION_COUNT; k++)
			records += census[i].records[k];
	store_close(store);
	free(census);
	if (rc != RC_OK)
		return err_set(e, rc, "%s cannot be used: %s", s->name,
		    words.text);
	if (records > 0 && !force)
		return err_set(e, RC_CONFLICT, "%s holds %lld records already: "
		    "name an empty one; --force deletes those of slots that come",
		    s->name, (long long)records);
	return RC_OK;
}

static enum rc new_shards_try(const struct shards_place *p,
    const struct shards_change *ch, bool force, struct err *e)
{
	enum rc rc = RC_OK;

	for (int i = 0; ch->after != NULL && i < ch->after->nshards &&
	    rc == RC_OK; i++) {
		const struct config_shard *s = &ch->after->shards[i];
		int shard = slots_shard_find(p->slots, s->name);

		if (!s->leaving && (shard < 0 ||
		    !slots_shard_used(p->slots, shard)))
			rc = shard_try(s, force, e);
	}
	return rc;
}

/* Where there are several hosts, at the same place for all. */
static enum rc names_add(struct shards_place *p, const struct plan *plan,
    struct err *e)
{
	const char *names[SHARDS_MAX];
	struct shards_hosts h;
	enum rc rc = RC_OK;
	int shard;

	for (int i = 0; i < plan->nnames; i++)
		names[i] = plan->names[i];
	if (shards_hosts_init(&h, p->ctl->conf))
		return cluster_names_add(&h.conf, p->slots, names,
		    plan->nnames, e);
	for (int i = 0; i < plan->nnames && rc == RC_OK; i++)
		rc = slots_shard_add(p->slots, names[i], &shard, e);
	return rc == RC_OK ? slots_sync(p->slots, e) : rc;
}

/* The router of the journal's checks knows the new shards only from the new
 * shards.conf. */
static enum rc journal_begin(struct shards_place *p,
    const struct shards_change *ch, const struct reshard_limits *limits,
    struct err *e)
{
	struct config *conf = p->ctl->conf, with = *conf;
	struct reshard_conf rc_conf = {
		.dir = p->dir,
		.journal = p->journal,
		.slots = p->slots,
		.clock = &clock_system,
		.who = p->who,
		.stop_fd = -1,
	};
	enum rc rc;

	if (ch->after != NULL) {
		with.shards = ch->after->shards;
		with.nshards = ch->after->nshards;
	}
	p->ctl->conf = &with;
	rc = shards_place_router(p, false, e);
	p->ctl->conf = conf;
	rc_conf.router = p->router;
	if (rc == RC_OK)
		rc = reshard_begin(&rc_conf, &ch->before, &ch->plan, limits,
		    e);
	router_free(p->router);
	p->router = NULL;
	return rc;
}

/* Another change that is under way says itself how it is ended. */
static enum rc none_under_way(struct shards_place *p, struct err *e)
{
	struct reshard *r = xcalloc(1, sizeof(*r));
	enum rc rc = reshard_load(&p->journal, r, e);

	if (rc == RC_OK && (r->state == RESHARD_RUNNING ||
	    r->state == RESHARD_PAUSED || r->state == RESHARD_ABORTING))
		rc = err_set(e, RC_CONFLICT, "a change is under way: "
		    "familybotctl shards reshard resume goes on with it, abort "
		    "gives it up");
	if (rc == RC_OK && r->state == RESHARD_MOVED)
		rc = err_set(e, RC_CONFLICT, "the last change waits for "
		    "familybotctl shards reshard cleanup, or rollback");
	free(r);
	return rc;
}

/* What is to be in shards.conf lies ready, and its shards are in the map. */
static enum rc change_prepare(struct shards_place *p,
    const struct shards_change *ch, struct err *e)
{
	enum rc rc = RC_OK;

	conf_forget(p);		/* of a start that was killed */
	if (ch->text.len > 0)
		rc = conf_prepare(p, &ch->text, e);
	return rc == RC_OK ? names_add(p, &ch->plan, e) : rc;
}

/* limits NULL: no slot moves, yet shards.conf may say something else. */
static enum rc change_write(struct shards_place *p,
    const struct shards_change *ch, const struct reshard_limits *limits,
    struct err *e)
{
	int gone = 0;
	enum rc rc = none_under_way(p, e);

	if (rc == RC_OK)
		rc = change_still(p, ch, e);
	if (rc == RC_OK)
		rc = change_prepare(p, ch, e);
	if (rc == RC_OK && limits != NULL)
		rc = journal_begin(p, ch, limits, e);
	/* RC_UNAVAILABLE: the meta store did not answer, so the journal may
	 * have begun there; the new shards.conf stays, as the move needs it. */
	if (rc != RC_OK && rc != RC_UNAVAILABLE)
		conf_forget(p);
	if (rc == RC_OK)
		rc = conf_install(p, e);
	return rc == RC_OK && limits == NULL ? conf_sweep(p, &gone, e) : rc;
}

/* Two operators may start a change at the same moment: the lock and the journal
 * let one through, and the other is told which change is under way. */
static enum rc change_begin(struct shards_place *p,
    const struct shards_change *ch, const struct change_args *a,
    const struct reshard_limits *limits, struct err *e)
{
	enum rc rc = shards_confirm(p->ctl, a->yes, e);

	if (rc == RC_OK)
		rc = new_shards_try(p, ch, a->force, e);
	if (rc == RC_OK)
		rc = slots_change_lock(p->slots, CHANGE_WAIT_MS, e);
	if (rc != RC_OK)
		return rc;
	rc = change_write(p, ch, limits, e);
	slots_change_unlock(p->slots);
	return rc;
}

static enum rc change_do(struct shards_place *p, const struct shards_change *ch,
    const struct change_args *a, struct err *e)
{
	enum rc rc = RC_OK;

	if (!a->force)
		rc = change_room(ch, e);
	if (rc == RC_OK)
		rc = change_begin(p, ch, a, &a->limits, e);
	if (rc != RC_OK)
		return rc;
	return a->detach ? shards_move_detached(p, e) : shards_move(p, e);
}

enum rc change_start(struct shards_place *p, const struct change_args *a,
    struct err *e)
{
	struct shards_change *ch = NULL;
	struct ctl *c = p->ctl;
	bool still, alike;
	enum rc rc = none_under_way(p, e);

	if (rc == RC_OK)
		rc = change_make(p, a, &ch, e);
	if (rc != RC_OK)
		return rc;
	still = ch->moves.moving == 0;
	alike = change_conf_same(p, ch);
	if (!c->json)
		change_print(c, ch);
	else if (a->dry_run || still)
		change_json(c, ch);
	if (still && !a->dry_run)	/* somebody did it at this moment? */
		rc = none_under_way(p, e);
	if (rc == RC_OK && !c->json && (a->dry_run || still))
		fputs(still ? "Nothing needs to move.\n" :
		    "Nothing was changed.\n", c->out);
	if (rc == RC_OK && !a->dry_run && !still)
		rc = change_do(p, ch, a, e);
	else if (rc == RC_OK && !a->dry_run && !alike)
		rc = change_begin(p, ch, a, NULL, e);
	change_free(ch);
	return rc;
}

static enum rc start_run(struct shards_place *p, int argc, char **argv,
    struct err *e)
{
	struct change_args a = { .nadd = 0 };
	enum rc rc = change_args_read(p->ctl, argc, argv, true, &a, e);

	if (rc == RC_OK)
		rc = shards_place_open(p->ctl, p, e);
	return rc == RC_OK ? change_start(p, &a, e) : rc;
}

static const struct {
	const char *name;
	enum rc (*run)(struct shards_place *p, int argc, char **argv,
	    struct err *e);
} actions[] = {
	{ "start", start_run },
	{ "pause", reshard_pause_run },
	{ "resume", reshard_resume_run },
	{ "abort", reshard_abort_run },
	{ "rollback", reshard_rollback_run },
	{ "cleanup", reshard_cleanup_run },
	{ "watch", reshard_watch_run },
};

static enum rc reshard_command(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	struct shards_place p = { .ctl = c };
	enum rc rc;

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (argc < 2 || strcmp(argv[1], actions[i].name) != 0)
			continue;
		rc = actions[i].run(&p, argc - 1, argv + 1, e);
		shards_place_release(&p);
		return rc;
	}
	return ctl_usage(c, e, "reshard: start, pause, resume, abort, "
	    "rollback, cleanup or watch?");
}

/* Modulo where the number that stays allows it. */
static enum rc drain_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct shards_place p = { .ctl = c };
	struct change_args a = { .nadd = 0 };
	const char *name = argc > 1 ? argv[1] : "-";
	int below, above, left = -1;
	enum rc rc;

	if (*name == '-')
		return ctl_usage(c, e, "drain: which shard?");
	rc = change_args_read(c, argc - 1, argv + 1, true, &a, e);
	if (rc == RC_OK && (a.nadd > 0 || a.nremove > 0 || a.to != NULL ||
	    a.slot >= 0))
		return ctl_usage(c, e, "drain empties one shard; reshard start "
		    "takes more");
	if (rc == RC_OK)
		rc = shards_place_open(c, &p, e);
	if (rc != RC_OK)
		return rc;
	a.remove[a.nremove++] = name;
	for (int i = 0; i < c->conf->nshards; i++)
		left += !c->conf->shards[i].leaving;
	if (a.placement == NULL && left > 0 &&
	    c->conf->placement == PLACEMENT_MODULO &&
	    !slots_divide(left, &below, &above)) {
		a.placement = "minimal";
		fprintf(stderr, "%d shards do not divide %d slots, so the "
		    "placement becomes minimal.\n", left, SLOT_COUNT);
	}
	rc = change_start(&p, &a, e);
	shards_place_release(&p);
	return rc;
}

#define LIMITS_HELP \
	"  --max-users-per-second  moves no more people a second than this\n" \
	"  --pause-if-p99-over     waits while a shard's p99 is over so many " \
	"ms\n" \
	"  --detach                moves in the background\n" \
	"  --dry-run               says what would be done\n" \
	"  --yes                   does not ask\n" \
	"  --force                 also without enough room, or onto shards " \
	"that are\n" \
	"                          not empty; what they hold of slots that " \
	"come is deleted\n"

const struct shards_command shards_reshard = {
	.name = "reshard",
	.usage =
	    "  familybotctl shards reshard start [--add NAME=URI]... "
	    "[--remove NAME]...\n"
	    "      [--to FILE] [--placement modulo|minimal] [--slot N --shard "
	    "NAME]\n"
	    "      [--max-users-per-second N] [--pause-if-p99-over MS] "
	    "[--detach]\n"
	    "      [--dry-run] [--yes] [--force]\n"
	    "  familybotctl shards reshard resume [--max-users-per-second N]\n"
	    "      [--pause-if-p99-over MS] [--detach]\n"
	    "  familybotctl shards reshard pause | watch\n"
	    "  familybotctl shards reshard abort | rollback | cleanup "
	    "[--dry-run] [--yes]\n"
	    "\n"
	    "Moves people to where the shards that were asked for (see shards "
	    "plan --help)\n"
	    "want them, while the bot serves. It may be stopped or killed at "
	    "any time, and\n"
	    "resumed from any terminal.\n"
	    "\n" LIMITS_HELP,
	.help = "changes the shards while people write",
	.run = reshard_command,
};

const struct shards_command shards_drain = {
	.name = "drain",
	.usage =
	    "  familybotctl shards drain SHARD [--placement modulo|minimal]\n"
	    "      [--max-users-per-second N] [--pause-if-p99-over MS] "
	    "[--detach]\n"
	    "      [--dry-run] [--yes] [--force]\n"
	    "\n"
	    "Empties a shard: the same as reshard start --remove SHARD. "
	    "Afterwards reshard\n"
	    "cleanup takes it out of shards.conf.\n"
	    "\n" LIMITS_HELP,
	.help = "empties a shard, so that it can be switched off",
	.run = drain_run,
};
