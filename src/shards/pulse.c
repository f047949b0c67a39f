/*
 * pulse.c - see pulse.h: the processes' places, and who may be inside.
 *
 * A struct pulse owns the mapping of the shared file and one process's place
 * in it.  The breaker is in pulse_breaker.c, what is counted in pulse_stats.c.
 */
#include "config.h"

#include "shards/pulse.h"

#include <stdlib.h>
#include <time.h>

#include "shards/pulse_file.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { LAYOUT_VERSION = 3, WAIT_US = 5000, HICCUP_US = 50000, POLL_US = 200 };

/* -- the file -- */

static enum rc claim(struct pulse *p, struct err *e)
{
	for (int i = 0; i < PULSE_PROCESSES_MAX; i++) {
		if (!shared_claim(&p->shared, i))
			continue;
		p->own = i;
		p->place = &p->file->process[i];
		__atomic_store_n(&p->place->inside, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&p->place->serving, !p->worker,
		    __ATOMIC_RELAXED);
		breaker_claimed(p);
		return RC_OK;
	}
	return err_set(e, RC_FULL, "pulse_file: all %d places are taken; run "
	    "fewer processes", PULSE_PROCESSES_MAX);
}

enum rc pulse_open(const char *path, bool worker, struct pulse **out,
    struct err *e)
{
	struct pulse *p = xcalloc(1, sizeof(*p));
	uint64_t layout = (uint64_t)LAYOUT_VERSION << 32 |
	    sizeof(struct pulse_file);
	enum rc rc;

	p->worker = worker;
	p->shared.fd = -1;
	rc = shared_open(path, sizeof(*p->file), layout, true, &p->shared, e);
	if (rc == RC_OK) {
		p->file = p->shared.p;
		/* of a boot ago, or of processes that all are gone */
		if (p->shared.first && !p->shared.empty)
			memset((char *)p->file + sizeof(uint64_t), 0,
			    sizeof(*p->file) - sizeof(uint64_t));
		shared_ready(&p->shared);
		rc = claim(p, e);
	}
	if (rc != RC_OK) {
		pulse_free(p);
		return rc;
	}
	pulse_recount(p);
	*out = p;
	return RC_OK;
}

void pulse_free(struct pulse *p)
{
	if (p == NULL)
		return;
	if (p->place != NULL) {
		__atomic_store_n(&p->place->inside, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&p->place->serving, 0, __ATOMIC_RELAXED);
		pulse_recount(p);
	}
	shared_close(&p->shared);
	free(p);
}

bool pulse_alive(const struct pulse *p, int process)
{
	return process == p->own || shared_taken(&p->shared, process);
}

/* How many serve, and how far their places reach. */
void pulse_recount(struct pulse *p)
{
	uint32_t serving = 0, high = 0;

	for (int i = 0; i < PULSE_PROCESSES_MAX; i++) {
		const struct pulse_process *o = &p->file->process[i];

		if (__atomic_load_n(&o->serving, __ATOMIC_RELAXED) == 0 ||
		    !pulse_alive(p, i))
			continue;
		serving++;
		high = (uint32_t)i + 1;
	}
	__atomic_store_n(&p->file->high, high, __ATOMIC_RELAXED);
	__atomic_store_n(&p->file->serving, serving, __ATOMIC_RELAXED);
}

/* -- who may be inside -- */

struct others {
	int n;			/* processes that came before this one */
	int64_t oldest;		/* since when the first of them is inside */
	int which;
};

static struct others others_before(const struct pulse *p, uint64_t mine)
{
	uint32_t high = __atomic_load_n(&p->file->high, __ATOMIC_RELAXED);
	struct others o = { .oldest = INT64_MAX };

	for (int i = 0; i < (int)high && i < PULSE_PROCESSES_MAX; i++) {
		uint64_t w = __atomic_load_n(&p->file->process[i].inside,
		    __ATOMIC_SEQ_CST);

		if (i == p->own || w >> INSIDE_BITS != mine >> INSIDE_BITS ||
		    w > mine || (w == mine && i > p->own))
			continue;
		o.n++;
		if (inside_us(w) < o.oldest) {
			o.oldest = inside_us(w);
			o.which = i;
		}
	}
	return o;
}

