/*
 * bot.h - one update in, one answer out.
 *
 * The way of an update: update_parse → bot_handle finds the row (command, tap
 * or dialogue) → the row's function (handlers/) fills a struct reply →
 * reply_finish makes the webhook's answer and the outbox's jobs.
 *
 * Nothing about a person stays in memory between two updates.
 */
#ifndef FAMILYBOT_BOT_BOT_H
#define FAMILYBOT_BOT_BOT_H

#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/err.h"

struct arena;
struct food_service;
struct queue;
struct router;
struct spool;
struct timing;
struct user_service;

struct command;
struct tap;
struct dialogue;
struct reader;

/* What a bot works with; wired once in app.c. */
struct bot {
	struct router *router;
	struct queue *queue;
	struct spool *spool;	/* NULL: nothing is kept for later */
	struct user_service *users;
	struct food_service *foods;
	const struct clock *clock;	/* of what people do */
	const struct clock *answer_clock;	/* of when they are answered */
	const char *default_zone;
	const char *username;	/* the bot's own, without @; "" not known */
	int64_t bot_id;		/* from the token, 0 not known */
	/* Tables ending in a row without a name; from handlers/table.h. */
	const struct command *const *commands;
	const struct tap *const *taps;
	const struct dialogue *const *dialogues;
	const struct reader *const *readers;
};

/* For the log line and the metrics of this request. */
struct update_info {
	const char *kind;	/* "message", "edited_message", "callback_query" … */
	/* row that served it: "today", "food"; "later": kept; "-" none */
	const char *handler;
	int64_t update_id;
	int64_t user_id;	/* 0: nobody's */
	int shard;		/* -1: none */
};

/*
 * body: the update as Telegram sends it.  answer: body of the webhook's
 * answer, "{}" or {"method":…}.
 * RC_OK: done, or kept for later as the shard is away; answer 200.
 * RC_INVALID: it can never succeed; answer 200 with "{}" and log; RC_NOTFOUND
 * and RC_TOOBIG alike.  Others: nothing was
 * acknowledged, answer 503 so that Telegram sends it again.
 */
MUST_CHECK enum rc bot_handle(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *t, struct buf *answer,
    struct update_info *info, struct err *e);

/*
 * An update that was kept: by the same code, but nobody waits for the answer,
 * which is stored as a job; nor is it kept again.  Results as above.
 */
MUST_CHECK enum rc bot_apply(struct bot *bot, const char *body, size_t len,
    struct arena *arena, struct timing *t, struct update_info *info,
    struct err *e);

#endif
