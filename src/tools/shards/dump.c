/*
 * dump.c - runs mongodump, see shards_dump.h.
 *
 * What the tool prints goes to stderr as it is: it names databases and counts,
 * not what people wrote.
 */
#include "config.h"

#include "tools/shards/dump.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/files.h"
#include "utils/buf.h"
#include "utils/json.h"

enum { ANSWER_MAX = 4096, URI_TEXT_MAX = 8192 };

/* What it writes belongs to whom the bot runs as, like what this process
 * itself writes (see process.c), which a new program does not inherit. */
static bool owner_become(void)
{
	uid_t uid = (uid_t)setfsuid((uid_t)-1);
	gid_t gid = (gid_t)setfsgid((gid_t)-1);

	return (gid == getegid() || setresgid(gid, gid, gid) == 0) &&
	    (uid == geteuid() || setresuid(uid, uid, uid) == 0);
}

/* out: descriptor for its stdout, or -1.  RC_NOTFOUND: not in PATH. */
static enum rc tool_run(char *const *argv, int out, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_set(e, RC_SYSTEM, "cannot start %s: %s", argv[0],
		    strerror(errno));
	if (pid == 0) {
		(void)dup2(out >= 0 ? out : STDERR_FILENO, STDOUT_FILENO);
		(void)umask(077);
		if (!owner_become())
			_exit(126);
		execvp(argv[0], argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, RC_SYSTEM, "lost sight of %s: %s",
			    argv[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, RC_NOTFOUND, "%s is not in PATH", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, RC_UNAVAILABLE, "%s failed (%s %d); what it "
		    "said is above", argv[0], WIFEXITED(status) ? "exit" :
		    "signal", WIFEXITED(status) ? WEXITSTATUS(status) :
		    WTERMSIG(status));
	return RC_OK;
}

/* "mongodump version: 100.9.4" is the first line that --version prints. */
static bool version_find(const char *text, char *out, size_t size)
{
	const char *p = strstr(text, "version: ");
	size_t n = 0;

	if (p == NULL)
		return false;
	p += strlen("version: ");
	while (isalnum((unsigned char)p[n]) || (p[n] != '\0' &&
	    strchr(".-_+", p[n]) != NULL))
		n++;
	return n > 0 && str_copy_n(out, size, p, n);
}

static enum rc tool_version(const char *name, char *out, size_t size,
    struct err *e)
{
	char *argv[] = { (char *)(uintptr_t)name, (char[]){ "--version" },
		NULL };
	char text[ANSWER_MAX] = "";
	int fd = memfd_create(name, MFD_CLOEXEC);
	ssize_t n = 0;
	enum rc rc;

	if (fd < 0)
		return err_set(e, RC_SYSTEM, "no memory for what %s says: %s",
		    name, strerror(errno));
	rc = tool_run(argv, fd, e);
	if (rc == RC_OK)
		n = pread(fd, text, sizeof(text) - 1, 0);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (rc == RC_OK && !version_find(text, out, size))
		rc = err_set(e, RC_INVALID, "%s --version says nothing that "
		    "is understood: is it MongoDB's?", name);
	return rc;
}

enum rc dump_tools(char *version, size_t size, struct err *e)
{
	static const char *const tools[] = { "mongodump", "mongorestore" };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2 && rc == RC_OK; i++)
		rc = tool_version(tools[i], version, size, e);
	if (rc == RC_NOTFOUND)
		return err_set(e, rc, "mongodump and mongorestore are needed "
		    "and not both in PATH: install MongoDB Database Tools "
		    "(100.3 or newer), or run where they are: mongodump "
		    "--config=FILE --gzip --archive=OUT, with the line "
		    "uri: \"...\" of shards.conf in FILE (mode 0600)");
	return rc;
}

/* A YAML file with one line; a JSON string is a YAML string. */
static enum rc config_write(const char *path, const char *uri, struct err *e)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, URI_TEXT_MAX);
	buf_puts(&text, "uri: ");
	json_put_str(&text, uri);
	buf_putc(&text, '\n');
	rc = file_write(path, text.s, text.len, true, e);
	buf_release(&text);
	return rc;
}

enum rc dump_run(const char *dir, const char *uri, const char *path,
    struct err *e)
{
	char config[PATH_MAX], by[PATH_MAX + 16], to[PATH_MAX + 16];
	char *argv[] = { (char[]){ "mongodump" }, by, (char[]){ "--gzip" }, to,
		NULL };
	enum rc rc;

	if (!str_format(config, sizeof(config), "%s/mongodump-%d.yaml", dir,
	    (int)getpid()) || !str_format(by, sizeof(by), "--config=%s",
	    config) || !str_format(to, sizeof(to), "--archive=%s", path))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	rc = config_write(config, uri, e);
	if (rc == RC_OK)
		rc = tool_run(argv, -1, e);
	(void)unlink(config);
	if (rc == RC_OK)
		rc = file_sync(path, e);
	if (rc != RC_OK)
		(void)unlink(path);
	return rc;
}
