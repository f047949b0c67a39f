/*
 * process.h - what every program does before it works: command line, signals,
 * no core dumps.
 */
#ifndef FAMILYBOT_PROCESS_H
#define FAMILYBOT_PROCESS_H

#include "utils/err.h"

/* Ignores SIGPIPE and forbids core dumps, so that no secret lands in one. */
void process_harden(void);

/* The sysexits(3) code that tells a supervisor what rc means. */
int process_exit_code(enum rc rc);

#endif
