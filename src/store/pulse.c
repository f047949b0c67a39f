/*
 * pulse.c - see pulse.h: the breaker, and who may be inside.
 *
 * A struct pulse owns the mapping of the shared file and one process's place
 * in it.  What is counted is in pulse_stats.c.
 */
#include "config.h"

#include "store/pulse.h"

#include <stdlib.h>
#include <time.h>

#include "store/pulse_file.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { LAYOUT_VERSION = 2, WAIT_US = 5000, POLL_US = 200, FAILURES_MAX = 3,
	PROBE_SLOW_MS = 1000, LEVEL_MAX = 5 };

/* The breaker in one word: state (2 bits), level of the pause (6), process
 * that tries (8), then until when it is open or since when it is tried
 * (monotonic ms). */
static uint64_t word_of(enum pulse_state state, int level, int process,
    int64_t ms)
{
	return (uint64_t)state | (uint64_t)level << 2 |
	    (uint64_t)process << 8 | (uint64_t)ms << 16;
}

static enum pulse_state word_state(uint64_t w)
{
	return (enum pulse_state)(w & 3);
}

static int word_level(uint64_t w)
{
	return (int)(w >> 2 & 63);
}

static int64_t word_ms(uint64_t w)
{
	return (int64_t)(w >> 16);
}

