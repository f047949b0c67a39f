/*
 * process.h - what every program does before it works: signals, no core dumps,
 * no secrets in what it tells.
 */
#ifndef FAMILYBOT_APP_PROCESS_H
#define FAMILYBOT_APP_PROCESS_H

#include "config/config.h"
#include "utils/err.h"

/* Ignores SIGPIPE and forbids core dumps, so that no secret lands in one. */
void process_harden(void);

/* From now on neither log nor process_complain shows a secret of c, and the
 * log calls people by names that come of one (log_who.h). */
void process_secrets_hide(const struct config *c);

/*
 * As root: from now on files are made and opened as the owner of dir/data would
 * (of dir, where that is not there), so that what an operator's command leaves
 * in the state directory can be read and written by the programs, which run as
 * that owner.  NULL: as root again.  For anybody else nothing changes.
 */
void process_files_as(const char *dir);

/* "name: what went wrong" on stderr. */
void process_complain(const char *name, const struct err *e);

/* The sysexits(3) code that tells a supervisor what rc means. */
int process_exit_code(enum rc rc);

#endif
