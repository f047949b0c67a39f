/*
 * validators.h - checks and small parsers of what people and buttons send.
 * Pure.
 */
#ifndef FAMILYBOT_UTILS_VALIDATORS_H
#define FAMILYBOT_UTILS_VALIDATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "72", "72,5", "72.5 kg", "175 см", "30 лет": the number, and what follows
 * it (trimmed, borrowed).  False when text does not begin with a number. */
bool figure_parse(const char *text, double *value, const char **rest);

/* Is rest "" or one of the units in the list, which ends in NULL? */
bool unit_is(const char *rest, const char *const *units);

/* "1:-2:3": decimal numbers between colons; how many, at most max. -1 when
 * there is anything else, more than max, or one that does not fit. */
int ints_parse(const char *s, int64_t *out, int max);

/* 1 to 64 of A-Za-z0-9_- (Telegram's deep-link payload). */
bool payload_valid(const char *s);

#endif
