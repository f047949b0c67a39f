/*
 * offset.h - how far getUpdates has come, kept in a file that survives a
 * crash at any moment.
 */
#ifndef FAMILYBOT_WORKER_OFFSET_H
#define FAMILYBOT_WORKER_OFFSET_H

#include <stdint.h>

#include "utils/err.h"

/* 0 when there is none, when it cannot be read, or when it is older than six
 * days: after a quiet week Telegram's numbers start anew, at random. */
int64_t offset_load(const char *path, int64_t now_ms);
MUST_CHECK enum rc offset_save(const char *path, int64_t offset,
    int64_t now_ms, struct err *e);

#endif
