/* write_queue.c - see write_queue.h. */
#include "config.h"

#include "store/sqlite/write_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/clock.h"

enum { STRIKE_MS = 100 };

static void nothing(int sig)
{
	(void)sig;
}

int write_queue_open(const char *db_path)
{
	struct sigaction a = { .sa_handler = nothing };
	char path[PATH_MAX];

	(void)sigaction(SIGALRM, &a, NULL);
	if (!str_format(path, sizeof(path), "%s-turn", db_path))
		return -1;
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

void write_queue_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static bool lock(int fd, short type, int cmd)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

	return fcntl(fd, cmd, &l) == 0;
}

/* The timer strikes again and again: one that strikes before the wait begins
 * would otherwise be lost. */
static void timer(int ms)
{
	struct itimerval t = { .it_value.tv_usec = ms * 1000,
		.it_interval.tv_usec = ms * 1000 };

	(void)setitimer(ITIMER_REAL, &t, NULL);
}

void write_queue_enter(int fd, int most_ms)
{
	int64_t end;

	if (fd < 0 || lock(fd, F_WRLCK, F_OFD_SETLK))
		return;
	end = clock_mono_us() + (int64_t)most_ms * 1000;
	timer(STRIKE_MS);
	while (!lock(fd, F_WRLCK, F_OFD_SETLKW) && errno == EINTR &&
	    clock_mono_us() < end)
		;
	timer(0);
}

void write_queue_leave(int fd)
{
	if (fd >= 0)
		(void)lock(fd, F_UNLCK, F_OFD_SETLK);
}
