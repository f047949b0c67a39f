/*
 * update.h - an update of Telegram as a struct.
 *
 * Strings are borrowed from the parsed JSON, which update_release frees.
 * Unknown fields and kinds are ignored (core.telegram.org/bots/api#update).
 */
#ifndef FAMILYBOT_BOT_UPDATE_H
#define FAMILYBOT_BOT_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/err.h"

struct json_object;

enum update_kind { UPDATE_OTHER, UPDATE_MESSAGE, UPDATE_EDITED,
	UPDATE_CALLBACK, UPDATE_MEMBER };

enum content { CONTENT_OTHER, CONTENT_TEXT, CONTENT_PHOTO, CONTENT_STICKER,
	CONTENT_LOCATION, CONTENT_VOICE, CONTENT_SERVICE };

struct update {
	struct json_object *root;
	enum update_kind kind;
	int64_t update_id;
	int64_t user_id;
	int64_t chat_id;
	bool private_chat;
	bool from_bot;
	/* Written in the name of a channel or a group (sender_chat, automatic
	 * forwards, Telegram's own accounts): from is no person's id then. */
	bool for_chat;
	const char *language_code;	/* "" not told */
	const char *first_name;		/* "" not told */
	int64_t message_id;	/* of a callback: the message tapped on */
	int64_t date;		/* UTC s */
	int64_t edit_date;	/* UTC s, 0 none */
	enum content content;
	const char *text;	/* message text or caption, "" none */
	int64_t reply_to_user;	/* author of the message replied to, 0 none */
	const char *callback_id;
	const char *data;	/* callback data */
	const char *member_status;	/* "kicked", "member" */
};

/* RC_INVALID when the body is no update that could ever be handled. */
MUST_CHECK enum rc update_parse(const char *body, size_t len,
    struct update *out, struct err *e);
void update_release(struct update *u);
const char *update_kind_name(enum update_kind k);

#endif
