/*
 * rate.h - when may the next message go to a chat: Telegram's published limits
 * (about 30/s over all, 1/s a chat, 20/min a group), and whatever retry_after
 * it demands above them.
 *
 * Times are ms of a monotonic clock, given by the caller.  Memory grows with
 * the chats of the last minute only, so at most 60 × 30.
 * https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
 */
#ifndef FAMILYBOT_WORKER_RATE_H
#define FAMILYBOT_WORKER_RATE_H

#include <stdint.h>

struct rate;

struct rate *rate_new(int per_second);	/* over all chats */
void rate_free(struct rate *r);		/* takes NULL */

/* The earliest time ≥ now at which a message may go to chat (0: to none in
 * particular).  One message of a chat is under way at a time, which keeps
 * their order. */
int64_t rate_due(struct rate *r, int64_t chat, int64_t now);
void rate_sent(struct rate *r, int64_t chat, int64_t now);
void rate_ended(struct rate *r, int64_t chat, int64_t now);

/* Telegram answered 429: nothing to this chat before until.  Without a chat,
 * or when another chat was told so within the last second, nothing at all. */
void rate_flooded(struct rate *r, int64_t chat, int64_t now, int64_t until);
/* Nothing to anyone before until. */
void rate_pause(struct rate *r, int64_t until);

/* A later time for a message that is put back for being far from due: each
 * such message of a chat gets its own second. */
int64_t rate_postpone(struct rate *r, int64_t chat, int64_t now, int64_t due);

#endif
