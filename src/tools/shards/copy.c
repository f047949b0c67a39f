/* copy.c - see shards_copy.h. */
#include "config.h"

#include "tools/shards/copy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shards/router.h"
#include "tools/files.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

enum rc saved_open(const char *path, const char *shard, bool migrate,
    struct store **out, struct err *e)
{
	char uri[PATH_MAX + 16];
	struct store_conf c = { .name = shard, .uri = uri,
		.sync = STORE_SYNC_FULL, .create = migrate };

	if (!str_format(uri, sizeof(uri), "sqlite:%s", path))
		return err_set(e, RC_TOOBIG, "%s: the path is too long", path);
	return store_open(&c, out, e);
}

void saved_close(const char *path, struct store *s)
{
	static const char *const beside[] = { "-wal", "-shm", "-turn" };
	char name[PATH_MAX];

	if (s == NULL)
		return;
	store_close(s);	/* empties and removes its log */
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (str_format(name, sizeof(name), "%s%s", path, beside[i]) &&
		    file_size(name) == 0)
			(void)unlink(name);
}

static int64_t records_of(const struct digests *d)
{
	int64_t n = 0;

	for (int i = 0; i < COLLECTION_COUNT; i++)
		n += (int64_t)d->of[i].records;
	return n;
}

static void fault_count(void *ctx, const struct store_fault *f)
{
	(void)f;
	++*(int64_t *)ctx;
}

/* An unreadable record ends the reading of its slot, whose digest is then
 * unknown: all zeros. */
static enum rc slot_look(struct store *s, int32_t slot,
    struct backup_slot *out, struct saved_report *r, struct err *e)
{
	enum rc rc = s->ops->check(s, slot, false, fault_count, &r->faults, e);

	if (rc == RC_OK)
		rc = backup_digests(s, slot, &out->digests, e);
	if (rc == RC_CORRUPT) {
		r->faults += r->faults == 0;
		return RC_OK;
	}
	return rc;
}

static enum rc slot_differs(struct store *live, int32_t slot,
    const struct backup_slot *b, int *differ, struct err *e)
{
	struct digests d;
	enum rc rc = backup_digests(live, slot, &d, e);

	if (rc == RC_CORRUPT)
		return RC_OK;
	if (rc == RC_OK)
		*differ += !digests_equal(&d, &b->digests);
	return rc;
}

enum rc saved_look(const char *path, struct store *live, struct backup *b,
    struct saved_report *out, struct err *e)
{
	struct saved_report r = { 0, 0, 0 };
	struct store *s = NULL;
	enum rc rc = saved_open(path, b->shard, false, &s, e);

	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++) {
		rc = slot_look(s, i, &b->slot[i], &r, e);
		r.records += records_of(&b->slot[i].digests);
		if (rc == RC_OK && live != NULL)
			rc = slot_differs(live, i, &b->slot[i], &r.differ, e);
	}
	saved_close(path, s);
	if (rc == RC_OK)
		*out = r;
	return rc;
}

enum rc saved_compare(struct store *s, const struct backup *b, struct err *e)
{
	struct digests d;
	enum rc rc = RC_OK;

	for (int32_t i = 0; i < SLOT_COUNT && rc == RC_OK; i++) {
		rc = backup_digests(s, i, &d, e);
		if (rc == RC_CORRUPT && records_of(&b->slot[i].digests) == 0)
			rc = RC_OK;	/* it was so when it was saved */
		else if (rc == RC_OK && !digests_equal(&d,
		    &b->slot[i].digests))
			rc = err_set(e, RC_CORRUPT, "slot %d of the backup is "
			    "not what was saved: take another backup", i);
	}
	return rc;
}
