/* ctl.c - the table of subcommands, see ctl.h. */
#include "config.h"

#include "tools/ctl.h"

#include <stdarg.h>
#include <string.h>

#include "utils/buf.h"

const struct subcommand *const ctl_table[] = {
	&sub_webhook, &sub_jobs, &sub_spool, &sub_shards, &sub_options,
	&sub_who, &sub_food, NULL
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

void ctl_age(int64_t seconds, char *out, size_t size)
{
	long long s = seconds > 0 ? (long long)seconds : 0;

	if (s < 120)
		str_format(out, size, "%lld s", s);
	else if (s < 7200)
		str_format(out, size, "%lld min", s / 60);
	else if (s < 2 * 86400)
		str_format(out, size, "%lld h %lld min", s / 3600,
		    s % 3600 / 60);
	else
		str_format(out, size, "%lld d", s / 86400);
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