/* A process says in shared memory that it is inside a shard.  When it was killed
 * there, its mark is left: it is taken away, or the shard would be thought to hang
 * on it for ever. */
static bool ghost(struct pulse *p, int process, uint64_t mine)
{
	struct pulse_process *o = &p->file->process[process];
	uint64_t w = __atomic_load_n(&o->inside, __ATOMIC_SEQ_CST);

	if (w >> INSIDE_BITS != mine >> INSIDE_BITS ||
	    pulse_alive(p, process))
		return false;
	return __atomic_compare_exchange_n(&o->inside, &w, 0, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static int most_inside(const struct pulse *p, const struct pulse_line *s)
{
	int n = (int)__atomic_load_n(&p->file->serving, __ATOMIC_RELAXED);
	int kept = n / 4 > 1 ? n / 4 : 1;

	if (breaker_on_trial(s))
		return 1;
	return n - kept > 1 ? n - kept : 1;
}

/*
 * Places are taken first and counted then, each counting only those who came
 * before: so two that come at once do not both turn away.  Who finds no place
 * waits for one through a hiccup of a shard that is quick else; one that is
 * usually slow is worth no waiting, as this process is needed elsewhere.
 */
static enum rc place_take(struct pulse *p, int shard, int64_t now,
    struct err *e)
{
	const struct pulse_line *s = &p->file->shard[shard];
	const uint64_t mine = inside_word(shard, now);
	const int64_t stuck = pulse_stuck_us(s);
	const int64_t end = now + (pulse_quick(s) && !breaker_on_trial(s) ?
	    HICCUP_US : WAIT_US);
	const struct timespec pause = { 0, POLL_US * 1000 };

	__atomic_store_n(&p->place->inside, mine, __ATOMIC_SEQ_CST);
	for (;; now = clock_mono_us()) {
		struct others o = others_before(p, mine);
		bool hangs = o.n > 0 && now - o.oldest > stuck;

		if (!hangs && o.n < most_inside(p, s)) {
			p->placed = shard + 1;
			return RC_OK;
		}
		if (hangs && ghost(p, o.which, mine))
			continue;
		if (hangs || now >= end)
			break;
		(void)nanosleep(&pause, NULL);
	}
	__atomic_store_n(&p->place->inside, 0, __ATOMIC_RELEASE);
	return err_set(e, RC_UNAVAILABLE, "the shard is slow: as many processes"
	    " wait for it already as may");
}

enum rc pulse_enter(struct pulse *p, int shard, bool server, int nshards,
    struct err *e)
{
	enum rc rc = RC_OK;

	if (p->depth[shard] > 0) {
		p->depth[shard]++;
		return RC_OK;
	}
	if (!breaker_enter(p, shard, server, clock_mono_us()))
		return err_set(e, RC_UNAVAILABLE, "the shard did not answer "
		    "lately; it is tried again within %d s",
		    PULSE_PAUSE_MAX_MS / 1000);
	if (server && nshards > 1 && !p->worker && !p->probing[shard] &&
	    p->placed == 0)
		rc = place_take(p, shard, clock_mono_us(), e);
	if (rc != RC_OK)
		return rc;
	p->depth[shard] = 1;
	p->server[shard] = server;
	p->bad[shard] = false;
	p->since[shard] = clock_mono_us();
	return RC_OK;
}

bool pulse_inside(const struct pulse *p, int shard)
{
	return p->depth[shard] > 0;
}

void pulse_leave(struct pulse *p, int shard, enum rc rc)
{
	int64_t now;

	p->bad[shard] |= rc == RC_UNAVAILABLE;
	if (--p->depth[shard] > 0)
		return;
	now = clock_mono_us();
	if (p->placed == shard + 1) {
		__atomic_store_n(&p->place->inside, 0, __ATOMIC_RELEASE);
		p->placed = 0;
	}
	pulse_count(p, shard, now - p->since[shard], p->bad[shard], now);
	breaker_leave(p, shard, now);
}
