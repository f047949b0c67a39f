/*
 * shards_write.h - shards.conf, written anew when shards come or go.
 *
 * Values are taken over as they were written (relative paths, uri_file), so a
 * secret stays where it was.  The text may hold passwords: it is never shown.
 */
#ifndef FAMILYBOT_CONFIG_SHARDS_WRITE_H
#define FAMILYBOT_CONFIG_SHARDS_WRITE_H

#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "utils/buf.h"
#include "utils/err.h"

struct shards_draft;

/* From the file that there is.  RC_NOTFOUND: the shards come from MONGO_URL,
 * and e says what to write first.  report hears of mistakes in files. */
MUST_CHECK enum rc shards_draft_open(const struct config *c, FILE *report,
    struct shards_draft **out, struct err *e);
void shards_draft_free(struct shards_draft *d);	/* takes NULL */

/* A shard to choose from.  uri as shards.conf has it, or @FILE: what it calls
 * uri_file. */
MUST_CHECK enum rc shards_draft_add(struct shards_draft *d, const char *name,
    const char *uri, struct err *e);
/* All shards of another file, which has the form of shards.conf.  *there, whose
 * names and placement are that file's, is the caller's. */
MUST_CHECK enum rc shards_draft_take(struct shards_draft *d, const char *path,
    struct config **there, struct err *e);

struct shards_wanted {
	enum config_placement placement;
	const char *const *names;	/* in their order */
	int nnames;
	const char *const *leaving;	/* behind them */
	int nleaving;
	const char *note;		/* one line: who, when, what */
};

/* RC_NOTFOUND: nothing says how to reach one of the names. */
MUST_CHECK enum rc shards_draft_text(const struct shards_draft *d,
    const struct shards_wanted *w, struct buf *out, struct err *e);

/* What familybot would make of that text: a configuration with shards and
 * placement and nothing else. */
MUST_CHECK enum rc shards_text_read(const struct config *c, const char *text,
    FILE *report, struct config **out, struct err *e);

/*
 * The file is replaced in two steps, so that what is begun in between can be
 * gone on with: prepare writes it under another name (or nothing, when only
 * comments would change), install puts it in its place, whole or not at all,
 * with the mode and the owner of the one before, which is kept beside it.
 */
MUST_CHECK enum rc shards_text_prepare(const struct config *c,
    const struct buf *text, struct err *e);
/* kept: the name of the one before; "" when nothing was prepared. */
MUST_CHECK enum rc shards_text_install(const struct config *c, int64_t now_ms,
    char *kept, size_t size, struct err *e);
void shards_text_forget(const struct config *c);	/* what was prepared */

#endif
