/*
 * journal.c - the journal of a change of shards where there are several hosts:
 * the value "reshard" of the meta store, so that each host sees what another
 * began, and goes on with it when that one is gone.
 *
 * struct cluster_journal owns its connection.  A journal that was taken away
 * leaves an empty value, whose version goes on counting.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/internal.h"
#include "reshard/journal.h"
#include "utils/xalloc.h"

#define KEY	"reshard"

struct cluster_journal {
	struct cluster_conf c;
	struct meta meta;
};

void cluster_journal_open(const struct cluster_conf *c,
    struct cluster_journal **out)
{
	struct cluster_journal *j = xcalloc(1, sizeof(*j));

	j->c = *c;
	meta_init(&j->meta, c);
	*out = j;
}

void cluster_journal_free(struct cluster_journal *j)
{
	if (!j)
		return;
	meta_release(&j->meta);
	free(j);
}

/* Version 0: there never was one.  text NULL: it is not fetched. */
static enum rc read_text(struct cluster_journal *j, struct buf *text,
    int64_t *version, struct err *e)
{
	enum rc rc = meta_read(&j->meta, KEY, text, version, e);

	if (rc != RC_NOTFOUND)
		return rc;
	*version = 0;
	return RC_OK;
}

static enum rc journal_load(void *ctx, struct reshard *out, struct err *e)
{
	struct reshard none = { .state = RESHARD_NONE };
	struct err words = { RC_OK, "" };
	struct cluster_journal *j = ctx;
	struct buf text;
	enum rc rc;

	buf_init(&text, JOURNAL_BYTES_MAX);
	rc = read_text(j, &text, &none.rev, e);
	if (rc == RC_OK && text.len == 0) {
		*out = none;
	} else if (rc == RC_OK) {
		rc = journal_decode(text.s, text.len, out, &words);
		if (rc == RC_OK)
			out->rev = none.rev;
		else
			(void)err_set(e, rc, "the meta store %s: %s",
			    j->meta.shard.name, words.text);
	}
	buf_release(&text);
	return rc;
}

/* The answer was lost: is it there all the same? */
static bool is_saved(struct cluster_journal *j, const struct buf *text,
    int64_t version)
{
	struct err ignored = { RC_OK, "" };
	int64_t now = 0;
	struct buf there;
	bool same;

	buf_init(&there, JOURNAL_BYTES_MAX);
	same = read_text(j, &there, &now, &ignored) == RC_OK &&
	    now == version + 1 && there.len == text->len &&
	    memcmp(there.s, text->s, text->len) == 0;
	buf_release(&there);
	return same;
}

static enum rc journal_save(void *ctx, struct reshard *r, struct err *e)
{
	struct cluster_journal *j = ctx;
	struct buf text;
	enum rc rc;

	buf_init(&text, JOURNAL_BYTES_MAX);
	if (r->state != RESHARD_NONE)
		journal_encode(r, &text);
	rc = meta_write(&j->meta, KEY, &text, &r->rev, e);
	if (rc == RC_UNAVAILABLE && is_saved(j, &text, r->rev)) {
		r->rev++;
		rc = RC_OK;
	}
	buf_release(&text);
	return rc == RC_CONFLICT ? journal_lost(e) : rc;
}

static uint64_t journal_stamp(void *ctx)
{
	struct err ignored = { RC_OK, "" };
	int64_t version = 0;

	return read_text(ctx, NULL, &version, &ignored) == RC_OK ?
	    (uint64_t)version + 1 : 0;
}

const struct journal_ops journal_cluster = {
	.load = journal_load,
	.save = journal_save,
	.stamp = journal_stamp,
};
