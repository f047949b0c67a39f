/* answerer.c - see answerer.h. */
#include "config.h"

#include "app/answerer.h"

#include <stdlib.h>

#include "bot/bot.h"
#include "handlers/table.h"
#include "queue/queue.h"
#include "services/food.h"
#include "services/nutrition/nutrition.h"
#include "services/user.h"
#include "utils/xalloc.h"

struct answerer {
	struct nutrition *nutrition;
	struct bot bot;
};

/* "123456:AA…" starts with the bot's own id. */
static int64_t bot_id_of(const char *token)
{
	char *end;
	long long id = strtoll(token, &end, 10);

	return *end == ':' && id > 0 ? id : 0;
}

enum rc answerer_open(const struct config *conf, struct router *router,
    struct spool *spool, const struct clock *clock, struct answerer **out,
    struct err *e)
{
	struct answerer *a = xcalloc(1, sizeof(*a));
	enum rc rc = nutrition_open(conf->foods_db, &a->nutrition, e);

	if (rc != RC_OK) {
		free(a);
		return rc;
	}
	a->bot = (struct bot){
		.router = router,
		.queue = queue_open(conf->worker_socket),
		.spool = spool,
		.users = user_service_new(clock, conf->default_zone),
		.foods = food_service_new(a->nutrition, clock),
		.clock = clock,
		.answer_clock = clock,
		.default_zone = conf->default_zone,
		.username = conf->bot_username,
		.bot_id = bot_id_of(conf->telegram_token),
		.commands = bot_commands,
		.taps = bot_taps,
		.dialogues = bot_dialogues,
		.readers = bot_readers,
	};
	*out = a;
	return RC_OK;
}

void answerer_free(struct answerer *a)
{
	if (a == NULL)
		return;
	food_service_free(a->bot.foods);
	user_service_free(a->bot.users);
	queue_free(a->bot.queue);
	nutrition_free(a->nutrition);
	free(a);
}

struct bot *answerer_bot(struct answerer *a)
{
	return &a->bot;
}
