/* applier.c - see applier.h. */
#include "config.h"

#include "app/applier.h"

#include <stdlib.h>

#include "app/answerer.h"
#include "bot/bot.h"
#include "utils/arena.h"
#include "utils/log.h"
#include "utils/log_who.h"
#include "utils/timing.h"
#include "utils/xalloc.h"

/* So far ahead of the clock only a clock that was set back leaves us. */
enum { STEP_MS = 1000 };

struct applier {
	const struct config *conf;
	struct router *router;
	struct answerer *answerer;
	struct arena arena;
	struct clock clock;	/* the moment when the update came */
	struct clock rising;	/* that at which it is answered */
	int64_t received_ms;
	int64_t last_ms;
};

static int64_t received_ms(void *ctx)
{
	const struct applier *a = ctx;

	return a->received_ms;
}

int64_t applier_rise(int64_t last_ms, int64_t now_ms)
{
	return now_ms > last_ms || last_ms - now_ms > STEP_MS ? now_ms :
	    last_ms + 1;
}

static int64_t rising_ms(void *ctx)
{
	struct applier *a = ctx;

	a->last_ms = applier_rise(a->last_ms, clock_ms(&clock_system));
	return a->last_ms;
}

struct applier *applier_new(const struct config *conf, struct router *router)
{
	struct applier *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	a->router = router;
	a->clock = (struct clock){ received_ms, a };
	a->rising = (struct clock){ rising_ms, a };
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

/* Without a bot nobody's can be applied, which is no fault of this one. */
static enum rc answerer_have(struct applier *a, struct err *e)
{
	if (a->answerer != NULL)
		return RC_OK;
	if (answerer_open(a->conf, a->router, NULL, &a->clock, &a->answerer,
	    e) != RC_OK)
		return e->rc = RC_UNAVAILABLE;
	answerer_bot(a->answerer)->answer_clock = &a->rising;
	return RC_OK;
}

enum rc applier_apply(void *ctx, const char *body, size_t len,
    int64_t received_at, struct err *e)
{
	struct applier *a = ctx;
	struct update_info info = { .shard = -1 };
	struct timing t;
	enum rc rc = answerer_have(a, e);

	if (rc != RC_OK)
		return rc;
	a->received_ms = received_at;
	timing_start(&t);
	rc = bot_apply(answerer_bot(a->answerer), body, len, &a->arena, &t,
	    &info, e);
	arena_reset(&a->arena);
	if (rc != RC_OK && rc != RC_INVALID && rc != RC_NOTFOUND &&
	    rc != RC_TOOBIG)
		return rc;	/* it waits on */
	log_line(rc == RC_OK ? LOG_LVL_INFO : LOG_LVL_WARN, "applied",
	    "kind=%s handler=%s update=%lld user=%s shard=%d us=%lld rc=%s%s%s",
	    info.kind != NULL ? info.kind : "other",
	    info.handler != NULL ? info.handler : "-",
	    (long long)info.update_id, log_who(info.user_id), info.shard,
	    (long long)timing_stop(&t), rc_name(rc),
	    rc != RC_OK ? " why=" : "",
	    rc != RC_OK ? log_who_in(e->text, info.user_id) : "");
	return rc;
}
