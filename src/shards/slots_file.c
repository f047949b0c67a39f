/*
 * slots_file.c - the slot map's file: made, mapped, checked.
 *
 * A new one is made under a lock, in a temporary file that is renamed, so that
 * nobody ever maps half a map.
 */
#include "config.h"

#include "shards/slots_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

enum { PATH_SIZE = 1024, BOOT_ID_SIZE = 64 };

static const char magic[8] = { 'F', 'B', 'S', 'L', 'O', 'T', 'S', '\n' };

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

/* A slot may name a shard that was added this moment: entries are read before
 * the number of shards. */
static bool shard_there(const struct map_header *h, uint16_t shard)
{
	return shard < __atomic_load_n(&h->nshards, __ATOMIC_ACQUIRE);
}

static enum rc map_check(const struct map_file *f, const char *path,
    struct err *e)
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
	for (uint32_t i = 0; i < h->nshards; i++)
		if (!memchr(h->names[i], '\0', SLOT_SHARD_NAME_SIZE))
			return err_set(e, RC_CORRUPT, "slot map %s: the name of "
			    "shard %u is damaged: restore it from the backup",
			    path, i);
	for (int i = 0; i < SLOT_COUNT; i++) {
		struct slot_entry s = entry_unpack(__atomic_load_n(
		    &f->entry[i], __ATOMIC_ACQUIRE));

		if (!shard_there(h, s.owner) || !shard_there(h, s.target) ||
		    s.state > SLOT_FENCING || h->names[s.owner][0] == '\0')
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
		return err_set(e, RC_NOTFOUND, "there is no slot map %s: start "
		    "familybot, which makes it", path);
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

/* Nobody else makes one meanwhile, or somebody just did. */
static enum rc map_found(struct slots *m, const char *path,
    const struct shard_conf *shards, int n, struct err *e)
{
	enum rc rc;

	if (slots_lock_byte(m->lock_fd, F_WRLCK, LOCK_OF_FILE, true) != 0)
		return file_err(e, "lock", path);
	rc = map_map(m, path, e);
	if (rc == RC_NOTFOUND) {
		rc = map_create(path, shards, n, e);
		if (rc == RC_OK)
			rc = map_map(m, path, e);
	}
	(void)slots_lock_byte(m->lock_fd, F_UNLCK, LOCK_OF_FILE, false);
	return rc;
}

enum rc slots_map_open(struct slots *m, const char *path,
    const struct shard_conf *shards, int n, struct err *e)
{
	enum rc rc = lock_open(m, path, e);

	if (rc == RC_OK)
		rc = map_map(m, path, e);
	if (rc == RC_NOTFOUND && n != 0)
		rc = map_found(m, path, shards, n, e);
	return rc == RC_OK ? map_check(m->map, path, e) : rc;
}

uint64_t slots_boot(void)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */
	char id[BOOT_ID_SIZE];
	ssize_t n = -1;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, id, sizeof(id));
		(void)close(fd);
	}
	for (ssize_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)id[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}
