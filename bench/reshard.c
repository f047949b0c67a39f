/*
 * reshard.c - how fast slots move, beside a plain copy of the same rows.
 *
 *   reshard USERS MEALS [full|normal]
 *
 * Fills four SQLite shards in a directory of its own, copies the rows that
 * 4 → 6 moves row by row with prepared statements into new files (one
 * transaction a mebibyte, nothing compared, nobody served), then moves them
 * with the mover, which compares every record and may be killed at any time.
 */
#include "config.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reshard/reshard.h"
#include "shards/slots.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { FROM = 4, TO = 6, DAY = 20000, PLAIN_BYTES = 1 << 20 };

struct bench {
	char dir[256];
	char map[300];
	struct shard_conf shards[TO];
	enum store_sync sync;
	struct slots *slots;
	struct router *router;
	int users, meals;
};

static void die(const char *what, const char *words)
{
	fprintf(stderr, "reshard: %s: %s\n", what, words);
	exit(1);
}

static double cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void must(enum rc rc, const struct err *e)
{
	if (rc != RC_OK)
		die(rc_name(rc), e->text);
}

static void place(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");
	struct err e = { RC_OK, "" };
	struct router_conf c = { .map_path = b->map, .shards = b->shards,
		.nshards = FROM, .sync = b->sync, .create = true,
		.fence_wait_ms = 500 };
	int index;

	(void)str_format(b->dir, sizeof(b->dir), "%s/fbbench.XXXXXX",
	    tmp ? tmp : "/tmp");
	if (!mkdtemp(b->dir))
		die(b->dir, "cannot be made");
	(void)str_format(b->map, sizeof(b->map), "%s/slots.map", b->dir);
	for (int i = 0; i < TO; i++) {
		(void)str_format(b->shards[i].name, sizeof(b->shards[i].name),
		    "shard%d", i);
		(void)str_format(b->shards[i].uri, sizeof(b->shards[i].uri),
		    "sqlite:%s/s%d.db", b->dir, i);
	}
	must(slots_open(b->map, b->shards, FROM, true, &b->slots, &e), &e);
	for (int i = FROM; i < TO; i++)
		must(slots_shard_add(b->slots, b->shards[i].name, &index, &e),
		    &e);
	c.nshards = TO;
	must(router_open(&c, &b->router, &e), &e);
}

static void meal_fill(struct record *r, int64_t id, int n)
{
	struct meal *m = &r->meal;

	r->kind = COLLECTION_MEALS;
	*m = (struct meal){ .user_id = id, .slot = slot_of(id),
		.day = DAY + n / 4, .chat_id = id, .message_id = n + 1,
		.at = (int64_t)(DAY + n / 4) * 86400, .rev = 1, .nitems = 2 };
	for (int i = 0; i < m->nitems; i++) {
		struct food_item *f = &m->items[i];

		(void)str_copy(f->name, sizeof(f->name), "Гречка отварная");
		(void)str_copy(f->query, sizeof(f->query), "гречка");
		f->food_id = 100 + i;
		f->mg = 100000 + n;
		f->n = (struct nutrients){ 110000, 4200, 1100, 21300 };
	}
	meal_sum(m);
}

static void user_fill(struct record *r, int64_t id)
{
	r->kind = COLLECTION_USERS;
	r->user = (struct user){ .user_id = id, .slot = slot_of(id), .rev = 1,
		.lang = LANG_RU, .created_at = 1700000000000,
		.updated_at = 1700000000000 };
	(void)str_copy(r->user.zone, sizeof(r->user.zone), "Europe/Moscow");
	(void)str_copy(r->user.name, sizeof(r->user.name), "Анна");
}

static void fill(struct bench *b)
{
	struct record *r = calloc(1, sizeof(*r));
	struct err e = { RC_OK, "" };
	struct record_pack pack;

	record_pack_init(&pack);
	for (int32_t slot = 0; slot < SLOT_COUNT; slot++) {
		struct store *s = NULL;

		record_pack_clear(&pack);
		for (int64_t id = slot; id < b->users; id += SLOT_COUNT) {
			user_fill(r, id);
			must(record_pack_add(&pack, r, &e), &e);
			for (int i = 0; i < b->meals; i++) {
				meal_fill(r, id, i);
				must(record_pack_add(&pack, r, &e), &e);
			}
		}
		must(router_shard(b->router, slot % FROM, &s, &e), &e);
		must(s->ops->slot_write(s, slot, NULL, 0, &pack, &e), &e);
	}
	record_pack_release(&pack);
	free(r);
}

/* -- the plain copy -- */

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	return q;
}

static sqlite3 *plain_open(const struct bench *b, const char *kind, int i)
{
	char path[400];
	sqlite3 *db = NULL;

	(void)str_format(path, sizeof(path), "%s/%s%d.db", b->dir, kind, i);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path, "cannot be opened");
	run_sql(db, "PRAGMA journal_mode=WAL");
	run_sql(db, b->sync == STORE_SYNC_FULL ? "PRAGMA synchronous=FULL" :
	    "PRAGMA synchronous=NORMAL");
	return db;
}

/* An empty shard is made as the store makes it. */
static void plain_make(const struct bench *b, int i)
{
	struct store_conf c = { .name = "plain", .create = true };
	struct store *s = NULL;
	struct err e = { RC_OK, "" };
	char uri[400];

	(void)str_format(uri, sizeof(uri), "sqlite:%s/p%d.db", b->dir, i);
	c.uri = uri;
	must(store_open(&c, &s, &e), &e);
	store_close(s);
}

