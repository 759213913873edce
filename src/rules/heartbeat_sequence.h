/*
 * The `seq` of a license server's messages: starts * 2^32 + n. It grows with every message and with
 * every start, and a number is never used twice, even after kill -9, because `starts` is committed
 * to the store before the first message; n needs no disk. Below 2^53, so that JavaScript reads it
 * exactly.
 *
 *     | event                   | starts        | n                | seq                    |
 *     |-------------------------|---------------|------------------|------------------------|
 *     | start, committed        | persisted + 1 | 0                | -                      |
 *     | start, the disk refuses | persisted + 1 | unix seconds     | -                      |
 *     | message                 | unchanged     | n + 1            | starts * 2^32 + n      |
 *     | n is used up            | -             | -                | none: a new start      |
 *
 *     [persisted k] --start, commit k+1--> [k+1, 0] --message--> [k+1, 1] --message--> [k+1, 2] ...
 */
#ifndef LSYS_RULES_HEARTBEAT_SEQUENCE_H
#define LSYS_RULES_HEARTBEAT_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define HEARTBEAT_SEQUENCE_LIMIT     (1LL << 53)
#define HEARTBEAT_STARTS_LIMIT       (1LL << 21) /* starts * 2^32 stays below 2^53 */
#define HEARTBEAT_MESSAGES_PER_START (1LL << 32)

struct heartbeat_sequence {
    int64_t starts;
    int64_t messages;
};

/* Begins a start after `persisted_starts` (0 for a new key). False when the value is damaged or
 * used up (negative, or 2^21 - 1 starts and more): the key must be replaced. On true the caller
 * commits `sequence->starts` before the first message. */
bool heartbeat_sequence_start(struct heartbeat_sequence *sequence, int64_t persisted_starts);

/* As heartbeat_sequence_start where `starts` cannot be committed: n begins at `now_s`, seconds
 * since 1970, so that the next start of the same kind, with the same `starts`, still goes on
 * higher. */
bool heartbeat_sequence_start_uncommitted(struct heartbeat_sequence *sequence,
                                          int64_t persisted_starts, int64_t now_s);

/* The number of the next message. False after 2^32 - 1 messages in one start. */
bool heartbeat_sequence_next(struct heartbeat_sequence *sequence, int64_t *seq);

/* True when a number from outside can be one: 0 < seq < 2^53. */
bool heartbeat_sequence_is_plausible(int64_t seq);

#endif
