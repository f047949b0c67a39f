/*
 * log.h - logfmt lines on stderr, one write(2) each, with secrets redacted.
 *
 * Only mains, web, worker and tools log; libraries below return struct err.
 */
#ifndef FAMILYBOT_UTILS_LOG_H
#define FAMILYBOT_UTILS_LOG_H

#include <stdbool.h>

#include "utils/err.h"

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

void log_level_set(enum log_level level);
bool log_level_is(enum log_level level);	/* are such lines written? */

/* Every later line shows stars in place of secret (≥ 6 bytes). */
void log_secret_add(const char *secret);
/* The same for a text that is for people, in place. */
void log_redact(char *line);

/* event is one word; fmt gives "key=value key=value"; use log_q for values
 * that may hold spaces or come from outside. */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
#define log_error(...)	log_line(LOG_LVL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_LVL_DEBUG, __VA_ARGS__)

/* s quoted for logfmt, in one of eight rotating static buffers of 256 bytes. */
const char *log_q(const char *s);

#endif
