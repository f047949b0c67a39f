/*
 * slots.c - the slot map: its entries, and this host's right to serve.
 *
 * Owns the mapping and the lock file's descriptor.  Locks are in slots_lock.c,
 * the list of shards in slots_shard.c, the file itself in slots_file.c.
 */
#include "config.h"

#include "shards/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shards/slots_map.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

static bool divides(int n)
{
	return n >= 1 && n <= SHARDS_MAX && SLOT_COUNT % n == 0;
}

bool slots_divide(int n, int *below, int *above)
{
	int lo = n < SHARDS_MAX ? n - 1 : SHARDS_MAX;
	int hi = n > 0 ? n + 1 : 1;

	if (divides(n))
		lo = hi = n;
	while (lo > 0 && !divides(lo))
		lo--;
	while (hi <= SHARDS_MAX && !divides(hi))
		hi++;
	*below = lo > 0 ? lo : 1;
	*above = hi <= SHARDS_MAX ? hi : *below;
	return divides(n);
}

enum rc slots_open(const char *path, const struct shard_conf *shards, int n,
    bool writable, struct slots **out, struct err *e)
{
	struct slots *m = xcalloc(1, sizeof(*m));
	enum rc rc;

	m->lock_fd = -1;
	m->path = xstrdup(path);
	m->writable = writable;
	m->boot = slots_boot();
	rc = slots_map_open(m, path, shards, n, e);
	if (rc == RC_OK)
		*out = m;
	else
		slots_free(m);
	return rc;
}

void slots_free(struct slots *m)
{
	if (!m)
		return;
	if (m->map)
		(void)munmap(m->map, sizeof(*m->map));
	if (m->lock_fd >= 0)
		(void)close(m->lock_fd);
	free(m->path);
	free(m);
}

enum rc slots_writable(const struct slots *m, struct err *e)
{
	return m->writable ? RC_OK : err_set(e, RC_DENIED,
	    "the slot map was opened for reading");
}

struct slot_entry slots_get(const struct slots *m, int32_t slot)
{
	return entry_unpack(__atomic_load_n(&m->map->entry[slot],
	    __ATOMIC_ACQUIRE));
}

enum rc slots_set(struct slots *m, int32_t slot, struct slot_entry entry,
    struct err *e)
{
	enum rc rc = slots_writable(m, e);

	if (rc == RC_OK)
		__atomic_store_n(&m->map->entry[slot], entry_pack(entry),
		    __ATOMIC_RELEASE);
	return rc;
}

enum rc slots_sync(struct slots *m, struct err *e)
{
	enum rc rc = slots_writable(m, e);

	if (rc == RC_OK && msync(m->map, sizeof(*m->map), MS_SYNC) != 0)
		rc = err_set(e, RC_SYSTEM, "slot map: cannot write: %s; see "
		    "what its disk says", strerror(errno));
	return rc;
}

void slots_lease_need(struct slots *m, bool need)
{
	m->lease_need = need;
	if (m->writable)
		__atomic_store_n(&m->map->head.lease_need, need,
		    __ATOMIC_RELEASE);
}

void slots_lease_until(struct slots *m, int64_t mono_us)
{
	struct map_header *h = &m->map->head;

	if (!m->writable)
		return;
	/* The moment of another boot must never be read as one of this. */
	if (__atomic_load_n(&h->lease_boot, __ATOMIC_ACQUIRE) != m->boot) {
		__atomic_store_n(&h->lease_until, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&h->lease_boot, m->boot, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&h->lease_until, mono_us, __ATOMIC_RELEASE);
}

bool slots_lease_needed(const struct slots *m)
{
	return m->lease_need ||
	    __atomic_load_n(&m->map->head.lease_need, __ATOMIC_ACQUIRE);
}

bool slots_lease_ok(const struct slots *m)
{
	const struct map_header *h = &m->map->head;

	if (!slots_lease_needed(m))
		return true;
	if (__atomic_load_n(&h->lease_boot, __ATOMIC_ACQUIRE) != m->boot)
		return false;
	return clock_mono_us() < __atomic_load_n(&h->lease_until,
	    __ATOMIC_ACQUIRE);
}
