/* intent.c - see intent.h. */
#include "config.h"

#include "bot/intent.h"

#include <string.h>

static enum rc ask_reader(struct turn *t, const struct reader *r,
    const char *text, struct guess *g)
{
	*g = (struct guess){ .score = INTENT_NO, .reason = "", .text = text };
	return r->read(t, text, g);
}

enum rc intent_read(struct turn *t, const char *text, struct intent *out)
{
	int second = INTENT_NO;
	struct guess g;
	enum rc rc;

	*out = (struct intent){ .guess = { .score = INTENT_NO } };
	for (const struct reader *const *r = t->bot->readers;
	    *r != NULL && out->guess.score < INTENT_SURE; r++) {
		rc = ask_reader(t, *r, text, &g);
		if (rc != RC_OK)
			return rc;
		if (g.score > out->guess.score) {
			second = out->guess.score;
			out->second = out->best;
			out->best = *r;
			out->guess = g;
		} else if (g.score > second) {
			second = g.score;
			out->second = *r;
		}
	}
	if (out->guess.score >= INTENT_SURE ||
	    out->guess.score - second >= INTENT_MARGIN)
		out->second = NULL;
	return RC_OK;
}

enum rc intent_text(struct turn *t, const char *text,
    struct update_info *info)
{
	struct intent in;
	enum rc rc = intent_read(t, text, &in);

	if (rc != RC_OK || in.best == NULL)
		return rc;
	info->handler = in.second != NULL ? "choice" : in.best->name;
	return in.second != NULL ? handle_choice(t, text, in.best, in.second) :
	    in.best->run(t, &in.guess);
}

enum rc intent_chosen(struct turn *t, const char *name, const char *text,
    bool *known)
{
	struct guess g;
	enum rc rc = RC_OK;

	*known = false;
	for (const struct reader *const *r = t->bot->readers; *r; r++) {
		if (strcmp((*r)->name, name) != 0)
			continue;
		rc = ask_reader(t, *r, text, &g);
		*known = rc == RC_OK && g.score > INTENT_NO;
		return *known ? (*r)->run(t, &g) : rc;
	}
	return rc;
}
