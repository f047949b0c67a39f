/*
 * bot_world.h - a bot with real shards on disk and the real food table, no
 * network, for the conversations of test_bot_*.c.
 *
 * Every update is delivered twice, as Telegram does when an answer got lost,
 * and must give the same answer and one effect.  A failed wish ends the test.
 */
#ifndef FAMILYBOT_TESTS_BOT_WORLD_H
#define FAMILYBOT_TESTS_BOT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bot/bot.h"
#include "utils/arena.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { PERSON = 77, NOON = 1795435200 /* 2026-11-23 12:00 UTC */ };

struct world {
	char dir[64];
	int64_t now;		/* UTC s */
	int64_t ids;
	struct clock clock;
	struct bot bot;
	struct nutrition *nutrition;
	struct arena arena;
	struct buf answer;	/* of the last update */
	const char *lang;
	int64_t last_message;
};

extern const char private_chat[], group_chat[];	/* as JSON */

int world_open(void **state);
int world_close(void **state);

/* An update as Telegram sends it; RC_INVALID when it could never be handled. */
enum rc world_deliver_once(struct world *w, const char *body);
/* Twice, with the same answer. */
void world_deliver(struct world *w, const char *body);
/* kind: "message" or "edited_message". */
void world_send(struct world *w, const char *kind, int64_t id,
    const char *chat, const char *text);

/* In the private chat: */
void say(struct world *w, const char *text);
void edit(struct world *w, const char *text);	/* the last message */
/* Taps the button whose label begins with label in the last answer. */
void tap(struct world *w, const char *label);
/* What the button carries whose label begins with label in the last answer. */
void data_of(struct world *w, const char *label, char *out, size_t size);
/* A tap of anybody on a message of the bot, which replied to owner (0: to
 * nobody). */
void tap_data(struct world *w, int64_t from, const char *id, const char *chat,
    int64_t owner, const char *data);
void sees(struct world *w, const char *text);
void sees_not(struct world *w, const char *text);

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

#endif
