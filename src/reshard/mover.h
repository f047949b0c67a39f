/*
 * mover.h - the mover's own matters: what it knows while it runs, and the way
 * of one group of slots.  Nothing of it is needed after a crash.
 */
#ifndef FAMILYBOT_RESHARD_MOVER_H
#define FAMILYBOT_RESHARD_MOVER_H

#include "reshard/copy.h"
#include "reshard/pace.h"
#include "reshard/reshard.h"

enum { GROUP_SLOTS = 32, GROUP_PEOPLE = 2000, MARKS_MAX = 1024 };

/* A shard that could not be used is left alone for a while. */
struct mover_shard {
	int pause_ms;
	int64_t again;		/* monotonic µs */
	bool unsettled;		/* what was sent to it before may still run */
	char words[160];
};

struct mover {
	const struct reshard_conf *c;
	struct reshard j;	/* the journal */
	uint64_t stamp;		/* of the file that j was read from */
	int64_t looked, saved, told, asked_p99;	/* when, monotonic µs */
	bool slow;		/* p99 was over the limit when last asked */
	bool halt;		/* this group must not go on */
	bool stopped;		/* stop_fd */
	bool jobs_left;		/* leftover jobs could not be cleared */
	int32_t cleaned;	/* slots cleared of leftovers; -1: moving */
	int64_t began, idle_us;	/* idle: waited for others, of this run */
	int64_t users, bytes;	/* of this run */
	struct pace pace;
	struct speed speed;
	struct mover_shard shard[SHARDS_MAX];
	uint8_t tries[SLOT_COUNT];	/* digests that differed */
	bool bad[SLOT_COUNT];	/* slots that stay where they are */
	enum rc bad_rc;
	char bad_words[256];
	size_t group_slots;	/* of the next group */
	size_t fence_slots;	/* of the next fence */
	int64_t write_us;	/* of a small write to a target, lately */
	double bytes_per_us;	/* of copying */
	void (*progress)(void *ctx, const struct reshard_progress *p);
	void *ctx;
};

/* Slots that go the same way at the same time. */
struct group {
	int source, target;	/* indexes of the map */
	size_t n, done;		/* slots[0..done) have moved */
	int32_t slots[GROUP_SLOTS];
	uint16_t targets[GROUP_SLOTS];
	struct copy copies[GROUP_SLOTS];
	int64_t *marks;		/* people to be copied again, slot by slot */
	size_t mark_at[GROUP_SLOTS];	/* where those of a slot begin */
	size_t nmarks[GROUP_SLOTS];
	bool more;		/* perhaps there are others */
	struct copier copier;
	int at;			/* the slot of a failure, -1: of the shard */
};

/* Where the slot shall go, as the journal stands. */
int mover_want(const struct mover *m, int32_t slot);

/* Looks whether to go on (each 100 ms in earnest), tells the progress, writes
 * the journal when it is due.  false: leave the group. */
bool mover_look(struct mover *m, enum reshard_wait wait, const char *words);
/* Waits, looking; false as above. */
bool mover_wait(struct mover *m, int64_t us, enum reshard_wait wait,
    const char *words);
/* Waits until no other host moves.  RC_OK, too, when it is to stop: see
 * m->halt. */
MUST_CHECK enum rc mover_begin(struct mover *m, struct err *e);
/* A server that did not answer may do later what it was told then, also after
 * it was told it again: unsettle says so of a shard, settle waits until both
 * shards of a group answer and nothing of before can run there.  RC_BUSY: asked
 * to stop. */
void mover_unsettle(struct mover *m, int shard);
MUST_CHECK enum rc mover_settle(struct mover *m, struct group *g,
    struct err *e);
/* RC_UNAVAILABLE: another host may have a mover by now. */
MUST_CHECK enum rc mover_leased(const struct mover *m, struct err *e);
/* Holds the limits after so many people; false as above. */
bool mover_hold(struct mover *m, size_t people);
/* The journal now, with what another terminal asked for meanwhile. */
MUST_CHECK enum rc mover_save(struct mover *m, struct err *e);
/* From the state that it is in to the next (NONE: the journal goes), unless
 * another terminal asked for something else meanwhile: then m->halt. */
MUST_CHECK enum rc mover_end(struct mover *m, enum reshard_state next,
    struct err *e);
MUST_CHECK enum rc mover_new(const struct reshard_conf *c, struct mover **out,
    struct err *e);	/* with the map's lock of movers */
void mover_free(struct mover *m);

struct group *group_new(void);
void group_free(struct group *g);
/* Moves the group; what has not moved when it fails is released.  RC_BUSY with
 * m->halt: it was asked to stop. */
MUST_CHECK enum rc group_move(struct mover *m, struct group *g, struct err *e);

/* The slots first.. are copied: catch up with who was written to meanwhile,
 * and let them change their owner. */
MUST_CHECK enum rc group_switch(struct mover *m, struct group *g, size_t first,
    size_t n, struct err *e);

/* Clears jobs that a mover, killed after a commit, left behind. */
void leftover_jobs_clear(struct mover *m);
/* Deletes what slots left at the given former places; a shard that is down
 * fails it, or is passed over. */
MUST_CHECK enum rc leftovers_clear(struct mover *m, const uint16_t *places,
    bool pass_over, struct err *e);

#endif
