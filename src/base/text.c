#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

struct duration_unit {
    const char *name;
    int64_t milliseconds;
};

/* Largest first, for writing. */
static const struct duration_unit duration_units[] = {
    {"y", 365LL * 86400000},
    {"w", 7LL * 86400000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

#define UNIT_COUNT            (sizeof duration_units / sizeof duration_units[0])
#define FIRST_UNIT_FOR_PEOPLE 2 /* "400d" says more than "1y 5w" */

/* Reads the digits at the start; returns how many there are, 0 also when the value overflows. */
static size_t read_digits(struct bytes text, int64_t *value) {
    size_t at = 0;
    int64_t sum = 0;
    for (; at < text.length && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, text.data[at] - '0', &sum))
            return 0;
    *value = sum;
    return at;
}

bool text_read_integer(struct bytes text, int64_t *out) {
    bool negative = text.length > 0 && text.data[0] == '-';
    struct bytes digits = bytes_of(text.data + negative, text.length - negative);
    int64_t value;
    size_t used = read_digits(digits, &value);
    if (used == 0 || used != digits.length) return false;
    *out = negative ? -value : value;
    return true;
}

bool text_read_duration(struct bytes text, int64_t bare_unit_ms, int64_t *out_ms) {
    int64_t value;
    size_t used = read_digits(text, &value);
    if (used == 0) return false;
    struct bytes suffix = bytes_of(text.data + used, text.length - used);
    int64_t unit_ms = suffix.length == 0 ? bare_unit_ms : 0;
    for (size_t i = 0; i < UNIT_COUNT && suffix.length > 0; i++)
        if (bytes_equal_text(suffix, duration_units[i].name))
            unit_ms = duration_units[i].milliseconds;
    int64_t product;
    if (unit_ms == 0 || __builtin_mul_overflow(value, unit_ms, &product)) return false;
    *out_ms = product;
    return true;
}

void text_format_duration(int64_t duration_ms, char out[TEXT_DURATION_BYTES]) {
    const char *sign = duration_ms < 0 ? "-" : "";
    int64_t left_ms = duration_ms < 0 ? -duration_ms : duration_ms;
    for (size_t i = FIRST_UNIT_FOR_PEOPLE; i < UNIT_COUNT; i++) {
        int64_t count = left_ms / duration_units[i].milliseconds;
        bool last = i + 1 == UNIT_COUNT;
        if (count == 0 && !last) continue;
        int64_t rest_ms = left_ms % duration_units[i].milliseconds;
        int64_t next = last ? 0 : rest_ms / duration_units[i + 1].milliseconds;
        /* Milliseconds beside seconds are noise for a reader. */
        bool show_next = next > 0 && i + 2 < UNIT_COUNT;
        if (show_next)
            snprintf(out, TEXT_DURATION_BYTES, "%s%" PRId64 "%s %" PRId64 "%s", sign, count,
                     duration_units[i].name, next, duration_units[i + 1].name);
        else
            snprintf(out, TEXT_DURATION_BYTES, "%s%" PRId64 "%s", sign, count,
                     duration_units[i].name);
        return;
    }
}
