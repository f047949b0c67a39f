/*
 * memory.h - what a person's record keeps beside the pending question.
 *
 * Kept in lines behind the draft, so that records of before stay as they are:
 *
 *	{"chat":77, …}			the draft of the dialogue
 *	M:undo:77:1203:20780:77:1190	what the last message did
 *	T:step:77:8843201:0:0:0		what the last tap did
 *	S:step:0:0:115:3:0		a question with buttons that stays open
 *
 * A message or a tap may be delivered again when its answer was lost.  What
 * cannot be told from the diary itself (which entry did this /undo take back?)
 * is remembered here; a question that waits for figures is not touched by it.
 * Messages and taps queue separately at Telegram, so each has its own line.
 */
#ifndef FAMILYBOT_BOT_MEMORY_H
#define FAMILYBOT_BOT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bot/command.h"

enum { MEMORY_WHAT_SIZE = 16, MEMORY_VALUES = 3, MEMORY_LINE_MAX = 144,
	DRAFT_BODY_SIZE = USER_DRAFT_SIZE - 3 * MEMORY_LINE_MAX };

struct memory {
	char what[MEMORY_WHAT_SIZE];
	int64_t chat, key;	/* of the message or the tap */
	int64_t v[MEMORY_VALUES];
};

/* Was this very update applied before?  Then *out says what it did. */
bool memory_same(const struct turn *t, struct memory *out);
/* Remembers that this update did what; v: MEMORY_VALUES numbers or NULL.  The
 * caller saves the user. */
void memory_keep(struct turn *t, const char *what, const int64_t *v);

/* The question whose buttons may be tapped although another one was asked
 * since: False: none was written down. */
bool memory_open(const struct user *u, struct memory *out);
void memory_open_set(struct user *u, const char *what, int64_t a, int64_t b);

/* The draft without the lines behind it: its length; and a new one (at most
 * DRAFT_BODY_SIZE - 1 bytes, no line ends), which leaves the lines. */
size_t draft_body_len(const struct user *u);
bool draft_body_set(struct user *u, const char *body);
void draft_body_clear(struct user *u);

#endif
