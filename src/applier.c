/* applier.c - see applier.h. */
#include "config.h"

#include "applier.h"

#include <stdlib.h>

#include "answerer.h"
#include "bot/bot.h"
#include "utils/arena.h"
#include "utils/log.h"
#include "utils/timing.h"
#include "utils/xalloc.h"

struct applier {
	const struct config *conf;
	struct router *router;
	struct answerer *answerer;
	struct arena arena;
	struct clock clock;
	int64_t last_ms;
};

/* No moment twice, so that answers are sent in the order of the updates. */
static int64_t rising_ms(void *ctx)
{
	struct applier *a = ctx;
	int64_t now = clock_ms(&clock_system);

	a->last_ms = now > a->last_ms ? now : a->last_ms + 1;
	return a->last_ms;
}

struct applier *applier_new(const struct config *conf, struct router *router)
{
	struct applier *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	a->router = router;
	a->clock = (struct clock){ rising_ms, a };
	arena_init(&a->arena);
	return a;
}

void applier_free(struct applier *a)
{
	if (a == NULL)
		return;
	answerer_free(a->answerer);
	arena_release(&a->arena);
	free(a);
}

enum rc applier_apply(void *ctx, const char *body, size_t len, struct err *e)
{
	struct applier *a = ctx;
	struct update_info info = { .shard = -1 };
	struct timing t;
	enum rc rc = RC_OK;

	if (a->answerer == NULL &&
	    answerer_open(a->conf, a->router, NULL, &a->clock, &a->answerer,
	    e) != RC_OK)
		return e->rc = RC_SYSTEM;
	timing_start(&t);
	rc = bot_apply(answerer_bot(a->answerer), body, len, &a->arena, &t,
	    &info, e);
	arena_reset(&a->arena);
	if (rc != RC_OK && rc != RC_INVALID && rc != RC_NOTFOUND &&
	    rc != RC_TOOBIG)
		return rc;	/* it waits on */
	log_line(rc == RC_OK ? LOG_LVL_INFO : LOG_LVL_WARN, "applied",
	    "kind=%s handler=%s update=%lld user=%lld shard=%d us=%lld rc=%s%s%s",
	    info.kind != NULL ? info.kind : "other",
	    info.handler != NULL ? info.handler : "-",
	    (long long)info.update_id, (long long)info.user_id, info.shard,
	    (long long)timing_stop(&t), rc_name(rc),
	    rc != RC_OK ? " why=" : "", rc != RC_OK ? log_q(e->text) : "");
	return rc;
}
