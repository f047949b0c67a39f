/*
 * pulse_breaker.c - see pulse.h: when a shard is asked, and who may try it.
 *
 * All of a breaker is in one word, which changes by compare and exchange: two
 * who see the same failure open it once.
 */
#include "config.h"

#include "shards/pulse_file.h"
#include "utils/clock.h"

enum { FAILURES_MAX = 3, TRIAL = 3, PROBE_SLOW_MS = 1000, LEVEL_MAX = 5 };

/* State (2 bits); level of the pause (6), in a closed one the level to go on
 * with if it fails on trial, 0 when it is not on trial; which process tries
 * (8), in a closed one how many went well on trial; then until when it is open
 * or since when it is tried or on trial (monotonic ms). */
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

static int word_process(uint64_t w)
{
	return (int)(w >> 8 & 255);
}

static int64_t word_ms(uint64_t w)
{
	return (int64_t)(w >> 16);
}

static uint64_t word_get(const struct pulse_line *s)
{
	return __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
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
	int64_t pause;

	if (level > LEVEL_MAX)
		level = LEVEL_MAX;
	pause = PULSE_PAUSE_MIN_MS << level;
	if (pause > PULSE_PAUSE_MAX_MS)
		pause = PULSE_PAUSE_MAX_MS;
	(void)word_change(s, from, word_of(PULSE_OPEN, level, 0,
	    now_us / 1000 + pause));
}

void breaker_claimed(struct pulse *p)
{
	for (int i = 0; i < SHARDS_MAX; i++) {
		struct pulse_line *s = &p->file->shard[i];
		uint64_t w = word_get(s);

		if (word_state(w) == PULSE_HALF_OPEN &&
		    word_process(w) == p->own)
			(void)word_change(s, w, word_of(PULSE_OPEN,
			    word_level(w), 0, clock_mono_us() / 1000));
	}
}

bool breaker_on_trial(const struct pulse_line *s)
{
	uint64_t w = word_get(s);

	return word_state(w) == PULSE_CLOSED && word_level(w) > 0;
}

/* May this process try, by what the word says? */
static bool may_try(const struct pulse *p, uint64_t w, bool server,
    int64_t now_us)
{
	int64_t due = word_ms(w);

	if (word_state(w) == PULSE_HALF_OPEN)
		return !pulse_alive(p, word_process(w));
	if (server && !p->worker)
		due += PULSE_WORKER_MS;
	return now_us / 1000 >= due;
}

bool breaker_enter(struct pulse *p, int shard, bool server, int64_t now)
{
	struct pulse_line *s = &p->file->shard[shard];
	uint64_t w = word_get(s);

	if (word_state(w) == PULSE_CLOSED)
		return true;
	if (!may_try(p, w, server, now))
		return false;
	p->probing[shard] = word_change(s, w, word_of(PULSE_HALF_OPEN,
	    word_level(w), p->own, now / 1000));
	return p->probing[shard];
}

static void probe_end(struct pulse_line *s, bool well, int64_t now)
{
	uint64_t w = word_get(s);

	if (word_state(w) != PULSE_HALF_OPEN)
		return;
	if (!well) {
		word_open(s, w, word_level(w) + 1, now);
		return;
	}
	__atomic_store_n(&s->failures, 0, __ATOMIC_RELAXED);
	(void)word_change(s, w, word_of(PULSE_CLOSED, word_level(w) + 1, 0,
	    now / 1000));
}

static void went_well(struct pulse_line *s, bool worker)
{
	uint64_t w = word_get(s);

	if (__atomic_load_n(&s->failures, __ATOMIC_RELAXED) != 0)
		__atomic_store_n(&s->failures, 0, __ATOMIC_RELAXED);
	if (worker || word_state(w) != PULSE_CLOSED || word_level(w) == 0)
		return;
	(void)word_change(s, w, word_process(w) + 1 >= TRIAL ? 0 :
	    w + word_of(PULSE_CLOSED, 0, 1, 0));
}

/* since: one that began before the trial says nothing about it. */
static void went_wrong(struct pulse_line *s, bool at_once, int64_t since,
    int64_t now)
{
	uint64_t w = word_get(s);
	bool trial = word_level(w) > 0;
	uint32_t n = __atomic_add_fetch(&s->failures, 1, __ATOMIC_RELAXED);

	if (word_state(w) != PULSE_CLOSED)
		return;
	if (trial ? since / 1000 >= word_ms(w) : at_once || n >= FAILURES_MAX)
		word_open(s, w, word_level(w), now);
}

void breaker_leave(struct pulse *p, int shard, int64_t now)
{
	struct pulse_line *s = &p->file->shard[shard];
	int64_t ms = (now - p->since[shard]) / 1000;
	bool down = p->bad[shard];

	if (p->probing[shard]) {
		p->probing[shard] = false;
		probe_end(s, !down && (!p->server[shard] ||
		    ms <= PROBE_SLOW_MS), now);
	} else if (down || (p->server[shard] && ms > PULSE_SLOW_MS)) {
		went_wrong(s, down && ms > PULSE_STUCK_MIN_MS,
		    p->since[shard], now);
	} else {
		went_well(s, p->worker);
	}
}

bool pulse_ready(const struct pulse *p, int shard)
{
	uint64_t w = word_get(&p->file->shard[shard]);

	return word_state(w) == PULSE_CLOSED ||
	    may_try(p, w, true, clock_mono_us());
}

enum pulse_state pulse_state_of(const struct pulse_line *s)
{
	return word_state(word_get(s));
}
