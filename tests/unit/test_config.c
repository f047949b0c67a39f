/*
 * test_config.c - familybot.conf, the environment and shards.conf: what is
 * read, and that each mistake is reported with its line and its remedy.
 *
 * Every test has a folder of its own under TMPDIR.
 */
#include "config.h"

#include "config_place.h"
#include "utils/log.h"

static void defaults_are_filled(void **state)
{
	struct config_place *p = *state;
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
	assert_non_null(strstr(((struct config_place *)*state)->report,
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
	struct config_place *p = *state;
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
	struct config_place *p = *state;

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

static void bot_username_is_a_name_without_at(void **state)
{
	struct config *c = load(*state);

	assert_non_null(c);
	assert_string_equal(c->bot_username, "");
	config_free(c);
	conf_with(*state, "bot_username = \"our_family_bot\";\n");
	c = load(*state);
	assert_non_null(c);
	assert_string_equal(c->bot_username, "our_family_bot");
	config_free(c);
	setenv("BOT_USERNAME", "Other7Bot", 1);
	c = load(*state);
	assert_non_null(c);
	assert_string_equal(c->bot_username, "Other7Bot");
	config_free(c);
	unsetenv("BOT_USERNAME");
	refused_conf(state, "bot_username = \"@our_family_bot\";\n",
	    "familybot.conf:3", "leave the @ out");
	refused_conf(state, "bot_username = \"our family bot\";\n",
	    "familybot.conf:3", "name after t.me/");
	refused_conf(state, "bot_username = \"7th_family_bot\";\n",
	    "familybot.conf:3", "name after t.me/");
	refused_conf(state, "bot_username = \"bot\";\n",
	    "familybot.conf:3", "name after t.me/");
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
	struct config_place *p = *state;

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
	struct config_place *p = *state;
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

static char told[2048];

static void tell(const char *secret)
{
	struct buf b;

	buf_init(&b, sizeof(told) - 1);
	buf_printf(&b, "%s[%s]", told, secret);
	str_copy(told, sizeof(told), b.s);
	buf_release(&b);
}

static void every_secret_is_told_to_the_log(void **state)
{
	struct config_place *p = *state;
	struct config *c;

	conf_with(p, "telegram_token = \"42:planted-token\";\n"
	    "openai_api_key = \"sk-planted\";\n"
	    "redis_url = \"redis://:planted-redis@h:6379/0\";\n"
	    "mongo_url = \"mongodb://u:planted%40mongo@h/d\";\n");
	write_file(p->dir, "shards.conf", "shards = ( { name = \"a\"; "
	    "uri = \"sqlite:data/a.db\"; }, { name = \"b\"; uri = "
	    "\"mongodb://u:planted-b@h/d?tls=true&"
	    "tlsCertificateKeyFilePassword=planted-key&a=b\"; } );\n");
	c = load(p);
	assert_non_null(c);
	told[0] = '\0';
	config_secrets_each(c, tell);
	config_secrets_each(c, log_secret_add);
	config_free(c);
	assert_string_equal(told, "[42:planted-token][" SECRET "][sk-planted]"
	    "[planted%40mongo][planted@mongo][planted-redis]"
	    "[planted-b][planted-key]");
	str_copy(told, sizeof(told), "as planted@mongo: planted-b, planted-b");
	log_redact(told);
	assert_string_equal(told, "as *************: *********, *********");
}

static void missing_default_file_is_an_empty_one(void **state)
{
	struct config_place *p = *state;
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
		T(bot_username_is_a_name_without_at),
		T(integers_that_overflow_are_refused),
		T(a_number_in_a_string_is_no_overflow),
		T(syntax_errors_name_the_line),
		T(all_problems_are_reported),
		T(weak_or_missing_secret),
		T(missing_directories_are_named),
		T(long_socket_paths_are_refused),
		T(passwords_are_redacted),
		T(every_secret_is_told_to_the_log),
		T(missing_default_file_is_an_empty_one),
		T(every_option_is_printed_in_five_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
