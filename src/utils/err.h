/*
 * err.h - the one enum of results, and the words that go with a failure.
 *
 * Every fallible function returns enum rc, is marked MUST_CHECK, and leaves
 * its output parameters untouched unless it returns RC_OK.  Words for people
 * travel in struct err, never in the data.  struct err owns no memory.
 */
#ifndef FAMILYBOT_UTILS_ERR_H
#define FAMILYBOT_UTILS_ERR_H

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum rc {
	RC_OK = 0,
	RC_NOTFOUND,	/* the thing asked for does not exist */
	RC_CONFLICT,	/* compare-and-set lost, or the id exists already */
	RC_INVALID,	/* input that can never succeed */
	RC_TOOBIG,	/* a cap was reached */
	RC_BUSY,	/* fenced or leased by another: try again soon */
	RC_UNAVAILABLE,	/* server gone, time-out: try again later */
	RC_FULL,	/* disk or quota full */
	RC_CORRUPT,	/* stored data that cannot be read */
	RC_DENIED,	/* not allowed */
	RC_SYSTEM	/* anything else the operating system refused */
};

struct err {
	enum rc rc;
	char text[256];	/* one line, no secret, says what to do */
};

/* Fills e (which may be NULL) and returns rc: `return err_set(e, RC_X, ...)`. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The name of rc for logs: "ok", "notfound", ... */
const char *rc_name(enum rc rc);

#endif
