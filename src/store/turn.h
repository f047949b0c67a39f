/*
 * turn.h - processes take turns at writing to one SQLite file.
 *
 * SQLite waits for another writer by asking again and again; while that one
 * waits for the disk, the askers burn the CPU and sleep past their chance.
 * Here they sleep in the kernel, on a lock of a file beside the shard, and are
 * woken when it is free.  It only orders: what protects the data are SQLite's
 * own locks, so a writer that takes no turn (sqlite3, a backup) does no harm,
 * and a process that dies gives its turn back.
 */
#ifndef FAMILYBOT_STORE_TURN_H
#define FAMILYBOT_STORE_TURN_H

/* Opens db_path + "-turn".  -1 where that cannot be (a full disk, a read-only
 * folder): then turns are not taken, and SQLite waits in its own way. */
int turn_open(const char *db_path);
void turn_close(int fd);

void turn_take(int fd);	/* blocks */
void turn_give(int fd);

#endif
