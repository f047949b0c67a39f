/*
 * job.h - durable work for the worker, stored in its user's shard.
 */
#ifndef FAMILYBOT_MODELS_JOB_H
#define FAMILYBOT_MODELS_JOB_H

#include <stdint.h>

#include "models/column.h"

enum job_state { JOB_READY, JOB_LEASED, JOB_DONE, JOB_DEAD };

enum { JOB_ID_SIZE = 96, JOB_KIND_SIZE = 24, JOB_PAYLOAD_SIZE = 16384,
	JOB_ERROR_SIZE = 160, JOB_TRIES_MAX = 8 };

struct job {
	char id[JOB_ID_SIZE];	/* idempotency key, unique in the shard */
	int64_t user_id;	/* routes it; 0 for work of nobody */
	int32_t slot;
	int32_t state;		/* enum job_state */
	char kind[JOB_KIND_SIZE];	/* row of the worker's table: "send" … */
	char payload[JOB_PAYLOAD_SIZE];	/* JSON */
	int64_t run_at;		/* UTC ms: not before */
	int32_t tries;		/* that count */
	int64_t lease_token;	/* random; 0 when not leased */
	int64_t lease_until;	/* UTC ms */
	int64_t created_at;	/* UTC ms */
	int64_t done_at;	/* UTC ms; rows done are purged after 48 h */
	char last_error[JOB_ERROR_SIZE];
};

extern const struct column job_columns[];

#endif
