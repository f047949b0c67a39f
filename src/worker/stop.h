/*
 * stop.h - SIGTERM, SIGINT and SIGQUIT as a descriptor that becomes readable and
 * stays so, for programs that wait in poll.
 */
#ifndef FAMILYBOT_WORKER_STOP_H
#define FAMILYBOT_WORKER_STOP_H

#include <stdbool.h>

#include "utils/err.h"

/* Blocks these signals and ignores SIGPIPE. */
MUST_CHECK enum rc stop_open(int *fd, struct err *e);
bool stop_asked(int fd);
/* Sleeps; true when it was ended by a signal. */
bool stop_wait(int fd, int ms);

#endif
