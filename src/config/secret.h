/*
 * secret.h - a secret that lies in a file of its own (systemd credentials).
 */
#ifndef FAMILYBOT_CONFIG_SECRET_H
#define FAMILYBOT_CONFIG_SECRET_H

#include "config/report.h"

/*
 * The first line of the file, malloc'ed for the caller, without the line's
 * end; NULL when the report says why not.  where names who asked for it.
 */
char *secret_read(const char *path, const char *where, struct report *r);

/* path itself when absolute, else base/path; malloc'ed for the caller. */
char *path_under(const char *base, const char *path);

#endif
