/*
 * poller.h - updates by getUpdates, handed to the local webhook as Telegram
 * would, for a machine without a public address.
 *
 * Messages queue by chat and taps by person, as at Telegram: an update that
 * the webhook does not take (anything but 2xx) is sent again with a back-off
 * and holds up only its own queue.  Telegram is told that an update has
 * arrived only when all before it have, so a crash repeats some and loses
 * none.  Everything in struct poller_conf is borrowed.
 */
#ifndef FAMILYBOT_WORKER_POLLER_H
#define FAMILYBOT_WORKER_POLLER_H

#include "utils/clock.h"
#include "utils/err.h"

struct http;
struct telegram;

struct poller_conf {
	struct http *http;
	struct telegram *telegram;
	const struct clock *clock;
	const char *url;		/* of the webhook */
	const char *secret;
	const char *offset_path;
	int stop_fd;
	int long_poll_s;		/* 0: 50 */
};

/* Until stop_fd is readable.  What Telegram refuses is said in the log and
 * tried again.  RC_INVALID: the webhook's URL may not be spoken to. */
MUST_CHECK enum rc poller_run(const struct poller_conf *c, struct err *e);

#endif
