/*
 * job.c - what of a job is stored.  Owns no memory.
 */
#include "config.h"

#include "models/job.h"

const struct column job_columns[] = {
	COL_TEXT(job, id),
	COL_I64(job, user_id),
	COL_I32(job, slot),
	COL_I32(job, state),
	COL_TEXT(job, kind),
	COL_TEXT(job, payload),
	COL_I64(job, run_at),
	COL_I32(job, tries),
	COL_I64(job, lease_token),
	COL_I64(job, lease_until),
	COL_I64(job, created_at),
	COL_I64(job, done_at),
	COL_TEXT(job, last_error),
	COL_END
};
