/*
 * place.c - a backup takes the place of an embedded shard's file.
 *
 * Nothing is deleted: what was there is renamed, with its log.  Wherever this
 * ends, the shard is still paused, and doing it again does it right.
 */
#include "config.h"

#include "tools/shards/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shards/slots.h"
#include "store/store.h"
#include "tools/files.h"
#include "tools/shards/copy.h"
#include "utils/buf.h"
#include "utils/clock.h"

/* Whose slot is another shard's today must not be found here. */
static enum rc foreign_clear(const struct restore *r, struct store *s,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++)
		if (slots_get(r->place->slots, i).owner != r->shard)
			rc = s->ops->slot_clear(s, i, e);
	return rc;
}

/* The backup itself is only read. */
static enum rc stage(const struct restore *r, const char *path, struct err *e)
{
	struct store_info info = { .schema = 0 };
	struct store *s = NULL;
	enum rc rc;

	(void)unlink(path);	/* of a restore that did not end */
	rc = file_copy(r->file, path, e);
	if (rc == RC_OK)
		rc = saved_open(path, r->name, true, &s, e);
	if (rc == RC_OK)
		rc = s->ops->info(s, &info, e);
	/* A migration changes records; then the sum of the file must do. */
	if (rc == RC_OK && info.schema == r->b->schema)
		rc = saved_compare(s, r->b, e);
	if (rc == RC_OK)
		rc = foreign_clear(r, s, e);
	saved_close(path, s);
	if (rc == RC_OK)
		rc = file_sync(path, e);
	if (rc != RC_OK)
		(void)unlink(path);
	return rc;
}

static bool name_of(char *out, const char *base, const char *end)
{
	return str_format(out, PATH_MAX, "%s%s", base, end);
}

/* The log goes with the file that it belongs to, before another file gets the
 * name: SQLite would apply it to that one. */
static enum rc log_move(const char *path, const char *kept, struct err *e)
{
	static const char *const beside[] = { "-wal", "-shm" };
	char from[PATH_MAX], to[PATH_MAX];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2 && rc == RC_OK; i++) {
		if (!name_of(from, path, beside[i]) ||
		    !name_of(to, kept, beside[i]))
			return err_set(e, RC_TOOBIG, "%s: the path is too "
			    "long", path);
		rc = file_rename_if_there(from, to, e);
	}
	return rc;
}

/* In one step where the file system can, so that the name is never missing. */
static enum rc swap(const char *new, const char *path, const char *kept,
    struct err *e)
{
	int r = renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE);

	if (r == 0)
		r = rename(new, kept);
	else if (errno == EINVAL || errno == ENOSYS)
		r = rename(path, kept) == 0 ? rename(new, path) : -1;
	return r == 0 ? RC_OK : err_set(e, RC_SYSTEM, "cannot rename %s: %s; "
	    "the shard stays paused, restore again", path, strerror(errno));
}

enum rc restore_place(const struct restore *r, char *kept, struct err *e)
{
	const char *path = r->uri + strlen("sqlite:");
	char new[PATH_MAX], old[PATH_MAX], when[24], before[40];
	bool there = access(path, F_OK) == 0;
	enum rc rc;

	time_name(clock_ms(&clock_system), when, sizeof(when));
	(void)str_format(before, sizeof(before), ".before-%s", when);
	if (!name_of(new, path, ".restoring") || !name_of(old, path, before))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	if (access(old, F_OK) == 0)
		return err_set(e, RC_CONFLICT, "%s is there already: try again "
		    "in a second", old);
	rc = stage(r, new, e);
	if (rc == RC_OK)
		rc = log_move(path, old, e);
	if (rc == RC_OK && there)
		rc = swap(new, path, old, e);
	else if (rc == RC_OK && rename(new, path) != 0)
		rc = err_set(e, RC_SYSTEM, "cannot rename %s: %s", new,
		    strerror(errno));
	if (rc == RC_OK)
		rc = file_sync_folder(path, e);
	if (rc == RC_OK)
		(void)str_copy(kept, PATH_MAX, there ? old : "");
	return rc;
}
