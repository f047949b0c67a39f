/*
 * queue.h - enqueue for the worker, and wake it.
 *
 * Durable: queue_add stores jobs in the user's shard, then wakes the worker
 * by a datagram (losing it costs at most the second after which the worker
 * looks by itself).  Ephemeral: queue_ephemeral hands the worker a Telegram
 * call that is worthless a minute later (answerCallbackQuery), in the
 * datagram itself; it may be lost.
 */
#ifndef FAMILYBOT_QUEUE_QUEUE_H
#define FAMILYBOT_QUEUE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "models/job.h"
#include "store/store.h"
#include "utils/err.h"

struct queue;

/* socket_path: the worker's datagram socket; it need not exist yet. */
struct queue *queue_open(const char *socket_path);
void queue_free(struct queue *q);

MUST_CHECK enum rc queue_add(struct queue *q, struct store *s,
    const struct job *jobs, size_t n, struct err *e);

/* Wakes the worker; never blocks, never fails. */
void queue_wake(struct queue *q);

/*
 * call: a JSON object {"method":"answerCallbackQuery",...} of at most 8 KiB,
 * exactly what would stand in a webhook's answer.  Never blocks.
 */
void queue_ephemeral(struct queue *q, const char *call, size_t len);

/*
 * A durable Telegram call: fills job with kind "send", id
 * "send:<user_id>:<key>", payload = call.  RC_TOOBIG when it does not fit.
 */
MUST_CHECK enum rc queue_send_job(struct job *job, int64_t user_id,
    const char *key, const char *call, size_t len, int64_t now_ms);

/* What a datagram on the worker's socket holds: first byte 'W' (wake) or
 * 'C' followed by the call. */
enum { QUEUE_WAKE = 'W', QUEUE_CALL = 'C', QUEUE_DATAGRAM_MAX = 8193 };

/* Delay before the try after `tries` failed ones: min(2^tries s, 1 h) ± 20 %
 * taken from random (any 32 bits). */
int64_t queue_backoff_ms(int tries, uint32_t random);

#endif
