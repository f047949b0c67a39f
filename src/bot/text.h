/*
 * text.h - every word that the bot says, one file per language.
 *
 * In a text, {0} … {9} stand for arguments (HTML-escaped), and
 * {0:one|few|many} (Russian) or {0:one|many} (English) for the plural that
 * the number in argument 0 asks for.  scripts/check-texts compares the files
 * at every build.
 */
#ifndef FAMILYBOT_BOT_TEXT_H
#define FAMILYBOT_BOT_TEXT_H

#include <stdint.h>

#include "bot/text_ids.h"
#include "models/user.h"
#include "utils/arena.h"
#include "utils/buf.h"

struct language {
	const char *code;		/* IETF: "en" */
	const char *name;		/* own name: "English" */
	int (*plural)(int64_t n);	/* which form */
	const char *const *texts;	/* by enum text_id */
};

extern const struct language language_en, language_ru;
const struct language *language_of(enum lang lang);
/* By Telegram's language_code; those who mostly read Russian get Russian. */
enum lang lang_from_code(const char *code);

/* The raw text, for buttons and others without arguments. */
const char *text_get(enum lang lang, enum text_id id);

/* Adds the text with arguments (NULL-terminated list of strings). */
void text_add(struct buf *b, enum lang lang, enum text_id id,
    const char *const *args);
#define text_put(b, lang, ...) text_put_(b, lang, __VA_ARGS__, NULL)
#define text_put_(b, lang, id, ...) \
	text_add(b, lang, id, (const char *const[]){ __VA_ARGS__ })

/* The same without HTML escaping, for toasts and buttons. */
const char *text_plain(struct arena *a, enum lang lang, enum text_id id,
    const char *const *args);

void html_escape(struct buf *b, const char *s);

/* Figures as a reader of lang writes them. */
const char *fmt_int(struct arena *a, enum lang lang, int64_t n);
const char *fmt_kcal(struct arena *a, enum lang lang, int64_t cal);
/* Grams: whole from 10 g, one decimal below. */
const char *fmt_g(struct arena *a, enum lang lang, int64_t mg);
/* A decimal with at most digits places, no trailing zeros. */
const char *fmt_num(struct arena *a, enum lang lang, double v, int digits);
/* "Monday, 23 November"; "today" and "yesterday" when it is. */
const char *fmt_day(struct arena *a, enum lang lang, int32_t day,
    int32_t today);
const char *fmt_day_short(struct arena *a, enum lang lang, int32_t day);

#endif
