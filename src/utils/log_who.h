/*
 * log_who.h - people in log lines: not by their id, which anybody can look up
 * in Telegram, but by a name that only this installation can make of it.
 *
 * The name is SipHash-2-4 (Aumasson, Bernstein: INDOCRYPT 2012) of the id
 * under a key that comes of the webhook's secret, so that all processes, and
 * those of tomorrow, call a person the same until the secret is changed.  Who
 * has the log and not the secret cannot try all ids, of which there are few.
 * `familybotctl who ID` finds somebody's lines.
 */
#ifndef FAMILYBOT_UTILS_LOG_WHO_H
#define FAMILYBOT_UTILS_LOG_WHO_H

#include <stddef.h>
#include <stdint.h>

/* "" (or no call): a random key, names hold as long as the process. */
void log_who_key(const char *secret);

/*
 * "u" and 16 hex digits; the id itself when the log's level is debug; "0" for
 * nobody.  In one of eight rotating static buffers.
 */
const char *log_who(int64_t id);
/* The same whatever the level is. */
const char *log_who_name(int64_t id);

/* text quoted for the log as by log_q, where id as a whole number in it is
 * named as above: "send:42:u7" becomes "send:u0123456789abcdef:u7". */
const char *log_who_in(const char *text, int64_t id);

/* The hash itself: of len bytes, under 16 bytes of key. */
uint64_t log_siphash(const unsigned char key[16], const void *data, size_t len);

#endif
