/* steps.h - the mover's side, as its two files share it. */
#ifndef FAMILYBOT_CLUSTER_STEPS_H
#define FAMILYBOT_CLUSTER_STEPS_H

#include "cluster/internal.h"

struct cluster_steps {
	struct cluster_conf c;
	struct slots *slots;	/* this host's map, borrowed */
	struct meta meta;
	struct step_doc step;	/* as it was written or read last */
	struct step_doc next;	/* scratch */
	struct map_doc map;	/* has all lasting steps before that one */
	struct liveness watch;
	char mover[ID_SIZE];	/* who we are */
	char put_id[ID_SIZE];	/* of our last step */
	uint16_t targets[SLOT_COUNT];	/* of the next step */
	int64_t answer_us;	/* that all answers to a fence take, typically */
	bool stale;		/* both must be read again */
	bool begun;
};

MUST_CHECK enum rc steps_refresh(struct cluster_steps *s, struct err *e);
/* Puts a lasting step into the map of all. */
MUST_CHECK enum rc steps_fold(struct cluster_steps *s, struct err *e);
/* Writes the next step, with s->targets.  RC_CONFLICT: a host changed it;
 * RC_DENIED: another mover did. */
MUST_CHECK enum rc steps_put(struct cluster_steps *s, enum phase phase,
    const int32_t *slots, size_t n, struct err *e);
/* Waits until every host took the step, or is dead.  RC_BUSY with words. */
MUST_CHECK enum rc steps_answers(struct cluster_steps *s, int wait_ms,
    struct err *e);
/* The same for this host alone; RC_UNAVAILABLE. */
MUST_CHECK enum rc steps_own(struct cluster_steps *s, int wait_ms,
    struct err *e);
/* Why a host is waited for; RC_BUSY. */
enum rc steps_words(const struct liveness_host *h, struct err *e);

#endif
