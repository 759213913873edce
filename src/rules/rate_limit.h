/*
 * A token bucket: at most `burst` events at once and `per_second` in the long run. What is over the
 * limit is refused at once, without memory or timers.
 *
 *     tokens refill at per_second, never above burst
 *
 *     | event | tokens | result  | tokens after |
 *     |-------|--------|---------|--------------|
 *     | take  | >= 1   | allowed | - 1          |
 *     | take  | < 1    | refused | unchanged    |
 *
 *     [ full ] --take--> [ some ] --take--> [ empty ] --take--> refused
 *        ^                  ^                   |
 *        +------ time ------+------- time ------+
 */
#ifndef LSYS_RULES_RATE_LIMIT_H
#define LSYS_RULES_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Higher rates are cut to this, so that no product below overflows. */
#define RATE_LIMIT_MAX_PER_SECOND 1000000

struct rate_limit {
    int64_t per_second;
    int64_t burst;
    int64_t thousandths; /* tokens in the bucket, in 1/1000 */
    int64_t filled_at_ms;
};

/* A full bucket at monotonic time `now_ms`. Rates and bursts below 1 are raised to 1. */
void rate_limit_init(struct rate_limit *limit, int64_t per_second, int64_t burst, int64_t now_ms);

/* Takes one token; false when there is none. Time that goes back refills nothing. */
bool rate_limit_take(struct rate_limit *limit, int64_t now_ms);

/* Milliseconds until rate_limit_take would succeed; 0 when it would now. For Retry-After. */
int64_t rate_limit_wait_ms(const struct rate_limit *limit, int64_t now_ms);

#endif
