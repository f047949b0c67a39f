/* pace.c - see pace.h. */
#include "config.h"

#include "reshard/pace.h"

enum { FENCE_FIRST_US = 16, FENCE_PER_OCTAVE = 8, SECOND_US = 1000000 };

void pace_set(struct pace *p, int64_t rate, int64_t now)
{
	if (p->rate == rate)
		return;
	*p = (struct pace){ .rate = rate, .at = now };
}

size_t pace_batch(const struct pace *p)
{
	int64_t n = p->rate * PACE_SMOOTH_MS / 1000;

	if (p->rate == 0 || n > PACE_BATCH_MAX)
		return PACE_BATCH_MAX;
	return n < 1 ? 1 : (size_t)n;
}

static void pace_fill(struct pace *p, int64_t now)
{
	double most = (double)p->rate * PACE_SMOOTH_MS / 1000;

	p->left += (double)p->rate * (double)(now - p->at) / SECOND_US;
	p->at = now;
	if (p->left > most)
		p->left = most;
}

void pace_take(struct pace *p, int64_t now, size_t people)
{
	if (p->rate == 0)
		return;
	pace_fill(p, now);
	p->left -= (double)people;
}

int64_t pace_wait_us(struct pace *p, int64_t now)
{
	if (p->rate == 0)
		return 0;
	pace_fill(p, now);
	if (p->left >= 0)
		return 0;
	return (int64_t)(-p->left * SECOND_US / (double)p->rate) + 1;
}

static int64_t fence_bound(int bucket)
{
	int64_t base = (int64_t)FENCE_FIRST_US << (bucket / FENCE_PER_OCTAVE);

	return base + base * (bucket % FENCE_PER_OCTAVE + 1) / FENCE_PER_OCTAVE;
}

void fences_add(struct reshard *r, int64_t us)
{
	int b = 0;

	while (b < RESHARD_FENCE_BUCKETS - 1 && fence_bound(b) < us)
		b++;
	r->fences[b]++;
	if (us > r->fence_max_us)
		r->fence_max_us = us;
}

int64_t fences_quantile(const struct reshard *r, double share)
{
	double seen = 0, all = 0;

	for (int b = 0; b < RESHARD_FENCE_BUCKETS; b++)
		all += r->fences[b];
	for (int b = 0; b < RESHARD_FENCE_BUCKETS; b++) {
		seen += r->fences[b];
		if (r->fences[b] > 0 && seen >= all * share)
			return fence_bound(b) < r->fence_max_us ?
			    fence_bound(b) : r->fence_max_us;
	}
	return 0;
}

void speed_add(struct speed *s, int64_t now, int64_t users, int64_t slots)
{
	int64_t second = now / SECOND_US;
	int i = (int)(second % SPEED_SECONDS);

	if (s->begun == 0)
		s->begun = now;
	if (s->second[i] != second) {
		s->second[i] = second;
		s->users[i] = s->slots[i] = 0;
	}
	s->users[i] += users;
	s->slots[i] += slots;
}

static double speed_of(const struct speed *s, const int64_t *cells, int64_t now)
{
	int64_t second = now / SECOND_US, sum = 0;
	double spent = (double)(now - s->begun) / SECOND_US;

	if (s->begun == 0 || spent <= 0)
		return 0;
	for (int i = 0; i < SPEED_SECONDS; i++)
		if (s->second[i] > second - SPEED_SECONDS)
			sum += cells[i];
	if (spent > SPEED_SECONDS)
		spent = SPEED_SECONDS - 1 +
		    (double)(now % SECOND_US) / SECOND_US;
	return (double)sum / spent;
}

double speed_users(const struct speed *s, int64_t now)
{
	return speed_of(s, s->users, now);
}

double speed_slots(const struct speed *s, int64_t now)
{
	return speed_of(s, s->slots, now);
}
