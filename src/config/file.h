/*
 * file.h - one libconfig file: read with a cap, checked for what libconfig
 * swallows (integers over 32 bits turn negative), then parsed.
 */
#ifndef FAMILYBOT_CONFIG_FILE_H
#define FAMILYBOT_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <libconfig.h>

#include "config/report.h"

enum { CONF_FILE_MAX = 1 << 20, WHERE_MAX = 4200 };

/* Does the caller's config_destroy() even when this returns false, which
 * means that the file was not parsed and the report says why. */
bool conf_file_parse(const char *path, config_t *cfg, struct report *r);

/* The same with text that is said to be of path. */
bool conf_text_parse(const char *path, const char *text, config_t *cfg,
    struct report *r);

/* Reports every integer of text that does not fit. */
void conf_scan_integers(const char *path, const char *text, struct report *r);

/* "path:line" of a setting. */
void conf_where(const char *path, const config_setting_t *s, char *out,
    size_t size);

#endif
