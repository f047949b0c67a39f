/* update.c - see update.h.  Pure: parses, does nothing. */
#include "config.h"

#include "bot/update.h"

#include <string.h>

#include "utils/json.h"

static const char *or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static enum content content_of(struct json_object *m)
{
	static const struct { const char *key; enum content c; } keys[] = {
		{ "text", CONTENT_TEXT }, { "photo", CONTENT_PHOTO },
		{ "sticker", CONTENT_STICKER }, { "location", CONTENT_LOCATION },
		{ "venue", CONTENT_LOCATION }, { "voice", CONTENT_VOICE },
		{ "audio", CONTENT_VOICE }, { "video_note", CONTENT_VOICE },
		{ "new_chat_members", CONTENT_SERVICE },
		{ "left_chat_member", CONTENT_SERVICE },
		{ "new_chat_title", CONTENT_SERVICE },
		{ "pinned_message", CONTENT_SERVICE },
		{ "group_chat_created", CONTENT_SERVICE },
		{ "migrate_to_chat_id", CONTENT_SERVICE },
		{ "migrate_from_chat_id", CONTENT_SERVICE },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_has(m, keys[i].key))
			return keys[i].c;
	return CONTENT_OTHER;
}

/* Telegram puts these into "from" of what was written in the name of a chat:
 * the service account (a channel's posts in its group), GroupAnonymousBot and
 * Channel_Bot.  As persons they would have a diary that a whole group shares. */
static bool is_stand_in(int64_t id)
{
	return id == 777000 || id == 1087968824 || id == 136817688;
}

static void parse_from(struct json_object *from, struct update *u)
{
	json_i64(from, "id", &u->user_id);
	json_flag(from, "is_bot", &u->from_bot);
	u->for_chat |= is_stand_in(u->user_id);
	u->language_code = or_empty(json_str(from, "language_code"));
	u->first_name = or_empty(json_str(from, "first_name"));
}

static void parse_chat(struct json_object *chat, struct update *u)
{
	json_i64(chat, "id", &u->chat_id);
	u->private_chat = strcmp(or_empty(json_str(chat, "type")),
	    "private") == 0;
}

static void parse_message(struct json_object *m, struct update *u)
{
	struct json_object *reply = json_obj(m, "reply_to_message");

	json_i64(m, "message_id", &u->message_id);
	json_i64(m, "date", &u->date);
	json_i64(m, "edit_date", &u->edit_date);
	parse_chat(json_obj(m, "chat"), u);
	u->content = content_of(m);
	u->text = or_empty(json_str(m, u->content == CONTENT_TEXT ? "text"
	    : "caption"));
	json_i64(json_obj(reply, "from"), "id", &u->reply_to_user);
}

static void parse_callback(struct json_object *c, struct update *u)
{
	struct json_object *m = json_obj(c, "message");

	parse_message(m, u);
	parse_from(json_obj(c, "from"), u);
	u->callback_id = or_empty(json_str(c, "id"));
	u->data = or_empty(json_str(c, "data"));
	if (u->callback_id[0] == '\0')
		u->user_id = 0;
}

static bool complete(const struct update *u)
{
	if (u->kind == UPDATE_OTHER)
		return true;
	if (u->user_id == 0 || u->chat_id == 0)
		return false;
	return u->kind == UPDATE_CALLBACK || u->kind == UPDATE_MEMBER ||
	    (u->message_id > 0 && u->date > 0);
}

enum rc update_parse(const char *body, size_t len, struct update *out,
    struct err *e)
{
	struct update u = { .language_code = "", .first_name = "", .text = "",
		.callback_id = "", .data = "", .member_status = "" };
	struct json_object *j;
	enum rc rc = json_parse(body, len, &u.root, e);

	if (rc != RC_OK)
		return rc;
	if (!json_i64(u.root, "update_id", &u.update_id)) {
		update_release(&u);
		return err_set(e, RC_INVALID, "update without an update_id");
	}
	if ((j = json_obj(u.root, "message")) != NULL) {
		u.kind = UPDATE_MESSAGE;
	} else if ((j = json_obj(u.root, "edited_message")) != NULL) {
		u.kind = UPDATE_EDITED;
	} else if ((j = json_obj(u.root, "callback_query")) != NULL) {
		u.kind = UPDATE_CALLBACK;
		parse_callback(j, &u);
	} else if ((j = json_obj(u.root, "my_chat_member")) != NULL) {
		u.kind = UPDATE_MEMBER;
		u.member_status = or_empty(json_str(
		    json_obj(j, "new_chat_member"), "status"));
	}
	if (j != NULL && u.kind != UPDATE_CALLBACK) {
		parse_message(j, &u);
		json_flag(j, "is_automatic_forward", &u.for_chat);
		u.for_chat |= json_has(j, "sender_chat");
		parse_from(json_obj(j, "from"), &u);
	}
	if (!complete(&u)) {
		enum update_kind kind = u.kind;
		update_release(&u);
		return err_set(e, RC_INVALID, "%s lacks who, where or when",
		    update_kind_name(kind));
	}
	*out = u;
	return RC_OK;
}

void update_release(struct update *u)
{
	json_free(u->root);
	u->root = NULL;
}

const char *update_kind_name(enum update_kind k)
{
	static const char *const names[] = { "other", "message",
		"edited_message", "callback_query", "my_chat_member" };

	return names[k];
}
