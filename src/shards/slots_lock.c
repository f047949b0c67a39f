/*
 * slots_lock.c - who holds a slot, and who moves slots.
 *
 * Locks of bytes of the lock file, by open file description: the kernel drops
 * them when their process dies.
 */
#include "config.h"

#include "shards/slots_map.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "utils/clock.h"

/* A fence is short, so that at first nobody asks whose it is. */
enum { POLL_US = 500, MOVER_ASK_US = 20000 };

int slots_lock_byte(int fd, short type, int32_t byte, bool wait)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };
	int r;

	do {
		r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l);
	} while (r != 0 && errno == EINTR);
	return r == 0 ? 0 : errno;
}

static void poll_pause(void)
{
	struct timespec t = { 0, POLL_US * 1000 };

	(void)nanosleep(&t, NULL);
}

/* Since when somebody waits; zeros: not yet. */
struct waiting {
	int64_t from_us;
	int64_t us;		/* how long by now */
};

static bool is_over(struct waiting *w, int wait_ms)
{
	int64_t now = clock_mono_us();

	if (w->from_us == 0)
		w->from_us = now;
	w->us = now - w->from_us;
	return w->us >= (int64_t)wait_ms * 1000;
}

/* One try. */
static enum rc lock_try(struct slots *m, int32_t slot, bool exclusive,
    struct err *e)
{
	int no;

#ifdef TEST_FAULT_SLOT_LOCK	/* a build that must be caught losing data */
	if (!exclusive)
		return RC_OK;
#endif
	no = slots_lock_byte(m->lock_fd, exclusive ? F_WRLCK : F_RDLCK, slot,
	    false);
	if (no == 0)
		return RC_OK;
	if (no == EAGAIN || no == EACCES)
		return err_set(e, RC_BUSY, "slot %d is locked: try again",
		    slot);
	return err_set(e, RC_SYSTEM, "slot %d: cannot lock: %s", slot,
	    strerror(no));
}

enum rc slots_lock(struct slots *m, int32_t slot, bool exclusive, int wait_ms,
    struct err *e)
{
	struct waiting w = { 0, 0 };
	enum rc rc;

	for (;;) {
		rc = lock_try(m, slot, exclusive, e);
		if (rc != RC_BUSY || is_over(&w, wait_ms))
			return rc;
		poll_pause();
	}
}

void slots_unlock(struct slots *m, int32_t slot)
{
	(void)slots_lock_byte(m->lock_fd, F_UNLCK, slot, false);
}

enum rc slots_enter(struct slots *m, int32_t slot, int wait_ms,
    struct slot_entry *out, struct err *e)
{
	struct waiting w = { 0, 0 };
	struct slot_entry s;
	bool over = false;
	enum rc rc;

	for (;;) {
		rc = lock_try(m, slot, false, e);
		if (rc != RC_OK && rc != RC_BUSY)
			return rc;
		if (rc == RC_OK)
			s = slots_get(m, slot);
		if (rc == RC_OK && s.state != SLOT_FENCING)
			break;
		over = is_over(&w, wait_ms);
		if (rc == RC_OK && (over || w.us >= MOVER_ASK_US) &&
		    !slots_lease_needed(m) && !slots_mover_alive(m))
			break;
		if (rc == RC_OK)
			slots_unlock(m, slot);
		if (over)
			return err_set(e, RC_BUSY, "slot %d is being moved: try "
			    "again", slot);
		poll_pause();
	}
	*out = s;
	return RC_OK;
}

enum rc slots_barrier(struct slots *m, int shard, int wait_ms, struct err *e)
{
	struct waiting w = { 0, 0 };
	enum rc rc = RC_OK;

	(void)is_over(&w, wait_ms);
	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++) {
		if (slots_get(m, i).owner != shard)
			continue;
		rc = slots_lock(m, i, true, wait_ms - (int)(w.us / 1000), e);
		if (rc == RC_OK)
			slots_unlock(m, i);
		(void)is_over(&w, wait_ms);
	}
	return rc;
}

enum rc slots_mover_lock(struct slots *m, struct err *e)
{
	int no = slots_lock_byte(m->lock_fd, F_WRLCK, LOCK_OF_MOVER, false);

	m->mover |= no == 0;
	if (no == 0)
		return RC_OK;
	if (no == EAGAIN || no == EACCES)
		return err_set(e, RC_BUSY, "slots are being moved already: wait "
		    "for that to end, or stop it");
	return err_set(e, RC_SYSTEM, "slot map: cannot lock: %s", strerror(no));
}

void slots_mover_unlock(struct slots *m)
{
	(void)slots_lock_byte(m->lock_fd, F_UNLCK, LOCK_OF_MOVER, false);
	m->mover = false;
}

bool slots_mover_alive(const struct slots *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = LOCK_OF_MOVER, .l_len = 1 };

	/* The kernel names only locks of other descriptors. */
	return m->mover || fcntl(m->lock_fd, F_OFD_GETLK, &l) != 0 ||
	    l.l_type != F_UNLCK;
}

enum rc slots_change_lock(struct slots *m, int wait_ms, struct err *e)
{
	struct waiting w = { 0, 0 };
	int no;

	for (;;) {
		no = slots_lock_byte(m->lock_fd, F_WRLCK, LOCK_OF_CHANGE,
		    false);
		if (no == 0)
			return RC_OK;
		if (no != EAGAIN && no != EACCES)
			return err_set(e, RC_SYSTEM, "slot map: cannot lock: "
			    "%s", strerror(no));
		if (is_over(&w, wait_ms))
			return err_set(e, RC_BUSY, "another familybotctl "
			    "changes the shards at this moment: try again");
		poll_pause();
	}
}

void slots_change_unlock(struct slots *m)
{
	(void)slots_lock_byte(m->lock_fd, F_UNLCK, LOCK_OF_CHANGE, false);
}
