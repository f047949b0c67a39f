/*
 * internal.h - the documents of the meta store, and what the files of this
 * folder share; nobody else includes it.
 */
#ifndef FAMILYBOT_CLUSTER_INTERNAL_H
#define FAMILYBOT_CLUSTER_INTERNAL_H

#include "cluster/cluster.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { DOC_MAX = 1 << 20, ID_SIZE = 48, WORDS_SIZE = 96, BEATS = 5,
	FENCE_LOCK_MS = 100,	/* an agent's wait for who is inside */
	FENCE_HOLD_MS = 2000,	/* then a host asks for the end of a fence */
	MARGIN_DIV = 10 };	/* of a lease, for clocks that run unlike */

enum phase { PHASE_NONE, PHASE_COPYING, PHASE_FENCE, PHASE_UNFENCE,
	PHASE_COMMIT, PHASE_RELEASE, PHASE_COUNT };

struct step_doc {
	int64_t number;		/* version of the document, 0 there is none */
	enum phase phase;
	char by[CLUSTER_NAME_SIZE];	/* host of the mover */
	char mover[ID_SIZE];	/* which mover */
	char id[ID_SIZE];	/* of this write: was it mine? */
	size_t n;
	int32_t slots[SLOT_COUNT];
	uint16_t targets[SLOT_COUNT];
};

struct map_doc {
	int64_t version;
	int64_t step;		/* the last one that is in here */
	int nshards;
	struct {
		char name[SLOT_SHARD_NAME_SIZE];
		uint8_t flags;
	} shards[SHARDS_MAX];
	struct slot_entry entry[SLOT_COUNT];
};

struct host_doc {
	int64_t version;
	char name[CLUSTER_NAME_SIZE];
	char id[ID_SIZE];	/* of the agent's process */
	char home[ID_SIZE];	/* of the host's state directory */
	int64_t beat;
	int64_t step;		/* acknowledged */
	int64_t busy;		/* a fence that somebody inside prevented */
	int64_t refused;	/* a step that cannot be taken; words says why */
	int64_t held_us;	/* how long the fence held that ended last */
	int64_t lease_ms, op_ms;
	bool mover;
	char words[WORDS_SIZE];
};

/* -- meta.c: a connection of one's own -- */

struct meta {
	struct store_conf conf;
	struct shard_conf shard;
	struct store *store;	/* NULL not open */
	bool made;		/* its schema is there */
};

void meta_init(struct meta *m, const struct cluster_conf *c);
void meta_release(struct meta *m);
/* b is emptied first; NULL: only the version is read. */
MUST_CHECK enum rc meta_read(struct meta *m, const char *key, struct buf *b,
    int64_t *version, struct err *e);
MUST_CHECK enum rc meta_write(struct meta *m, const char *key,
    const struct buf *b, int64_t *version, struct err *e);
MUST_CHECK enum rc meta_list(struct meta *m, const char *prefix,
    void (*each)(void *ctx, const struct meta_item *item), void *ctx,
    struct err *e);
MUST_CHECK enum rc meta_remove(struct meta *m, const char *key,
    int64_t version, struct err *e);
void meta_id(char *out, size_t size);	/* random */

/* -- doc.c, mapdoc.c: RC_OK with number or version 0 when there is none -- */

MUST_CHECK enum rc step_read(struct meta *m, struct step_doc *d,
    struct err *e);
/* Compare-and-set on d->number, which becomes the new one. */
MUST_CHECK enum rc step_write(struct meta *m, struct step_doc *d,
    struct err *e);
MUST_CHECK enum rc host_read(struct meta *m, const char *name,
    struct host_doc *d, struct err *e);
/* All of them in one round trip.  What is read may be old: who must not act on
 * that reads again. */
MUST_CHECK enum rc hosts_list(struct meta *m,
    void (*each)(void *ctx, const struct host_doc *d), void *ctx,
    struct err *e);
MUST_CHECK enum rc host_write(struct meta *m, struct host_doc *d,
    struct err *e);
/* RC_CONFLICT: it was written to since. */
MUST_CHECK enum rc host_delete(struct meta *m, const struct host_doc *d,
    struct err *e);
MUST_CHECK enum rc map_read(struct meta *m, struct map_doc *d, struct err *e);
MUST_CHECK enum rc map_write(struct meta *m, struct map_doc *d,
    struct err *e);

/* For what is tried and may fail. */
static inline void never_mind(enum rc rc)
{
	(void)rc;
}

/* Is it in the map for good once it was taken? */
static inline bool phase_lasts(enum phase p)
{
	return p == PHASE_COPYING || p == PHASE_COMMIT || p == PHASE_RELEASE;
}

/* Puts a step over the map, when it is not in it; lasting says whether fences
 * are left out. */
void map_take_step(struct map_doc *d, const struct step_doc *s, bool lasting);
struct slot_entry entry_after(struct slot_entry was, enum phase phase,
    uint16_t target);

/* -- names.c: names and flags of the shards -- */

void names_from(struct map_doc *d, const struct slots *m);
void names_copy(struct map_doc *to, const struct map_doc *from);
/* What changed from base to the local map goes into d (base NULL: only names
 * that are new here); true: something did. */
bool names_push(struct map_doc *d, const struct map_doc *base,
    const struct slots *m);
/* The other way (base NULL: whatever changed).  RC_CONFLICT: they are other
 * shards. */
MUST_CHECK enum rc names_pull(const struct map_doc *d,
    const struct map_doc *base, struct slots *m, struct err *e);
/* The map file, made from the document. */
MUST_CHECK enum rc names_found(const struct map_doc *d, const char *path,
    struct err *e);

/* -- liveness.c: who lives -- */

struct liveness_host {
	struct host_doc doc;
	int64_t seen_at;	/* mono us: when this beat was seen first */
	int64_t asked_at;	/* … when it was asked for last */
	bool listed;		/* by the last look */
};

struct liveness {
	struct liveness_host hosts[CLUSTER_HOSTS_MAX];
	int n;
};

/* Lists all hosts.  Enough to see who has answered, but who is to be held for
 * dead is looked at again. */
MUST_CHECK enum rc liveness_look(struct liveness *w, struct meta *m, struct err *e);
/* Looks at one of them again. */
MUST_CHECK enum rc liveness_again(struct liveness_host *h, struct meta *m,
    struct err *e);
int64_t liveness_limit_us(const struct host_doc *d);
bool liveness_dead(const struct liveness_host *h);
/* It should have moved by now. */
bool liveness_late(const struct liveness_host *h);
struct liveness_host *liveness_find(struct liveness *w, const char *name);

/* -- apply.c: the steps on this host's map -- */

struct hands {			/* what an agent holds */
	struct slots *slots;
	uint8_t held[SLOT_COUNT];	/* exclusive locks */
	int64_t fenced_at;	/* mono us since when, 0 none */
	int64_t held_us;	/* how long the last one held */
};

/* RC_BUSY: somebody is inside still. */
MUST_CHECK enum rc hands_take(struct hands *h, const struct step_doc *s,
    struct err *e);
/* All entries as they should be; waits wait_ms at most. */
MUST_CHECK enum rc hands_equal(struct hands *h, const struct map_doc *want,
    int wait_ms, struct err *e);

#endif
