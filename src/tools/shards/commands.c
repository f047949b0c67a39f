/*
 * commands.c - familybotctl shards: the table of its commands, and the place
 * they work on, see commands.h.
 */
#include "config.h"

#include "tools/shards/commands.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shards/router.h"
#include "shards/slots.h"
#include "tools/shards/hosts.h"
#include "utils/buf.h"

static const struct shards_command *const table[] = {
	&shards_status, &shards_plan, &shards_reshard, &shards_drain,
	&shards_pause, &shards_resume, &shards_hosts,
	&shards_verify, &shards_backup, &shards_restore, &shards_migrate,
	NULL
};

static const struct shards_command *command_find(const char *name)
{
	for (size_t i = 0; table[i] != NULL; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

static void commands_print(FILE *f)
{
	fputs("Usage: familybotctl [-c FILE] [--json] shards COMMAND ...\n\n",
	    f);
	for (size_t i = 0; table[i] != NULL; i++)
		fprintf(f, "  %-8s  %s\n", table[i]->name, table[i]->help);
	fputs("\nshards COMMAND --help tells more.\n", f);
}

static bool help_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static enum rc shards_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *what = argc > 1 ? argv[1] : "";
	const struct shards_command *s = command_find(what);

	if (s == NULL && help_wanted(argc, argv)) {
		commands_print(c->out);
		return RC_OK;
	}
	if (s == NULL && *what == '\0')
		return ctl_usage(c, e, "shards: which command?");
	if (s == NULL)
		return ctl_usage(c, e, "shards %s: unknown command", what);
	c->usage = s->usage;
	if (help_wanted(argc - 1, argv + 1)) {
		fprintf(c->out, "%s: %s\n%s", s->name, s->help, s->usage);
		return RC_OK;
	}
	return s->run(c, argc - 1, argv + 1, e);
}

static void who_tell(const struct config *c, char *out, size_t size)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());
	char host[64] = "";

	if (c->cluster.host != NULL)
		str_copy(host, sizeof(host), c->cluster.host);
	else
		gethostname(host, sizeof(host) - 1);
	str_format(out, size, "%s@%s", sudo != NULL && *sudo != '\0' ? sudo :
	    p != NULL ? p->pw_name : "unknown", host);
}

/* This host's own, or that of all. */
static void journal_find(struct shards_place *p)
{
	struct shards_hosts h;

	p->journal = (struct journal){ &journal_file, p->dir };
	if (!shards_hosts_init(&h, p->ctl->conf))
		return;
	cluster_journal_open(&h.conf, &p->shared);
	p->journal = (struct journal){ &journal_cluster, p->shared };
}

enum rc shards_place_open(struct ctl *c, struct shards_place *out,
    struct err *e)
{
	struct shards_place p = { .ctl = c };
	enum rc rc = ctl_config(c, e);

	if (rc != RC_OK)
		return rc;
	if (!str_format(p.dir, sizeof(p.dir), "%s/data", c->conf->state_dir))
		return err_set(e, RC_TOOBIG, "state_dir is too long");
	who_tell(c->conf, p.who, sizeof(p.who));
	rc = slots_open(c->conf->slots_map, NULL, 0, true, &p.slots, e);
	if (rc == RC_NOTFOUND)
		return err_set(e, rc, "%s is not there: the bot has not been "
		    "started yet", c->conf->slots_map);
	if (rc != RC_OK)
		return rc;
	*out = p;
	journal_find(out);
	return RC_OK;
}

enum rc shards_place_router(struct shards_place *p, bool create,
    struct err *e)
{
	router_free(p->router);
	p->router = NULL;
	return p->ctl->shards_open(p->ctl->conf, create, &p->router, e);
}

void shards_place_release(struct shards_place *p)
{
	router_free(p->router);
	slots_free(p->slots);
	cluster_journal_free(p->shared);
	p->shared = NULL;
	p->router = NULL;
	p->slots = NULL;
}

enum rc shards_confirm(struct ctl *c, bool yes, struct err *e)
{
	char answer[16] = "";

	if (yes)
		return RC_OK;
	if (!isatty(STDIN_FILENO) || c->json) {
		c->usage = "";
		return ctl_usage(c, e, "add --yes to do it");
	}
	fputs("Do it? Type yes: ", stderr);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    strcmp(answer, "yes\n") == 0)
		return RC_OK;
	return err_set(e, RC_DENIED, "nothing was done");
}

const struct subcommand sub_shards = {
	.name = "shards",
	.usage = "  familybotctl shards COMMAND ...\n"
	    "  familybotctl shards --help\n",
	.help = "where people's data lives, moving it, proving it",
	.run = shards_run,
};
