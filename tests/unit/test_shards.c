/*
 * test_shards.c - shards.conf as the programs use it, also while they run.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "api/http.h"
#include "app/shards_open.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "utils/buf.h"

struct app_place {
	char dir[300];
	char conf[400];
	struct config *config;
};

static void file_write(const struct app_place *p, const char *name,
    const char *text)
{
	char path[400];
	FILE *f;

	(void)str_format(path, sizeof(path), "%s/%s", p->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#define SHARD(name)	"{ name = \"" name "\"; uri = \"sqlite:data/" name \
	".db\"; }"

static int setup(void **state)
{
	struct app_place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");
	struct err e = { .text = "" };
	char text[1000];

	/* ./quickstart check has a state directory of its own in mind */
	unsetenv("FAMILYBOT_STATE");
	(void)str_format(p->dir, sizeof(p->dir), "%s/fbshards.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	(void)str_format(p->conf, sizeof(p->conf), "%s/data", p->dir);
	assert_int_equal(mkdir(p->conf, 0700), 0);
	(void)str_format(p->conf, sizeof(p->conf), "%s/run", p->dir);
	assert_int_equal(mkdir(p->conf, 0700), 0);
	(void)str_format(p->conf, sizeof(p->conf), "%s/familybot.conf", p->dir);
	(void)str_format(text, sizeof(text), "state_dir = \"%s\";\n"
	    "shards_file = \"shards.conf\";\n"
	    "webhook_secret = \"a-word-of-some-length\";\nfoods_db = \"%s\";\n", p->dir,
	    getenv("FOODS_DB"));
	file_write(p, "familybot.conf", text);
	file_write(p, "shards.conf", "shards = ( " SHARD("a") ", "
	    SHARD("b") " );\n");
	if (config_load(p->conf, stderr, &p->config, &e) != RC_OK)
		fail_msg("%s", e.text);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct app_place *p = *state;
	char command[400];

	config_free(p->config);
	(void)str_format(command, sizeof(command), "rm -rf '%s'", p->dir);
	free(p);
	return system(command);
}

static struct slots *mover_of(struct app_place *p)
{
	struct slots *m = NULL;
	struct err e = { .text = "" };

	if (slots_open(p->config->slots_map, NULL, 0, true, &m, &e) != RC_OK)
		fail_msg("%s", e.text);
	return m;
}

static struct router *router_of(struct app_place *p)
{
	struct router *r = NULL;
	struct err e = { .text = "" };

	if (shards_open(p->config, true, &r, &e) != RC_OK)
		fail_msg("%s", e.text);
	return r;
}

static enum rc owner_of(struct router *r, int64_t id, int *shard,
    struct err *e)
{
	struct route at;
	enum rc rc = router_enter(r, id, &at, e);

	if (rc != RC_OK)
		return rc;
	*shard = at.shard;
	router_leave(&at);
	return RC_OK;
}

static void shards_conf_is_read_again_for_a_new_shard(void **state)
{
	struct app_place *p = *state;
	struct router *r = router_of(p);
	struct slots *m = mover_of(p);
	struct slot_entry s = { .owner = 2, .target = 2 };
	struct err e = { .text = "" };
	int at = -1;

	assert_int_equal(owner_of(r, 7, &at, &e), RC_OK);
	assert_int_equal(at, 1);
	file_write(p, "shards.conf", "shards = ( " SHARD("new") ", "
	    SHARD("b") " " SHARD("a") " );\n");	/* a comma is missing */
	assert_int_equal(slots_shard_add(m, "new", &at, &e), RC_OK);
	assert_int_equal(slots_set(m, 7, s, &e), RC_OK);
	assert_int_equal(owner_of(r, 7, &at, &e), RC_UNAVAILABLE);
	assert_non_null(strstr(e.text, "shards.conf:1"));
	assert_int_equal(owner_of(r, 9, &at, &e), RC_OK);
	assert_int_equal(at, 1);
	file_write(p, "shards.conf", "shards = ( " SHARD("new") ", "
	    SHARD("b") ", " SHARD("a") " );\n");
	assert_int_equal(slots_shard_add(m, "next", &at, &e), RC_OK);
	assert_int_equal(owner_of(r, 7, &at, &e), RC_OK);
	assert_int_equal(at, 2);
	slots_free(m);
	router_free(r);
}

static void only_shards_that_are_there_are_looked_at(void **state)
{
	struct app_place *p = *state;
	struct router *r = router_of(p);
	struct slots *m = mover_of(p);
	struct shard_health seen[8];
	struct err e = { .text = "" };
	int at = -1;

	assert_int_equal(slots_shard_add(m, "gap", &at, &e), RC_OK);
	assert_int_equal(slots_shard_remove(m, at, &e), RC_OK);
	assert_int_equal(slots_shard_add(m, "idle", &at, &e), RC_OK);
	assert_int_equal(shards_look(r, seen, 8), 2);
	assert_string_equal(seen[1].name, "b");
	assert_true(seen[1].up);
	assert_int_equal(shards_look(r, seen, 1), 1);
	slots_free(m);
	router_free(r);
}

static void shard_with_slots_must_stay(void **state)
{
	struct app_place *p = *state;
	struct config *c = NULL;
	struct router *r = router_of(p);
	struct err e = { .text = "" };

	router_free(r);
	r = NULL;
	file_write(p, "shards.conf", "shards = ( " SHARD("a") " );\n");
	assert_int_equal(config_load(p->conf, stderr, &c, &e), RC_OK);
	assert_int_equal(shards_open(c, true, &r, &e), RC_INVALID);
	assert_null(r);
	assert_non_null(strstr(e.text, "shard b has 2520 slots"));
	config_free(c);
}

static void the_only_host_needs_no_lease(void **state)
{
	struct app_place *p = *state;
	struct router *r = router_of(p);
	struct slots *m = mover_of(p);
	struct err e = { .text = "" };
	int at = -1;

	slots_lease_need(m, true);	/* it was one of several */
	assert_int_equal(owner_of(r, 7, &at, &e), RC_BUSY);
	router_free(r);
	slots_free(m);
	r = router_of(p);
	assert_int_equal(owner_of(r, 7, &at, &e), RC_OK);
	router_free(r);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(shards_conf_is_read_again_for_a_new_shard),
		CASE(only_shards_that_are_there_are_looked_at),
		CASE(shard_with_slots_must_stay),
		CASE(the_only_host_needs_no_lease),
	};

	return cmocka_run_group_tests_name("shards", tests, NULL, NULL);
}
