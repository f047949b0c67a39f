/*
 * test_config_shards.c - shards.conf: the shards, and each mistake in the
 * list with its line and its remedy.
 *
 * Every test has a folder of its own under TMPDIR.
 */
#include "config.h"

#include "config_place.h"

/* n shards on SQLite, named s0, s1, ... */
static void shards_make(struct config_place *p, int n, const char *before)
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
	struct config_place *p = *state;
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
	struct config_place *p = *state;
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

#define SERVERS	"shards = ( { name = \"a\"; uri = \"mongodb://h/a\"; },\n" \
		"{ name = \"b\"; uri = \"mongodb://h/b\"; } );\n"

static void a_host_among_several(void **state)
{
	struct config_place *p = *state;
	struct config *c = load(p);

	assert_null(c->cluster.host);
	config_free(c);
	write_file(p->dir, "shards.conf", SERVERS "cluster = { host = \"x.1\"; "
	    "meta = \"b\"; lease_ms = 700; };\n");
	c = load(p);
	assert_non_null(c);
	assert_string_equal(c->cluster.host, "x.1");
	assert_int_equal(c->cluster.meta, 1);
	assert_int_equal(c->cluster.lease_ms, 700);
	config_free(c);
	/* all hosts may have the same file */
	setenv("FAMILYBOT_HOST", "east", 1);
	c = load(p);
	assert_string_equal(c->cluster.host, "east");
	config_free(c);
	unsetenv("FAMILYBOT_HOST");
	write_file(p->dir, "shards.conf", SERVERS "cluster = { };\n");
	c = load(p);
	assert_non_null(c);
	assert_true(c->cluster.host[0] != '\0');
	assert_int_equal(c->cluster.meta, 0);
	assert_int_equal(c->cluster.lease_ms, 5000);
	config_free(c);
	write_file(p->dir, "shards.conf", ONE "cluster = { host = \"a\"; "
	    "same_machine = true; };\n");
	c = load(p);
	assert_non_null(c);
	config_free(c);
}

static void bad_clusters_are_refused(void **state)
{
	refused_shards(state, ONE "cluster = { host = \"a\"; };\n",
	    "shards.conf:2", "no other host can reach");
	refused_shards(state, SERVERS "cluster = { host = \"a b\"; };\n",
	    "shards.conf:3", "another on each host");
	refused_shards(state, SERVERS "cluster = { meta = \"c\"; };\n",
	    "shards.conf:3", "name one of the shards");
	refused_shards(state, SERVERS "cluster = { lease_ms = 100; };\n",
	    "shards.conf:3", "it should be 500 to 60000");
	refused_shards(state, SERVERS "cluster = { lease_ms = \"5\"; };\n",
	    "shards.conf:3", "lease_ms should be an integer");
	refused_shards(state, SERVERS "cluster = { hots = \"a\"; };\n",
	    "shards.conf:3", "unknown option hots");
	refused_shards(state, SERVERS "cluster = \"a\";\n", "shards.conf:3",
	    "cluster should be {");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_divisors_of_5040_with_modulo),
		T(duplicate_shards_are_refused),
		T(bad_shards_are_refused),
		T(mongo_url_is_the_only_shard),
		T(a_host_among_several),
		T(bad_clusters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
