/*
 * How long to wait before trying again: each failure doubles the wait up to a cap, and jitter
 * spreads the attempts of many machines that failed together. The caller passes the random number
 * in.
 *
 *     | event     | failures | delay                                               |
 *     |-----------|----------|-----------------------------------------------------|
 *     | success   | 0        | -                                                   |
 *     | failure n | n        | uniform in [d/2, d], d = min(first * 2^(n-1), cap)  |
 *
 *                  failure: wait d          failure: wait 2d             failure: wait cap
 *     [working] ----------------> [trying] ----------------> [trying] --------> ... --+
 *         ^                           |                          |              ^     |
 *         +----------- success -------+--------------------------+              +-----+
 */
#ifndef LSYS_RULES_BACKOFF_H
#define LSYS_RULES_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ms; /* the longest wait after the first failure; at least 1 */
    int64_t cap_ms;   /* no wait is longer; at least first_ms */
    uint32_t failures;
};

/* Sets the bounds; values out of order are raised to the nearest that makes sense. */
void backoff_init(struct backoff *backoff, int64_t first_ms, int64_t cap_ms);

/* Counts a failure and returns how long to wait, in milliseconds. `random` is any 64 random
 * bits. */
int64_t backoff_failed(struct backoff *backoff, uint64_t random);

/* Counts a success: the next failure starts from the beginning. */
void backoff_succeeded(struct backoff *backoff);

#endif
