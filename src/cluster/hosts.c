/* hosts.c - the hosts, for who asks how they are. */
#include "config.h"

#include "cluster/internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "utils/xalloc.h"

enum { LOOK_MS = 100 };

enum rc cluster_hosts(const struct cluster_conf *c, int wait_ms,
    struct cluster_host *out, int max, int *n, struct err *e)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	struct liveness *w = xcalloc(1, sizeof(*w));
	int64_t first[CLUSTER_HOSTS_MAX] = { 0 };
	struct meta m;
	enum rc rc;

	meta_init(&m, c);
	rc = liveness_look(w, &m, e);
	for (int i = 0; i < w->n; i++)
		first[i] = w->hosts[i].doc.beat;
	while (rc == RC_OK && clock_mono_us() < until) {
		(void)usleep(LOOK_MS * 1000);
		rc = liveness_look(w, &m, e);
	}
	for (int i = 0; i < w->n && i < max && rc == RC_OK; i++) {
		const struct liveness_host *h = &w->hosts[i];

		(void)str_copy(out[i].name, sizeof(out[i].name), h->doc.name);
		(void)str_copy(out[i].words, sizeof(out[i].words),
		    h->doc.words);
		out[i].live = h->doc.beat != first[i] && !liveness_dead(h);
		out[i].mover = h->doc.mover;
		out[i].step = h->doc.step;
		out[i].still_ms = (h->asked_at - h->seen_at) / 1000;
	}
	if (rc == RC_OK)
		*n = w->n < max ? w->n : max;
	meta_release(&m);
	free(w);
	return rc;
}

static enum rc lives(const char *name, struct err *e)
{
	return err_set(e, RC_CONFLICT, "host %s lives: stop its "
	    "familybot-worker first", name);
}

enum rc cluster_host_forget(const struct cluster_conf *c, const char *name,
    struct err *e)
{
	struct liveness_host h = { .doc = { .beat = -1 } };
	struct host_doc now;
	struct meta m;
	enum rc rc;

	meta_init(&m, c);
	h.seen_at = clock_mono_us();
	do {
		h.asked_at = clock_mono_us();
		rc = host_read(&m, name, &now, e);
		if (rc == RC_OK && now.version == 0)
			rc = err_set(e, RC_NOTFOUND, "there is no host %s",
			    name);
		if (rc == RC_OK && h.doc.beat != -1 && h.doc.beat != now.beat)
			rc = lives(name, e);
		h.doc = now;
		if (rc == RC_OK)
			(void)usleep(LOOK_MS * 1000);
	} while (rc == RC_OK && !liveness_dead(&h));
	if (rc == RC_OK)
		rc = host_delete(&m, &now, e);
	meta_release(&m);
	return rc == RC_CONFLICT ? lives(name, e) : rc;
}
