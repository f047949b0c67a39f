/* worker_place.c - see worker_place.h. */
#include "config.h"

#include "worker_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "utils/buf.h"

static int64_t mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static void on_request(void *ctx, const struct server_request *q,
    struct server_answer *a)
{
	struct worker_place *p = ctx;
	const char *method = strrchr(q->path, '/') + 1;

	if (p->nseen < SEEN_MAX) {
		str_format(p->seen[p->nseen].text,
		    sizeof(p->seen[0].text), "%s %s", method, q->body);
		p->seen[p->nseen++].at_ms = mono_ms();
	}
	p->calls++;
	a->delay_ms = p->delay_ms;
	str_copy(a->body, sizeof(a->body), "{\"ok\":true,\"result\":"
	    "{\"username\":\"" PLACE_USERNAME "\"}}");
	if (strncmp(method, "send", 4) != 0)
		return;
	if (p->sends < p->scripted) {
		a->status = p->script[p->sends].status;
		str_copy(a->body, sizeof(a->body), p->script[p->sends].body);
	}
	p->sends++;
}

/* shards.conf names one more by now. */
static enum rc read_again(void *ctx, struct shard_conf **out, int *n,
    struct err *e)
{
	const struct worker_place *p = ctx;

	(void)e;
	*out = calloc(PLACE_MORE, sizeof(**out));
	memcpy(*out, p->shards, sizeof(p->shards));
	*n = PLACE_MORE;
	return RC_OK;
}

static int open_all(struct worker_place *p, void **state)
{
	struct http_conf hc = { .stop_fd = -1 };
	struct router_conf rc = { .map_path = p->map, .shards = p->shards,
		.nshards = PLACE_SHARDS, .sync = STORE_SYNC_NORMAL,
		.create = true, .fence_wait_ms = 50,
		.reload = read_again, .reload_ctx = p };
	char base[64];
	struct err e;

	p->server = server_start(on_request, p);
	assert_int_equal(router_open(&rc, &p->router, &e), RC_OK);
	assert_int_equal(http_open(&hc, &p->http, &e), RC_OK);
	str_format(base, sizeof(base), "http://127.0.0.1:%d",
	    server_port(p->server));
	p->telegram = telegram_new(p->http, base, PLACE_TOKEN);
	p->queue = queue_open(p->socket);
	p->conf = (struct worker_conf){ .router = p->router, .http = p->http,
		.telegram = p->telegram, .clock = &clock_system,
		.socket_path = p->socket, .stop_fd = -1 };
	*state = p;
	return 0;
}

static struct worker_place *worker_place_new(void)
{
	static struct worker_place p;
	const char *tmp = getenv("TMPDIR");
	char data[300];

	memset(&p, 0, sizeof(p));
	str_format(p.dir, sizeof(p.dir), "%s/workerXXXXXX",
	    tmp != NULL && strlen(tmp) < 60 ? tmp : "/tmp");
	assert_non_null(mkdtemp(p.dir));
	str_format(data, sizeof(data), "%s/data", p.dir);
	assert_int_equal(mkdir(data, 0700), 0);
	str_format(p.socket, sizeof(p.socket), "%s/w.sock", p.dir);
	str_format(p.map, sizeof(p.map), "%s/slots.map", data);
	for (int i = 0; i < PLACE_MORE; i++) {
		str_format(p.shards[i].name, sizeof(p.shards[i].name),
		    "shard%d", i);
		str_format(p.shards[i].uri, sizeof(p.shards[i].uri),
		    "sqlite:%s/shard%d.db", data, i);
	}
	return &p;
}

int worker_place_setup(void **state)
{
	return open_all(worker_place_new(), state);
}

int worker_place_setup_dead_shard(void **state)
{
	struct worker_place *p = worker_place_new();

	str_format(p->shards[1].uri, sizeof(p->shards[1].uri),
	    "sqlite:%s/nowhere/shard1.db", p->dir);
	return open_all(p, state);
}

int worker_place_teardown(void **state)
{
	struct worker_place *p = *state;
	char command[600];

	worker_free(p->worker);
	queue_free(p->queue);
	telegram_free(p->telegram);
	http_free(p->http);
	router_free(p->router);
	server_stop(p->server);
	str_format(command, sizeof(command), "rm -rf '%s'", p->dir);
	return system(command);
}

void worker_place_start(struct worker_place *p)
{
	struct err e;

	assert_int_equal(worker_open(&p->conf, &p->worker, &e), RC_OK);
}

void worker_place_script(struct worker_place *p, int status, const char *body)
{
	assert_true(p->scripted < SCRIPT_MAX);
	p->script[p->scripted].status = status;
	p->script[p->scripted++].body = body;
}

void worker_place_send(struct worker_place *p, int64_t user, int64_t chat, const char *key)
{
	static struct job j;
	struct route route;
	struct err e;
	char call[256];

	str_format(call, sizeof(call), "{\"method\":\"sendMessage\","
	    "\"chat_id\":%lld,\"text\":\"<b>%s</b>\",\"parse_mode\":\"HTML\"}",
	    (long long)chat, key);
	assert_int_equal(queue_send_job(&j, user, key, call, strlen(call),
	    clock_ms(&clock_system)), RC_OK);
	assert_int_equal(router_enter(p->router, user, &route, &e), RC_OK);
	assert_int_equal(queue_add(p->queue, route.store, &j, 1, &e), RC_OK);
	router_leave(&route);
}

bool worker_place_job(struct worker_place *p, int64_t user, const char *key,
    struct job *out)
{
	static struct job list[64];
	struct route route;
	struct err e;
	bool found = false;
	char id[JOB_ID_SIZE];

	str_format(id, sizeof(id), "send:%lld:%s", (long long)user, key);
	assert_int_equal(router_enter(p->router, user, &route, &e), RC_OK);
	for (int s = JOB_READY; s <= JOB_DEAD; s++) {
		size_t n = 0;
		assert_int_equal(route.store->ops->job_list(route.store,
		    (enum job_state)s, 64, list, &n, &e), RC_OK);
		for (size_t i = 0; i < n; i++)
			if (strcmp(list[i].id, id) == 0) {
				*out = list[i];
				found = true;
			}
	}
	router_leave(&route);
	return found;
}

bool worker_place_until(struct worker_place *p, int64_t user, const char *key,
    enum job_state state)
{
	static struct job j;
	int64_t until = mono_ms() + 10000;

	while (mono_ms() < until) {
		worker_turn(p->worker, 20);
		if (worker_place_job(p, user, key, &j) && j.state == (int)state)
			return true;
	}
	return false;
}

void worker_place_turns(struct worker_place *p, int ms)
{
	int64_t until = mono_ms() + ms;

	while (mono_ms() < until)
		worker_turn(p->worker, 20);
}

int worker_place_saw(struct worker_place *p, const char *words)
{
	int n = 0;

	server_lock(p->server);
	for (int i = 0; i < p->nseen; i++)
		n += strstr(p->seen[i].text, words) != NULL;
	server_unlock(p->server);
	return n;
}
