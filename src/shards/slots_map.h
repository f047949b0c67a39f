/*
 * slots_map.h - the file of the slot map as it lies on the disk, for the files
 * slots*.c alone.
 *
 * A header that names the shards, then 5040 entries of 8 bytes, aligned, each
 * read and written in one piece.  It is changed in place only.  What was added
 * after the names is zero in a map of an older version, and means nothing
 * then; the oldest processes ignore it.
 */
#ifndef FAMILYBOT_SHARDS_SLOTS_MAP_H
#define FAMILYBOT_SHARDS_SLOTS_MAP_H

#include <stdint.h>
#include <string.h>

#include "shards/slots.h"

enum { MAP_VERSION = 1, ENTRIES_AT = 20480 };

struct map_header {
	char magic[8];
	uint32_t version;
	uint32_t slots;
	uint32_t nshards;	/* grows after the new name was written */
	uint32_t entries_at;
	char names[SHARDS_MAX][SLOT_SHARD_NAME_SIZE];	/* "" is a gap */
	uint8_t flags[SHARDS_MAX];	/* enum shard_flag */
	uint32_t epoch[SHARDS_MAX];	/* times the shard was replaced */
	int64_t lease_until;	/* us of clock_mono_us() of that boot */
	uint64_t lease_boot;	/* hash of the boot's id */
	uint32_t lease_need;
	uint8_t made[SHARDS_MAX];	/* 1: its file was seen here */
};

struct map_file {
	struct map_header head;
	char pad[ENTRIES_AT - sizeof(struct map_header)];
	uint64_t entry[SLOT_COUNT];
};

_Static_assert(sizeof(struct slot_entry) == sizeof(uint64_t),
    "an entry is stored in one piece");
_Static_assert(sizeof(struct map_file) == ENTRIES_AT + SLOT_COUNT * 8,
    "the file has no gaps");

struct slots {
	struct map_file *map;
	char *path;
	int lock_fd;
	bool writable;
	bool mover;		/* this one holds the mover's lock */
	bool lease_need;	/* by this process, whatever the file says */
	uint64_t boot;
};

static inline uint64_t entry_pack(struct slot_entry s)
{
	uint64_t v;

	memcpy(&v, &s, sizeof(v));
	return v;
}

static inline struct slot_entry entry_unpack(uint64_t v)
{
	struct slot_entry s;

	memcpy(&s, &v, sizeof(s));
	return s;
}

/* Bytes of the lock file after those of the slots. */
enum { LOCK_OF_FILE = SLOT_COUNT, LOCK_OF_MOVER, LOCK_OF_CHANGE };

/* type: F_RDLCK, F_WRLCK or F_UNLCK.  0, or errno. */
int slots_lock_byte(int fd, short type, int32_t byte, bool wait);

/* Opens the lock file and maps the map at path, which is made when it is
 * missing and n is not 0.  What was opened is in m also after a failure. */
MUST_CHECK enum rc slots_map_open(struct slots *m, const char *path,
    const struct shard_conf *shards, int n, struct err *e);

/* RC_DENIED when the map was opened for reading. */
MUST_CHECK enum rc slots_writable(const struct slots *m, struct err *e);

/* The hash of this boot's id, never 0. */
uint64_t slots_boot(void);

#endif
