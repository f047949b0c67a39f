/*
 * telegram.h - calls to the Bot API, and what its answers mean for a sender.
 *
 * A call is the JSON object that may stand in a webhook's answer:
 * {"method":"sendMessage","chat_id":1,...}.  The token is kept here and goes
 * nowhere but into the URL.  https://core.telegram.org/bots/api#making-requests
 */
#ifndef FAMILYBOT_CLIENTS_TELEGRAM_H
#define FAMILYBOT_CLIENTS_TELEGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/http.h"
#include "utils/buf.h"
#include "utils/err.h"

struct json_object;
struct telegram;

enum tg_verdict {
	TG_OK,
	TG_UNCHANGED,	/* "message is not modified": as good as done */
	TG_STALE,	/* "query is too old": nobody waits for it any more */
	TG_WAIT,	/* 429: again after retry_after_s, not a failure */
	TG_MIGRATED,	/* the group is now chat migrate_to */
	TG_PLAIN,	/* the formatting was refused: send it plain */
	TG_FORBIDDEN,	/* 403: blocked, deactivated, kicked */
	TG_RETRY,	/* network, 5xx, an answer that is none */
	TG_CONFLICT,	/* 409: a webhook is set, or another poller runs */
	TG_TOKEN,	/* 401, 404: Telegram does not know this token */
	TG_PERMANENT	/* 400 …: will never succeed */
};

enum { TG_TIMEOUT_MS = 20000, TG_ANSWER_MAX = 1 << 20 };

struct tg_answer {
	enum tg_verdict verdict;
	long status;		/* HTTP status, 0 none */
	int64_t retry_after_s;	/* TG_WAIT: ≥ 1 */
	int64_t migrate_to;
	char description[200];	/* why, when not TG_OK */
	struct json_object *json;	/* whole answer; NULL when not JSON */
};

struct tg_request {
	const char *call;	/* JSON object with "method" */
	size_t len;
	long timeout_ms;	/* 0: TG_TIMEOUT_MS */
	size_t answer_max;	/* 0: TG_ANSWER_MAX */
};

/* a is lent for the time of the call. */
typedef void tg_done(void *ctx, const struct tg_answer *a);

/* http is borrowed.  An empty token is fine until a call is made. */
struct telegram *telegram_new(struct http *http, const char *api,
    const char *token);
void telegram_free(struct telegram *t);
bool telegram_has_token(const struct telegram *t);

/* RC_INVALID: the call is no JSON object with a method, the token cannot be
 * one, or the API's address is not allowed. */
MUST_CHECK enum rc telegram_start(struct telegram *t,
    const struct tg_request *r, tg_done *done, void *ctx,
    struct err *e);
/* The same, waited for.  The caller releases *a.  Failures of the request
 * itself are TG_PERMANENT. */
void telegram_do(struct telegram *t, const struct tg_request *r,
    struct tg_answer *a);
void tg_answer_release(struct tg_answer *a);
const char *tg_verdict_name(enum tg_verdict v);

/* What an HTTP answer of the Bot API means; out owns its json. */
void telegram_classify(const struct http_answer *h, struct tg_answer *out);

/* The chat that a call goes to, when it names one by number. */
bool telegram_chat(const char *call, size_t len, int64_t *chat);
/* "sendMessage" and so on; false when call is none. */
bool telegram_method(const char *call, size_t len, char *out, size_t size);

/* Rewrites: call without formatting (HTML markup is taken out of the text);
 * call to another chat. */
MUST_CHECK enum rc telegram_plain(const char *call, size_t len,
    struct buf *out, struct err *e);
MUST_CHECK enum rc telegram_to_chat(const char *call, size_t len,
    int64_t chat, struct buf *out, struct err *e);

/* Adds j as compact JSON. */
void telegram_json_put(struct buf *b, struct json_object *j);

#endif
