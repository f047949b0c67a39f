/*
 * slots_shard.c - the shards of the slot map: names, flags, epochs.
 *
 * A name stays with its index for good, so that who mapped the file earlier is
 * never wrong.  Who adds or removes holds LOCK_OF_FILE.
 */
#include "config.h"

#include "shards/slots_map.h"

#include <errno.h>
#include <fcntl.h>

#include "utils/buf.h"

int slots_shards(const struct slots *m)
{
	return (int)__atomic_load_n(&m->map->head.nshards, __ATOMIC_ACQUIRE);
}

const char *slots_shard_name(const struct slots *m, int shard)
{
	return shard >= 0 && shard < slots_shards(m) ?
	    m->map->head.names[shard] : "";
}

int slots_shard_find(const struct slots *m, const char *name)
{
	for (int i = 0, n = slots_shards(m); i < n; i++)
		if (*name && strcmp(m->map->head.names[i], name) == 0)
			return i;
	return -1;
}

bool slots_shard_used(const struct slots *m, int shard)
{
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = slots_get(m, i);

		if (s.owner == shard ||
		    (s.state != SLOT_STABLE && s.target == shard))
			return true;
	}
	return false;
}

static enum rc list_lock(struct slots *m, struct err *e)
{
	int no;
	enum rc rc = slots_writable(m, e);

	if (rc != RC_OK)
		return rc;
	no = slots_lock_byte(m->lock_fd, F_WRLCK, LOCK_OF_FILE, true);
	return no == 0 ? RC_OK : err_set(e, RC_SYSTEM,
	    "slot map: cannot lock: %s", strerror(no));
}

static void list_unlock(struct slots *m)
{
	(void)slots_lock_byte(m->lock_fd, F_UNLCK, LOCK_OF_FILE, false);
}

static enum rc list_add(struct slots *m, const char *name, int *at,
    struct err *e)
{
	struct map_header *h = &m->map->head;
	int n = slots_shards(m);
	int i = slots_shard_find(m, name);

	if (i >= 0) {
		*at = i;
		return RC_OK;
	}
	if (*name == '\0' || strlen(name) >= SLOT_SHARD_NAME_SIZE)
		return err_set(e, RC_INVALID, "a shard's name has 1 to %d "
		    "characters", SLOT_SHARD_NAME_SIZE - 1);
	if (n >= SHARDS_MAX)
		return err_set(e, RC_TOOBIG, "the slot map has had %d shards, "
		    "which is the most: keep to those it has", SHARDS_MAX);
	h->flags[n] = 0;
	h->made[n] = 0;
	memset(h->names[n], 0, SLOT_SHARD_NAME_SIZE);
	(void)str_copy(h->names[n], SLOT_SHARD_NAME_SIZE, name);
	__atomic_store_n(&h->nshards, (uint32_t)n + 1, __ATOMIC_RELEASE);
	*at = n;
	return slots_sync(m, e);
}

enum rc slots_shard_add(struct slots *m, const char *name, int *shard,
    struct err *e)
{
	enum rc rc = list_lock(m, e);
	int at = -1;

	if (rc != RC_OK)
		return rc;
	rc = list_add(m, name, &at, e);
	list_unlock(m);
	if (rc == RC_OK)
		*shard = at;
	return rc;
}

enum rc slots_shard_restore(struct slots *m, int shard, const char *name,
    struct err *e)
{
	struct map_header *h = &m->map->head;
	enum rc rc = list_lock(m, e);

	if (rc != RC_OK)
		return rc;
	if (shard < 0 || shard >= slots_shards(m) || h->names[shard][0] ||
	    *name == '\0' || strlen(name) >= SLOT_SHARD_NAME_SIZE) {
		rc = err_set(e, RC_INVALID, "the slot map has no gap for %s",
		    name);
	} else {
		/* who finds the first character finds all others */
		(void)str_copy(h->names[shard] + 1, SLOT_SHARD_NAME_SIZE - 1,
		    name + 1);
		__atomic_store_n(&h->names[shard][0], *name, __ATOMIC_RELEASE);
		rc = slots_sync(m, e);
	}
	list_unlock(m);
	return rc;
}

static enum rc shard_known(const struct slots *m, int shard, struct err *e)
{
	return *slots_shard_name(m, shard) ? RC_OK : err_set(e, RC_NOTFOUND,
	    "the slot map has no shard %d", shard);
}

enum rc slots_shard_remove(struct slots *m, int shard, struct err *e)
{
	enum rc rc = list_lock(m, e);

	if (rc != RC_OK)
		return rc;
	rc = shard_known(m, shard, e);
	if (rc == RC_OK && slots_shard_used(m, shard))
		rc = err_set(e, RC_CONFLICT, "shard %s still has slots: move "
		    "them away first", slots_shard_name(m, shard));
	if (rc == RC_OK) {
		__atomic_store_n(&m->map->head.made[shard], 0,
		    __ATOMIC_RELEASE);
		__atomic_store_n(&m->map->head.names[shard][0], '\0',
		    __ATOMIC_RELEASE);
		rc = slots_sync(m, e);
	}
	list_unlock(m);
	return rc;
}

uint8_t slots_shard_flags(const struct slots *m, int shard)
{
	return __atomic_load_n(&m->map->head.flags[shard], __ATOMIC_ACQUIRE);
}

enum rc slots_shard_flag(struct slots *m, int shard, enum shard_flag flag,
    bool on, struct err *e)
{
	enum rc rc = slots_writable(m, e);

	if (rc == RC_OK)
		rc = shard_known(m, shard, e);
	if (rc != RC_OK)
		return rc;
	if (on)
		(void)__atomic_fetch_or(&m->map->head.flags[shard],
		    (uint8_t)flag, __ATOMIC_SEQ_CST);
	else
		(void)__atomic_fetch_and(&m->map->head.flags[shard],
		    (uint8_t)~(unsigned int)flag, __ATOMIC_SEQ_CST);
	return slots_sync(m, e);
}

uint32_t slots_shard_epoch(const struct slots *m, int shard)
{
	return __atomic_load_n(&m->map->head.epoch[shard], __ATOMIC_ACQUIRE);
}

enum rc slots_shard_replaced(struct slots *m, int shard, struct err *e)
{
	enum rc rc = slots_writable(m, e);

	if (rc == RC_OK)
		rc = shard_known(m, shard, e);
	if (rc != RC_OK)
		return rc;
	(void)__atomic_fetch_add(&m->map->head.epoch[shard], 1,
	    __ATOMIC_SEQ_CST);
	return slots_sync(m, e);
}

bool slots_shard_made(const struct slots *m, int shard)
{
	return *slots_shard_name(m, shard) && __atomic_load_n(
	    &m->map->head.made[shard], __ATOMIC_ACQUIRE) != 0;
}

void slots_shard_made_note(const struct slots *m, int shard)
{
	struct slots *w = NULL;
	struct err words = { RC_OK, "" };
	enum rc rc = slots_open(m->path, NULL, 0, true, &w, &words);

	if (rc == RC_OK)
		rc = list_lock(w, &words);
	if (rc == RC_OK) {
		if (shard_known(w, shard, &words) == RC_OK) {
			__atomic_store_n(&w->map->head.made[shard], 1,
			    __ATOMIC_RELEASE);
			rc = slots_sync(w, &words);
		}
		list_unlock(w);
	}
	slots_free(w);
}
