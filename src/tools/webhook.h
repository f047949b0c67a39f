/*
 * webhook.h - what the files of familybotctl webhook share.
 */
#ifndef FAMILYBOT_TOOLS_WEBHOOK_H
#define FAMILYBOT_TOOLS_WEBHOOK_H

#include "tools/ctl.h"
#include "utils/buf.h"

#define WEBHOOK_PATH	"/api/webhook"

struct json_object;

/* What the bot reads; ends in NULL.  Always told to Telegram, which else keeps
 * the list of an earlier setWebhook. */
extern const char *const webhook_kinds[];

/* The whole URL: with the path, unless it was given with one. */
void webhook_url(struct buf *b, const char *url);

/* The answer of getWebhookInfo for somebody who was woken up: what is wrong
 * first, and what to look at. */
void webhook_info_print(struct ctl *c, struct json_object *answer);

#endif
