/*
 * plan.c - familybotctl shards plan: what a change would do, for people
 * and for programs; and the options that select a change.
 */
#include "config.h"

#include "tools/shards/change.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "shards/slots.h"
#include "tools/shards/show.h"
#include "utils/json.h"

static bool number_read(const char *s, int64_t most, int64_t *out)
{
	char *end = NULL;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0 || n > most)
		return false;
	*out = n;
	return true;
}

static enum rc option_take(struct ctl *c, struct change_args *a, int o,
    struct err *e)
{
	int64_t n = 0;

	switch (o) {
	case 'a':
		if (a->nadd == SHARDS_MAX)
			return ctl_usage(c, e, "too many --add");
		a->add[a->nadd++] = optarg;
		break;
	case 'r':
		if (a->nremove == SHARDS_MAX)
			return ctl_usage(c, e, "too many --remove");
		a->remove[a->nremove++] = optarg;
		break;
	case 't':
		a->to = optarg;
		break;
	case 'p':
		a->placement = optarg;
		if (strcmp(optarg, "modulo") != 0 &&
		    strcmp(optarg, "minimal") != 0)
			return ctl_usage(c, e, "--placement: modulo or "
			    "minimal");
		break;
	case 's':
		if (!number_read(optarg, SLOT_COUNT - 1, &n))
			return ctl_usage(c, e, "--slot: 0 to %d",
			    SLOT_COUNT - 1);
		a->slot = (int32_t)n;
		break;
	case 'h':
		a->shard = optarg;
		break;
	case 'u':
		a->users_given = true;
		if (!number_read(optarg, INT32_MAX,
		    &a->limits.users_per_second))
			return ctl_usage(c, e, "--max-users-per-second: a "
			    "number, 0 for no limit");
		break;
	default:	/* 'm' */
		a->p99_given = true;
		if (!number_read(optarg, INT32_MAX,
		    &a->limits.pause_if_p99_over_ms))
			return ctl_usage(c, e, "--pause-if-p99-over: "
			    "milliseconds, 0 for never");
	}
	return RC_OK;
}

static bool flag_take(struct ctl *c, struct change_args *a, int o)
{
	switch (o) {
	case 'y':
		return a->yes = true;
	case 'n':
		return a->dry_run = true;
	case 'd':
		return a->detach = true;
	case 'f':
		return a->force = true;
	case 'j':
		return c->json = true;
	default:
		return false;
	}
}

static enum rc args_judge(struct ctl *c, const struct change_args *a,
    struct err *e)
{
	if ((a->slot >= 0) != (a->shard != NULL))
		return ctl_usage(c, e, "--slot N and --shard NAME go together");
	if (a->slot >= 0 && (a->nadd > 0 || a->nremove > 0 || a->to != NULL ||
	    a->placement != NULL))
		return ctl_usage(c, e, "--slot goes with --shard alone");
	return RC_OK;
}

enum rc change_args_read(struct ctl *c, int argc, char **argv, bool all,
    struct change_args *a, struct err *e)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "add", required_argument, NULL, 'a' },
		{ "remove", required_argument, NULL, 'r' },
		{ "to", required_argument, NULL, 't' },
		{ "placement", required_argument, NULL, 'p' },
		{ "slot", required_argument, NULL, 's' },
		{ "shard", required_argument, NULL, 'h' },
		/* of start */
		{ "max-users-per-second", required_argument, NULL, 'u' },
		{ "pause-if-p99-over", required_argument, NULL, 'm' },
		{ "yes", no_argument, NULL, 'y' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "detach", no_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	enum rc rc = RC_OK;
	int o;

	a->slot = -1;
	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while (rc == RC_OK &&
	    (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == '?' || (!all && strchr("umyndf", o) != NULL))
			return ctl_usage(c, e, "%s: unknown option, or its "
			    "value is missing", argv[optind - 1]);
		if (!flag_take(c, a, o))
			rc = option_take(c, a, o, e);
	}
	if (rc == RC_OK && optind < argc)
		return ctl_usage(c, e, "%s: not understood", argv[optind]);
	return rc == RC_OK ? args_judge(c, a, e) : rc;
}

static void names_differ(FILE *f, const char *words, const struct plan *a,
    const struct plan *b)
{
	for (int i = 0; i < a->nnames; i++) {
		int k = 0;

		while (k < b->nnames && strcmp(a->names[i], b->names[k]) != 0)
			k++;
		if (k == b->nnames)
			fprintf(f, ", %s %s", words, a->names[i]);
	}
}

static void heading_print(FILE *f, const struct shards_change *ch)
{
	if (ch->plan.only_slot >= 0) {
		fprintf(f, "Change: slot %d to %s.\n\n", ch->plan.only_slot,
		    ch->plan.names[0]);
		return;
	}
	fprintf(f, "Change: %d -> %d shards, placement %s", ch->before.nnames,
	    ch->plan.nnames, ch->plan.placement == PLAN_MODULO ? "modulo" :
	    "minimal");
	names_differ(f, "adds", &ch->plan, &ch->before);
	names_differ(f, "removes", &ch->before, &ch->plan);
	fputs(".\n\n", f);
}

