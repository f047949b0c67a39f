/* app.c - see app.h. */
#include "config.h"

#include "app.h"

#include <stdlib.h>
#include <string.h>

#include "bot/bot.h"
#include "handlers/http.h"
#include "handlers/table.h"
#include "metering.h"
#include "queue/queue.h"
#include "services/food.h"
#include "services/nutrition.h"
#include "services/user.h"
#include "shards.h"
#include "store/router.h"
#include "utils/clock.h"
#include "utils/xalloc.h"
#include "web/fcgi.h"
#include "web/web.h"

struct app {
	const struct config *conf;
	struct router *router;
	struct queue *queue;
	struct nutrition *nutrition;
	struct user_service *users;
	struct food_service *foods;
	struct metrics *metrics;
	struct web *web;
	struct bot bot;
	struct http_context http;
};

static size_t look_at_shards(void *ctx, bool counted, struct shard_health *out,
    size_t max)
{
	struct app *a = ctx;

	return counted ? shards_counted(a->router, a->metrics, out, max)
	    : shards_look(a->router, out, max);
}

/* "123456:AA…" starts with the bot's own id. */
static int64_t bot_id_of(const char *token)
{
	char *end;
	long long id = strtoll(token, &end, 10);

	return *end == ':' && id > 0 ? id : 0;
}

static void bot_wire(struct app *a)
{
	a->bot = (struct bot){
		.router = a->router,
		.queue = a->queue,
		.users = a->users,
		.foods = a->foods,
		.clock = &clock_system,
		.default_zone = a->conf->default_zone,
		.username = a->conf->bot_username,
		.bot_id = bot_id_of(a->conf->telegram_token),
		.commands = bot_commands,
		.taps = bot_taps,
		.dialogues = bot_dialogues,
	};
	a->http = (struct http_context){
		.bot = &a->bot,
		.metrics = a->metrics,
		.clock = &clock_system,
		.webhook_secret = a->conf->webhook_secret,
		.shards = look_at_shards,
		.shards_ctx = a,
	};
}

enum rc app_open(const struct config *conf, struct app **out, struct err *e)
{
	struct app *a = xcalloc(1, sizeof(*a));
	enum rc rc;

	a->conf = conf;
	rc = nutrition_open(conf->foods_db, &a->nutrition, e);
	if (rc == RC_OK)
		rc = shards_open(conf, true, &a->router, e);
	if (rc == RC_OK)
		rc = metering_open(conf, &a->metrics, e);
	if (rc != RC_OK) {
		app_free(a);
		return rc;
	}
	a->queue = queue_open(conf->worker_socket);
	a->users = user_service_new(&clock_system, conf->default_zone);
	a->foods = food_service_new(a->nutrition, &clock_system);
	bot_wire(a);
	a->web = web_new(http_routes, &a->http, a->metrics, &clock_system);
	*out = a;
	return RC_OK;
}

void app_free(struct app *a)
{
	if (a == NULL)
		return;
	web_free(a->web);
	if (a->foods != NULL)
		food_service_free(a->foods);
	if (a->users != NULL)
		user_service_free(a->users);
	if (a->queue != NULL)
		queue_free(a->queue);
	metering_close(a->metrics);
	if (a->router != NULL)
		router_free(a->router);
	if (a->nutrition != NULL)
		nutrition_free(a->nutrition);
	free(a);
}

enum rc app_serve(struct app *a, int fd, struct err *e)
{
	return fcgi_serve(fd, a->web, a->conf->body_max, e);
}
