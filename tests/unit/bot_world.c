/*
 * bot_world.c - delivers updates to the bot as a person's messages and taps.
 */
#include "config.h"

#include "bot_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers/table.h"
#include "queue/queue.h"
#include "services/food.h"
#include "services/nutrition/nutrition.h"
#include "services/user.h"
#include "shards/router.h"
#include "utils/json.h"
#include "utils/timing.h"


static int64_t world_ms(void *ctx)
{
	return ((struct world *)ctx)->now * 1000;
}

int world_open(void **state)
{
	static struct shard_conf shards[3];
	struct world *w = test_calloc(1, sizeof(*w));
	struct router_conf rc = { .shards = shards, .nshards = 3,
		.sync = STORE_SYNC_NORMAL, .create = true, .fence_wait_ms = 500 };
	char map[128], socket[128];
	struct err e;

	str_copy(w->dir, sizeof(w->dir), "/tmp/test_bot.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	str_format(map, sizeof(map), "%s/slots.map", w->dir);
	str_format(socket, sizeof(socket), "%s/worker.sock", w->dir);
	for (int i = 0; i < 3; i++) {
		str_format(shards[i].name, sizeof(shards[i].name), "shard%d", i);
		str_format(shards[i].uri, sizeof(shards[i].uri),
		    "sqlite:%s/shard%d.db", w->dir, i);
	}
	rc.map_path = map;
	w->now = NOON;
	w->lang = "ru";
	w->clock = (struct clock){ world_ms, w };
	assert_int_equal(router_open(&rc, &w->bot.router, &e), RC_OK);
	assert_int_equal(nutrition_open(getenv("FOODS_DB"), &w->nutrition, &e),
	    RC_OK);
	w->bot.queue = queue_open(socket);
	w->bot.users = user_service_new(&w->clock, "UTC");
	w->bot.foods = food_service_new(w->nutrition, &w->clock);
	w->bot.clock = w->bot.answer_clock = &w->clock;
	w->bot.username = "FamilyBot";
	w->bot.bot_id = 4242;
	w->bot.commands = bot_commands;
	w->bot.taps = bot_taps;
	w->bot.dialogues = bot_dialogues;
	w->bot.readers = bot_readers;
	arena_init(&w->arena);
	buf_init(&w->answer, 1 << 20);
	*state = w;
	return 0;
}

int world_close(void **state)
{
	struct world *w = *state;
	char cmd[128];

	router_free(w->bot.router);
	queue_free(w->bot.queue);
	user_service_free(w->bot.users);
	food_service_free(w->bot.foods);
	nutrition_free(w->nutrition);
	arena_release(&w->arena);
	buf_release(&w->answer);
	str_format(cmd, sizeof(cmd), "rm -rf %s", w->dir);
	assert_int_equal(system(cmd), 0);
	test_free(w);
	return 0;
}

enum rc world_deliver_once(struct world *w, const char *body)
{
	struct update_info info;
	struct timing t;
	struct err e = { .text = "" };
	enum rc rc;

	buf_clear(&w->answer);
	arena_reset(&w->arena);
	timing_start(&t);
	rc = bot_handle(&w->bot, body, strlen(body), &w->arena, &t, &w->answer,
	    &info, &e);
	if (rc != RC_OK && rc != RC_INVALID)
		fail_msg("%s: %s", rc_name(rc), e.text);
	return rc;
}

void world_deliver(struct world *w, const char *body)
{
	char *first;

	assert_int_equal(world_deliver_once(w, body), RC_OK);
	first = strdup(w->answer.s);
	assert_non_null(first);
	assert_int_equal(world_deliver_once(w, body), RC_OK);
	assert_string_equal(first, w->answer.s);
	free(first);
}

static void put_message(struct world *w, struct buf *b, const char *kind,
    int64_t id, const char *chat, const char *text)
{
	buf_printf(b, "{\"update_id\":%" PRId64 ",\"%s\":{\"message_id\":%" PRId64
	    ",\"from\":{\"id\":%d,\"is_bot\":false,\"first_name\":\"Аня\","
	    "\"language_code\":\"%s\"},\"chat\":%s,\"date\":%" PRId64,
	    ++w->ids, kind, id, PERSON, w->lang, chat, w->now);
	if (strcmp(kind, "edited_message") == 0)
		buf_printf(b, ",\"edit_date\":%" PRId64, w->now + w->ids);
	buf_puts(b, ",\"text\":");
	json_put_str(b, text);
	buf_puts(b, "}}");
}

const char private_chat[] = "{\"id\":77,\"type\":\"private\"}";
const char group_chat[] = "{\"id\":-100500,\"type\":\"supergroup\"}";

void world_send(struct world *w, const char *kind, int64_t id,
    const char *chat, const char *text)
{
	struct buf b;

	buf_init(&b, 65536);
	put_message(w, &b, kind, id, chat, text);
	world_deliver(w, b.s);
	buf_release(&b);
}

void say(struct world *w, const char *text)
{
	w->last_message = w->ids + 1000;
	world_send(w, "message", w->last_message, private_chat, text);
}

void edit(struct world *w, const char *text)
{
	world_send(w, "edited_message", w->last_message, private_chat, text);
}

void tap(struct world *w, const char *label)
{
	char data[128];
	struct buf b;

	data_of(w, label, data, sizeof(data));
	buf_init(&b, 65536);
	buf_printf(&b, "{\"update_id\":%" PRId64 ",\"callback_query\":{\"id\":"
	    "\"%" PRId64 "\",\"from\":{\"id\":%d,\"is_bot\":false,"
	    "\"first_name\":\"Аня\",\"language_code\":\"%s\"},\"message\":"
	    "{\"message_id\":5,\"date\":%" PRId64 ",\"chat\":%s},\"data\":",
	    w->ids + 1, w->ids + 9000000, PERSON, w->lang, w->now, private_chat);
	w->ids++;
	json_put_str(&b, data);
	buf_puts(&b, "}}");
	world_deliver(w, b.s);
	buf_release(&b);
}

void sees(struct world *w, const char *text)
{
	if (strstr(w->answer.s, text) == NULL)
		fail_msg("not seen: %s\nin: %s", text, w->answer.s);
}

void sees_not(struct world *w, const char *text)
{
	if (strstr(w->answer.s, text) != NULL)
		fail_msg("seen: %s\nin: %s", text, w->answer.s);
}

void tap_data(struct world *w, int64_t from, const char *id, const char *chat,
    int64_t owner, const char *data)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_printf(&b, "{\"update_id\":%" PRId64 ",\"callback_query\":{\"id\":"
	    "\"%s\",\"from\":{\"id\":%" PRId64 ",\"is_bot\":false,"
	    "\"first_name\":\"X\",\"language_code\":\"ru\"},\"message\":"
	    "{\"message_id\":5,\"date\":%" PRId64 ",\"chat\":%s", ++w->ids, id,
	    from, w->now, chat);
	if (owner != 0)
		buf_printf(&b, ",\"reply_to_message\":{\"message_id\":1,\"from\":"
		    "{\"id\":%" PRId64 "}}", owner);
	buf_printf(&b, "},\"data\":\"%s\"}}", data);
	world_deliver(w, b.s);
	buf_release(&b);
}

void data_of(struct world *w, const char *label, char *out, size_t size)
{
	struct json_object *j, *rows;

	out[0] = '\0';
	assert_int_equal(json_parse(w->answer.s, w->answer.len, &j, NULL), RC_OK);
	rows = json_arr(json_obj(j, "reply_markup"), "inline_keyboard");
	for (size_t r = 0; r < json_len(rows); r++)
		for (size_t i = 0; i < json_len(json_at(rows, r)); i++) {
			struct json_object *k = json_at(json_at(rows, r), i);
			if (out[0] == '\0' && strncmp(json_str(k, "text"),
			    label, strlen(label)) == 0 &&
			    json_str(k, "callback_data") != NULL)
				str_copy(out, size, json_str(k,
				    "callback_data"));
		}
	json_free(j);
	if (out[0] == '\0')
		fail_msg("no button %s in %s", label, w->answer.s);
}
