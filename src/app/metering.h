/*
 * metering.h - the file of metrics that all programs of a state directory
 * share, opened in the one way that all agree on.
 */
#ifndef FAMILYBOT_APP_METERING_H
#define FAMILYBOT_APP_METERING_H

#include "config/config.h"
#include "utils/err.h"

struct metrics;

/* Metrics must not stop the bot: where the file cannot be used, the process
 * counts for itself and says so in the log. */
MUST_CHECK enum rc metering_open(const struct config *conf,
    struct metrics **out, struct err *e);
void metering_close(struct metrics *m);	/* takes NULL */

#endif
