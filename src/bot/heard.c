/* heard.c - see heard.h. */
#include "config.h"

#include "bot/heard.h"

#include <string.h>

#include "bot/command.h"
#include "utils/buf.h"

static bool is_command(const char *text)
{
	return text[0] == '/' && ((text[1] >= 'a' && text[1] <= 'z') ||
	    (text[1] >= 'A' && text[1] <= 'Z'));
}

void heard_command(const char *text, struct heard_command *c)
{
	size_t n = strcspn(text + 1, " \t\n@");

	str_copy_n(c->word, sizeof(c->word), text + 1, n);
	for (char *p = c->word; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	text += 1 + n;
	c->bot[0] = '\0';
	if (*text == '@') {
		n = strcspn(++text, " \t\n");
		str_copy_n(c->bot, sizeof(c->bot), text, n);
		text += n;
	}
	c->args = text + strspn(text, " \t\n");
}

bool heard_elsewhere(const struct bot *bot, const struct heard_command *c)
{
	return c->bot[0] != '\0' && bot->username[0] != '\0' &&
	    strcasecmp(c->bot, bot->username) != 0;
}

const struct command *heard_row(const struct bot *bot,
    const struct heard_command *c)
{
	for (const struct command *const *p = bot->commands; *p; p++)
		if (strcmp((*p)->name, c->word) == 0)
			return *p;
	return NULL;
}

static bool name_char(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* Finds "@username" in text; returns what is to be read instead of it. */
static const char *without_mention(const struct bot *bot, const char *text,
    struct arena *arena, bool *mentioned)
{
	const char *name = bot->username;
	size_t n = strlen(name);

	*mentioned = false;
	if (n == 0)
		return text;
	for (const char *p = text; (p = strchr(p, '@')) != NULL; p++) {
		if (strncasecmp(p + 1, name, n) != 0 || name_char(p[1 + n]) ||
		    (p > text && name_char(p[-1])))
			continue;
		char *copy = arena_strdup(arena, text);
		memset(copy + (p - text), ' ', n + 1);
		*mentioned = true;
		return copy + strspn(copy, " \t\n,:");
	}
	return text;
}

static void heard_of(const struct bot *bot, const struct update *u,
    struct arena *arena, struct heard *out)
{
	bool mentioned;

	out->text = without_mention(bot, u->text, arena, &mentioned);
	out->command = is_command(out->text);
	out->addressed = u->content != CONTENT_SERVICE && (u->private_chat ||
	    mentioned || is_command(u->text) ||
	    (bot->bot_id != 0 && u->reply_to_user == bot->bot_id));
}

static enum heard_as which_command(const struct bot *bot,
    const struct update *u, const struct heard_command *c)
{
	if (heard_elsewhere(bot, c))
		return HEARD_NOTHING;
	if (heard_row(bot, c) != NULL)
		return HEARD_COMMAND;
	/* in a group it may be meant for a bot that does not listen */
	return u->private_chat ? HEARD_STRANGE_COMMAND : HEARD_NOTHING;
}

enum heard_as heard_message(const struct bot *bot, const struct update *u,
    struct arena *arena, struct heard *out, struct heard_command *c)
{
	heard_of(bot, u, arena, out);
	if (!out->addressed)
		return HEARD_NOTHING;
	if (u->kind == UPDATE_EDITED)
		return (u->content == CONTENT_TEXT ||
		    u->content == CONTENT_PHOTO) && out->text[0] != '\0' &&
		    !out->command ? HEARD_EDIT : HEARD_NOTHING;
	if (out->command) {
		heard_command(out->text, c);
		return which_command(bot, u, c);
	}
	return u->content == CONTENT_TEXT ? HEARD_TEXT : HEARD_CONTENT;
}
