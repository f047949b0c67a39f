/* spool_place.h - a spool in a folder of its own, and how tests speak of it. */
#ifndef FAMILYBOT_TESTS_SPOOL_PLACE_H
#define FAMILYBOT_TESTS_SPOOL_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "spool/spool.h"
#include "shards/router.h"

enum { ANNA = 77, BORIS = 78, FAR = 77 + SLOT_COUNT, NOW = 1795435200 };

struct spool_place {
	char dir[64], path[128], counts[160];
	struct spool *s;
	struct spooled row;
	int64_t ids;
};

int spool_place_open(void **state);
int spool_place_close(void **state);

struct spool *spool_unready(const struct spool_place *t, int64_t max);
struct spool *open_it(const struct spool_place *t, int64_t max);	/* ready */

/* Who sends an odd update is to be told of it. */
enum rc add_to(struct spool *s, int64_t user, int64_t update,
    const char *body, bool *told);
void add(struct spool_place *t, int64_t user, const char *body);

bool holds(struct spool *s, int64_t user);
/* Does anything of the slot wait, as far as the counts say? */
bool slot_holds(struct spool *s, int64_t user);

/* Into t->row. */
enum rc next(struct spool_place *t, int64_t user, int64_t after);
/* The next row of the person's slot is this one; it stays. */
void next_is(struct spool_place *t, int64_t user, const char *body);
void done(struct spool_place *t);
void none_left(struct spool_place *t, int64_t user);

#endif
