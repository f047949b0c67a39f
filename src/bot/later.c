/* later.c - see later.h.  Owns nothing beyond a call. */
#include "config.h"

#include "bot/later.h"

#include <stdint.h>

#include "bot/heard.h"
#include "bot/reply.h"
#include "bot/text.h"
#include "spool/spool.h"
#include "shards/router.h"

enum { WORD_EVERY_MS = 60000 };

enum kept { KEPT_NOT, KEPT_SILENTLY, KEPT_WITH_WORD, KEPT_WITH_TOAST };

enum rc later_must(struct bot *bot, const struct update *u, bool *out,
    struct err *e)
{
	*out = false;
	return bot->spool == NULL ? RC_OK :
	    spool_holds(bot->spool, u->user_id, out, e);
}

bool later_may(const struct bot *bot)
{
	return bot->spool != NULL && spool_keeps(bot->spool);
}

static enum kept message_kept(const struct bot *bot, const struct update *u,
    struct arena *arena)
{
	struct heard_command c;
	struct heard h;

	switch (heard_message(bot, u, arena, &h, &c)) {
	case HEARD_NOTHING:
		return KEPT_NOT;
	case HEARD_EDIT:
		return KEPT_SILENTLY;
	default:
		return KEPT_WITH_WORD;
	}
}

static enum kept how_kept(const struct bot *bot, const struct update *u,
    struct arena *arena)
{
	switch (u->kind) {
	case UPDATE_CALLBACK:
		return KEPT_WITH_TOAST;
	case UPDATE_MEMBER:
		return u->private_chat ? KEPT_SILENTLY : KEPT_NOT;
	default:
		return message_kept(bot, u, arena);
	}
}

static enum rc word_say(struct bot *bot, const struct update *u,
    enum kept how, int64_t now, struct buf *answer, struct err *e)
{
	enum lang lang = lang_from_code(u->language_code);
	struct reply r;
	enum rc rc;

	reply_init(&r);
	if (how == KEPT_WITH_WORD)
		text_put(reply_send(&r), lang, T_LATER);
	else if (how == KEPT_WITH_TOAST)
		str_copy(r.toast, sizeof(r.toast), text_get(lang, T_LATER_TAP));
	rc = reply_finish(&r, u, bot->queue, NULL, now, answer, e);
	reply_release(&r);
	return rc;
}

/* What is kept by a host whose lease ran out would be applied after what
 * another host did for the same person meanwhile. */
static enum rc add(struct bot *bot, const struct spool_update *su, int64_t now,
    bool *told, struct err *e)
{
	enum rc rc = router_leased(bot->router, e);

	if (rc == RC_OK)
		rc = spool_add(bot->spool, su, now, told, e);
	if (rc == RC_INVALID || rc == RC_NOTFOUND || rc == RC_TOOBIG)
		rc = e->rc = RC_UNAVAILABLE;
	return rc;
}

enum rc later_keep(struct bot *bot, const struct update *u, const char *body,
    size_t len, struct arena *arena, struct buf *answer,
    struct update_info *info, struct err *e)
{
	enum kept how = how_kept(bot, u, arena);
	const struct spool_update su = { u->user_id, u->update_id, body, len,
		how == KEPT_WITH_WORD, WORD_EVERY_MS };
	int64_t now = clock_ms(bot->clock);
	bool told = false;
	enum rc rc;

	buf_clear(answer);
	if (how == KEPT_NOT) {
		buf_puts(answer, "{}");
		return RC_OK;
	}
	rc = add(bot, &su, now, &told, e);
	if (rc != RC_OK)
		return rc;
	info->handler = "later";
	if (how == KEPT_WITH_WORD && !told)
		how = KEPT_SILENTLY;
	return word_say(bot, u, how, now, answer, e);
}
