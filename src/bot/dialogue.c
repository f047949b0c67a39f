/* dialogue.c - see dialogue.h. */
#include "config.h"

#include "bot/dialogue.h"

#include <string.h>

#include "bot/memory.h"
#include "bot/text.h"
#include "bot/words.h"
#include "services/user.h"

enum stop { STOP_NOT, STOP_CANCEL, STOP_SKIP };

static const struct word_row stops[] = {
	{ "отмена", STOP_CANCEL }, { "отмени", STOP_CANCEL },
	{ "отменить", STOP_CANCEL }, { "отбой", STOP_CANCEL },
	{ "стоп", STOP_CANCEL }, { "хватит", STOP_CANCEL },
	{ "cancel", STOP_CANCEL }, { "stop", STOP_CANCEL },
	{ "never mind", STOP_CANCEL }, { "nevermind", STOP_CANCEL },
	{ "пропустить", STOP_SKIP }, { "пропусти", STOP_SKIP },
	{ "дальше", STOP_SKIP }, { "skip", STOP_SKIP },
	{ "next", STOP_SKIP }, { NULL, STOP_NOT }
};

static const struct dialogue *by_name(const struct turn *t, const char *name,
    size_t n)
{
	for (const struct dialogue *const *p = t->bot->dialogues; *p; p++)
		if (strncmp((*p)->name, name, n) == 0 && (*p)->name[n] == '\0')
			return *p;
	return NULL;
}

const struct dialogue *dialogue_of(const struct turn *t)
{
	const char *name = t->user.dialogue;

	return name[0] == '\0' ? NULL : by_name(t, name, strcspn(name, ":"));
}

static void say_gone(struct turn *t, const struct dialogue *d)
{
	text_put(reply_send(&t->reply), turn_lang(t),
	    d != NULL ? d->gone : T_CANCELLED);
}

/* "-teach": what is remembered of a message that took a question away. */
static bool cancelled_before(struct turn *t)
{
	struct memory m;

	if (!memory_same(t, &m) || m.what[0] != '-')
		return false;
	say_gone(t, by_name(t, m.what + 1, strlen(m.what + 1)));
	return true;
}

enum rc dialogue_cancel(struct turn *t, bool *was)
{
	const struct dialogue *d = dialogue_of(t);
	struct memory open;
	char what[MEMORY_WHAT_SIZE];

	*was = cancelled_before(t);
	if (*was || d == NULL || !d->pending(t))
		return RC_OK;
	*was = true;
	say_gone(t, d);
	str_format(what, sizeof(what), "-%s", d->name);
	t->user.dialogue[0] = '\0';
	draft_body_clear(&t->user);
	if (memory_open(&t->user, &open) && strcmp(open.what, d->name) == 0)
		memory_open_set(&t->user, "", 0, 0);
	memory_keep(t, what, NULL);
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

enum rc dialogue_text(struct turn *t, const char *text,
    struct update_info *info, bool *consumed)
{
	const struct dialogue *d = dialogue_of(t);
	enum stop stop;
	struct memory m;
	bool again = memory_same(t, &m);

	*consumed = cancelled_before(t);
	if (*consumed || d == NULL)
		return RC_OK;
	info->handler = d->name;
	stop = again || !d->pending(t) ? STOP_NOT :
	    (enum stop)words_find(stops, text);
	if (stop == STOP_SKIP && d->skip != NULL) {
		*consumed = true;
		return d->skip(t);
	}
	if (stop != STOP_NOT)
		return dialogue_cancel(t, consumed);
	return d->on_text(t, text, consumed);
}
