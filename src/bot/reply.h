/*
 * reply.h - what a handler wants the person to see.
 *
 * Handlers append; after they return, reply_finish turns the first message
 * into the webhook's answer, further ones into jobs of the outbox, and the
 * toast of a tap into a call for the worker.  Texts are HTML of which every
 * tag closes on the line where it opens, so that long texts can be split
 * between lines.
 */
#ifndef FAMILYBOT_BOT_REPLY_H
#define FAMILYBOT_BOT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"
#include "utils/keyboards.h"

struct queue;
struct store;
struct update;

enum { REPLY_MESSAGES_MAX = 4, REPLY_TEXT_MAX = 16384,
	TELEGRAM_TEXT_MAX = 4096 /* UTF-16 units */ };

struct reply_message {
	bool edit;		/* edits the message that was tapped */
	struct buf text;
	struct keyboard kb;
};

struct reply {
	struct reply_message messages[REPLY_MESSAGES_MAX];
	int n;
	int inited;		/* messages that own memory */
	char toast[256];	/* answerCallbackQuery, "" none */
	/* Stamps the buttons of all messages, see taps.h; NULL: not stamped. */
	bool (*stamp)(void *ctx, char *data, size_t size);
	void *stamp_ctx;
};

void reply_init(struct reply *r);
void reply_release(struct reply *r);
void reply_clear(struct reply *r);

/* A new message; its text buffer.  Past the most, the last one goes on. */
struct buf *reply_send(struct reply *r);
/* Edits the message tapped on (only in answers to a callback query). */
struct buf *reply_edit(struct reply *r);
/* The keyboard of the newest message. */
struct keyboard *reply_keyboard(struct reply *r);

/*
 * answer: body of the webhook's answer.  Stores the rest as jobs with ids
 * made from the update, so that a repeated delivery adds nothing.  answer NULL:
 * nobody waits for it any more: all is stored as jobs, and a tap's toast, which
 * would be too late, is left out.  st may be NULL when r has one short message
 * at most.
 */
MUST_CHECK enum rc reply_finish(struct reply *r, const struct update *u,
    struct queue *q, struct store *st, int64_t now_ms, struct buf *answer,
    struct err *e);

/* Length of visible text in UTF-16 units, tags left out, entities as one. */
size_t html_utf16_len(const char *html);

#endif