static int64_t copy_rows(sqlite3_stmt *in, sqlite3_stmt *out, int32_t slot,
    int64_t *part, sqlite3 *to)
{
	int columns = sqlite3_column_count(in);
	int64_t rows = 0;

	(void)sqlite3_bind_int(in, 1, slot);
	while (sqlite3_step(in) == SQLITE_ROW) {
		for (int k = 0; k < columns; k++) {
			(void)sqlite3_bind_value(out, k + 1,
			    sqlite3_column_value(in, k));
			*part += sqlite3_column_bytes(in, k);
		}
		if (sqlite3_step(out) != SQLITE_DONE)
			die("plain copy", sqlite3_errmsg(to));
		(void)sqlite3_reset(out);
		rows++;
	}
	(void)sqlite3_reset(in);
	return rows;
}

static const char *const reads[] = {
	"SELECT * FROM users WHERE slot = ?",
	"SELECT * FROM food_analysis WHERE slot = ?" };
static const char *const writes[] = {
	"INSERT INTO users VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
	"?,?,?)",
	"INSERT INTO food_analysis VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)" };

static int64_t plain_pair(const struct bench *b, int from, int to)
{
	sqlite3 *source = plain_open(b, "s", from);
	sqlite3 *target = plain_open(b, "p", to);
	sqlite3_stmt *in[2], *out[2];
	int64_t part = 0, rows = 0;

	for (int k = 0; k < 2; k++) {
		in[k] = prepare(source, reads[k]);
		out[k] = prepare(target, writes[k]);
	}
	run_sql(target, "BEGIN IMMEDIATE");
	for (int32_t slot = 0; slot < SLOT_COUNT; slot++) {
		if (slot % FROM != from || slot % TO != to)
			continue;
		for (int k = 0; k < 2; k++)
			rows += copy_rows(in[k], out[k], slot, &part, target);
		if (part < PLAIN_BYTES)
			continue;
		run_sql(target, "COMMIT");
		run_sql(target, "BEGIN IMMEDIATE");
		part = 0;
	}
	run_sql(target, "COMMIT");
	for (int k = 0; k < 2; k++) {
		(void)sqlite3_finalize(in[k]);
		(void)sqlite3_finalize(out[k]);
	}
	(void)sqlite3_close(source);
	(void)sqlite3_close(target);
	return rows;
}

static double plain(const struct bench *b, int64_t *rows)
{
	int64_t began;

	for (int i = 0; i < TO; i++)
		plain_make(b, i);
	began = clock_mono_us();
	for (int from = 0; from < FROM; from++)
		for (int to = 0; to < TO; to++)
			if (from != to && (from - to) % 2 == 0)
				*rows += plain_pair(b, from, to);
	return (double)(clock_mono_us() - began) / 1e6;
}

/* -- the move -- */

static double move(struct bench *b, struct reshard *j)
{
	struct reshard_conf c = { .dir = b->dir, .slots = b->slots,
		.journal = { &journal_file, b->dir },
		.router = b->router, .step = &step_local,
		.step_ctx = b->slots, .clock = &clock_system, .who = "bench",
		.stop_fd = -1 };
	struct plan plan = { .nnames = TO, .only_slot = -1 };
	struct err e = { RC_OK, "" };
	int64_t began = clock_mono_us();

	for (int i = 0; i < TO; i++)
		(void)str_copy(plan.names[i], sizeof(plan.names[i]),
		    b->shards[i].name);
	must(reshard_begin(&c, &plan, &plan, NULL, &e), &e);
	must(reshard_run(&c, NULL, NULL, &e), &e);
	must(reshard_load(&c.journal, j, &e), &e);
	return (double)(clock_mono_us() - began) / 1e6;
}

static int remove_one(const char *path, const struct stat *st, int what,
    struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	struct bench b = { .users = 20000, .meals = 30,
		.sync = STORE_SYNC_FULL };
	struct reshard *j = calloc(1, sizeof(*j));
	double plain_s, move_s, cpu[3];
	int64_t rows = 0;

	if (argc > 2) {
		b.users = (int)strtol(argv[1], NULL, 10);
		b.meals = (int)strtol(argv[2], NULL, 10);
	}
	if (argc > 3 && strcmp(argv[3], "normal") == 0)
		b.sync = STORE_SYNC_NORMAL;
	place(&b);
	fill(&b);
	cpu[0] = cpu_s();
	plain_s = plain(&b, &rows);
	cpu[1] = cpu_s();
	move_s = move(&b, j);
	cpu[2] = cpu_s();
	printf("plain copy: %lld rows, %.2f s, %.0f users/s, %.1f MB/s\n",
	    (long long)rows, plain_s, (double)j->users / plain_s,
	    (double)j->bytes / plain_s / 1e6);
	printf("move:       %lld users, %.2f s, %.0f users/s, %.1f MB/s, "
	    "%.0f %% of the plain copy; fence p50 %.2f ms, p99 %.2f ms\n",
	    (long long)j->users, move_s, (double)j->users / move_s,
	    (double)j->bytes / move_s / 1e6, 100 * plain_s / move_s,
	    (double)j->fence_p50_us / 1e3, (double)j->fence_p99_us / 1e3);
	printf("processor:  %.2f s the plain copy, %.2f s the move\n",
	    cpu[1] - cpu[0], cpu[2] - cpu[1]);
	router_free(b.router);
	slots_free(b.slots);
	free(j);
	(void)nftw(b.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