static void rows_print(FILE *f, const struct shards_change *ch)
{
	fprintf(f, "%-16s %6s %6s %6s %6s %9s %9s %9s %9s %9s\n", "SHARD",
	    "SLOTS", "THEN", "IN", "OUT", "USERS IN", "USERS OUT", "SIZE IN",
	    "SIZE OUT", "FREE");
	for (int i = 0; i < slots_shards(ch->map); i++) {
		const struct plan_shard_cost *c = &ch->cost.of[i];
		const char *name = slots_shard_name(ch->map, i);
		char in[FIGURE_SIZE], out[FIGURE_SIZE], free[FIGURE_SIZE];

		if (*name == '\0')
			continue;
		fprintf(f, "%-16s %6d %6d %6d %6d %9lld %9lld %9s %9s %9s%s\n",
		    name, c->slots_now, c->slots_then, c->slots_in,
		    c->slots_out, (long long)c->users_in,
		    (long long)c->users_out, figure_bytes(c->bytes_in, in),
		    figure_bytes(c->bytes_out, out),
		    figure_bytes(c->free, free),
		    c->slots_out > 0 && !c->known ? "  no answer" : "");
	}
}

void change_print(struct ctl *c, const struct shards_change *ch)
{
	const struct plan_cost *cost = &ch->cost;
	char size[FIGURE_SIZE], people[FIGURE_SIZE], records[FIGURE_SIZE];
	struct err e = { .text = "" };
	char time[32];

	heading_print(c->out, ch);
	rows_print(c->out, ch);
	ctl_age(cost->seconds, time, sizeof(time));
	fprintf(c->out, "\n%d of %d slots move: about %s, %s, %s.\n",
	    cost->slots, SLOT_COUNT, figure_people(cost->users, people),
	    figure_records(cost->records, records),
	    figure_bytes(cost->bytes, size));
	if (cost->slots > 0)
		fprintf(c->out, "Time: about %s, at %.0f people/s (%s).\n",
		    time, ch->speed, ch->measured ?
		    "measured by the last move" : "a guess");
	if (change_room(ch, &e) != RC_OK)
		fprintf(c->out, "NOT ENOUGH ROOM: %s.\n", e.text);
}

void change_json(struct ctl *c, const struct shards_change *ch)
{
	const struct plan_cost *cost = &ch->cost;
	struct err e = { .text = "" };
	struct buf b;
	bool any = false;

	buf_init(&b, 1 << 20);
	buf_printf(&b, "{\"shards_before\":%d,\"shards_after\":%d,"
	    "\"placement\":\"%s\",\"slots\":%d,\"users\":%lld,"
	    "\"records\":%lld,\"bytes\":%lld,\"seconds\":%lld,"
	    "\"users_per_second\":%.1f,\"measured\":%s,\"room\":%s,"
	    "\"shards\":[", ch->before.nnames, ch->plan.only_slot >= 0 ?
	    ch->before.nnames : ch->plan.nnames, ch->plan.placement ==
	    PLAN_MODULO ? "modulo" : "minimal", cost->slots,
	    (long long)cost->users, (long long)cost->records,
	    (long long)cost->bytes, (long long)cost->seconds, ch->speed,
	    ch->measured ? "true" : "false",
	    change_room(ch, &e) == RC_OK ? "true" : "false");
	for (int i = 0; i < slots_shards(ch->map); i++) {
		const struct plan_shard_cost *s = &ch->cost.of[i];
		const char *name = slots_shard_name(ch->map, i);

		if (*name == '\0')
			continue;
		buf_puts(&b, any ? ",\n{\"name\":" : "\n{\"name\":");
		json_put_str(&b, name);
		buf_printf(&b, ",\"slots_now\":%d,\"slots_then\":%d,"
		    "\"slots_in\":%d,\"slots_out\":%d,\"users_in\":%lld,"
		    "\"users_out\":%lld,\"bytes_in\":%lld,\"bytes_out\":%lld,"
		    "\"free\":%lld,\"known\":%s}", s->slots_now, s->slots_then,
		    s->slots_in, s->slots_out, (long long)s->users_in,
		    (long long)s->users_out, (long long)s->bytes_in,
		    (long long)s->bytes_out, (long long)s->free,
		    s->known ? "true" : "false");
		any = true;
	}
	buf_puts(&b, "]}\n");
	fputs(b.s, c->out);
	buf_release(&b);
}

static enum rc plan_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct change_args a = { .nadd = 0 };
	struct shards_place p = { .ctl = NULL };
	struct shards_change *ch = NULL;
	enum rc rc = change_args_read(c, argc, argv, false, &a, e);

	if (rc == RC_OK)
		rc = shards_place_open(c, &p, e);
	if (rc != RC_OK)
		return rc;
	rc = change_make(&p, &a, &ch, e);
	if (rc == RC_OK && c->json) {
		change_json(c, ch);
	} else if (rc == RC_OK) {
		change_print(c, ch);
		fputs(ch->moves.moving == 0 ? "Nothing needs to move.\n" :
		    "Nothing was changed. To do it: familybotctl shards "
		    "reshard start, with the same options.\n", c->out);
	}
	change_free(ch);
	shards_place_release(&p);
	return rc;
}

const struct shards_command shards_plan = {
	.name = "plan",
	.usage =
	    "  familybotctl shards plan [--add NAME=URI]... [--remove NAME]... "
	    "[--to FILE]\n"
	    "      [--placement modulo|minimal] [--slot N --shard NAME] "
	    "[--json]\n"
	    "\n"
	    "  --add        another shard, with its URI as in shards.conf, or "
	    "@FILE that holds it\n"
	    "  --remove     a shard that shall be emptied\n"
	    "  --to         the shards and the placement of another "
	    "shards.conf\n"
	    "  --placement  modulo: user_id modulo the number of shards; "
	    "minimal: moves little\n"
	    "  --slot       one slot, to the shard of --shard\n"
	    "\n"
	    "Without options: what brings the slots to where shards.conf "
	    "wants them.\n"
	    "Changes nothing.\n",
	.help = "what a change of shards would move, and what that costs",
	.run = plan_run,
};
