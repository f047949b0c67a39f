/*
 * turn.h - processes take turns at writing to one SQLite file.
 *
 * SQLite waits for another writer by asking again and again; while that one
 * waits for the disk, the askers burn the CPU and sleep past their chance.
 * Here they sleep in the kernel, on a lock of a file beside the shard, and are
 * woken when it is free.  It only orders: what protects the data are SQLite's
 * own locks, so a writer that takes no turn (sqlite3, a backup) does no harm,
 * a process that dies gives its turn back, and one that hangs with it holds the
 * others up for a bounded time only.
 *
 * Waiting is ended by SIGALRM: turn_open installs a handler that does nothing.
 */
#ifndef FAMILYBOT_STORE_SQLITE_TURN_H
#define FAMILYBOT_STORE_SQLITE_TURN_H

/* Opens db_path + "-turn".  -1 where that cannot be (a full disk, a read-only
 * folder): then turns are not taken, and SQLite waits in its own way. */
int turn_open(const char *db_path);
void turn_close(int fd);

/* Waits for at most most_ms, then goes on without. */
void turn_take(int fd, int most_ms);
void turn_give(int fd);

#endif
