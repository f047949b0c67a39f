/*
 * slots.c - the slot map and its locks.
 *
 * The file: a header that says for which shards the map was made, then 5040
 * entries of 8 bytes, aligned, each read and written in one piece.  It is
 * changed in place only; a new one is made under a lock, in a temporary file
 * that is renamed, so that nobody ever maps half a map.
 */
#include "config.h"

#include "store/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

enum { MAP_VERSION = 1, ENTRIES_AT = 20480, LOCK_OF_FILE = SLOT_COUNT,
	POLL_US = 500, PATH_SIZE = 1024 };

struct map_header {
	char magic[8];
	uint32_t version;
	uint32_t slots;
	uint32_t nshards;
	uint32_t entries_at;
	char names[SHARDS_MAX][SLOT_SHARD_NAME_SIZE];
};

struct map_file {
	struct map_header head;
	char pad[ENTRIES_AT - sizeof(struct map_header)];
	uint64_t entry[SLOT_COUNT];
};

_Static_assert(sizeof(struct slot_entry) == sizeof(uint64_t),
    "an entry is stored in one piece");
_Static_assert(sizeof(struct map_file) == ENTRIES_AT + SLOT_COUNT * 8,
    "the file has no gaps");

static const char magic[8] = { 'F', 'B', 'S', 'L', 'O', 'T', 'S', '\n' };

struct slots {
	struct map_file *map;
	int lock_fd;
	bool writable;
};

int32_t slot_of(int64_t user_id)
{
	int32_t r = (int32_t)(user_id % SLOT_COUNT);

	return r < 0 ? r + SLOT_COUNT : r;
}

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

static uint64_t entry_pack(struct slot_entry s)
{
	uint64_t v;

	memcpy(&v, &s, sizeof(v));
	return v;
}

static struct slot_entry entry_unpack(uint64_t v)
{
	struct slot_entry s;

	memcpy(&s, &v, sizeof(s));
	return s;
}

/* type: F_RDLCK, F_WRLCK or F_UNLCK.  0, or errno. */
static int lock_byte(int fd, short type, int32_t byte, bool wait)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };
	int r;

	do {
		r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l);
	} while (r != 0 && errno == EINTR);
	return r == 0 ? 0 : errno;
}

static enum rc file_err(struct err *e, const char *what, const char *path)
{
	int no = errno;
	enum rc rc = no == ENOSPC || no == EDQUOT ? RC_FULL : RC_SYSTEM;

	return err_set(e, rc, "slot map %s: cannot %s: %s", path, what,
	    strerror(no));
}

static enum rc write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return RC_SYSTEM;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return RC_OK;
}