static bool word_change(struct pulse_line *s, uint64_t from, uint64_t to)
{
	bool same = word_state(from) == word_state(to);

	if (!__atomic_compare_exchange_n(&s->word, &from, to, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	if (!same)
		__atomic_store_n(&s->since_ms, clock_ms(&clock_system),
		    __ATOMIC_RELAXED);
	return true;
}

static void word_open(struct pulse_line *s, uint64_t from, int level,
    int64_t now_us)
{
	int64_t pause = PULSE_PAUSE_MIN_MS << level;

	if (pause > PULSE_PAUSE_MAX_MS)
		pause = PULSE_PAUSE_MAX_MS;
	(void)word_change(s, from, word_of(PULSE_OPEN, level, 0,
	    now_us / 1000 + pause));
}

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

static bool alive(const struct pulse *p, int process)
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
		    !alive(p, i))
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

/* One that was killed inside is not there any more. */
static bool ghost(struct pulse *p, int process, uint64_t mine)
{
	struct pulse_process *o = &p->file->process[process];
	uint64_t w = __atomic_load_n(&o->inside, __ATOMIC_SEQ_CST);

	if (w >> INSIDE_BITS != mine >> INSIDE_BITS || alive(p, process))
		return false;
	return __atomic_compare_exchange_n(&o->inside, &w, 0, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static int most_inside(const struct pulse *p)
{
	int n = (int)__atomic_load_n(&p->file->serving, __ATOMIC_RELAXED);
	int kept = n / 4 > 1 ? n / 4 : 1;

	return n - kept > 1 ? n - kept : 1;
}

/*
 * Places are taken first and counted then, each counting only those who came
 * before: so two that come at once do not both turn away.
 */
static enum rc place_take(struct pulse *p, int shard, int64_t now,
    struct err *e)
{
	uint64_t mine = inside_word(shard, now);
	int64_t stuck = pulse_stuck_us(&p->file->shard[shard]);
	const int64_t end = now + WAIT_US;
	const struct timespec pause = { 0, POLL_US * 1000 };

	__atomic_store_n(&p->place->inside, mine, __ATOMIC_SEQ_CST);
	for (;; now = clock_mono_us()) {
		struct others o = others_before(p, mine);
		bool hangs = o.n > 0 && now - o.oldest > stuck;

		if (!hangs && o.n < most_inside(p)) {
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

/* -- the breaker -- */

/* One of all processes gets through when the pause is over, or when the one
 * that tried is gone. */
static bool breaker_pass(struct pulse *p, int shard, uint64_t w, int64_t now)
{
	int tries = (int)(w >> 8 & 255);

	if (word_state(w) == PULSE_OPEN ? now / 1000 < word_ms(w) :
	    tries != p->own && alive(p, tries))
		return false;
	p->probing[shard] = word_change(&p->file->shard[shard], w,
	    word_of(PULSE_HALF_OPEN, word_level(w), p->own, now / 1000));
	return p->probing[shard];
}

enum rc pulse_enter(struct pulse *p, int shard, bool server, int nshards,
    struct err *e)
{
	struct pulse_line *s = &p->file->shard[shard];
	uint64_t w = __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
	int64_t now;
	enum rc rc = RC_OK;

	if (p->depth[shard] > 0) {
		p->depth[shard]++;
		return RC_OK;
	}
	now = clock_mono_us();
	if (word_state(w) != PULSE_CLOSED && !breaker_pass(p, shard, w, now))
		return err_set(e, RC_UNAVAILABLE, "the shard did not answer "
		    "lately; it is tried again within %d s",
		    PULSE_PAUSE_MAX_MS / 1000);
	if (server && nshards > 1 && !p->worker && !p->probing[shard] &&
	    p->placed == 0)
		rc = place_take(p, shard, now, e);
	if (rc != RC_OK)
		return rc;
	p->depth[shard] = 1;
	p->server[shard] = server;
	p->bad[shard] = false;
	p->since[shard] = now;
	return RC_OK;
}

static void probe_end(struct pulse_line *s, bool well, int64_t now)
{
	uint64_t w = __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
	int level = word_level(w) < LEVEL_MAX ? word_level(w) + 1 : LEVEL_MAX;

	if (word_state(w) != PULSE_HALF_OPEN)
		return;
	if (!well) {
		word_open(s, w, level, now);
		return;
	}
	__atomic_store_n(&s->failures, 0, __ATOMIC_RELAXED);
	(void)word_change(s, w, 0);
}

static void outcome(struct pulse_line *s, bool failed, bool at_once,
    int64_t now)
{
	if (!failed) {
		if (__atomic_load_n(&s->failures, __ATOMIC_RELAXED) != 0)
			__atomic_store_n(&s->failures, 0, __ATOMIC_RELAXED);
		return;
	}
	if (__atomic_add_fetch(&s->failures, 1, __ATOMIC_RELAXED) >=
	    FAILURES_MAX || at_once)
		word_open(s, 0, 0, now);	/* if it is closed */
}

void pulse_leave(struct pulse *p, int shard, enum rc rc)
{
	struct pulse_line *s = &p->file->shard[shard];
	bool down, late;
	int64_t now, us;

	p->bad[shard] |= rc == RC_UNAVAILABLE;
	if (--p->depth[shard] > 0)
		return;
	now = clock_mono_us();
	us = now - p->since[shard];
	down = p->bad[shard];
	late = p->server[shard] && us > PULSE_SLOW_MS * 1000;
	if (p->placed == shard + 1) {
		__atomic_store_n(&p->place->inside, 0, __ATOMIC_RELEASE);
		p->placed = 0;
	}
	pulse_count(p, shard, us, down, now);
	if (p->probing[shard]) {
		p->probing[shard] = false;
		probe_end(s, !down && (!p->server[shard] ||
		    us <= PROBE_SLOW_MS * 1000), now);
		return;
	}
	outcome(s, down || late, down && us > PULSE_STUCK_MIN_MS * 1000, now);
}

bool pulse_ready(const struct pulse *p, int shard)
{
	uint64_t w = __atomic_load_n(&p->file->shard[shard].word,
	    __ATOMIC_ACQUIRE);

	switch (word_state(w)) {
	case PULSE_CLOSED:
		return true;
	case PULSE_OPEN:
		return clock_mono_us() / 1000 >= word_ms(w);
	default:
		return !alive(p, (int)(w >> 8 & 255));
	}
}

enum pulse_state pulse_state_of(const struct pulse_line *s)
{
	return word_state(__atomic_load_n(&s->word, __ATOMIC_ACQUIRE));
}
