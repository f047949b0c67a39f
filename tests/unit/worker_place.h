/*
 * worker_place.h - a worker with three SQLite shards in a folder of its own
 * and a Bot API of the test's making.
 */
#ifndef FAMILYBOT_TESTS_WORKER_PLACE_H
#define FAMILYBOT_TESTS_WORKER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/http.h"
#include "clients/telegram.h"
#include "http_server.h"
#include "models/job.h"
#include "models/user.h"
#include "queue/queue.h"
#include "shards/router.h"
#include "utils/clock.h"
#include "worker/worker.h"

#define PLACE_TOKEN	"123456:AAsecretsecretsecret"
#define PLACE_USERNAME	"place_bot"	/* as getMe tells */

enum { PLACE_SHARDS = 3, PLACE_MORE = 4 /* after a growth */, SCRIPT_MAX = 16, SEEN_MAX = 64 };

/* What the Bot API saw: "sendMessage {…}". */
struct seen {
	char text[1024];
	int64_t at_ms;
};

struct worker_place {
	char dir[256], socket[300], map[300];
	struct shard_conf shards[PLACE_MORE];
	struct server *server;
	struct router *router;
	struct http *http;
	struct telegram *telegram;
	struct queue *queue;
	struct worker_conf conf;	/* a test may change it before start */
	struct worker *worker;
	/* answers to the first send* calls, then {"ok":true} */
	struct { int status; const char *body; } script[SCRIPT_MAX];
	int scripted, sends, calls;
	int delay_ms;
	struct seen seen[SEEN_MAX];
	int nseen;
};

int worker_place_setup(void **state);
int worker_place_teardown(void **state);
/* A shard whose file cannot be there, before the router is opened. */
int worker_place_setup_dead_shard(void **state);

void worker_place_start(struct worker_place *p);	/* opens the worker */
/* The next send* is answered so. */
void worker_place_script(struct worker_place *p, int status, const char *body);
/* Enqueues sendMessage to chat for the user. */
void worker_place_send(struct worker_place *p, int64_t user, int64_t chat, const char *key);
/* Turns of the loop until the job of user and key is in state, or 10 s. */
bool worker_place_until(struct worker_place *p, int64_t user, const char *key,
    enum job_state state);
void worker_place_turns(struct worker_place *p, int ms);
bool worker_place_job(struct worker_place *p, int64_t user, const char *key,
    struct job *out);
/* How many calls the server saw that hold words. */
int worker_place_saw(struct worker_place *p, const char *words);

#endif
