/*
 * test_mongo.c - what only the MongoDB backend promises: round trips, time
 * limits when a server is gone or hangs, unreadable documents, and races that
 * a day's document could lose.  The rest is in the conformance suite.
 *
 * Needs a server: FAMILYBOT_TEST_MONGO_URI, mongodb://host:port without a database
 * (run by tests/run-mongo-conformance).  Each run has a database of its own.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mongo_proxy.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { DAY = 20000, WRITERS = 4, EACH = 10 };

static char uri[512];

const char *mongo_test_uri(void)
{
	return uri;
}

struct commands {
	int n;
};

static void count_command(const mongoc_apm_command_started_t *event)
{
	struct commands *c = mongoc_apm_command_started_get_context(event);

	c->n++;
}

static void counting(struct store *s, struct commands *c)
{
	mongoc_apm_callbacks_t *cb = mongoc_apm_callbacks_new();

	mongoc_apm_set_command_started_cb(cb, count_command);
	assert_true(mongoc_client_set_apm_callbacks(mongo_of(s)->client, cb, c));
	mongoc_apm_callbacks_destroy(cb);
}

static struct store *open_uri(const char *at, int timeout_ms, enum rc want)
{
	struct store_conf c = { .name = "test", .uri = at, .create = true,
		.timeout_ms = timeout_ms };
	struct store *s = NULL;
	struct err e = { RC_OK, "" };
	enum rc rc = store_mongo_ops.open(&c, &s, &e);

	if (rc != want)
		print_error("%s: %s\n", rc_name(rc), e.text);
	assert_int_equal(rc, want);
	return s;
}

static struct store *open_new(void)
{
	struct store *s = open_uri(uri, 0, RC_OK);

	assert_int_equal(s->ops->erase(s, 1, NULL), RC_OK);
	return s;
}

static struct meal meal(int64_t message_id)
{
	struct meal m = { .user_id = 1, .day = DAY, .chat_id = -5,
		.message_id = message_id, .at = 1000 + message_id,
		.nitems = 1 };

	str_copy(m.items[0].name, FOOD_NAME_SIZE, "гречка");
	str_copy(m.items[0].query, FOOD_NAME_SIZE, "гречк");
	m.items[0].mg = 100000;
	m.items[0].n = (struct nutrients){ 92000, 3380, 620, 19940 };
	meal_sum(&m);
	return m;
}

/* Given a day or none, when a meal is recorded, then one command is sent;
 * also for the second meal, and two when it is a repeated delivery. */
static void test_round_trips(void **state)
{
	struct store *s = open_new();
	struct commands c = { 0 };
	struct day_sum day;
	struct meal m;
	struct user u = { .user_id = 1 };

	(void)state;
	counting(s, &c);
	for (int i = 1; i <= 3; i++) {
		m = meal(i);
		c.n = 0;
		assert_int_equal(s->ops->meal_add(s, &m, &day, NULL), RC_OK);
		assert_int_equal(c.n, 1);
		assert_int_equal(day.meals, i);
		assert_int_equal(day.sum.cal, i * 92000);
	}
	c.n = 0;
	assert_int_equal(s->ops->meal_add(s, &m, &day, NULL), RC_CONFLICT);
	assert_int_equal(c.n, 2);
	c.n = 0;
	assert_int_equal(s->ops->user_put(s, &u, NULL), RC_OK);
	assert_int_equal(c.n, 1);
	c.n = 0;
	assert_int_equal(s->ops->user_get(s, 1, &u, NULL), RC_OK);
	assert_int_equal(c.n, 1);
	s->ops->close(s);
}

static int64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000) +
	    r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

/* Not a bar, as it depends on the machine and the build: shown for people. */
static void test_cost(void **state)
{
	struct store *s = open_new();
	struct day_sum day;
	struct meal m;
	int64_t cpu, wall;
	enum { TURNS = 1000, A_DAY = 5 };

	(void)state;
	cpu = cpu_us();
	wall = clock_mono_us();
	for (int i = 0; i < TURNS; i++) {
		m = meal(i);
		m.day = DAY + i / A_DAY;
		assert_int_equal(s->ops->meal_add(s, &m, &day, NULL), RC_OK);
	}
	print_message("meal_add: %" PRId64 " µs of CPU, %" PRId64
	    " µs of time\n", (cpu_us() - cpu) / TURNS,
	    (clock_mono_us() - wall) / TURNS);
	assert_int_equal(day.meals, A_DAY);
	s->ops->close(s);
}

static long file_pages_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "RssFile:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	fclose(f);
	return kb;
}

/* Given a store that did all its kinds of work, when the start's pages are
 * dropped, then memory is less and the store works as before. */
