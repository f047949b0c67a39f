/*
 * liveness.c - which hosts live.  A host is known by the beat in its document;
 * how long it stands still is measured by the clock of who looks.
 */
#include "config.h"

#include "cluster/internal.h"

#include <string.h>

struct liveness_host *liveness_find(struct liveness *w, const char *name)
{
	for (int i = 0; i < w->n; i++)
		if (strcmp(w->hosts[i].doc.name, name) == 0)
			return &w->hosts[i];
	return NULL;
}

static void seen(struct liveness_host *h, const struct host_doc *d,
    int64_t asked_at)
{
	if (h->doc.beat != d->beat || strcmp(h->doc.id, d->id) != 0)
		h->seen_at = clock_mono_us();
	h->asked_at = asked_at;
	h->doc = *d;
}

static struct liveness_host *liveness_add(struct liveness *w)
{
	struct liveness_host *h = &w->hosts[w->n++];

	memset(h, 0, sizeof(*h));
	h->doc.beat = -1;
	return h;
}

struct looking {
	struct liveness *w;
	int64_t asked_at;
	bool over;
};

static void listed(void *ctx, const struct host_doc *d)
{
	struct looking *l = ctx;
	struct liveness_host *h = liveness_find(l->w, d->name);

	l->over |= !h && l->w->n == CLUSTER_HOSTS_MAX;
	if (l->over)
		return;
	if (!h)
		h = liveness_add(l->w);
	seen(h, d, l->asked_at);
	h->listed = true;
}

/* Who is no longer listed is forgotten. */
static void forget(struct liveness *w)
{
	for (int i = 0; i < w->n;)
		if (w->hosts[i].listed)
			i++;
		else
			w->hosts[i] = w->hosts[--w->n];
}

enum rc liveness_look(struct liveness *w, struct meta *m, struct err *e)
{
	struct looking l = { .w = w, .asked_at = clock_mono_us() };
	enum rc rc;

	for (int i = 0; i < w->n; i++)
		w->hosts[i].listed = false;
	rc = hosts_list(m, listed, &l, e);
	if (rc == RC_OK && l.over)
		rc = err_set(e, RC_TOOBIG, "there are more than %d hosts",
		    CLUSTER_HOSTS_MAX);
	if (rc == RC_OK)
		forget(w);
	return rc;
}

enum rc liveness_again(struct liveness_host *h, struct meta *m, struct err *e)
{
	int64_t asked_at = clock_mono_us();
	struct host_doc d;
	enum rc rc = host_read(m, h->doc.name, &d, e);

	if (rc == RC_OK && d.version != 0)
		seen(h, &d, asked_at);
	else if (rc == RC_OK)
		h->asked_at = asked_at;	/* forgotten: dead, as it was */
	return rc;
}

int64_t liveness_limit_us(const struct host_doc *d)
{
	return (d->lease_ms + d->op_ms + d->lease_ms / MARGIN_DIV) * 1000;
}

bool liveness_dead(const struct liveness_host *h)
{
	return h->asked_at - h->seen_at >= liveness_limit_us(&h->doc);
}

bool liveness_late(const struct liveness_host *h)
{
	return h->asked_at - h->seen_at >= h->doc.lease_ms * 1000 / 2;
}
