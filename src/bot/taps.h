/*
 * taps.h - callback data: what a button carries, written and read here only.
 *
 * Data is "verb:args~WWWW" or "verb:args~WWWWTTT".  WWWW says for whom the
 * button is: 24 bits of a hash of the person's id.  In a group everybody sees
 * the button, and Telegram does not always tell whom the message answered, so
 * without it Boris's tap would put his own day over Anna's.  TTT says until
 * when the button holds, in hours.  A button made before there were stamps
 * has none.  Pure.
 */
#ifndef FAMILYBOT_BOT_TAPS_H
#define FAMILYBOT_BOT_TAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bot/command.h"
#include "utils/keyboards.h"

enum { TAP_VERB_MAX = 8 };

struct tap_data {
	const struct tap *row;	/* NULL: a verb that nobody has */
	char args[KB_DATA_MAX + 1];	/* without the stamp */
	bool stamped;
	uint32_t whom;		/* 24 bits, of a stamped one */
	int64_t until;		/* UTC s, 0: as long as it can be seen */
};

/* False: no callback data of this bot. */
bool tap_read(const struct tap *const *rows, const char *data,
    struct tap_data *out);

/* What tap_data.whom is for this person. */
uint32_t tap_whom(int64_t user_id);

/* Puts the stamp behind data, a string in a buffer of size bytes.  now: UTC s.
 * False: there is no room for it. */
bool tap_stamp(const struct tap *const *rows, int64_t user_id, int64_t now,
    char *data, size_t size);

/* May this person tap it in this chat?  TEXT_COUNT: yes, else why not. */
enum text_id tap_refusal(const struct tap_data *d, const struct update *u,
    int64_t now);

#endif
