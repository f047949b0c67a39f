/*
 * values.c - gathers the options from familybot.conf and the environment.
 *
 * Every text is owned by struct values.  The checks are in check.c.
 */
#include <config.h>

#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "config/options.h"
#include "config/secret.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

void values_init(struct values *vs, const char *base)
{
	vs->v = xcalloc((size_t)option_count, sizeof(*vs->v));
	vs->base = xstrdup(base);
}

static void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void values_release(struct values *vs)
{
	for (int i = 0; vs->v && i < option_count; i++) {
		secret_free(vs->v[i].text);
		free(vs->v[i].where);
	}
	free(vs->v);
	free(vs->base);
	memset(vs, 0, sizeof(*vs));
}

/* Takes text over. */
static void value_set(struct values *vs, int i, char *text, const char *where)
{
	secret_free(vs->v[i].text);
	free(vs->v[i].where);
	vs->v[i].text = text;
	vs->v[i].where = xstrdup(where);
}

static const char *type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a group or list";
	}
}

static const char *type_wanted(const struct option *o)
{
	if (o->kind == OPTION_INT)
		return "an integer without quotes";
	if (o->kind == OPTION_BOOL)
		return "true or false without quotes";
	return "a string in double quotes";
}

/* The setting as text when its type is the option's, else NULL. */
static char *setting_text(const struct option *o, const config_setting_t *s)
{
	int type = config_setting_type(s);
	char number[32];

	if (o->kind == OPTION_BOOL)
		return type != CONFIG_TYPE_BOOL ? NULL :
		    xstrdup(config_setting_get_bool(s) ? "true" : "false");
	if (o->kind != OPTION_INT)
		return type != CONFIG_TYPE_STRING ? NULL :
		    xstrdup(config_setting_get_string(s));
	if (type == CONFIG_TYPE_INT)
		str_format(number, sizeof(number), "%d",
		    config_setting_get_int(s));
	else if (type == CONFIG_TYPE_INT64)
		str_format(number, sizeof(number), "%lld",
		    config_setting_get_int64(s));
	else
		return NULL;
	return xstrdup(number);
}

static void report_unknown(const char *name, const char *where,
    struct report *r)
{
	const char *near = option_nearest(name);

	if (near)
		report_error(r, where, "unknown option %s; did you mean %s?",
		    name, near);
	else
		report_error(r, where, "unknown option %s; `familybotctl "
		    "options` lists all", name);
}

static void secret_from_file(struct values *vs, int i,
    const char *path, const char *where, struct report *r)
{
	char *full, *text;

	full = path_under(vs->base, path);
	text = secret_read(full, where, r);
	if (text)
		value_set(vs, i, text, where);
	free(full);
}

/* name_file = "path"; */
static void secret_setting(struct values *vs, int i, const config_setting_t *s,
    const char *where, struct report *r)
{
	const char *name = config_setting_name(s);

	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		report_error(r, where, "%s is %s; it should be a path in "
		    "double quotes", name, type_name(config_setting_type(s)));
	else if (config_setting_get_member(config_setting_parent(s),
	    option_table[i].name))
		report_error(r, where, "both %s and %s are given; keep one",
		    option_table[i].name, name);
	else
		secret_from_file(vs, i, config_setting_get_string(s),
		    where, r);
}

static void setting_take(struct values *vs, const char *path,
    const config_setting_t *s, struct report *r)
{
	const char *name = config_setting_name(s);
	char where[WHERE_MAX];
	char *text;
	int i;

	conf_where(path, s, where, sizeof(where));
	i = option_find_file(name);
	if (i >= 0) {
		secret_setting(vs, i, s, where, r);
		return;
	}
	i = option_find(name);
	if (i < 0) {
		report_unknown(name, where, r);
		return;
	}
	text = setting_text(&option_table[i], s);
	if (text)
		value_set(vs, i, text, where);
	else
		report_error(r, where, "%s is %s; it should be %s", name,
		    type_name(config_setting_type(s)),
		    type_wanted(&option_table[i]));
}

bool values_from_file(struct values *vs, const char *path, struct report *r)
{
	config_setting_t *root;
	config_t cfg;
	bool ok;

	ok = conf_file_parse(path, &cfg, r);
	if (ok) {
		root = config_root_setting(&cfg);
		for (int i = 0; i < config_setting_length(root); i++)
			setting_take(vs, path,
			    config_setting_get_elem(root, (unsigned)i), r);
	}
	config_destroy(&cfg);
	return ok;
}

static const char *env_get(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

void values_from_env(struct values *vs, struct report *r)
{
	char name[80], where[128];
	const char *s;

	for (int i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		str_format(where, sizeof(where), "environment %s", o->env);
		s = env_get(o->env);
		if (s) {
			value_set(vs, i, xstrdup(s), where);
			continue;
		}
		if (o->kind != OPTION_SECRET)
			continue;
		str_format(name, sizeof(name), "%s_FILE", o->env);
		str_format(where, sizeof(where), "environment %s", name);
		s = env_get(name);
		if (s)
			secret_from_file(vs, i, s, where, r);
	}
}

bool values_given(const struct values *vs, const char *name)
{
	int i = option_find(name);

	return i >= 0 && vs->v[i].text != NULL;
}

const char *values_where(const struct values *vs, const char *name)
{
	int i = option_find(name);

	return i >= 0 && vs->v[i].where ? vs->v[i].where : name;
}
