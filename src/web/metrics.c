/* metrics.c - see metrics.h: counting. */
#include "config.h"

#include "web/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/xalloc.h"
#include "web/metrics_file.h"

const int metrics_statuses[METRICS_STATUSES] = {
	200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503, 0,
};

const int64_t metrics_bounds_us[METRICS_BUCKETS - 1] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 10000000,
};

/* FNV-1a over all that decides what a number in the file means. */
static uint64_t fnv(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t layout_hash(const char *const *routes, int nroutes)
{
	const uint64_t sizes[] = { 3 /* version */, sizeof(struct metrics_file),
		sizeof(struct metrics_slot) };
	uint64_t h = fnv(0xcbf29ce484222325u, sizes, sizeof(sizes));

	h = fnv(h, metrics_statuses, sizeof(metrics_statuses));
	h = fnv(h, metrics_bounds_us, sizeof(metrics_bounds_us));
	for (int i = 0; i < nroutes; i++)
		h = fnv(h, routes[i], strlen(routes[i]) + 1);
	for (int s = 0; s < STAGE_COUNT; s++)
		h = fnv(h, stage_name((enum stage)s), 4);
	return h | 1;
}

enum rc metrics_open(const char *path, const char *const *routes, int nroutes,
    int64_t now_ms, struct metrics **out, struct err *e)
{
	struct metrics *m;
	enum rc rc;

	if (nroutes >= METRICS_ROUTES_MAX)
		return err_set(e, RC_TOOBIG, "metrics: more than %d routes",
		    METRICS_ROUTES_MAX - 1);
	m = xcalloc(1, sizeof(*m));
	for (int i = 0; i < nroutes; i++)
		m->routes[i] = routes[i];
	m->nroutes = nroutes;
	rc = metrics_file_open(m, path, layout_hash(routes, nroutes), e);
	if (rc != RC_OK) {
		metrics_free(m);
		return rc;
	}
	m->slot = &m->file->slot[m->own];
	if (m->slot->nupdates > METRICS_UPDATES_MAX)
		m->slot->nupdates = 0;
	m->file->process[m->own].pid = getpid();
	m->file->process[m->own].worker = 0;
	__atomic_store_n(&m->file->process[m->own].start_ms, now_ms,
	    __ATOMIC_RELEASE);
	*out = m;
	return RC_OK;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	metrics_file_close(m);
	free(m);
}

void metrics_hist_add(struct metrics_hist *h, int64_t us)
{
	int i = 0;

	while (i < METRICS_BUCKETS - 1 && us > metrics_bounds_us[i])
		i++;
	metrics_add(&h->bucket[i], 1);
	metrics_add(&h->sum_us, (uint64_t)us);
}

void metrics_request(struct metrics *m, int route, enum http_method method,
    int status, int64_t us)
{
	int s = 0;

	while (metrics_statuses[s] != 0 && metrics_statuses[s] != status)
		s++;
	metrics_add(&m->slot->requests[route][method][s], 1);
	metrics_hist_add(&m->slot->route[route], us);
}

void metrics_stages(struct metrics *m, const struct timing *t)
{
	for (int s = 0; s < STAGE_COUNT; s++)
		metrics_hist_add(&m->slot->stage[s], t->us[s]);
}

/* The entry for these labels, by text; the last one takes what is over. */
static int updates_entry(struct metrics *m, const char *kind,
    const char *handler)
{
	struct metrics_slot *slot = m->slot;
	int n = (int)slot->nupdates;
	struct metrics_updates *u;

	if (n == METRICS_UPDATES_MAX - 1)
		kind = handler = "other";
	for (int i = 0; i < n; i++)
		if (strcmp(slot->updates[i].kind, kind) == 0 &&
		    strcmp(slot->updates[i].handler, handler) == 0)
			return i;
	if (n == METRICS_UPDATES_MAX)
		return n - 1;
	u = &slot->updates[n];
	memset(u, 0, sizeof(*u));
	str_copy(u->kind, sizeof(u->kind), kind);
	str_copy(u->handler, sizeof(u->handler), handler);
	__atomic_store_n(&slot->nupdates, (uint64_t)n + 1, __ATOMIC_RELEASE);
	return n;
}

void metrics_update(struct metrics *m, const char *kind, const char *handler,
    enum rc rc)
{
	int i = 0, n = (int)m->slot->nupdates;

	if ((unsigned int)rc < METRICS_RCS)
		metrics_add(&m->slot->failures[rc], 1);
	while (i < n && (m->kind[i] != kind || m->handler[i] != handler))
		i++;
	if (i == n) {
		i = updates_entry(m, kind, handler);
		m->kind[i] = kind;
		m->handler[i] = handler;
	}
	metrics_add(&m->slot->updates[i].count, 1);
}

/* Finalizer of splitmix64: every bit of the id moves every bit of the cell. */
static uint32_t cell_of(int64_t user_id)
{
	uint64_t z = (uint64_t)user_id + 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)(z >> 33) % METRICS_CELLS;
}

/* Quarters of an hour, 1..65535: 0 says never.  They come round after 682
 * days; metrics_active_users empties old cells long before. */
static uint16_t quarter_of(int64_t now_ms)
{
	return (uint16_t)(now_ms / METRICS_QUARTER_MS % 65535 + 1);
}

void metrics_user(struct metrics *m, int64_t user_id, int64_t now_ms)
{
	uint16_t *cell = &m->file->cell[cell_of(user_id)];
	uint16_t now = quarter_of(now_ms);

	if (__atomic_load_n(cell, __ATOMIC_RELAXED) != now)
		__atomic_store_n(cell, now, __ATOMIC_RELAXED);
}

int64_t metrics_active_users(struct metrics *m, int64_t now_ms)
{
	int now = quarter_of(now_ms);
	int empty = 0;

	for (int i = 0; i < METRICS_CELLS; i++) {
		uint16_t *cell = &m->file->cell[i];
		uint16_t at = __atomic_load_n(cell, __ATOMIC_RELAXED);
		if (at != 0 && (now - at + 65535) % 65535 >= METRICS_DAY_QUARTERS) {
			/* lost only to a user who came this very moment */
			__atomic_compare_exchange_n(cell, &at, 0, 0,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
			at = 0;
		}
		empty += at == 0;
	}
	if (empty == 0)
		empty = 1;
	return llround(-METRICS_CELLS * log((double)empty / METRICS_CELLS));
}
