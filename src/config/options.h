/*
 * options.h - the table of options of familybot.conf (inside src/config).
 */
#ifndef FAMILYBOT_CONFIG_OPTIONS_H
#define FAMILYBOT_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_STRING,
	OPTION_SECRET,		/* may come from a file; never printed */
	OPTION_URL,		/* http:// or https://, may be empty */
	OPTION_CHOICE,		/* one of choices */
	OPTION_ZONE,		/* a zone of tzdata */
	OPTION_USERNAME,	/* of Telegram, without @; may be empty */
	OPTION_DIR,		/* a directory that exists */
	OPTION_FILE,		/* a file that can be read */
	OPTION_STATE_FILE,	/* made by the program, in a directory that exists */
	OPTION_SOCKET,		/* a state file with the length of a unix socket */
	OPTION_BOOL,
	OPTION_INT
};

struct option {
	const char *name;
	enum option_kind kind;
	const char *fallback;	/* the default, as text */
	const char *env;
	const char *help;
	const char *choices;	/* OPTION_CHOICE: "full|normal" */
	int64_t min, max;	/* OPTION_INT */
	size_t offset;		/* of the field in struct config */
};

extern const struct option option_table[];
extern const int option_count;

/* Index of the option, -1 when there is none. */
int option_find(const char *name);
/* Is name "x_file" of a secret x?  Index of x, else -1. */
int option_find_file(const char *name);
/* The nearest option's name, or NULL when nothing is near. */
const char *option_nearest(const char *name);
/* "string", "secret", "integer 100..60000", ... */
void option_type(const struct option *o, char *out, size_t size);
/* Is value among "a|b|c"? */
bool option_chosen(const char *choices, const char *value);

#endif
