/*
 * item.c - the job types, and what may come of a job.  A job is only marked
 * here; lease.c stores it.
 */
#include "config.h"

#include "worker/internal.h"

#include <string.h>
#include <sys/random.h>

#include "queue/queue.h"
#include "utils/log.h"
#include "utils/log_who.h"

static const struct job_type *const types[] = {
	&job_type_send,
};

const struct job_type *job_type_find(const char *kind)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i]->kind, kind) == 0)
			return types[i];
	return NULL;
}

uint32_t worker_random(void)
{
	uint32_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		r = (uint32_t)clock_mono_us();
	return r;
}

static void item_end(struct item *it, enum job_state state, int64_t run_at,
    const char *why)
{
	struct worker *w = it->w;
	int64_t now = clock_ms(w->c.clock);

	it->job.state = state;
	it->job.run_at = run_at;
	it->job.done_at = state == JOB_DONE || state == JOB_DEAD ? now : 0;
	str_copy(it->job.last_error, sizeof(it->job.last_error), why);
	it->state = ITEM_SETTLING;
	if (w->nsettling++ == 0)
		w->settle_from = mono_ms();
}

static void item_log(const struct item *it, enum log_level level,
    const char *outcome, const char *why)
{
	log_line(level, "job", "id=%s kind=%s outcome=%s tries=%d ms=%lld%s%s",
	    log_who_in(it->job.id, it->job.user_id), log_q(it->job.kind),
	    outcome, it->job.tries,
	    it->started != 0 ? (long long)(mono_ms() - it->started) : 0LL,
	    *why != '\0' ? " error=" : "", *why != '\0' ?
	    log_who_in(why, it->job.user_id) : "");
}

void item_done(struct item *it, const char *outcome)
{
	item_end(it, JOB_DONE, it->job.run_at, "");
	it->w->stats.done++;
	item_log(it, LOG_LVL_INFO, outcome, "");
}

void item_dead(struct item *it, const char *why)
{
	item_end(it, JOB_DEAD, it->job.run_at, why);
	it->w->stats.dead++;
	item_log(it, LOG_LVL_ERROR, "dead", why);
}

void item_retry(struct item *it, const char *why)
{
	int64_t delay;

	it->job.tries++;
	if (it->job.tries >= JOB_TRIES_MAX) {
		item_dead(it, why);
		return;
	}
	delay = queue_backoff_ms(it->job.tries, worker_random());
	item_end(it, JOB_READY, clock_ms(it->w->c.clock) + delay, why);
	it->w->stats.retried++;
	item_log(it, LOG_LVL_WARN, "retry", why);
}

void item_put_back(struct item *it, int64_t run_at, const char *why)
{
	item_end(it, JOB_READY, run_at, why);
	it->w->stats.put_back++;
	item_log(it, LOG_LVL_DEBUG, "later", why);
}
