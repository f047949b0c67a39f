/*
 * who.c - familybotctl who: what the log calls people, so that an operator who
 * was given an id finds this person's lines.
 */
#include "config.h"

#include "tools/ctl.h"

#include <errno.h>
#include <stdlib.h>

#include "utils/log_who.h"

static bool id_read(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && errno == 0 && *out != 0;
}

static enum rc who_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	enum rc rc;
	int64_t id;

	if (argc < 2)
		return ctl_usage(c, e, "who: no id");
	for (int i = 1; i < argc; i++)
		if (!id_read(argv[i], &id))
			return ctl_usage(c, e, "%.40s: no id of a person or a "
			    "chat", argv[i]);
	rc = ctl_config(c, e);
	if (rc != RC_OK)
		return rc;
	/* names of a random key would be found in no log */
	if (c->conf->webhook_secret[0] == '\0')
		return err_set(e, RC_INVALID, "webhook_secret is not set: the "
		    "log's names come of it");
	for (int i = 1; i < argc; i++) {
		(void)id_read(argv[i], &id);
		fprintf(c->out, c->json ? "%s{\"id\":%lld,\"name\":\"%s\"}%s" :
		    "%s%lld  %s%s", c->json ? (i == 1 ? "[" : ",") : "",
		    (long long)id, log_who_name(id),
		    !c->json ? "\n" : i == argc - 1 ? "]\n" : "");
	}
	return RC_OK;
}

const struct subcommand sub_who = {
	.name = "who",
	.usage = "  familybotctl who ID...\n",
	.help = "the names by which the log calls people",
	.run = who_run,
};