static void test_trim(void **state)
{
	struct store *s = open_new();
	struct store_stats st;
	long before;

	(void)state;
	assert_int_equal(s->ops->stats(s, &st, NULL), RC_OK);
	before = file_pages_kb();
	mongo_trim();
	assert_true(file_pages_kb() < before);
	assert_int_equal(s->ops->stats(s, &st, NULL), RC_OK);
	s->ops->close(s);
}

/* Puts {$set: {field: value}} on the one document of a collection. */
static void spoil(struct store *s, const char *collection, const char *field)
{
	struct mongo_store *ms = mongo_of(s);
	bson_t *set, all = BSON_INITIALIZER;
	mongoc_collection_t *c;

	set = BCON_NEW("$set", "{", field, BCON_DOUBLE(0.5), "}");
	c = mongoc_client_get_collection(ms->client, ms->db, collection);
	assert_true(mongoc_collection_update_many(c, &all, set, NULL, NULL,
	    NULL));
	mongoc_collection_destroy(c);
	bson_destroy(set);
	bson_destroy(&all);
}

/* Given a document that this program did not write so, when it is read, then
 * it is RC_CORRUPT and the output is untouched. */
static void test_unreadable(void **state)
{
	struct store *s = open_new();
	struct user u = { .user_id = 1, .lang = LANG_RU }, got = { 0 };
	struct meal m = meal(1), out[2];
	struct day_sum sums[2] = { 0 };
	struct store_stats st;
	size_t n = 77;

	(void)state;
	assert_int_equal(s->ops->user_put(s, &u, NULL), RC_OK);
	spoil(s, MONGO_USERS, "zone");
	got.lang = 5;
	assert_int_equal(s->ops->user_get(s, 1, &got, NULL), RC_CORRUPT);
	assert_int_equal(got.lang, 5);
	assert_int_equal(s->ops->meal_add(s, &m, NULL, NULL), RC_OK);
	assert_int_equal(s->ops->stats(s, &st, NULL), RC_OK);
	assert_int_equal(st.meals, 1);
	spoil(s, MONGO_DAYS, "meals.0.items.0.mg");
	assert_int_equal(s->ops->meal_get(s, 1, DAY, -5, 1, out, NULL),
	    RC_CORRUPT);
	assert_int_equal(s->ops->meal_day(s, 1, DAY, 2, out, &n, NULL),
	    RC_CORRUPT);
	assert_int_equal(s->ops->meal_page(s, 1, NULL, 2, out, &n, NULL),
	    RC_CORRUPT);
	assert_int_equal(n, 77);
	spoil(s, MONGO_DAYS, "total.cal");
	assert_int_equal(s->ops->day_sums(s, 1, DAY, DAY + 1, sums, NULL),
	    RC_CORRUPT);
	spoil(s, MONGO_DAYS, "meals");
	assert_int_equal(s->ops->stats(s, &st, NULL), RC_OK);
	assert_int_equal(st.meals, 0);
	assert_int_equal(s->ops->meal_day(s, 1, DAY, 2, out, &n, NULL),
	    RC_CORRUPT);
	assert_int_equal(s->ops->erase(s, 1, NULL), RC_OK);
	assert_int_equal(s->ops->user_get(s, 1, &got, NULL), RC_NOTFOUND);
	s->ops->close(s);
}

static void test_text_not_utf8(void **state)
{
	struct store *s = open_new();
	struct meal m = meal(1);
	struct user u = { .user_id = 1 };
	size_t n;

	(void)state;
	memcpy(m.items[0].name, "\xff\xfe", 3);
	assert_int_equal(s->ops->meal_add(s, &m, NULL, NULL), RC_INVALID);
	memcpy(u.name, "\xd0", 2);
	assert_int_equal(s->ops->user_put(s, &u, NULL), RC_INVALID);
	assert_int_equal(u.rev, 0);
	assert_int_equal(s->ops->meal_day(s, 1, DAY, 1, &m, &n, NULL), RC_OK);
	assert_int_equal(n, 0);
	s->ops->close(s);
}

/* Adds EACH meals; every writer also delivers all of the first one's. */
static void write_meals(int writer)
{
	struct store *s = open_uri(uri, 0, RC_OK);
	struct day_sum day;

	for (int i = 0; i < EACH; i++) {
		struct meal own = meal(writer * 1000 + i), same = meal(i);
		enum rc rc = s->ops->meal_add(s, &own, &day, NULL);

		if (rc != RC_OK)
			_exit(1);
		rc = s->ops->meal_add(s, &same, &day, NULL);
		if (rc != RC_OK && rc != RC_CONFLICT)
			_exit(2);
	}
	s->ops->close(s);
	_exit(0);
}

/* Given several processes, when they record into the same new day at once,
 * then each meal is there once and the sum counts each once. */
