/*
 * replay.c - what the benchmarks need from inside the process.
 *
 *   replay seed CONF FIRST-ID USERS MEALS   fills the shards: profiles as
 *       after /start, MEALS meals each, five a day, up to yesterday
 *   replay run CONF FIRST-ID USERS N        N updates of one food through
 *       bot_handle, for counting instructions under callgrind
 *
 * The bot is the web process's, without web.  Owns everything until it ends.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/answerer.h"
#include "bot/bot.h"
#include "config/config.h"
#include "app/guard.h"
#include "app/shards_open.h"
#include "shards/router.h"
#include "utils/arena.h"
#include "utils/timing.h"

enum { MEALS_A_DAY = 5, DAY_S = 86400, BODY_SIZE = 1024 };

struct range {
	int64_t first;		/* user id */
	int64_t users;
	int64_t count;		/* meals of each, or updates of all */
};

static enum rc seed_user(struct store *st, int64_t id, struct err *e)
{
	struct user u;

	memset(&u, 0, sizeof(u));
	u.user_id = id;
	u.slot = slot_of(id);
	u.lang = LANG_RU;
	u.sex = SEX_FEMALE;
	u.birth_year = 1990;
	u.height_cm = 165;
	u.weight_g = 60000;
	u.activity = ACTIVITY_LIGHT;
	u.goal = GOAL_KEEP;
	str_copy(u.zone, sizeof(u.zone), "Europe/Moscow");
	str_copy(u.zone_before, sizeof(u.zone_before), "UTC");
	str_copy(u.name, sizeof(u.name), "Анна");
	return st->ops->user_put(st, &u, e);
}

static enum rc seed_meal(struct store *st, int64_t id, int64_t n, int64_t now,
    struct err *e)
{
	struct meal m;
	struct food_item *item = &m.items[0];

	memset(&m, 0, sizeof(m));
	m.user_id = m.chat_id = id;
	m.slot = slot_of(id);
	m.message_id = n + 1;
	m.at = now - DAY_S * (1 + n / MEALS_A_DAY);
	m.day = (int32_t)(m.at / DAY_S);
	m.nitems = 1;
	str_copy(item->name, sizeof(item->name), "Гречка варёная");
	str_copy(item->query, sizeof(item->query), "гречки");
	item->food_id = 1;
	item->mg = 100000;
	item->n = (struct nutrients){ 92000, 3400, 600, 19900 };
	meal_sum(&m);
	return st->ops->meal_add(st, &m, NULL, e);
}

static enum rc seed(const struct config *conf, const struct range *r,
    struct err *e)
{
	int64_t now = clock_ms(&clock_system) / 1000;
	struct router *router = NULL;
	enum rc rc = shards_open(conf, true, &router, e);

	for (int64_t id = r->first; rc == RC_OK && id < r->first + r->users;
	    id++) {
		struct route route;

		rc = router_enter(router, id, &route, e);
		if (rc != RC_OK)
			break;
		rc = seed_user(route.store, id, e);
		for (int64_t n = 0; rc == RC_OK && n < r->count; n++)
			rc = seed_meal(route.store, id, n, now, e);
		router_leave(&route);
	}
	if (router != NULL)
		router_free(router);
	return rc;
}

static enum rc one(struct bot *bot, struct arena *arena, int64_t id,
    int64_t n, struct err *e)
{
	struct update_info info;
	struct timing t;
	struct buf answer;
	char body[BODY_SIZE];
	enum rc rc;

	str_format(body, sizeof(body), "{\"update_id\":%" PRId64
	    ",\"message\":{\"message_id\":%" PRId64 ",\"from\":{\"id\":%" PRId64
	    ",\"is_bot\":false,\"first_name\":\"Анна\",\"language_code\":\"ru\"}"
	    ",\"chat\":{\"id\":%" PRId64 ",\"type\":\"private\","
	    "\"first_name\":\"Анна\"},\"date\":%" PRId64
	    ",\"text\":\"100 г гречки\"}}", n, n, id, id,
	    clock_ms(bot->clock) / 1000);
	memset(&info, 0, sizeof(info));
	buf_init(&answer, 65536);
	timing_start(&t);
	rc = bot_handle(bot, body, strlen(body), arena, &t, &answer, &info, e);
	if (rc == RC_OK && strstr(answer.s, "sendMessage") == NULL)
		rc = err_set(e, RC_INVALID, "no answer: %.200s", answer.s);
	buf_release(&answer);
	arena_reset(arena);
	return rc;
}

static enum rc replay(struct bot *bot, const struct range *r, struct err *e)
{
	struct arena arena;
	enum rc rc = RC_OK;

	arena_init(&arena);
	for (int64_t n = 0; rc == RC_OK && n < r->count; n++)
		rc = one(bot, &arena, r->first + n % r->users, n + 1, e);
	arena_release(&arena);
	return rc;
}

static enum rc run(const struct config *conf, const struct range *r,
    struct err *e)
{
	struct answerer *answerer = NULL;
	struct router *router = NULL;
	struct guard guard;
	enum rc rc;

	guard_open(conf, false, &guard);
	rc = shards_serve(conf, guard.pulse, &router, e);
	if (rc == RC_OK)
		rc = answerer_open(conf, router, guard.spool, &clock_system,
		    &answerer, e);
	if (rc == RC_OK)
		rc = replay(answerer_bot(answerer), r, e);
	answerer_free(answerer);
	if (router != NULL)
		router_free(router);
	guard_close(&guard);
	return rc;
}

static int64_t number(const char *s)
{
	return strtoll(s, NULL, 10);
}

int main(int argc, char **argv)
{
	struct config *conf = NULL;
	struct err e = { .text = "" };
	struct range r;
	enum rc rc;

	if (argc != 6) {
		fputs("Usage: replay seed|run CONF FIRST-ID USERS COUNT\n",
		    stderr);
		return 2;
	}
	r = (struct range){ number(argv[3]), number(argv[4]), number(argv[5]) };
	rc = config_load(argv[2], stderr, &conf, &e);
	if (rc == RC_OK && strcmp(argv[1], "seed") == 0)
		rc = seed(conf, &r, &e);
	else if (rc == RC_OK)
		rc = run(conf, &r, &e);
	config_free(conf);
	if (rc != RC_OK)
		fprintf(stderr, "replay: %s: %s\n", rc_name(rc), e.text);
	return rc != RC_OK;
}
