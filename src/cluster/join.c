/* join.c - how a host comes to its map: it takes over that of the others, or
 * founds it, before it serves. */
#include "config.h"

#include "cluster/agent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utils/xalloc.h"

enum { NAME_LOOK_MS = 50 };

enum rc agent_names(struct cluster_agent *a, struct err *e)
{
	enum rc rc = map_read(&a->meta, &a->map, e);

	if (rc == RC_OK && a->map.version == 0)
		rc = err_set(e, RC_CORRUPT, "the meta store %s has lost the "
		    "map of the hosts: restore it from the backup",
		    a->meta.shard.name);
	if (rc == RC_OK && names_push(&a->map, a->based ? &a->base : NULL,
	    a->hands.slots)) {
		rc = map_write(&a->meta, &a->map, e);
		if (rc == RC_CONFLICT)	/* another was first */
			return err_set(e, RC_BUSY, "the map is read again");
	}
	if (rc == RC_OK)
		rc = names_pull(&a->map, a->based ? &a->base : NULL,
		    a->hands.slots, e);
	if (rc == RC_OK) {
		names_copy(&a->base, &a->map);
		a->based = true;
	}
	return rc;
}

/* Which state directory of which machine this is. */
static void home_of(const char *map_path, char *out, size_t size)
{
	char dir[1024], machine[33] = "";
	const char *slash = strrchr(map_path, '/');
	struct stat st = { .st_ino = 0 };
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, machine, 16);

		machine[n > 0 ? n : 0] = '\0';
		(void)close(fd);
	}
	(void)str_copy_n(dir, sizeof(dir), slash ? map_path : ".",
	    slash && slash > map_path ? (size_t)(slash - map_path) : 1);
	(void)stat(dir, &st);
	(void)str_format(out, size, "%s:%llx:%llx", machine,
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
}

/* Our own document from an earlier time, or that of a host that is gone; a
 * living host of our name is waited for until it is dead, or seen to live. */
static enum rc name_take(struct cluster_agent *a, struct err *e)
{
	struct liveness_host h = { .seen_at = clock_mono_us() };
	struct host_doc d;
	enum rc rc;

	rc = host_read(&a->meta, a->me.name, &h.doc, e);
	while (rc == RC_OK && h.doc.version != 0 &&
	    strcmp(h.doc.home, a->me.home) != 0 && !liveness_dead(&h)) {
		(void)usleep(NAME_LOOK_MS * 1000);
		h.asked_at = clock_mono_us();
		rc = host_read(&a->meta, a->me.name, &d, e);
		if (rc == RC_OK && d.beat != h.doc.beat)
			return err_set(e, RC_CONFLICT, "another host calls "
			    "itself %s: give each its own name in shards.conf",
			    a->me.name);
	}
	if (rc != RC_OK)
		return rc;
	a->me.version = h.doc.version;
	a->me.beat = h.doc.beat;
	a->me.step = h.doc.step;
	return RC_OK;
}

/* This host's file, from the map of all. */
static enum rc file_make(struct cluster_agent *a, struct err *e)
{
	enum rc rc = names_found(&a->map, a->c.map_path, e);

	return rc == RC_OK ? slots_open(a->c.map_path, NULL, 0, true,
	    &a->hands.slots, e) : rc;
}

static void doc_from(const struct slots *m, struct map_doc *d)
{
	names_from(d, m);
	for (int32_t i = 0; i < SLOT_COUNT; i++) {
		d->entry[i] = slots_get(m, i);
		if (d->entry[i].state == SLOT_FENCING)
			d->entry[i].state = SLOT_COPYING;
	}
	d->version = d->step = 0;
}

/* The map of a host that never had one, as it would be made for it alone. */
static enum rc doc_new(const struct cluster_conf *c, struct map_doc *d,
    struct err *e)
{
	char tmp[1024], lock[1040];
	struct slots *m = NULL;
	enum rc rc;

	if (!str_format(tmp, sizeof(tmp), "%s.founding", c->map_path))
		return err_set(e, RC_INVALID, "slot map: path too long");
	(void)str_format(lock, sizeof(lock), "%s.lock", tmp);
	(void)unlink(tmp);
	rc = slots_open(tmp, c->shards, c->nshards, true, &m, e);
	if (rc == RC_OK)
		doc_from(m, d);
	slots_free(m);
	(void)unlink(tmp);
	(void)unlink(lock);
	return rc;
}

/* The first host: its map becomes that of all.  Its file appears when it has
 * become so, and not before: processes wait for it. */
static enum rc map_found(struct cluster_agent *a, struct err *e)
{
	enum rc rc = slots_open(a->c.map_path, NULL, 0, true, &a->hands.slots,
	    e);
	bool missing = rc == RC_NOTFOUND;

	if (missing)
		rc = doc_new(&a->c, &a->map, e);
	else if (rc == RC_OK)
		doc_from(a->hands.slots, &a->map);
	if (rc == RC_OK)
		rc = map_write(&a->meta, &a->map, e);
	if (rc == RC_CONFLICT)
		return err_set(e, RC_BUSY, "another host founded the map "
		    "first");
	return rc == RC_OK && missing ? file_make(a, e) : rc;
}

static enum rc map_join(struct cluster_agent *a, struct err *e)
{
	enum rc rc = step_read(&a->meta, &a->step, e);

	if (rc == RC_OK)
		rc = map_read(&a->meta, &a->map, e);
	if (rc != RC_OK)
		return rc;
	if (a->map.version == 0 && a->step.number == 0)
		return map_found(a, e);
	if (a->map.version == 0)
		return err_set(e, RC_CORRUPT, "the meta store %s has lost the "
		    "map of the hosts: restore it from the backup",
		    a->meta.shard.name);
	rc = slots_open(a->c.map_path, NULL, 0, true, &a->hands.slots, e);
	if (rc != RC_NOTFOUND)
		return rc;
	map_take_step(&a->map, &a->step, false);
	return file_make(a, e);
}

enum rc cluster_agent_open(const struct cluster_conf *c,
    struct cluster_agent **out, struct err *e)
{
	struct cluster_agent *a = xcalloc(1, sizeof(*a));
	enum rc rc;

	a->c = *c;
	meta_init(&a->meta, c);
	(void)str_copy(a->me.name, sizeof(a->me.name), c->host);
	a->me.lease_ms = c->lease_ms;
	a->me.op_ms = c->op_timeout_ms;
	meta_id(a->me.id, sizeof(a->me.id));
	home_of(c->map_path, a->me.home, sizeof(a->me.home));
	a->lapsed = a->whole = true;
	rc = name_take(a, e);
	if (rc == RC_OK)
		rc = map_join(a, e);
	if (rc == RC_OK) {
		slots_lease_need(a->hands.slots, true);
		a->step.number = 0;	/* it is read and taken anew */
		rc = agent_turn(a, e);
	}
	if (rc == RC_OK && a->lapsed)
		rc = err_set(e, RC_BUSY, "people are inside slots that have "
		    "moved: waiting for them");
	if (rc == RC_OK)
		*out = a;
	else
		cluster_agent_free(a);
	return rc;
}
