/* agent.h - the agent, as its two files share it. */
#ifndef FAMILYBOT_CLUSTER_AGENT_H
#define FAMILYBOT_CLUSTER_AGENT_H

#include "cluster/internal.h"

struct cluster_agent {
	struct cluster_conf c;
	struct meta meta;
	struct hands hands;
	struct host_doc me;
	struct step_doc step;	/* the last one read */
	struct step_doc next;	/* scratch */
	struct map_doc map;	/* as it was read last */
	struct map_doc base;	/* names and flags as both sides had them */
	bool based;		/* there is such a base */
	bool taken;		/* the step is in our map, or was refused */
	bool whole;		/* the whole map must be compared */
	bool tell;		/* there is something to write to our document */
	bool lapsed;		/* our lease was over */
	int64_t until;		/* mono us: our lease */
	int64_t until_then;	/* … when the map is right */
	int64_t beat_at;	/* mono us of the next renewal */
	int64_t changed_at;	/* … when the step was another */
	char said[256];
};

/* One turn; see cluster_agent_turn. */
MUST_CHECK enum rc agent_turn(struct cluster_agent *a, struct err *e);
/* Reads the map of all; names and flags go both ways. */
MUST_CHECK enum rc agent_names(struct cluster_agent *a, struct err *e);
void agent_say(struct cluster_agent *a, bool bad, const char *words);

#endif
