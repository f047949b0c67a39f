/*
 * values.h - the text of each option and where it came from, gathered from
 * file and environment, then checked and put into struct config.
 */
#ifndef FAMILYBOT_CONFIG_VALUES_H
#define FAMILYBOT_CONFIG_VALUES_H

#include "config/config.h"
#include "config/report.h"

struct value {
	char *text;		/* NULL: the default */
	char *where;		/* "file:line" or "environment NAME" */
};

struct values {
	struct value *v;	/* one per row of option_table */
	char *base;		/* folder that relative paths start from */
};

void values_init(struct values *vs, const char *base);
void values_release(struct values *vs);

/* familybot.conf; false when it could not be parsed. */
bool values_from_file(struct values *vs, const char *path, struct report *r);
/* Variables of the environment, over what the file said.  An empty variable
 * counts as not set. */
void values_from_env(struct values *vs, struct report *r);
/* Fills every field that has a row in option_table. */
void values_check(const struct values *vs, struct config *c,
    struct report *r);
/* Was the option given (not the default)? */
bool values_given(const struct values *vs, const char *name);
/* Where it was given; the option's own name when it is the default. */
const char *values_where(const struct values *vs, const char *name);

#endif
