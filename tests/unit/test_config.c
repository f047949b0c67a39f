/*
 * test_config.c - familybot.conf, the environment and shards.conf: what is
 * read, and that each mistake is reported with its line and its remedy.
 *
 * Every test has a folder of its own under TMPDIR.
 */
#include "config.h"

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

struct place {
	char dir[256];
	char conf[300];
	char report[8192];
};

static void write_file(const char *dir, const char *name, const char *text)
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

static void make_dir(const char *dir, const char *name)
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
};

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));

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

static int teardown(void **state)
{
	static const char *const names[] = { "familybot.conf", "shards.conf",
	    "other.conf", "foods.db", "token", "data", "run" };
	struct place *p = *state;
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
static struct config *load(struct place *p)
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

static void conf_with(struct place *p, const char *more)
{
	char text[4096];

	str_format(text, sizeof(text), "%s%s", BASE, more);
	write_file(p->dir, "familybot.conf", text);
}

/* The configuration is refused, and the report holds line and words. */
static void refused(struct place *p, const char *where, const char *words)
{
	char line[400];

	assert_null(load(p));
	str_format(line, sizeof(line), "%s/%s", p->dir, where);
	if (!strstr(p->report, line) || !strstr(p->report, words))
		fail_msg("expected \"%s ... %s\", got:\n%s", line, words,
		    p->report);
}

static void refused_conf(void **state, const char *more, const char *where,
    const char *words)
{
	conf_with(*state, more);
	refused(*state, where, words);
}

static void refused_shards(void **state, const char *text, const char *where,
    const char *words)
{
	struct place *p = *state;

	write_file(p->dir, "shards.conf", text);
	refused(p, where, words);
}

static void defaults_are_filled(void **state)
{
	struct place *p = *state;
	struct config *c = load(p);
	char path[512];

	assert_non_null(c);
	assert_string_equal(p->report, "");
	assert_string_equal(c->telegram_token, "");
	assert_string_equal(c->telegram_api, "https://api.telegram.org");
	assert_string_equal(c->sqlite_sync, "full");
	assert_int_equal(c->body_max, 1048576);
	assert_false(c->debug);
	assert_int_equal(c->nshards, 1);
	assert_string_equal(c->shards[0].name, "a");
	str_format(path, sizeof(path), "sqlite:%s/data/a.db", p->dir);
	assert_string_equal(c->shards[0].uri, path);
	str_format(path, sizeof(path), "%s/run/worker.sock", p->dir);
	assert_string_equal(c->worker_socket, path);
	config_free(c);
}

static void environment_overrides_file(void **state)
{
	struct config *c;

	conf_with(*state, "body_max = 2048;\nlog_level = \"warn\";\n");
	setenv("BODY_MAX", "4096", 1);
	setenv("LOG_LEVEL", "", 1);	/* empty: not set */
	c = load(*state);
	assert_non_null(c);
	assert_int_equal(c->body_max, 4096);
	assert_string_equal(c->log_level, "warn");
	config_free(c);
	setenv("BODY_MAX", "lots", 1);
	assert_null(load(*state));
	assert_non_null(strstr(((struct place *)*state)->report,
	    "environment BODY_MAX: error: body_max is not an integer"));
}

static void debug_sets_the_log_level(void **state)
{
	struct config *c;

	setenv("DEBUG", "1", 1);
	c = load(*state);
	assert_non_null(c);
	assert_true(c->debug);
	assert_string_equal(c->log_level, "debug");
	config_free(c);
}

static void secrets_come_from_files(void **state)
{
	struct place *p = *state;
	struct config *c;

	write_file(p->dir, "token", "42:from-a-file\n");
	conf_with(p, "telegram_token_file = \"token\";\n");
	c = load(p);
	assert_non_null(c);
	assert_string_equal(c->telegram_token, "42:from-a-file");
	config_free(c);
	setenv("TELEGRAM_TOKEN", "43:from-the-environment", 1);
	c = load(p);
	assert_non_null(c);
	assert_string_equal(c->telegram_token, "43:from-the-environment");
	config_free(c);
	unsetenv("TELEGRAM_TOKEN");
	write_file(p->dir, "token", "\n");
	refused(p, "familybot.conf:3", "first line is empty");
}

static void both_forms_of_a_secret_are_refused(void **state)
{
	refused_conf(state, "telegram_token_file = \"token\";\n"
	    "telegram_token = \"42:x\";\n", "familybot.conf:3", "keep one");
}

static void secrets_are_not_printed(void **state)
{
	struct place *p = *state;

	conf_with(p, "telegram_token = \"planted token\";\n"
	    "mongo_url = \"mysql://u:planted@h\";\nnonsense = 1;\n");
	assert_null(load(p));
	assert_null(strstr(p->report, "planted"));
	write_file(p->dir, "shards.conf", "shards = ( { name = \"a\"; "
	    "uri = \"mongo://u:planted@h/x\"; } );\n");
	assert_null(load(p));
	assert_null(strstr(p->report, "planted"));
}

static void unknown_option_names_the_nearest(void **state)
{
	refused_conf(state, "log_levle = \"info\";\n", "familybot.conf:3",
	    "did you mean log_level?");
}

static void wrong_types_are_refused(void **state)
{
	refused_conf(state, "body_max = \"2048\";\n", "familybot.conf:3",
	    "body_max is a string; it should be an integer");
	refused_conf(state, "log_level = 3;\n", "familybot.conf:3",
	    "should be a string in double quotes");
	refused_conf(state, "debug = 1;\n", "familybot.conf:3",
	    "should be true or false");
}

static void ranges_and_choices_are_checked(void **state)
{
	refused_conf(state, "body_max = 17;\n", "familybot.conf:3",
	    "body_max is 17; it should be 1024 to");
	refused_conf(state, "sqlite_sync = \"off\";\n", "familybot.conf:3",
	    "one of full|normal");
	refused_conf(state, "default_zone = \"Mars/Phobos\";\n",
	    "familybot.conf:3", "tzdata");
	refused_conf(state, "telegram_api = \"ftp://x\";\n",
	    "familybot.conf:3", "https://host/path");
}

static void integers_that_overflow_are_refused(void **state)
{
	refused_conf(state, "/* 2147483648\n */\n# 9999999999\n"
	    "body_max = 2147483648;\n", "familybot.conf:6",
	    "write 2147483648L");
	refused_conf(state, "body_max = 99999999999999999999L;\n",
	    "familybot.conf:3", "does not fit 64 bits");
	refused_conf(state, "body_max = 0x80000000;\n", "familybot.conf:3",
	    "does not fit 32 bits");
}

static void a_number_in_a_string_is_no_overflow(void **state)
{
	struct config *c;

	conf_with(*state, "telegram_token = \"9999999999:a\";\n");
	c = load(*state);
	assert_non_null(c);
	config_free(c);
}

static void syntax_errors_name_the_line(void **state)
{
	refused_conf(state, "debug true;\n", "familybot.conf:3",
	    "syntax error");
	refused_conf(state, "debug = true;\ndebug = false;\n",
	    "familybot.conf:4", "stands twice");
}

static void all_problems_are_reported(void **state)
{
	struct place *p = *state;

	write_file(p->dir, "shards.conf", "placement = \"modul\";\n" ONE);
	conf_with(p, "nonsense = 1;\nbody_max = 1;\nlog_level = \"x\";\n");
	assert_null(load(p));
	assert_non_null(strstr(p->report, "familybot.conf:3"));
	assert_non_null(strstr(p->report, "familybot.conf:4"));
	assert_non_null(strstr(p->report, "familybot.conf:5"));
	assert_non_null(strstr(p->report, "shards.conf:1"));
}

static void weak_or_missing_secret(void **state)
{
	struct place *p = *state;
	struct config *c;

	write_file(p->dir, "familybot.conf", "foods_db = \"foods.db\";\n");
	assert_null(load(p));
	assert_non_null(strstr(p->report, "openssl rand"));
	write_file(p->dir, "familybot.conf", "foods_db = \"foods.db\";\n"
	    "webhook_secret = \"short\";\n");
	c = load(p);
	assert_non_null(c);
	assert_non_null(strstr(p->report, "warning: webhook_secret has"));
	config_free(c);
	write_file(p->dir, "familybot.conf", "foods_db = \"foods.db\";\n"
	    "webhook_secret = \"with space in the middle\";\n");
	assert_null(load(p));
}

static void missing_directories_are_named(void **state)
{
	refused_conf(state, "slots_map = \"nowhere/slots.map\";\n",
	    "familybot.conf:3", "mkdir -p");
	refused_shards(state, "shards = ( { name = \"a\"; "
	    "uri = \"sqlite:no/a.db\"; } );\n", "shards.conf:1", "mkdir -p");
}

static void long_socket_paths_are_refused(void **state)
{
	refused_conf(state, "worker_socket = \"run/"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\";\n",
	    "familybot.conf:3", "a unix socket takes 107");
}

/* n shards on SQLite, named s0, s1, ... */
static void shards_make(struct place *p, int n, const char *before)
{
	char text[4096];
	size_t len;

	str_format(text, sizeof(text), "%sshards = (", before);
	for (int i = 0; i < n; i++) {
		len = strlen(text);
		str_format(text + len, sizeof(text) - len, "%s{ name = "
		    "\"s%d\"; uri = \"sqlite:data/s%d.db\"; }",
		    i ? ",\n" : "", i, i);
	}
	len = strlen(text);
	str_format(text + len, sizeof(text) - len, ");\n");
	write_file(p->dir, "shards.conf", text);
}

static void only_divisors_of_5040_with_modulo(void **state)
{
	struct place *p = *state;
	struct config *c;

	for (int n = 1; n <= 30; n++) {
		shards_make(p, n, "");
		c = load(p);
		assert_int_equal(c != NULL, 5040 % n == 0);
		config_free(c);
	}
	shards_make(p, 11, "");
	refused(p, "shards.conf:1", "use 10 or 12 shards");
	shards_make(p, 11, "placement = \"minimal\";\n");
	c = load(p);
	assert_non_null(c);
	assert_int_equal(c->placement, PLACEMENT_MINIMAL);
	assert_int_equal(c->nshards, 11);
	config_free(c);
}

static void duplicate_shards_are_refused(void **state)
{
	refused_shards(state, "shards = (\n"
	    "{ name = \"a\"; uri = \"sqlite:data/a.db\"; },\n"
	    "{ name = \"a\"; uri = \"sqlite:data/b.db\"; } );\n",
	    "shards.conf:3", "first in line 2");
	refused_shards(state, "shards = (\n"
	    "{ name = \"a\"; uri = \"sqlite:data/a.db\"; },\n"
	    "{ name = \"b\"; uri = \"sqlite:data/../data/a.db\"; } );\n",
	    "shards.conf:3", "has the URI of a (line 2)");
}

static void bad_shards_are_refused(void **state)
{
	refused_shards(state, "shards = ( { name = \"a\"; "
	    "uri = \"postgres://x\"; } );\n", "shards.conf:1",
	    "is no shard");
	refused_shards(state, "shards = ( { name = \"a\"; "
	    "uri = \"mongodb://\"; } );\n", "shards.conf:1", "no host");
	refused_shards(state, "shards = ( { name = \"a b\"; "
	    "uri = \"sqlite:data/a.db\"; } );\n", "shards.conf:1",
	    "needs a name");
	refused_shards(state, "shards = ( { name = \"a\"; } );\n",
	    "shards.conf:1", "has no uri");
	refused_shards(state, "shards = ( { name = \"a\"; urj = 1;\n"
	    "uri = \"sqlite:data/a.db\"; } );\n", "shards.conf:1",
	    "unknown option urj");
	refused_shards(state, "shards = ( \"a\" );\n", "shards.conf:1",
	    "should be {");
	refused_shards(state, "shards = ();\n", "shards.conf:1",
	    "there are 0 shards");
	refused_shards(state, "shards = ( { name = \"a\"; timeout_ms = 5; "
	    "uri = \"mongodb://h\"; } );\n", "shards.conf:1",
	    "timeout_ms should be");
}

static void mongo_url_is_the_only_shard(void **state)
{
	struct place *p = *state;
	struct config *c;
	char path[512];

	setenv("MONGO_URL", "mongodb://127.0.0.1:27017/family", 1);
	c = load(p);
	assert_non_null(c);
	assert_non_null(strstr(p->report, "warning: mongo_url is not used"));
	config_free(c);
	str_format(path, sizeof(path), "%s/shards.conf", p->dir);
	assert_int_equal(remove(path), 0);
	c = load(p);
	assert_non_null(c);
	assert_int_equal(c->nshards, 1);
	assert_string_equal(c->shards[0].uri,
	    "mongodb://127.0.0.1:27017/family");
	config_free(c);
	unsetenv("MONGO_URL");
	refused(p, "shards.conf", "mongo_url is not set");
}

static void passwords_are_redacted(void **state)
{
	char out[128];

	(void)state;
	config_uri_redact("mongodb://me:pa@ss@host/db", out, sizeof(out));
	assert_string_equal(out, "mongodb://me:***@host/db");
	config_uri_redact("mongodb://host/db?tlsCertificateKeyFilePassword=x"
	    "&a=b", out, sizeof(out));
	assert_string_equal(out,
	    "mongodb://host/db?tlsCertificateKeyFilePassword=***&a=b");
	config_uri_redact("sqlite:/a/b.db", out, sizeof(out));
	assert_string_equal(out, "sqlite:/a/b.db");
}

static void missing_default_file_is_an_empty_one(void **state)
{
	struct place *p = *state;
	struct config *c = NULL;
	struct err e;
	char path[512];

	/* A file that was asked for must exist. */
	str_format(path, sizeof(path), "%s/missing.conf", p->dir);
	assert_int_equal(config_load(path, NULL, &c, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "missing.conf"));
	setenv("FAMILYBOT_CONF", p->conf, 1);
	assert_int_equal(config_load(NULL, NULL, &c, &e), RC_OK);
	assert_string_equal(c->state_dir, p->dir);
	config_free(c);
}

static void every_option_is_printed_in_five_columns(void **state)
{
	char *text = NULL;
	size_t len = 0;
	int tabs = 0, lines = 0;
	FILE *f;

	(void)state;
	f = open_memstream(&text, &len);
	config_print_options(f);
	fclose(f);
	for (size_t i = 0; i < len; i++) {
		tabs += text[i] == '\t';
		lines += text[i] == '\n';
	}
	assert_true(lines > 20);
	assert_int_equal(tabs, lines * 4);
	assert_non_null(strstr(text, "\nsqlite_sync\tfull|normal\tfull\t"));
	free(text);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(defaults_are_filled),
		T(environment_overrides_file),
		T(debug_sets_the_log_level),
		T(secrets_come_from_files),
		T(both_forms_of_a_secret_are_refused),
		T(secrets_are_not_printed),
		T(unknown_option_names_the_nearest),
		T(wrong_types_are_refused),
		T(ranges_and_choices_are_checked),
		T(integers_that_overflow_are_refused),
		T(a_number_in_a_string_is_no_overflow),
		T(syntax_errors_name_the_line),
		T(all_problems_are_reported),
		T(weak_or_missing_secret),
		T(missing_directories_are_named),
		T(long_socket_paths_are_refused),
		T(only_divisors_of_5040_with_modulo),
		T(duplicate_shards_are_refused),
		T(bad_shards_are_refused),
		T(mongo_url_is_the_only_shard),
		T(passwords_are_redacted),
		T(missing_default_file_is_an_empty_one),
		T(every_option_is_printed_in_five_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
