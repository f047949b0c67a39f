/* shared.c - see shared.h.  The caller owns struct shared and its mapping. */
#include "config.h"

#include "shards/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 8, UNSET_TRIES = 200, UNSET_US = 1000 };

static bool lock_byte(int fd, int cmd, short type, off_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };
	int r;

	do {
		r = fcntl(fd, cmd, &l);
	} while (r < 0 && errno == EINTR);
	return r == 0;
}

static enum rc failed(const char *path, struct err *e)
{
	return err_set(e, errno == ENOSPC ? RC_FULL : RC_SYSTEM, "%s: %s",
	    path, strerror(errno));
}

/* Disk is taken now: writing to a page that the disk has no place for would
 * kill the process later. */
static enum rc blank(struct shared *s, const char *path, struct err *e)
{
	if (ftruncate(s->fd, 0) < 0 ||
	    (errno = posix_fallocate(s->fd, 0, (off_t)s->size)) != 0)
		return failed(path, e);
	s->empty = true;
	return RC_OK;
}

/* Until shared_ready the file has no layout, so that nobody trusts what a first
 * one left that was killed meanwhile. */
static void layout_put(const struct shared *s, uint64_t layout)
{
	__atomic_store_n((uint64_t *)s->p, layout, __ATOMIC_RELEASE);
}

/* With the lock held.  RC_CONFLICT without words: it was just replaced.
 * RC_BUSY: its first one is gone and did not get ready. */
static enum rc settle(struct shared *s, const char *path, uint64_t layout,
    struct err *e)
{
	uint64_t found = 0;
	struct stat st;
	enum rc rc = RC_OK;
	bool ours;

	if (fstat(s->fd, &st) < 0)
		return failed(path, e);
	if (st.st_nlink == 0)
		return RC_CONFLICT;
	if (pread(s->fd, &found, sizeof(found), 0) != sizeof(found))
		found = 0;
	if (found == 0 && !s->first)
		return RC_BUSY;
	ours = st.st_size == (off_t)s->size && found == layout;
	if (!ours && !s->first)
		return err_set(e, RC_CONFLICT, "%s is in use by another version"
		    " of familybot: stop all of its processes first", path);
	if (!ours)
		rc = blank(s, path, e);
	if (rc != RC_OK)
		return rc;
	s->p = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->p == MAP_FAILED) {
		s->p = NULL;
		return failed(path, e);
	}
	s->layout = layout;
	if (s->first)
		layout_put(s, 0);
	return RC_OK;
}

static enum rc open_it(struct shared *s, const char *path, uint64_t layout,
    struct err *e)
{
	enum rc rc;

	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return failed(path, e);
	s->first = lock_byte(s->fd, F_OFD_SETLK, F_WRLCK, SHARED_BYTE);
	if (!s->first && !lock_byte(s->fd, F_OFD_SETLKW, F_RDLCK, SHARED_BYTE))
		rc = failed(path, e);
	else
		rc = settle(s, path, layout, e);
	if (rc != RC_OK)
		shared_close(s);
	return rc;
}

/* Several who wait for a first one that is gone are in each other's way, as
 * each holds the lock for a moment: so they wait differently long. */
static enum rc open_once(struct shared *s, const char *path, uint64_t layout,
    struct err *e)
{
	enum rc rc = RC_BUSY;

	for (int i = 0; i < UNSET_TRIES && rc == RC_BUSY; i++) {
		const struct timespec t = { 0, 1000L * (UNSET_US +
		    (getpid() + 7L * i) % 16 * (UNSET_US / 4)) };

		if (i > 0)
			(void)nanosleep(&t, NULL);
		rc = open_it(s, path, layout, e);
	}
	return rc == RC_BUSY ? err_set(e, rc, "%s: others begin it all the "
	    "time, and never get ready", path) : rc;
}

/* Only when the name still is of the file that was refused. */
static enum rc replace_it(const char *path, uint64_t layout, struct err *e)
{
	uint64_t found = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool other = fd >= 0 &&
	    pread(fd, &found, sizeof(found), 0) == sizeof(found) &&
	    found != layout && found != 0;

	if (fd >= 0)
		(void)close(fd);
	if (other && unlink(path) < 0 && errno != ENOENT)
		return failed(path, e);
	return RC_OK;
}

enum rc shared_open(const char *path, size_t size, uint64_t layout,
    bool replace, struct shared *out, struct err *e)
{
	struct shared s = { .fd = -1, .size = size };
	struct err why = { .text = "" };
	enum rc rc = RC_CONFLICT;

	if (path == NULL) {
		s.p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (s.p == MAP_FAILED)
			return failed("mmap", e);
		s.layout = layout;
		s.first = s.empty = true;
		*out = s;
		return RC_OK;
	}
	for (int i = 0; i < TRIES && rc == RC_CONFLICT; i++) {
		why.text[0] = '\0';
		rc = open_once(&s, path, layout, &why);
		if (rc == RC_CONFLICT && replace)
			rc = replace_it(path, layout, &why) == RC_OK ?
			    RC_CONFLICT : RC_SYSTEM;
		else if (rc == RC_CONFLICT && why.text[0] != '\0')
			break;
	}
	if (rc == RC_OK)
		*out = s;
	else
		err_set(e, rc, "%s", why.text[0] != '\0' ? why.text :
		    "a shared file is replaced by others all the time");
	return rc;
}

void shared_ready(struct shared *s)
{
	if (s->first)
		layout_put(s, s->layout);
	if (s->first && s->fd >= 0)
		(void)lock_byte(s->fd, F_OFD_SETLK, F_RDLCK, SHARED_BYTE);
	s->first = false;
}

void shared_close(struct shared *s)
{
	if (s->p != NULL)
		(void)munmap(s->p, s->size);
	if (s->fd >= 0)
		(void)close(s->fd);
	s->p = NULL;
	s->fd = -1;
}

bool shared_claim(const struct shared *s, int byte)
{
	return s->fd < 0 || lock_byte(s->fd, F_OFD_SETLK, F_WRLCK, byte);
}

bool shared_taken(const struct shared *s, int byte)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };

	return s->fd >= 0 && fcntl(s->fd, F_OFD_GETLK, &l) == 0 &&
	    l.l_type != F_UNLCK;
}
