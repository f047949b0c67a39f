/*
 * conformance.c - what the cases share: new stores, processes, records.
 *
 * The base URI and a counter are the only state.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shards/router.h"
#include "utils/buf.h"
#include "utils/clock.h"

static const char *base_uri = "sqlite:";
static int made;

void store_place_base_set(const char *base)
{
	base_uri = base;
}

const char *store_place_base(void)
{
	return base_uri;
}

/* mongodb://hosts/NAME?options, with a name that nobody used before. */
static void mongo_place(struct store_place *p)
{
	const char *hosts = strstr(base_uri, "://") + 3;
	size_t end = strcspn(hosts, "/?");
	const char *options = strchr(hosts, '?');

	assert_true(str_format(p->uri, sizeof(p->uri), "%.*s/fbtest_%d_%llx_%d%s",
	    (int)(hosts + end - base_uri), base_uri, (int)getpid(),
	    (unsigned long long)clock_mono_us(), ++made, options ? options : ""));
}

static void sqlite_place(struct store_place *p)
{
	const char *tmp = getenv("TMPDIR");
	const char *prefix = base_uri + strlen("sqlite:");

	if (prefix[0]) {
		assert_true(str_format(p->uri, sizeof(p->uri), "%s-%d-%d.db",
		    base_uri, (int)getpid(), ++made));
		return;
	}
	assert_true(str_format(p->dir, sizeof(p->dir), "%s/fbstore.XXXXXX",
	    tmp ? tmp : "/tmp"));
	assert_non_null(mkdtemp(p->dir));
	assert_true(str_format(p->uri, sizeof(p->uri), "sqlite:%s/shard.db",
	    p->dir));
}

struct store *store_place_connect(const struct store_place *p)
{
	struct store_conf c = { .name = "test", .uri = p->uri,
		.sync = STORE_SYNC_NORMAL, .create = true };
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(&c, &s, &e) != RC_OK)
		print_error("%s: %s\n", p->uri, e.text);
	return s;
}

int store_place_setup(void **state)
{
	struct store_place *p = calloc(1, sizeof(*p));

	if (strncmp(base_uri, "sqlite:", 7) == 0)
		sqlite_place(p);
	else
		mongo_place(p);
	p->s = store_place_connect(p);
	*state = p;
	return p->s ? 0 : -1;
}

int store_place_teardown(void **state)
{
	static const char *const files[] = { "shard.db", "shard.db-wal",
		"shard.db-shm", "shard.db-turn" };
	struct store_place *p = *state;
	char path[600];

	store_close(p->s);
	for (size_t i = 0; p->dir[0] && i < COUNT(files); i++) {
		(void)str_format(path, sizeof(path), "%s/%s", p->dir, files[i]);
		(void)unlink(path);
	}
	/* a backend that leaves other files behind is found out */
	if (p->dir[0])
		assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

void processes_run(int n, int (*fn)(int i, void *ctx), void *ctx, int *code)
{
	pid_t pid[32];
	int gate[2], status;
	char c;

	assert_true(n <= (int)COUNT(pid));
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] > 0)
			continue;
		(void)alarm(60);
		(void)close(gate[1]);
		/* All start when the parent closes its end. */
		(void)!read(gate[0], &c, 1);
		_exit(fn(i, ctx));
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int i = 0; i < n; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		code[i] = WIFEXITED(status) ? WEXITSTATUS(status) : 200;
	}
}

void assert_same(const struct column *cols, const void *a, const void *b)
{
	for (; cols->name; cols++) {
		const char *x = (const char *)a + cols->offset;
		const char *y = (const char *)b + cols->offset;
		bool same = cols->type == COLUMN_TEXT ? strcmp(x, y) == 0 :
		    memcmp(x, y, cols->size) == 0;

		if (!same)
			fail_msg("%s differs", cols->name);
	}
}

void meal_items_fill(struct meal *m, int n, const char *name)
{
	m->nitems = n;
	for (int i = 0; i < n; i++) {
		struct food_item *f = &m->items[i];

		(void)str_copy(f->name, sizeof(f->name), name);
		(void)str_copy(f->query, sizeof(f->query), name);
		f->food_id = 100 + i;
		f->source = FOOD_SRC_USDA;
		f->guessed = i % 2;
		f->mg = 100000 + i;
		f->n = (struct nutrients){ 110000 + i, 4200, 1100, 21300 };
	}
	meal_sum(m);
}

struct meal meal_of(int64_t user_id, int32_t day, int64_t message)
{
	struct meal m = { .user_id = user_id, .slot = slot_of(user_id),
		.day = day, .chat_id = user_id, .message_id = message,
		.at = (int64_t)day * 86400 + 3600 };

	meal_items_fill(&m, 1, "гречка");
	return m;
}

struct user user_of(int64_t user_id)
{
	struct user u = { .user_id = user_id, .slot = slot_of(user_id),
		.lang = LANG_RU, .created_at = 1700000000000,
		.updated_at = 1700000000000 };

	(void)str_copy(u.zone, sizeof(u.zone), "Europe/Moscow");
	(void)str_copy(u.name, sizeof(u.name), "Анна");
	return u;
}

struct job job_of(const char *id, int64_t user_id, int64_t run_at)
{
	struct job j = { .user_id = user_id, .slot = slot_of(user_id),
		.run_at = run_at, .created_at = run_at };

	(void)str_copy(j.id, sizeof(j.id), id);
	(void)str_copy(j.kind, sizeof(j.kind), "send");
	(void)str_copy(j.payload, sizeof(j.payload), "{\"text\":\"привет 🥣\"}");
	return j;
}
