/* spool.c - whose updates wait on this host, and since when. */
#include "config.h"

#include "tools/shards/look.h"

#include <limits.h>
#include <unistd.h>

#include "tools/shards/shard_files.h"
#include "utils/buf.h"

/* By the shard that owns the slot now. */
static enum rc slots_add(struct shards_view *v, struct spool *s,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (int32_t slot = spool_slot(s, 0); slot >= 0 && rc == RC_OK;
	    slot = spool_slot(s, slot + 1)) {
		struct spool_stats one = { .rows = 0 };
		struct shard_look *l = shards_view_row(v,
		    slots_get(v->slots, slot).owner);

		rc = spool_stats_slot(s, slot, &one, e);
		if (rc != RC_OK || l == NULL || one.rows == 0)
			continue;
		l->spool_rows += one.rows;
		l->spool_failed += one.failed;
		if (l->spool_oldest_at == 0 || one.oldest_at <
		    l->spool_oldest_at)
			l->spool_oldest_at = one.oldest_at;
	}
	return rc;
}

void shards_spool_look(struct shards_view *v)
{
	char path[PATH_MAX];
	const struct spool_conf c = { .path = path, .max_bytes = INT64_MAX };
	struct spool *s = NULL;
	struct err e = { .text = "" };
	enum rc rc;

	shards_spool_path(v->conf, path, sizeof(path));
	if (access(path, F_OK) != 0)
		return;
	s = spool_new(&c);
	rc = spool_ready(s, &e);
	if (rc == RC_OK)
		rc = spool_stats(s, &v->spool, &e);
	if (rc == RC_OK)
		rc = slots_add(v, s, &e);
	if (rc != RC_OK)
		str_copy(v->spool_why, sizeof(v->spool_why), e.text);
	spool_free(s);
}
