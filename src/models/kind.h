/*
 * kind.h - the kinds of records that are stored, a row each.  What reads, moves,
 * counts, erases and lists records goes by these rows on every backend, so that
 * a new kind is nowhere forgotten.
 */
#ifndef FAMILYBOT_MODELS_KIND_H
#define FAMILYBOT_MODELS_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/column.h"

/* In the order in which a slot is read and written.  The number is the first
 * byte of a record's canonical bytes: new kinds come last, or the digests of
 * all that is stored, also those in backups, would be others. */
enum collection { COLLECTION_USERS, COLLECTION_MEALS, COLLECTION_OWN_FOODS,
	COLLECTION_JOBS, COLLECTION_COUNT };

struct kind {
	const char *name;	/* table and collection, as a DBA sees it */
	const struct column *columns;
	/* Columns of the primary key, as SQL lists them.  They never change. */
	const char *key;
	/* One more column, which the backends write and read themselves (the
	 * rows of a meal); NULL none. */
	const char *tail;
	size_t user_id, slot;	/* where they are in the struct */
	bool work;		/* the worker does it; what is left would be done
				 * twice, so it goes first where all goes */
};

/* The row of a kind; never NULL for those before COLLECTION_COUNT. */
const struct kind *kind_of(enum collection c);
/* The kinds in the order in which a slot or a person is emptied: work first,
 * people last, so that an erasure that was cut short shows.
 * i < COLLECTION_COUNT. */
enum collection kind_to_empty(int i);
/* The kind with these columns, NULL none: statements name columns only. */
const struct kind *kind_with(const struct column *columns);

#endif
