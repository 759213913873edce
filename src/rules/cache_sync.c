#include "rules/cache_sync.h"

#include <string.h>

/* SYNC_RETRY_DELAY * 2^n without overflow. */
static int64_t doubled(int64_t delay_ms, int64_t n) {
    int64_t result_ms = delay_ms;
    if (n > CACHE_RETRY_DOUBLINGS_MAX) n = CACHE_RETRY_DOUBLINGS_MAX;
    for (; n > 0 && result_ms <= INT64_MAX / 4; n--)
        result_ms *= 2;
    return result_ms;
}

static int64_t at_most(int64_t value, int64_t bound) {
    return value < bound ? value : bound;
}

static int64_t at_least(int64_t value, int64_t bound) {
    return value > bound ? value : bound;
}

/* `now` + `wait`, or never. */
static int64_t later(int64_t now_ms, int64_t wait_ms) {
    return wait_ms >= LICENSE_NEVER - at_least(now_ms, 0) ? LICENSE_NEVER - 1 : now_ms + wait_ms;
}

static int64_t with_jitter(int64_t delay_ms, uint64_t random) {
    uint64_t room_ms = (uint64_t)(delay_ms / CACHE_RETRY_JITTER_DIVISOR) + 1;
    return delay_ms + (int64_t)(random % room_ms);
}

void cache_sync_set(struct cache_sync *sync, const struct cache_sync_settings *settings) {
    sync->settings = *settings;
    sync->settings.interval_ms = at_least(settings->interval_ms, 1);
    sync->settings.retry_delay_ms = at_least(settings->retry_delay_ms, 1);
    sync->settings.max_retries = at_least(settings->max_retries, 0);
}

void cache_sync_init(struct cache_sync *sync, const struct cache_sync_settings *settings,
                     int64_t now_ms) {
    memset(sync, 0, sizeof *sync);
    cache_sync_set(sync, settings);
    sync->due_at_ms = now_ms;
    sync->rests_until_ms = now_ms;
}

static bool may_begin(const struct cache_sync *sync, enum cache_trigger trigger, int64_t now_ms) {
    switch (trigger) {
    case CACHE_BY_TIMER: return sync->settings.background && now_ms >= sync->due_at_ms;
    case CACHE_BY_HIT: return sync->settings.background && now_ms >= sync->rests_until_ms;
    case CACHE_BY_HINT:
    case CACHE_BY_DEMAND: return now_ms >= sync->rests_until_ms;
    case CACHE_BY_PUSH:
    case CACHE_BY_HAND: break;
    }
    return true;
}

bool cache_sync_begin(struct cache_sync *sync, enum cache_trigger trigger, int64_t now_ms) {
    bool at_once = trigger == CACHE_BY_HAND || trigger == CACHE_BY_PUSH;
    if (sync->phase == CACHE_SYNC_RUNNING) return false;
    if (sync->phase == CACHE_SYNC_WAITING && !at_once) return false;
    if (!may_begin(sync, trigger, now_ms)) return false;
    sync->phase = CACHE_SYNC_RUNNING;
    sync->failures = 0;
    return true;
}

static void wait_for_next_try(struct cache_sync *sync, int64_t retry_after_ms, uint64_t random,
                              int64_t now_ms) {
    int64_t delay_ms = doubled(sync->settings.retry_delay_ms, sync->failures);
    delay_ms = at_least(delay_ms, at_most(retry_after_ms, CACHE_RETRY_AFTER_MAX_MS));
    sync->failures++;
    sync->phase = CACHE_SYNC_WAITING;
    sync->due_at_ms = later(now_ms, with_jitter(delay_ms, random));
}

/* After the last try. What may pass is tried again after a pause that is longer than any before it;
 * what a person has to put right, in the ordinary interval. */
static void give_up(struct cache_sync *sync, bool may_pass, int64_t retry_after_ms, uint64_t random,
                    int64_t now_ms) {
    const struct cache_sync_settings *settings = &sync->settings;
    int64_t asked_ms = at_most(retry_after_ms, CACHE_RETRY_AFTER_MAX_MS);
    int64_t pause_ms = settings->interval_ms;
    int64_t rest_ms = settings->interval_ms;
    if (may_pass) {
        pause_ms = at_most(doubled(settings->retry_delay_ms, settings->max_retries), pause_ms);
        rest_ms = at_most(settings->retry_delay_ms, pause_ms);
    }
    sync->due_at_ms = later(now_ms, at_least(with_jitter(pause_ms, random), asked_ms));
    sync->rests_until_ms = later(now_ms, at_least(rest_ms, asked_ms));
}

bool cache_sync_ended(struct cache_sync *sync, enum cache_outcome outcome, int64_t retry_after_ms,
                      uint64_t random, int64_t now_ms) {
    bool may_pass = cache_outcome_may_pass(outcome);
    if (may_pass && sync->failures < sync->settings.max_retries) {
        wait_for_next_try(sync, retry_after_ms, random, now_ms);
        return false;
    }
    sync->phase = CACHE_SYNC_IDLE;
    sync->failures = 0;
    if (outcome == CACHE_CONFIRMED) {
        sync->due_at_ms = later(now_ms, sync->settings.interval_ms);
        sync->rests_until_ms = now_ms;
    } else {
        give_up(sync, may_pass, retry_after_ms, random, now_ms);
    }
    return true;
}

bool cache_sync_resume(struct cache_sync *sync, int64_t now_ms) {
    if (sync->phase != CACHE_SYNC_WAITING || now_ms < sync->due_at_ms) return false;
    sync->phase = CACHE_SYNC_RUNNING;
    return true;
}

int64_t cache_sync_wait_ms(const struct cache_sync *sync, int64_t now_ms) {
    if (sync->phase == CACHE_SYNC_RUNNING) return LICENSE_NEVER;
    if (sync->phase == CACHE_SYNC_IDLE && !sync->settings.background) return LICENSE_NEVER;
    return at_least(sync->due_at_ms - now_ms, 0);
}

bool cache_outcome_may_pass(enum cache_outcome outcome) {
    return outcome == CACHE_SERVER_ERROR || outcome == CACHE_THROTTLED ||
           outcome == CACHE_TIMED_OUT || outcome == CACHE_UNREACHABLE;
}

enum cache_outcome cache_outcome_of_http(int http_status) {
    switch (http_status) {
    case 200:
    case 304: return CACHE_CONFIRMED;
    case 401:
    case 403: return CACHE_REFUSED_KEY;
    case 409: return CACHE_CONFLICT;
    case 429: return CACHE_THROTTLED;
    default: return http_status >= 500 && http_status <= 599 ? CACHE_SERVER_ERROR : CACHE_GARBAGE;
    }
}

const char *cache_outcome_name(enum cache_outcome outcome) {
    static const char *const names[] = {"confirmed",   "server_error", "throttled", "timed_out",
                                        "unreachable", "refused_key",  "conflict",  "garbage"};
    return names[outcome];
}
