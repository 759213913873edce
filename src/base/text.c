#include "base/text.h"

#include <string.h>

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

size_t text_write_integer(int64_t number, char out[TEXT_INTEGER_BYTES]) {
    char digits[TEXT_INTEGER_BYTES]; /* the last one first */
    size_t count = 0, length = 0;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[count++] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) out[length++] = '-';
    while (count > 0)
        out[length++] = digits[--count];
    out[length] = '\0';
    return length;
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

/* Writes a number and its unit; returns the number of characters. */
static size_t write_count(int64_t count, const char *unit, char *out) {
    size_t length = text_write_integer(count, out);
    size_t unit_length = strlen(unit);
    memcpy(out + length, unit, unit_length + 1);
    return length + unit_length;
}

void text_format_duration(int64_t duration_ms, char out[TEXT_DURATION_BYTES]) {
    const struct duration_unit *unit = &duration_units[FIRST_UNIT_FOR_PEOPLE];
    const struct duration_unit *last = &duration_units[UNIT_COUNT - 1];
    int64_t left_ms = duration_ms < 0 ? -duration_ms : duration_ms;
    if (duration_ms < 0) *out++ = '-';
    while (unit < last && left_ms < unit->milliseconds)
        unit++;
    out += write_count(left_ms / unit->milliseconds, unit->name, out);
    /* Milliseconds beside seconds are noise for a reader. */
    if (unit + 1 >= last || left_ms % unit->milliseconds < unit[1].milliseconds) return;
    *out++ = ' ';
    write_count(left_ms % unit->milliseconds / unit[1].milliseconds, unit[1].name, out);
}
