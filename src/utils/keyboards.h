/*
 * keyboards.h - builds Telegram's inline keyboards within its limits.
 */
#ifndef FAMILYBOT_UTILS_KEYBOARDS_H
#define FAMILYBOT_UTILS_KEYBOARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "utils/buf.h"

/* core.telegram.org/bots/api#inlinekeyboardbutton; 8 a row, 100 in all. */
enum { KB_ROW_MAX = 8, KB_MAX = 100, KB_DATA_MAX = 64 };

struct keyboard {
	struct buf json;	/* rows so far, without the closing brackets */
	int in_row;
	int total;
	bool open;		/* a row is open */
	/* Adds to the data of each button, a buffer of size bytes; false: no
	 * room.  NULL: data is as it was given. */
	bool (*stamp)(void *ctx, char *data, size_t size);
	void *stamp_ctx;
};

void keyboard_init(struct keyboard *k);
void keyboard_release(struct keyboard *k);
void keyboard_clear(struct keyboard *k);

void keyboard_row(struct keyboard *k);	/* the next button begins a row */
/* data: printf of at most 64 bytes.  A full row wraps; past 100 buttons, or
 * with data too long, the button is left out and false returned. */
bool keyboard_button(struct keyboard *k, const char *label,
    const char *data, ...) PRINTF_LIKE(3, 4);

/* A button that opens url. */
bool keyboard_link(struct keyboard *k, const char *label, const char *url);

/* Adds {"inline_keyboard":[…]} to out. */
void keyboard_write(const struct keyboard *k, struct buf *out);

#endif
