/*
 * column.h - what of a struct is stored, as a table: backends build their
 * statements, documents and digests from it.
 */
#ifndef FAMILYBOT_MODELS_COLUMN_H
#define FAMILYBOT_MODELS_COLUMN_H

#include <stddef.h>

enum column_type { COLUMN_I32, COLUMN_I64, COLUMN_TEXT /* char[size] */ };

struct column {
	const char *name;	/* column and document field */
	enum column_type type;
	size_t offset;		/* in the struct */
	size_t size;		/* of a COLUMN_TEXT, in bytes with terminator */
};

#define COL_I32(s, f)	{ #f, COLUMN_I32, offsetof(struct s, f), 4 }
#define COL_I64(s, f)	{ #f, COLUMN_I64, offsetof(struct s, f), 8 }
#define COL_TEXT(s, f)	{ #f, COLUMN_TEXT, offsetof(struct s, f), \
			  sizeof(((struct s *)0)->f) }
#define COL_END		{ NULL, COLUMN_I32, 0, 0 }

#endif
