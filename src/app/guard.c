/* guard.c - see guard.h. */
#include "config.h"

#include "app/guard.h"

#include "spool/spool.h"
#include "shards/pulse.h"
#include "utils/log.h"

void guard_open(const struct config *conf, bool worker, struct guard *out)
{
	const struct spool_conf sc = { .path = conf->spool_db,
		.max_bytes = conf->spool_max };
	struct err e = { .text = "" };

	*out = (struct guard){ .pulse = NULL };
	if (pulse_open(conf->pulse_file, worker, &out->pulse, &e) != RC_OK)
		log_error("no_breaker", "why=%s", log_q(e.text));
	out->spool = spool_new(&sc);
	if (spool_ready(out->spool, &e) != RC_OK)
		log_error("no_spool", "why=%s hint=%s", log_q(e.text),
		    log_q("it is tried again with each update; until then those "
		    "for shards that are away are refused"));
}

void guard_close(struct guard *g)
{
	spool_free(g->spool);
	pulse_free(g->pulse);
	*g = (struct guard){ .pulse = NULL };
}
