#include "rules/rate_limit.h"

static int64_t clamp(int64_t value) {
    if (value < 1) return 1;
    return value > RATE_LIMIT_MAX_PER_SECOND ? RATE_LIMIT_MAX_PER_SECOND : value;
}

void rate_limit_init(struct rate_limit *limit, int64_t per_second, int64_t burst, int64_t now_ms) {
    limit->per_second = clamp(per_second);
    limit->burst = clamp(burst);
    limit->thousandths = limit->burst * 1000;
    limit->filled_at_ms = now_ms;
}

/* Tokens at `now_ms` in 1/1000: a millisecond refills per_second of them. */
static int64_t thousandths_at(const struct rate_limit *limit, int64_t now_ms) {
    int64_t full = limit->burst * 1000;
    int64_t elapsed_ms;
    if (now_ms <= limit->filled_at_ms) return limit->thousandths;
    if (__builtin_sub_overflow(now_ms, limit->filled_at_ms, &elapsed_ms) ||
        elapsed_ms > full / limit->per_second)
        return full;
    int64_t sum = limit->thousandths + elapsed_ms * limit->per_second;
    return sum > full ? full : sum;
}

bool rate_limit_take(struct rate_limit *limit, int64_t now_ms) {
    limit->thousandths = thousandths_at(limit, now_ms);
    if (now_ms > limit->filled_at_ms) limit->filled_at_ms = now_ms;
    if (limit->thousandths < 1000) return false;
    limit->thousandths -= 1000;
    return true;
}

int64_t rate_limit_wait_ms(const struct rate_limit *limit, int64_t now_ms) {
    int64_t missing = 1000 - thousandths_at(limit, now_ms);
    if (missing <= 0) return 0;
    return (missing + limit->per_second - 1) / limit->per_second;
}
