/*
 * migrate.h - the numbered migrations of sql/, applied to an embedded shard.
 */
#ifndef FAMILYBOT_STORE_MIGRATE_H
#define FAMILYBOT_STORE_MIGRATE_H

#include <stdbool.h>

#include "utils/err.h"

struct sqlite3;

struct migration {
	int number;		/* 1, 2, ... without gaps; 0 ends the table */
	const char *file;
	const char *sql;
};

extern const struct migration migrations[];	/* made by build-aux/embed-sql */

int migrate_latest(void);

/*
 * Brings the shard's schema to the latest number, one transaction for all of
 * it, so that of several processes one does the work and the others wait.
 * RC_INVALID: the schema is newer than this program, the file belongs to
 * another program, or it is older and create is false.
 */
MUST_CHECK enum rc migrate_sqlite(struct sqlite3 *db, const char *shard,
    bool create, struct err *e);

#endif
