/*
 * write_queue.h - processes take turns at writing to one SQLite file.
 *
 * SQLite waits for another writer by asking again and again; while that one
 * waits for the disk, the askers burn the CPU and sleep past their chance.
 * Here they sleep in the kernel, on a lock of a file beside the shard, and are
 * woken when it is free.  It only orders: what protects the data are SQLite's
 * own locks, so a writer that takes no turn (sqlite3, a backup) does no harm,
 * a process that dies gives its turn back, and one that hangs with it holds the
 * others up for a bounded time only.
 *
 * Waiting is ended by SIGALRM: write_queue_open installs a handler that does nothing.
 */
#ifndef FAMILYBOT_STORE_SQLITE_WRITE_QUEUE_H
#define FAMILYBOT_STORE_SQLITE_WRITE_QUEUE_H

/* Opens db_path + "-turn".  -1 where that cannot be (a full disk, a read-only
 * folder): then turns are not taken, and SQLite waits in its own way. */
int write_queue_open(const char *db_path);
void write_queue_close(int fd);

/* Waits for at most most_ms, then goes on without. */
void write_queue_enter(int fd, int most_ms);
void write_queue_leave(int fd);

#endif
