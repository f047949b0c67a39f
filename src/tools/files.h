/*
 * files.h - whole files: read with a cap, written durably, copied, hashed.
 *
 * All that is made here has mode 0600: it holds what people ate.
 */
#ifndef FAMILYBOT_TOOLS_FILES_H
#define FAMILYBOT_TOOLS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

/* RC_NOTFOUND; RC_TOOBIG when it does not fit out's cap.  out is added to. */
MUST_CHECK enum rc file_read(const char *path, struct buf *out,
    struct err *e);
/* Written under another name, synced, then renamed: whole or not at all.
 * Without replace RC_CONFLICT when path exists. */
MUST_CHECK enum rc file_write(const char *path, const char *text, size_t len,
    bool replace, struct err *e);
/* RC_CONFLICT when to exists; a copy that fails leaves nothing. */
MUST_CHECK enum rc file_copy(const char *from, const char *to, struct err *e);
/* out: 64 hexadecimal digits. */
MUST_CHECK enum rc file_sha256(const char *path, char out[65], int64_t *bytes,
    struct err *e);
MUST_CHECK enum rc file_sync(const char *path, struct err *e);
/* The folder in which path lies: a name given or taken is on the disk. */
MUST_CHECK enum rc file_sync_folder(const char *path, struct err *e);
/* Bytes that may still be written in this folder; -1 unknown. */
int64_t folder_free(const char *folder);
int64_t file_size(const char *path);	/* -1: not there */

/* RC_OK when from was renamed or was not there. */
MUST_CHECK enum rc file_rename_if_there(const char *from, const char *to,
    struct err *e);

/* "20261123T041500Z" */
void time_name(int64_t ms, char *out, size_t size);
/* "2026-11-23 04:15:00 UTC" */
void time_words(int64_t ms, char *out, size_t size);
/* "1.5 GB" */
void bytes_words(int64_t bytes, char *out, size_t size);

#endif