/* A rename is on the disk when its directory is. */
static void sync_dir(const char *path)
{
	char dir[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int fd;

	if (slash)
		(void)str_copy_n(dir, sizeof(dir), path, n ? n : 1);
	else
		(void)str_copy(dir, sizeof(dir), ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static void map_fill(struct map_file *f, const struct shard_conf *shards, int n)
{
	memcpy(f->head.magic, magic, sizeof(magic));
	f->head.version = MAP_VERSION;
	f->head.slots = SLOT_COUNT;
	f->head.nshards = (uint32_t)n;
	f->head.entries_at = ENTRIES_AT;
	for (int i = 0; i < n; i++)
		(void)str_copy(f->head.names[i], SLOT_SHARD_NAME_SIZE,
		    shards[i].name);
	for (int i = 0; i < SLOT_COUNT; i++)
		f->entry[i] = entry_pack((struct slot_entry){
		    .owner = (uint16_t)(i % n), .target = (uint16_t)(i % n) });
}

/* The caller holds LOCK_OF_FILE. */
static enum rc map_create(const char *path, const struct shard_conf *shards,
    int n, struct err *e)
{
	struct map_file *f = NULL;
	char tmp[PATH_SIZE];
	int below, above, fd;
	enum rc rc = RC_OK;

	if (!slots_divide(n, &below, &above))
		return err_set(e, RC_INVALID, "%d shards do not divide the %d "
		    "slots: use %d or %d shards", n, SLOT_COUNT, below, above);
	if (!str_format(tmp, sizeof(tmp), "%s.new", path))
		return err_set(e, RC_INVALID, "slot map: path too long");
	f = xcalloc(1, sizeof(*f));
	map_fill(f, shards, n);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, f, sizeof(*f)) != RC_OK || fsync(fd) != 0 ||
	    rename(tmp, path) != 0) {
		rc = file_err(e, "write", path);
		(void)unlink(tmp);
	} else {
		sync_dir(path);
	}
	if (fd >= 0)
		(void)close(fd);
	free(f);
	return rc;
}

static enum rc map_check(const struct map_file *f, const char *path,
    const struct shard_conf *shards, int n, struct err *e)
{
	const struct map_header *h = &f->head;

	if (memcmp(h->magic, magic, sizeof(magic)) != 0 ||
	    h->slots != SLOT_COUNT || h->entries_at != ENTRIES_AT ||
	    h->nshards == 0 || h->nshards > SHARDS_MAX)
		return err_set(e, RC_CORRUPT, "%s is no slot map, or damaged: "
		    "restore it from the backup", path);
	if (h->version != MAP_VERSION)
		return err_set(e, RC_INVALID, "slot map %s has version %u, this "
		    "program knows %d: run the newer familybot", path,
		    h->version, MAP_VERSION);
	if ((int)h->nshards != n)
		return err_set(e, RC_INVALID, "slot map %s was made for %u "
		    "shards, shards.conf names %d: bring back the old "
		    "shards.conf, or start with an empty state directory", path,
		    h->nshards, n);
	for (int i = 0; i < n; i++)
		if (strncmp(h->names[i], shards[i].name,
		    SLOT_SHARD_NAME_SIZE - 1) != 0)
			return err_set(e, RC_INVALID, "slot map %s: shard %d is "
			    "%.63s, in shards.conf %s: put the shards back in "
			    "their order and names", path, i, h->names[i],
			    shards[i].name);
	for (int i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = entry_unpack(f->entry[i]);

		if (s.owner >= n || s.target >= n || s.state > SLOT_FENCING)
			return err_set(e, RC_CORRUPT, "slot map %s: slot %d is "
			    "damaged: restore it from the backup", path, i);
	}
	return RC_OK;
}

/* Maps what is at path; RC_NOTFOUND when there is nothing. */
static enum rc map_map(struct slots *m, const char *path, struct err *e)
{
	int prot = PROT_READ | (m->writable ? PROT_WRITE : 0);
	struct stat st;
	enum rc rc = RC_OK;
	void *p;
	int fd;

	fd = open(path, (m->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return RC_NOTFOUND;
	if (fd < 0)
		return file_err(e, "open", path);
	if (fstat(fd, &st) != 0) {
		rc = file_err(e, "read", path);
	} else if (st.st_size != (off_t)sizeof(struct map_file)) {
		rc = err_set(e, RC_CORRUPT, "slot map %s has %lld bytes instead "
		    "of %zu: restore it from the backup", path,
		    (long long)st.st_size, sizeof(struct map_file));
	} else {
		p = mmap(NULL, sizeof(struct map_file), prot, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			rc = file_err(e, "map", path);
		else
			m->map = p;
	}
	(void)close(fd);
	return rc;
}

static enum rc lock_open(struct slots *m, const char *path, struct err *e)
{
	size_t n = strlen(path);
	char lock[PATH_SIZE];
	bool fits;

	if (n > 4 && strcmp(path + n - 4, ".map") == 0)
		n -= 4;
	fits = str_format(lock, sizeof(lock), "%.*s.lock", (int)n, path);
	if (!fits)
		return err_set(e, RC_INVALID, "slot map: path too long");
	m->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return m->lock_fd < 0 ? file_err(e, "lock", lock) : RC_OK;
}

enum rc slots_open(const char *path, const struct shard_conf *shards, int n,
    bool writable, struct slots **out, struct err *e)
{
	struct slots *m = xcalloc(1, sizeof(*m));
	enum rc rc;

	m->lock_fd = -1;
	m->writable = writable;
	rc = lock_open(m, path, e);
	if (rc == RC_OK)
		rc = map_map(m, path, e);
	if (rc == RC_NOTFOUND) {
		/* Nobody else makes one meanwhile, or somebody just did. */
		rc = lock_byte(m->lock_fd, F_WRLCK, LOCK_OF_FILE, true) == 0 ?
		    map_map(m, path, e) : file_err(e, "lock", path);
		if (rc == RC_NOTFOUND) {
			rc = map_create(path, shards, n, e);
			if (rc == RC_OK)
				rc = map_map(m, path, e);
		}
		(void)lock_byte(m->lock_fd, F_UNLCK, LOCK_OF_FILE, false);
	}
	if (rc == RC_OK)
		rc = map_check(m->map, path, shards, n, e);
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
	free(m);
}

struct slot_entry slots_get(const struct slots *m, int32_t slot)
{
	return entry_unpack(__atomic_load_n(&m->map->entry[slot],
	    __ATOMIC_ACQUIRE));
}

enum rc slots_set(struct slots *m, int32_t slot, struct slot_entry entry,
    struct err *e)
{
	if (!m->writable)
		return err_set(e, RC_DENIED, "slot map was opened for reading");
	__atomic_store_n(&m->map->entry[slot], entry_pack(entry),
	    __ATOMIC_RELEASE);
	if (msync(m->map, sizeof(*m->map), MS_SYNC) != 0)
		return err_set(e, RC_SYSTEM, "slot map: cannot write: %s",
		    strerror(errno));
	return RC_OK;
}

static void poll_pause(void)
{
	struct timespec t = { 0, POLL_US * 1000 };

	(void)nanosleep(&t, NULL);
}

static bool is_over(int64_t *deadline_us, int wait_ms)
{
	int64_t now = clock_mono_us();

	if (*deadline_us == 0)
		*deadline_us = now + (int64_t)wait_ms * 1000;
	return now >= *deadline_us;
}

enum rc slots_lock(struct slots *m, int32_t slot, bool exclusive, int wait_ms,
    struct err *e)
{
	int64_t deadline = 0;
	int no;

	for (;;) {
		no = lock_byte(m->lock_fd, exclusive ? F_WRLCK : F_RDLCK, slot,
		    false);
		if (no == 0)
			return RC_OK;
		if (no != EAGAIN && no != EACCES)
			return err_set(e, RC_SYSTEM, "slot %d: cannot lock: %s",
			    slot, strerror(no));
		if (is_over(&deadline, wait_ms))
			return err_set(e, RC_BUSY, "slot %d is locked: try "
			    "again", slot);
		poll_pause();
	}
}

void slots_unlock(struct slots *m, int32_t slot)
{
	(void)lock_byte(m->lock_fd, F_UNLCK, slot, false);
}

enum rc slots_enter(struct slots *m, int32_t slot, int wait_ms,
    struct slot_entry *out, struct err *e)
{
	struct slot_entry s;
	int64_t deadline = 0;
	enum rc rc;

	for (;;) {
		rc = slots_lock(m, slot, false, 0, e);
		if (rc == RC_OK) {
			s = slots_get(m, slot);
			if (s.state != SLOT_FENCING)
				break;
			slots_unlock(m, slot);
		} else if (rc != RC_BUSY) {
			return rc;
		}
		if (is_over(&deadline, wait_ms))
			return err_set(e, RC_BUSY, "slot %d is being moved: try "
			    "again", slot);
		poll_pause();
	}
	*out = s;
	return RC_OK;
}
