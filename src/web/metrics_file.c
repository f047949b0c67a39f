/*
 * metrics_file.c - the shared file of metrics: made, mapped, slots claimed.
 *
 * A slot is claimed by an open-file-description lock on the byte of its
 * number; making the file is guarded by a lock on another byte.
 */
#include "config.h"

#include "web/metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAKE_BYTE = 1 << 20, TRIES = 8 };

static int lock_byte(int fd, int cmd, short type, off_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };

	return fcntl(fd, cmd, &l);
}

static enum rc map(struct metrics *m, int flags, struct err *e)
{
	void *p = mmap(NULL, sizeof(*m->file), PROT_READ | PROT_WRITE, flags,
	    m->fd, 0);

	if (p == MAP_FAILED)
		return err_set(e, RC_SYSTEM, "metrics: mmap: %s",
		    strerror(errno));
	m->file = p;
	return RC_OK;
}

/* With the maker's lock held: RC_CONFLICT when the file is another's. */
static enum rc settle(struct metrics *m, uint64_t layout, struct err *e)
{
	struct stat st;
	uint64_t found = 0;

	if (fstat(m->fd, &st) < 0)
		return err_set(e, RC_SYSTEM, "metrics: %s", strerror(errno));
	if (st.st_nlink == 0)
		return RC_CONFLICT;
	if (st.st_size > 0 &&
	    (st.st_size != (off_t)sizeof(struct metrics_file) ||
	    pread(m->fd, &found, sizeof(found), 0) != sizeof(found) ||
	    (found != layout && found != 0)))
		return RC_CONFLICT;
	/* Disk is taken now: writing to a page that the disk has no place for
	 * would kill the process later. */
	if (found == 0 && (ftruncate(m->fd, 0) < 0 ||
	    (errno = posix_fallocate(m->fd, 0, sizeof(*m->file))) != 0 ||
	    pwrite(m->fd, &layout, sizeof(layout), 0) != sizeof(layout)))
		return err_set(e, RC_SYSTEM, "metrics: %s", strerror(errno));
	return map(m, MAP_SHARED, e);
}

static enum rc open_once(struct metrics *m, const char *path, uint64_t layout,
    struct err *e)
{
	enum rc rc;

	m->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->fd < 0)
		return err_set(e, RC_SYSTEM, "metrics: %s: %s", path,
		    strerror(errno));
	if (lock_byte(m->fd, F_OFD_SETLKW, F_WRLCK, MAKE_BYTE) < 0)
		return err_set(e, RC_SYSTEM, "metrics: lock: %s",
		    strerror(errno));
	rc = settle(m, layout, e);
	if (rc == RC_CONFLICT) {	/* of another version, or just replaced */
		struct stat mine, named;
		if (fstat(m->fd, &mine) == 0 && stat(path, &named) == 0 &&
		    mine.st_ino == named.st_ino && unlink(path) < 0)
			rc = err_set(e, RC_SYSTEM, "metrics: %s: %s", path,
			    strerror(errno));
	}
	lock_byte(m->fd, F_OFD_SETLK, F_UNLCK, MAKE_BYTE);
	if (rc != RC_OK) {
		close(m->fd);
		m->fd = -1;
	}
	return rc;
}

static enum rc claim(struct metrics *m, struct err *e)
{
	for (int i = 0; i < METRICS_PROCESSES_MAX; i++) {
		if (lock_byte(m->fd, F_OFD_SETLK, F_WRLCK, i) < 0)
			continue;
		m->own = i;
		return RC_OK;
	}
	return err_set(e, RC_FULL, "metrics: all %d slots are taken",
	    METRICS_PROCESSES_MAX);
}

enum rc metrics_file_open(struct metrics *m, const char *path,
    uint64_t layout, struct err *e)
{
	enum rc rc = RC_CONFLICT;

	m->fd = -1;
	m->own = 0;
	if (path == NULL)
		return map(m, MAP_PRIVATE | MAP_ANONYMOUS, e);
	for (int i = 0; i < TRIES && rc == RC_CONFLICT; i++)
		rc = open_once(m, path, layout, e);
	if (rc == RC_CONFLICT)
		return err_set(e, RC_SYSTEM, "metrics: %s is replaced by "
		    "others all the time", path);
	return rc == RC_OK ? claim(m, e) : rc;
}

void metrics_file_close(struct metrics *m)
{
	if (m->file != NULL)
		munmap(m->file, sizeof(*m->file));
	if (m->fd >= 0)
		close(m->fd);
	m->file = NULL;
	m->fd = -1;
}

int metrics_file_live(const struct metrics *m, int i)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = i, .l_len = 1 };

	if (i == m->own)
		return 1;
	return m->fd >= 0 && fcntl(m->fd, F_OFD_GETLK, &l) == 0 &&
	    l.l_type != F_UNLCK;
}
