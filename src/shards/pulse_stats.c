/*
 * pulse_stats.c - latency of the last minute, in windows of ten seconds.
 *
 * Counting is two relaxed atomic additions.  When a window begins, who gets
 * there first empties it; what others count in that moment may be lost.
 */
#include "config.h"

#include "shards/pulse_file.h"
#include "utils/clock.h"

enum { QUICK_US = 10000 };

static int bucket_of(int64_t us)
{
	uint64_t v = us < 0 ? 0 : us < (1 << 27) ? (uint64_t)us : (1 << 27) - 1;
	int top;

	if (v < 16)
		return (int)v;
	top = 63 - __builtin_clzll(v);
	return 16 + (top - 4) * 8 + (int)(v >> (top - 3) & 7);
}

/* The least time that is above all of the bucket's. */
static int64_t bucket_end(int b)
{
	int shift = (b - 16) / 8 + 1;

	return b < 16 ? b + 1 : (int64_t)(8 + (b - 16) % 8 + 1) << shift;
}

struct sums {
	uint64_t n, failed;
	uint64_t bucket[PULSE_BUCKETS];
};

static void sums_get(const struct pulse_line *s, uint64_t now, struct sums *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < PULSE_WINDOWS; i++) {
		const struct pulse_window *w = &s->window[i];
		uint64_t epoch = __atomic_load_n(&w->epoch, __ATOMIC_ACQUIRE);

		if (epoch > now || epoch + PULSE_LAST <= now)
			continue;
		out->failed += __atomic_load_n(&w->failed, __ATOMIC_RELAXED);
		for (int b = 0; b < PULSE_BUCKETS; b++) {
			uint32_t n = __atomic_load_n(&w->bucket[b],
			    __ATOMIC_RELAXED);
			out->bucket[b] += n;
			out->n += n;
		}
	}
}

static int64_t quantile(const struct sums *sum, uint64_t percent)
{
	uint64_t want = (sum->n * percent + 99) / 100, n = 0;

	if (sum->n == 0)
		return 0;
	for (int b = 0; b < PULSE_BUCKETS; b++) {
		n += sum->bucket[b];
		if (n >= want)
			return bucket_end(b);
	}
	return bucket_end(PULSE_BUCKETS - 1);
}

static void window_begin(struct pulse *p, struct pulse_line *s,
    struct pulse_window *w, uint64_t was, uint64_t epoch)
{
	struct sums sum;

	/* what is usual is learnt from windows that are over */
	sums_get(s, epoch - 1, &sum);
	if (!__atomic_compare_exchange_n(&w->epoch, &was, epoch, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&w->failed, 0, __ATOMIC_RELAXED);
	for (int b = 0; b < PULSE_BUCKETS; b++)
		__atomic_store_n(&w->bucket[b], 0, __ATOMIC_RELAXED);
	if (sum.n > 0) {
		__atomic_store_n(&s->p50_us, (uint32_t)quantile(&sum, 50),
		    __ATOMIC_RELAXED);
		__atomic_store_n(&s->p99_us, (uint32_t)quantile(&sum, 99),
		    __ATOMIC_RELAXED);
	}
	pulse_recount(p);
}

void pulse_count(struct pulse *p, int shard, int64_t us, bool failed,
    int64_t now_us)
{
	struct pulse_line *s = &p->file->shard[shard];
	uint64_t epoch = (uint64_t)now_us / PULSE_WINDOW_US + PULSE_WINDOWS;
	struct pulse_window *w = &s->window[epoch % PULSE_WINDOWS];
	uint64_t was = __atomic_load_n(&w->epoch, __ATOMIC_ACQUIRE);

	if (was != epoch)
		window_begin(p, s, w, was, epoch);
	__atomic_fetch_add(&w->bucket[bucket_of(us)], 1, __ATOMIC_RELAXED);
	if (failed)
		__atomic_fetch_add(&w->failed, 1, __ATOMIC_RELAXED);
}

int64_t pulse_stuck_us(const struct pulse_line *s)
{
	int64_t us = 3 * (int64_t)__atomic_load_n(&s->p99_us,
	    __ATOMIC_RELAXED);

	if (us == 0)
		return PULSE_STUCK_COLD_MS * 1000;
	if (us < PULSE_STUCK_MIN_MS * 1000)
		return PULSE_STUCK_MIN_MS * 1000;
	return us < PULSE_STUCK_MAX_MS * 1000 ? us : PULSE_STUCK_MAX_MS * 1000;
}

bool pulse_quick(const struct pulse_line *s)
{
	uint32_t us = __atomic_load_n(&s->p50_us, __ATOMIC_RELAXED);

	return us > 0 && us < QUICK_US;
}

void pulse_read(const struct pulse *p, int shard, struct pulse_shard *out)
{
	const struct pulse_line *s = &p->file->shard[shard];
	uint64_t now = (uint64_t)clock_mono_us() / PULSE_WINDOW_US +
	    PULSE_WINDOWS;
	struct sums sum;

	sums_get(s, now, &sum);
	*out = (struct pulse_shard){
		.state = pulse_state_of(s),
		.since_ms = __atomic_load_n(&s->since_ms, __ATOMIC_RELAXED),
		.requests = (int64_t)sum.n,
		.failed = (int64_t)sum.failed,
		.p50_us = quantile(&sum, 50),
		.p99_us = quantile(&sum, 99),
	};
}
