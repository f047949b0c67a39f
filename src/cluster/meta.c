/* meta.c - the meta store by a connection of one's own.  Opened when first
 * needed, and again after it was lost. */
#include "config.h"

#include "cluster/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void meta_init(struct meta *m, const struct cluster_conf *c)
{
	int fifth = c->lease_ms / BEATS;

	memset(m, 0, sizeof(*m));
	m->shard = *c->meta;
	m->conf = (struct store_conf){
		.name = m->shard.name,
		.uri = m->shard.uri,
		.sync = STORE_SYNC_FULL,
		.timeout_ms = m->shard.timeout_ms > 0 &&
		    m->shard.timeout_ms < fifth ? m->shard.timeout_ms : fifth,
	};
}

void meta_release(struct meta *m)
{
	store_close(m->store);
	m->store = NULL;
}

static enum rc meta_open(struct meta *m, struct err *e)
{
	enum rc rc;

	if (m->store)
		return RC_OK;
	m->conf.create = !m->made;
	rc = store_open(&m->conf, &m->store, e);
	m->made |= rc == RC_OK;
	return rc;
}

/* A connection that failed is not trusted with the next question. */
static enum rc meta_done(struct meta *m, enum rc rc)
{
	if (rc == RC_UNAVAILABLE || rc == RC_SYSTEM)
		meta_release(m);
	return rc;
}

enum rc meta_read(struct meta *m, const char *key, struct buf *b,
    int64_t *version, struct err *e)
{
	enum rc rc = meta_open(m, e);

	if (b)
		buf_clear(b);
	if (rc == RC_OK)
		rc = m->store->ops->meta_get(m->store, key, b, version, e);
	return meta_done(m, rc);
}

enum rc meta_write(struct meta *m, const char *key, const struct buf *b,
    int64_t *version, struct err *e)
{
	enum rc rc = meta_open(m, e);

	if (rc == RC_OK && buf_over(b))
		rc = err_set(e, RC_TOOBIG, "%s does not fit in the meta store",
		    key);
	if (rc == RC_OK)
		rc = m->store->ops->meta_put(m->store, key, b->s, b->len,
		    version, e);
	return meta_done(m, rc);
}

enum rc meta_list(struct meta *m, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e)
{
	enum rc rc = meta_open(m, e);

	if (rc == RC_OK)
		rc = m->store->ops->meta_list(m->store, prefix, each, ctx, e);
	return meta_done(m, rc);
}

enum rc meta_remove(struct meta *m, const char *key, int64_t version,
    struct err *e)
{
	enum rc rc = meta_open(m, e);

	if (rc == RC_OK)
		rc = m->store->ops->meta_delete(m->store, key, version, e);
	return meta_done(m, rc);
}

void meta_id(char *out, size_t size)
{
	uint64_t r[2] = { 0, 0 };

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		r[0] = (uint64_t)clock_mono_us();
	(void)str_format(out, size, "%016llx%016llx",
	    (unsigned long long)r[0], (unsigned long long)r[1]);
}
