/* weigh.c - may this backup be restored, and what is lost by it? */
#include "config.h"

#include "tools/shards/restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reshard/reshard.h"
#include "shards/router.h"
#include "shards/slots.h"
#include "store/store.h"
#include "tools/files.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/xalloc.h"

static enum rc file_check(const struct restore *r, struct err *e)
{
	char sum[SHA256_TEXT_SIZE];
	int64_t bytes = 0;
	enum rc rc = file_sha256(r->file, sum, &bytes, e);

	if (rc != RC_OK)
		return rc;
	if (bytes != r->b->bytes || strcmp(sum, r->b->sha256) != 0)
		return err_set(e, RC_CORRUPT, "%s is damaged: it is not the "
		    "file that was saved (its SHA-256 differs): take another "
		    "backup", r->file);
	return RC_OK;
}

static enum rc change_check(const struct restore *r, struct err *e)
{
	struct reshard *change = xcalloc(1, sizeof(*change));
	enum rc rc = reshard_load(&r->place->journal, change, e);

	if (rc == RC_OK && slots_mover_alive(r->place->slots))
		rc = err_set(e, RC_BUSY, "slots are being moved just now: "
		    "shards reshard pause first");
	else if (rc == RC_OK && change->state != RESHARD_NONE && !r->force)
		rc = err_set(e, RC_INVALID, "a change of shards is not over: "
		    "end it first (shards reshard watch, cleanup or abort); "
		    "when it cannot be ended because this shard is lost, "
		    "--force restores all the same");
	free(change);
	return rc;
}

/* What of the shard there is now, if it can still be read. */
static void now_count(struct restore *r, struct slot_census *census)
{
	struct store *s = NULL;
	struct err e;

	r->records_now = -1;
	if (router_shard(r->place->router, r->shard, &s, &e) != RC_OK ||
	    s->ops->census(s, census, &e) != RC_OK)
		return;
	r->records_now = 0;
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		if (slots_get(r->place->slots, i).owner != r->shard)
			continue;
		for (int c = 0; c < COLLECTION_COUNT; c++)
			r->records_now += census[i].records[c];
	}
}

static void slots_weigh(struct restore *r, const struct slot_census *census)
{
	r->missing_people = r->records_now < 0 ? -1 : 0;
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		const struct backup_slot *b = &r->b->slot[i];
		bool owns = slots_get(r->place->slots, i).owner == r->shard;
		int64_t n = 0;

		for (int c = 0; c < COLLECTION_COUNT; c++)
			n += (int64_t)b->digests.of[c].records;
		if (owns)
			r->records_then += n;
		else
			r->foreign += n > 0;
		if (!owns || b->owned)
			continue;
		r->missing++;
		if (r->records_now >= 0)
			r->missing_people += census[i].users;
	}
}

static enum rc space_check(const struct restore *r, struct err *e)
{
	const char *path = r->uri + strlen("sqlite:");
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int64_t room;

	(void)str_copy_n(folder, sizeof(folder), slash ? path : ".", slash &&
	    slash > path ? (size_t)(slash - path) : 1);
	room = folder_free(folder);
	if (room < 0)
		return err_set(e, RC_NOTFOUND, "there is no folder %s: mount "
		    "its disk, or make it", folder);
	if (room < r->b->bytes + r->b->bytes / 20)
		return err_set(e, RC_FULL, "%s has no room for the backup "
		    "beside the file that is there: free some space", folder);
	return RC_OK;
}

enum rc restore_weigh(struct restore *r, struct err *e)
{
	struct slot_census *census;
	enum rc rc;

	if (strcmp(r->b->shard, r->name) != 0)
		return err_set(e, RC_INVALID, "this is a backup of %s, not of "
		    "%s", r->b->shard, r->name);
	rc = file_check(r, e);
	if (rc == RC_OK)
		rc = change_check(r, e);
	if (rc != RC_OK || strcmp(r->b->backend, "sqlite") != 0)
		return rc;
	census = xcalloc(SLOT_COUNT, sizeof(*census));
	now_count(r, census);
	slots_weigh(r, census);
	free(census);
	return space_check(r, e);
}

static void tell_json(const struct restore *r)
{
	struct buf b;

	buf_init(&b, 2 * PATH_MAX);
	buf_puts(&b, "{\"shard\":");
	json_put_str(&b, r->name);
	buf_puts(&b, ",\"file\":");
	json_put_str(&b, r->file);
	buf_printf(&b, ",\"at\":%" PRId64 ",\"records_now\":%" PRId64
	    ",\"records_then\":%" PRId64 ",\"slots_missing\":%d,"
	    "\"people_missing\":%" PRId64 ",\"slots_foreign\":%d}\n", r->b->at,
	    r->records_now, r->records_then, r->missing, r->missing_people,
	    r->foreign);
	fputs(b.s, r->c->out);
	buf_release(&b);
}

void restore_tell(const struct restore *r)
{
	int64_t age = clock_ms(&clock_system) - r->b->at;
	FILE *f = r->c->out;
	char when[40], ago[32];

	if (r->c->json) {
		tell_json(r);
		return;
	}
	time_words(r->b->at, when, sizeof(when));
	ctl_age(age / 1000, ago, sizeof(ago));
	fprintf(f, "%s goes back to %s, %s ago.\nLOST, and not to be undone "
	    "once people write again: what they wrote on this shard since.\n",
	    r->name, when, ago);
	if (r->records_now >= 0)
		fprintf(f, "Records: %" PRId64 " now, %" PRId64 " then.\n",
		    r->records_now, r->records_then);
	else
		fprintf(f, "Records: the shard cannot be read now; %" PRId64
		    " then.\n", r->records_then);
	if (r->missing > 0 && r->missing_people >= 0)
		fprintf(f, "NOT IN THE BACKUP: %d slots with %" PRId64
		    " people, which came to the shard later. They would lose "
		    "everything.\n", r->missing, r->missing_people);
	else if (r->missing > 0)
		fprintf(f, "NOT IN THE BACKUP: %d slots, which came to the "
		    "shard later. Their people would lose everything.\n",
		    r->missing);
	if (r->foreign > 0)
		fprintf(f, "%d slots in the backup are on other shards now: "
		    "they are left out.\n", r->foreign);
	fputs("Messages that waited then may be sent a second time.\n"
	    "The file that is there now is kept beside it, under another "
	    "name.\n", f);
}
