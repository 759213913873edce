/*
 * When a license cache asks its master: one sync at a time, whoever wants it; retries of what may
 * pass by itself; and a pause after a failure, so that a thousand requests to a cache whose master
 * is down make one attempt in that time and not a thousand. Times are monotonic milliseconds.
 *
 *     start, due time,                           confirmed, or gave up
 *     a request, push  +----------------------------------------------------------+
 *                |     v                                                          |
 *                +-> [ IDLE ] -- cache_sync_begin --> [ RUNNING ] ----------------+
 *                                                       ^     | an outcome that may pass,
 *                                            wait over  |     v and tries are left
 *                                                     [ WAITING ]
 *
 *     | state   | event                                  | next    | what follows                |
 *     |---------|----------------------------------------|---------|-----------------------------|
 *     | IDLE    | begin, allowed for its trigger         | RUNNING | the caller asks the master  |
 *     | IDLE    | begin, not allowed                     | IDLE    | the answer is as it is      |
 *     | RUNNING | begin                                  | RUNNING | joins the one that runs     |
 *     | WAITING | begin by timer, hit, request or hint   | WAITING | joins: the wait is kept     |
 *     | WAITING | begin by hand or by push               | RUNNING | at once; tries start anew   |
 *     | RUNNING | ended: CONFIRMED                       | IDLE    | due in the interval         |
 *     | RUNNING | ended: may pass, n < MAX_SYNC_RETRIES  | WAITING | delay * 2^n, with jitter    |
 *     | RUNNING | ended: may pass, no tries are left     | IDLE    | due after the pause         |
 *     | RUNNING | ended: REFUSED_KEY, GARBAGE, STORE ... | IDLE    | due in the interval         |
 *     | WAITING | the wait is over                       | RUNNING | the next try                |
 *
 *     | outcome      | of                                  | may pass | alert |
 *     |--------------|-------------------------------------|----------|-------|
 *     | CONFIRMED    | 200 with all changes taken, 304     | -        |       |
 *     | SERVER_ERROR | 5xx                                 | yes      |       |
 *     | THROTTLED    | 429: waits at least its Retry-After | yes      |       |
 *     | TIMED_OUT    | no answer in SYNC_TIMEOUT           | yes      |       |
 *     | UNREACHABLE  | no connection, or it broke          | yes      |       |
 *     | REFUSED_KEY  | 401, 403                            | no       | yes   |
 *     | CONFLICT     | 409: the key belongs to another     | no       | yes   |
 *     | GARBAGE      | an answer that is not the API's     | no       | yes   |
 */
#ifndef LSYS_RULES_CACHE_SYNC_H
#define LSYS_RULES_CACHE_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/cache_state.h"

/* A master that asks for more than an hour's patience gets an hour's. */
#define CACHE_RETRY_AFTER_MAX_MS 3600000

/* Doubling stops here: 2^16 times the smallest delay is more than anybody waits. */
#define CACHE_RETRY_DOUBLINGS_MAX 16

/* The jitter adds up to this part of a delay, so that slaves that failed together do not come back
 * together, and none comes back earlier than it was told. */
#define CACHE_RETRY_JITTER_DIVISOR 4

enum cache_outcome {
    CACHE_CONFIRMED,
    CACHE_SERVER_ERROR,
    CACHE_THROTTLED,
    CACHE_TIMED_OUT,
    CACHE_UNREACHABLE,
    CACHE_REFUSED_KEY,
    CACHE_CONFLICT,
    CACHE_GARBAGE,
};
#define CACHE_OUTCOME_COUNT 8

/* Who wants a sync. */
enum cache_trigger {
    CACHE_BY_TIMER,  /* BACKGROUND_SYNC_INTERVAL, or the pause after a failure */
    CACHE_BY_HIT,    /* a request that is answered as stale */
    CACHE_BY_DEMAND, /* a request past the grace, which waits for it */
    CACHE_BY_PUSH,   /* the master says that something changed */
    CACHE_BY_HINT,   /* somebody says so, who need not be the master */
    CACHE_BY_HAND,   /* manual-sync, SIGHUP */
};

struct cache_sync_settings {
    int64_t interval_ms;    /* BACKGROUND_SYNC_INTERVAL; at least 1 */
    int64_t retry_delay_ms; /* SYNC_RETRY_DELAY; at least 1 */
    int64_t max_retries;    /* MAX_SYNC_RETRIES; at least 0 */
    bool background;        /* ENABLE_BACKGROUND_SYNC: timer and hits begin syncs */
};

enum cache_sync_phase { CACHE_SYNC_IDLE, CACHE_SYNC_RUNNING, CACHE_SYNC_WAITING };

struct cache_sync {
    struct cache_sync_settings settings;
    enum cache_sync_phase phase;
    int64_t failures;       /* tries of this sync that failed */
    int64_t due_at_ms;      /* IDLE: the next one by timer; WAITING: the next try */
    int64_t rests_until_ms; /* after a failure no hit, demand or hint begins another before this */
};

/* Begins idle and due at once. */
void cache_sync_init(struct cache_sync *sync, const struct cache_sync_settings *settings,
                     int64_t now_ms);

/* Takes over other settings (SIGHUP); a sync that runs goes on. */
void cache_sync_set(struct cache_sync *sync, const struct cache_sync_settings *settings);

/* True when the caller is to ask the master now. False when one runs or waits already, which the
 * caller may join (`phase` is not IDLE), or when none is allowed now (IDLE). */
bool cache_sync_begin(struct cache_sync *sync, enum cache_trigger trigger, int64_t now_ms);

/* A try ended. `retry_after_ms` is what a THROTTLED or SERVER_ERROR answer asked for, 0 for
 * nothing; `random` is any 64 random bits. True when the sync is over; false when another try is
 * due at `due_at_ms`. */
bool cache_sync_ended(struct cache_sync *sync, enum cache_outcome outcome, int64_t retry_after_ms,
                      uint64_t random, int64_t now_ms);

/* The wait between two tries: true when it is over, and the caller asks the master now. */
bool cache_sync_resume(struct cache_sync *sync, int64_t now_ms);

/* How long until cache_sync_resume or cache_sync_begin by timer has something to do; LICENSE_NEVER
 * while a try runs or nothing is due. */
int64_t cache_sync_wait_ms(const struct cache_sync *sync, int64_t now_ms);

/* True for an outcome that may pass by itself. */
bool cache_outcome_may_pass(enum cache_outcome outcome);

/* The outcome of an HTTP answer: 200 and 304 are CONFIRMED, which the body may still disprove. */
enum cache_outcome cache_outcome_of_http(int http_status);

/* "confirmed", "server_error", "throttled", "timed_out", "unreachable", "refused_key", "conflict",
 * "garbage". */
const char *cache_outcome_name(enum cache_outcome outcome);

#endif
