/* stop.c - see stop.h. */
#include "config.h"

#include "worker/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

enum rc stop_open(int *fd, struct err *e)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	int s;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);	/* multiwatch 1.0.0 sends it for TERM */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    (s = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_set(e, RC_SYSTEM, "signals: %s", strerror(errno));
	*fd = s;
	return RC_OK;
}

bool stop_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

bool stop_asked(int fd)
{
	return stop_wait(fd, 0);	/* never read, so it stays readable */
}
