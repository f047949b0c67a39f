/* process.c - see process.h. */
#include "config.h"

#include "app/process.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "utils/buf.h"
#include "utils/log.h"
#include "utils/log_who.h"

void process_harden(void)
{
	const struct rlimit none = { 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__	/* its leak check must trace the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

void process_secrets_hide(const struct config *c)
{
	config_secrets_each(c, log_secret_add);
	log_who_key(c->webhook_secret);
}

void process_files_as(const char *dir)
{
	struct stat st = { .st_uid = 0, .st_gid = getegid() };
	char data[PATH_MAX];

	if (geteuid() != 0)
		return;
	/* the state directory itself may be root's, what the programs write to
	 * in it never is */
	if (dir != NULL && !(str_format(data, sizeof(data), "%s/data", dir) &&
	    stat(data, &st) == 0) && stat(dir, &st) != 0)
		return;
	(void)setfsgid(st.st_gid);
	(void)setfsuid(st.st_uid);
}

void process_complain(const char *name, const struct err *e)
{
	char words[sizeof(e->text)];

	str_copy(words, sizeof(words), e->text);
	log_redact(words);
	fprintf(stderr, "%s: %s\n", name, words);
}

int process_exit_code(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return EX_OK;
	case RC_NOTFOUND:
	case RC_INVALID:
		return EX_CONFIG;
	case RC_UNAVAILABLE:
	case RC_BUSY:
	case RC_FULL:
		return EX_UNAVAILABLE;
	case RC_CORRUPT:
		return EX_DATAERR;
	case RC_DENIED:
		return EX_NOPERM;
	default:
		return EX_OSERR;
	}
}
