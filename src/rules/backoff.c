#include "rules/backoff.h"

void backoff_init(struct backoff *backoff, int64_t first_ms, int64_t cap_ms) {
    backoff->first_ms = first_ms < 1 ? 1 : first_ms;
    backoff->cap_ms = cap_ms < backoff->first_ms ? backoff->first_ms : cap_ms;
    backoff->failures = 0;
}

int64_t backoff_failed(struct backoff *backoff, uint64_t random) {
    int64_t longest_ms = backoff->first_ms;
    for (uint32_t i = 0; i < backoff->failures && longest_ms < backoff->cap_ms; i++)
        longest_ms = longest_ms > backoff->cap_ms / 2 ? backoff->cap_ms : longest_ms * 2;
    if (longest_ms > backoff->cap_ms) longest_ms = backoff->cap_ms;
    if (backoff->failures < UINT32_MAX) backoff->failures++;
    int64_t shortest_ms = longest_ms - longest_ms / 2;
    return shortest_ms + (int64_t)(random % (uint64_t)(longest_ms - shortest_ms + 1));
}

void backoff_succeeded(struct backoff *backoff) {
    backoff->failures = 0;
}
