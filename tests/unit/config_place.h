/*
 * config_place.h - a folder with a configuration in it, for the tests of
 * src/config.  Included by each of them once.
 */
#ifndef FAMILYBOT_TESTS_CONFIG_PLACE_H
#define FAMILYBOT_TESTS_CONFIG_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "utils/buf.h"

#define SECRET	"0123456789abcdef0123456789abcdef"
#define BASE	"webhook_secret = \"" SECRET "\";\nfoods_db = \"foods.db\";\n"
#define ONE	"shards = ( { name = \"a\"; uri = \"sqlite:data/a.db\"; } );\n"

struct config_place {
	char dir[256];
	char conf[300];
	char report[8192];
};

static inline void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	str_format(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

static inline void make_dir(const char *dir, const char *name)
{
	char path[512];

	str_format(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static const char *const VARIABLES[] = {
	"TELEGRAM_TOKEN", "TELEGRAM_TOKEN_FILE", "FAMILYBOT_WEBHOOK_SECRET",
	"MONGO_URL", "REDIS_URL", "FAMILYBOT_STATE", "FAMILYBOT_SHARDS",
	"FOODS_DB", "BODY_MAX", "DEBUG", "LOG_LEVEL", "FAMILYBOT_CONF",
	"TELEGRAM_API", "OPENAI_API_KEY", "DEFAULT_ZONE", "SQLITE_SYNC",
	"BOT_USERNAME",
};

static inline int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct config_place *p = calloc(1, sizeof(*p));

	for (size_t i = 0; i < sizeof(VARIABLES) / sizeof(*VARIABLES); i++)
		unsetenv(VARIABLES[i]);
	str_format(p->dir, sizeof(p->dir), "%s/config.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	str_format(p->conf, sizeof(p->conf), "%s/familybot.conf", p->dir);
	make_dir(p->dir, "data");
	make_dir(p->dir, "run");
	write_file(p->dir, "foods.db", "");
	write_file(p->dir, "familybot.conf", BASE);
	write_file(p->dir, "shards.conf", ONE);
	*state = p;
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const names[] = { "familybot.conf", "shards.conf",
	    "other.conf", "foods.db", "token", "data", "run" };
	struct config_place *p = *state;
	char path[512];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		str_format(path, sizeof(path), "%s/%s", p->dir, names[i]);
		remove(path);
	}
	remove(p->dir);
	free(p);
	return 0;
}

/* Loads; what was reported is in p->report. */
static inline struct config *load(struct config_place *p)
{
	struct config *c = NULL;
	struct err e;
	FILE *f;
	enum rc rc;

	memset(p->report, 0, sizeof(p->report));
	f = fmemopen(p->report, sizeof(p->report) - 1, "w");
	assert_non_null(f);
	rc = config_load(p->conf, f, &c, &e);
	fclose(f);
	if (rc != RC_OK) {
		assert_int_equal(rc, RC_INVALID);
		assert_null(c);
		assert_non_null(strstr(p->report, "error: "));
	}
	return c;
}

static inline void conf_with(struct config_place *p, const char *more)
{
	char text[4096];

	str_format(text, sizeof(text), "%s%s", BASE, more);
	write_file(p->dir, "familybot.conf", text);
}

/* The configuration is refused, and the report holds line and words. */
static inline void refused(struct config_place *p, const char *where, const char *words)
{
	char line[400];

	assert_null(load(p));
	str_format(line, sizeof(line), "%s/%s", p->dir, where);
	if (!strstr(p->report, line) || !strstr(p->report, words))
		fail_msg("expected \"%s ... %s\", got:\n%s", line, words,
		    p->report);
}

static inline void refused_conf(void **state, const char *more, const char *where,
    const char *words)
{
	conf_with(*state, more);
	refused(*state, where, words);
}

static inline void refused_shards(void **state, const char *text, const char *where,
    const char *words)
{
	struct config_place *p = *state;

	write_file(p->dir, "shards.conf", text);
	refused(p, where, words);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
