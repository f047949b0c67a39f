/* rate.c - see rate.h. */
#include "config.h"

#include "worker/rate.h"

#include <stdbool.h>

#include "utils/xalloc.h"

enum { BUCKETS = 256, CHAT_GAP_MS = 1000, GROUP_MAX = 20,
	GROUP_WINDOW_MS = 60000, FORGET_MS = 60000, RECHECK_MS = 100,
	PER_SECOND_MAX = 100000 };

struct chat {
	struct chat *next;
	int64_t id;
	int64_t next_at;	/* 1/s, or retry_after */
	int64_t postponed;	/* last time given by rate_postpone */
	int64_t used;		/* last touched */
	int64_t sent[GROUP_MAX];	/* ring, groups only */
	uint64_t nsent;
	bool flying;
};

struct rate {
	int per_second;
	int64_t paused_until;
	int64_t flooded_at;	/* last 429 for a chat … */
	int64_t flooded_chat;	/* … and which */
	int64_t *sent;		/* ring of the last per_second sends */
	uint64_t nsent;
	struct chat *buckets[BUCKETS];
};

struct rate *rate_new(int per_second)
{
	struct rate *r = xcalloc(1, sizeof(*r));

	if (per_second < 1)
		per_second = 1;
	if (per_second > PER_SECOND_MAX)
		per_second = PER_SECOND_MAX;
	r->per_second = per_second;
	r->sent = xcalloc((size_t)per_second, sizeof(*r->sent));
	r->flooded_at = INT64_MIN / 2;
	return r;
}

void rate_free(struct rate *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < BUCKETS; i++)
		while (r->buckets[i] != NULL) {
			struct chat *c = r->buckets[i];
			r->buckets[i] = c->next;
			free(c);
		}
	free(r->sent);
	free(r);
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool chat_idle(const struct chat *c, int64_t now)
{
	return !c->flying && c->used + FORGET_MS < now && c->next_at < now &&
	    c->postponed < now;
}

/* The entry of a chat, made when new; forgets idle ones on the way. */
static struct chat *chat_get(struct rate *r, int64_t id, int64_t now)
{
	struct chat **at = &r->buckets[(uint64_t)id % BUCKETS];
	struct chat *found = NULL;

	while (*at != NULL) {
		struct chat *c = *at;
		if (c->id == id) {
			found = c;
		} else if (chat_idle(c, now)) {
			*at = c->next;
			free(c);
			continue;
		}
		at = &c->next;
	}
	if (found == NULL) {
		found = xcalloc(1, sizeof(*found));
		found->id = id;
		*at = found;
	}
	found->used = now;
	return found;
}

int64_t rate_due(struct rate *r, int64_t chat, int64_t now)
{
	int64_t due = max64(now, r->paused_until);
	uint64_t n = (uint64_t)r->per_second;
	struct chat *c;

	if (r->nsent >= n)
		due = max64(due, r->sent[r->nsent % n] + 1000);
	if (chat == 0)
		return due;
	c = chat_get(r, chat, now);
	due = max64(due, c->next_at);
	if (chat < 0 && c->nsent >= GROUP_MAX)
		due = max64(due, c->sent[c->nsent % GROUP_MAX] +
		    GROUP_WINDOW_MS);
	if (c->flying)
		due = max64(due, now + RECHECK_MS);
	return due;
}

void rate_sent(struct rate *r, int64_t chat, int64_t now)
{
	struct chat *c;

	r->sent[r->nsent++ % (uint64_t)r->per_second] = now;
	if (chat == 0)
		return;
	c = chat_get(r, chat, now);
	c->flying = true;
	c->next_at = max64(c->next_at, now + CHAT_GAP_MS);
	c->sent[c->nsent++ % GROUP_MAX] = now;
}

void rate_ended(struct rate *r, int64_t chat, int64_t now)
{
	if (chat != 0)
		chat_get(r, chat, now)->flying = false;
}

void rate_pause(struct rate *r, int64_t until)
{
	r->paused_until = max64(r->paused_until, until);
}

void rate_flooded(struct rate *r, int64_t chat, int64_t now, int64_t until)
{
	struct chat *c;

	if (chat == 0) {
		rate_pause(r, until);
		return;
	}
	c = chat_get(r, chat, now);
	c->next_at = max64(c->next_at, until);
	if (r->flooded_chat != chat && r->flooded_at + 1000 >= now)
		rate_pause(r, until);
	r->flooded_at = now;
	r->flooded_chat = chat;
}

int64_t rate_postpone(struct rate *r, int64_t chat, int64_t now, int64_t due)
{
	struct chat *c;

	if (chat == 0)
		return due;
	c = chat_get(r, chat, now);
	c->postponed = max64(due, c->postponed + CHAT_GAP_MS);
	return c->postponed;
}
