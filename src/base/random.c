#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assertion.h"

void random_bytes(void *out, size_t length_bytes) {
    uint8_t *at = out;
    while (length_bytes > 0) {
        ssize_t got = getrandom(at, length_bytes, 0);
        if (got < 0 && errno == EINTR) continue;
        ASSERT(got > 0);
        at += got;
        length_bytes -= (size_t)got;
    }
}

uint64_t random_below(uint64_t bound) {
    ASSERT(bound > 0);
    /* Values under the remainder of 2^64 / bound are drawn again, so that no result is favoured. */
    uint64_t lowest = -bound % bound;
    uint64_t value;
    do
        random_bytes(&value, sizeof value);
    while (value < lowest);
    return value % bound;
}
