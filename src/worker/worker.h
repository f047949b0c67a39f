/*
 * worker.h - the loop that does durable jobs: leases them from every shard,
 * sends what they say within Telegram's limits, writes down what came of it.
 *
 * One thread, one curl_multi.  Everything in struct worker_conf is borrowed
 * and outlives the worker.  No slot lock is held across a network call.
 */
#ifndef FAMILYBOT_WORKER_WORKER_H
#define FAMILYBOT_WORKER_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "utils/clock.h"
#include "utils/err.h"

struct http;
struct metrics;
struct router;
struct spool;
struct telegram;
struct worker;

struct worker_command {
	const char *name;
	const char *description;	/* 1-256 characters */
};

/* What setMyCommands is told for one language. */
struct worker_commands {
	const char *lang;	/* "" for everyone else, or "ru" */
	const struct worker_command *rows;
	size_t nrows;
};

struct worker_conf {
	struct router *router;
	struct http *http;
	struct telegram *telegram;
	const struct clock *clock;
	const char *socket_path;
	const struct worker_commands *commands;
	size_t ncommands;
	/* What the configuration says the bot is called, to be compared with
	 * getMe; NULL: not compared. */
	const char *username;
	struct metrics *metrics;	/* where all this is counted, or NULL */
	int stop_fd;		/* readable: end */
	int per_second;		/* messages over all chats; 0: 30 */
	int lease_ms;		/* 0: 60 s */
	/* Called in each turn, and quick: looks after what runs beside the
	 * worker; NULL: nothing does. */
	void (*beside)(void *ctx);
	void *beside_ctx;
	/* Updates that were kept while their shard was away; NULL: none are.
	 * apply does one as if it had come at received_at (UTC ms), see
	 * bot_apply of bot/bot.h.  RC_CORRUPT, RC_DENIED and again and again
	 * RC_SYSTEM: only this person's wait; others but RC_INVALID, RC_NOTFOUND
	 * and RC_TOOBIG: all of the slot's do. */
	struct spool *spool;
	enum rc (*apply)(void *ctx, const char *body, size_t len,
	    int64_t received_at, struct err *e);
	void *apply_ctx;
};

/* Since the start; monotonic, but for the last four. */
struct worker_stats {
	uint64_t leased;	/* jobs taken */
	uint64_t done;		/* jobs that came to their end well */
	uint64_t retried;	/* tries that failed and counted */
	uint64_t flooded;	/* 429 */
	uint64_t dead;		/* dead letters made */
	uint64_t unreachable;	/* 403 */
	uint64_t left;		/* jobs of a slot that is elsewhere or moving */
	uint64_t put_back;	/* leased too early, unleased */
	uint64_t lost_leases;	/* outcomes that could not be written */
	uint64_t calls;		/* ephemeral calls made */
	uint64_t calls_failed;	/* … without success, dropped ones too */
	uint64_t spool_applied;
	uint64_t spool_invalid;	/* that can never succeed */
	int64_t spool_stuck;	/* people whose updates wait though their shard
				 * is there */
	int64_t updates_pending;	/* getWebhookInfo, -1 not known */
	int64_t waiting;		/* jobs in memory */
	int64_t shards_down;
};

/* Binds the socket.  RC_BUSY: another worker of this state directory runs. */
MUST_CHECK enum rc worker_open(const struct worker_conf *c,
    struct worker **out, struct err *e);
void worker_free(struct worker *w);	/* aborts its http; takes NULL */

/* Until stop_fd is readable; then gives up to 10 s to what is under way. */
void worker_run(struct worker *w);
/* One turn of the loop, waiting at most max_wait_ms. */
void worker_turn(struct worker *w, int max_wait_ms);

const struct worker_stats *worker_stats(const struct worker *w);

#endif
