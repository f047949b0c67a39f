/* ctl.c - the table of subcommands, see ctl.h. */
#include "config.h"

#include "tools/ctl.h"

#include <stdarg.h>
#include <string.h>

const struct subcommand *const ctl_table[] = {
	&sub_webhook, &sub_jobs, &sub_options, NULL
};

const struct subcommand *ctl_find(const char *name)
{
	for (size_t i = 0; ctl_table[i] != NULL; i++)
		if (strcmp(ctl_table[i]->name, name) == 0)
			return ctl_table[i];
	return NULL;
}

enum rc ctl_config(struct ctl *c, struct err *e)
{
	enum rc rc;

	if (c->conf != NULL)
		return RC_OK;
	rc = config_load(c->conf_path, stderr, &c->conf, e);
	if (rc == RC_OK)
		c->conf_loaded(c->conf);
	return rc;
}

enum rc ctl_usage(struct ctl *c, struct err *e, const char *fmt, ...)
{
	char words[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	c->bad_usage = true;
	return err_set(e, RC_INVALID, "%s", words);
}
