/* turn.c - see turn.h. */
#include "config.h"

#include "store/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "utils/buf.h"

int turn_open(const char *db_path)
{
	char path[PATH_MAX];

	if (!str_format(path, sizeof(path), "%s-turn", db_path))
		return -1;
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

void turn_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void lock(int fd, short type, int cmd)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

	while (fd >= 0 && fcntl(fd, cmd, &l) != 0 && errno == EINTR)
		;	/* a signal is looked at when the work is done */
}

void turn_take(int fd)
{
	lock(fd, F_WRLCK, F_OFD_SETLKW);
}

void turn_give(int fd)
{
	lock(fd, F_UNLCK, F_OFD_SETLK);
}
