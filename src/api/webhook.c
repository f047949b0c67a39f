/*
 * webhook.c - POST /api/webhook: Telegram hands over an update.
 *
 * Telegram sends again whatever gets no 2xx, and holds back the rest of that
 * chat meanwhile.  So only what may succeed later is answered 503; what can
 * never succeed is answered 200 "{}" and shows in the log.
 */
#include "config.h"

#include "api/http.h"

#include <string.h>
#include <strings.h>

#include "bot/bot.h"

/* Seconds after which Telegram should send again, or -1: never. */
static int retry_after(enum rc rc)
{
	switch (rc) {
	case RC_BUSY:		/* fenced or locked: a matter of moments */
	case RC_CONFLICT:	/* lost to another update of the same person */
		return 1;
	case RC_UNAVAILABLE:
	case RC_SYSTEM:
		return 5;
	case RC_FULL:		/* someone has to make room, */
	case RC_DENIED:		/* set the password right */
	case RC_CORRUPT:	/* or bring the backup back */
		return 60;
	default:
		return -1;
	}
}

/* Takes the same time wherever the first difference is. */
static bool secret_equal(const char *given, const char *want)
{
	size_t n = strlen(want), m = strlen(given);
	volatile unsigned char diff = n != m || n == 0;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned char)(want[i] ^ (i < m ? given[i] : '\0'));
	return diff == 0;
}

static bool type_is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = sizeof(json) - 1;

	return strncasecmp(type, json, n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static void note_fill(struct http_note *note, const struct update_info *info)
{
	note->kind = info->kind != NULL ? info->kind : "other";
	note->handler = info->handler != NULL ? info->handler : "-";
	note->update_id = info->update_id;
	note->user_id = info->user_id;
	note->shard = info->shard;
}

void webhook_post(void *ctx, struct http_request *req,
    struct http_response *resp)
{
	struct http_context *c = ctx;
	struct update_info info = { .shard = -1 };
	struct err *e = &resp->note.err;
	enum rc rc;

	if (!secret_equal(req->secret_token, c->webhook_secret)) {
		http_fail(resp, 403, "the secret token is wrong");
		return;
	}
	if (!type_is_json(req->content_type)) {
		http_fail(resp, 415, "an update is application/json");
		return;
	}
	rc = bot_handle(c->bot, req->body, req->len, req->arena, &req->timing,
	    &resp->body, &info, e);
	note_fill(&resp->note, &info);
	if (rc == RC_OK) {
		/* e may still hold the words of something that was tried
		 * again and went well then; the log line must not show it */
		e->rc = RC_OK;
		return;
	}
	e->rc = rc;
	if (retry_after(rc) < 0) {
		buf_clear(&resp->body);
		buf_puts(&resp->body, "{}");
		return;
	}
	http_fail(resp, 503, "not stored, send it again");
	resp->retry_after = retry_after(rc);
}