static void test_writers_at_once(void **state)
{
	struct store *s = open_new();
	struct day_sum day;
	pid_t pids[WRITERS];
	int status;

	(void)state;
	s->ops->close(s);
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			write_meals(i + 1);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	s = open_uri(uri, 0, RC_OK);
	assert_int_equal(s->ops->day_sums(s, 1, DAY, DAY, &day, NULL), RC_OK);
	assert_int_equal(day.meals, WRITERS * EACH + EACH);
	assert_int_equal(day.sum.cal, day.meals * 92000);
	s->ops->close(s);
}

/* A socket that listens and never answers, or a port where nobody is. */
static int silent_port(int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(*fd >= 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void test_server_gone(void **state)
{
	char at[64];
	int64_t begin;
	int fd;

	(void)state;
	str_format(at, sizeof(at), "mongodb://127.0.0.1:%d/x",
	    silent_port(&fd));
	begin = clock_mono_us();
	open_uri(at, 400, RC_UNAVAILABLE);	/* refused */
	assert_true(clock_mono_us() - begin < 1000000);
	assert_int_equal(listen(fd, 8), 0);
	begin = clock_mono_us();
	open_uri(at, 400, RC_UNAVAILABLE);	/* hangs */
	assert_true(clock_mono_us() - begin < 1500000);
	close(fd);
}

static void test_bad_uri_hides_password(void **state)
{
	struct store_conf c = { .name = "test",
		.uri = "mongodb://me:pass-word@:::/x" };
	struct store *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(store_mongo_ops.open(&c, &s, &e), RC_INVALID);
	assert_null(strstr(e.text, "pass-word"));
}

/* Moves, counts and erasures go by slot: one without its index reads all. */
static void test_every_kind_has_its_index(void **state)
{
	struct store *s = open_new();
	struct mongo_store *ms = mongo_of(s);

	(void)state;
	for (int k = 0; k < COLLECTION_COUNT; k++) {
		bson_t *cmd = BCON_NEW("listIndexes",
		    BCON_UTF8(collection_name(k))), reply, doc;
		bson_iter_t batch;
		bool there = false;

		assert_int_equal(mongo_read(mongo_begin(s), cmd, &reply, NULL),
		    RC_OK);
		assert_int_equal(mongo_batch_init(ms, &reply, &batch, NULL),
		    RC_OK);
		while (mongo_batch_next(&batch, &doc)) {
			bson_iter_t it;

			there |= bson_iter_init_find(&it, &doc, "name") &&
			    strcmp(bson_iter_utf8(&it, NULL),
			    "slot_user_id") == 0;
		}
		assert_true(there);
		bson_destroy(&reply);
		bson_destroy(cmd);
	}
	s->ops->close(s);
}

/* Options of the URI hold, as long as they promise no less. */
static void test_settings(void **state)
{
	struct store *s = open_uri(uri, 800, RC_OK);
	const mongoc_write_concern_t *wc =
	    mongoc_client_get_write_concern(mongo_of(s)->client);
	const mongoc_uri_t *u = mongoc_client_get_uri(mongo_of(s)->client);

	(void)state;
	assert_true(mongoc_write_concern_get_wmajority(wc));
	assert_true(mongoc_write_concern_get_journal(wc));
	assert_int_equal(mongo_of(s)->max_time_ms, 600);
	assert_int_equal(mongoc_uri_get_option_as_int32(u,
	    MONGOC_URI_SOCKETTIMEOUTMS, 0), 800);
	assert_true(mongoc_uri_get_option_as_int32(u,
	    MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0) <= 1500);
	assert_string_equal(mongoc_uri_get_appname(u), "familybot");
	s->ops->close(s);
}

static int drop_database(void **state)
{
	struct store *s = open_uri(uri, 0, RC_OK);
	struct mongo_store *ms = mongo_of(s);
	mongoc_database_t *db = mongoc_client_get_database(ms->client, ms->db);

	(void)state;
	assert_true(mongoc_database_drop(db, NULL));
	mongoc_database_destroy(db);
	s->ops->close(s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_text_not_utf8),
		cmocka_unit_test(test_writers_at_once),
		cmocka_unit_test(test_server_gone),
		cmocka_unit_test(test_bad_uri_hides_password),
		cmocka_unit_test(test_every_kind_has_its_index),
		cmocka_unit_test(test_settings),
	};
	const char *server = getenv("FAMILYBOT_TEST_MONGO_URI");

	if (server == NULL) {
		fputs("FAMILYBOT_TEST_MONGO_URI names no server\n", stderr);
		return 1;
	}
	str_format(uri, sizeof(uri), "%s/mongo_test_%d", server,
	    (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL) +
	    _cmocka_run_group_tests("slow", mongo_slow, mongo_slow_n, NULL,
	    NULL) +
	    _cmocka_run_group_tests("slots", mongo_slots, mongo_slots_n, NULL,
	    drop_database);
}
